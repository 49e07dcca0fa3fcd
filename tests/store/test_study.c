#include "stores.h"

static int64_t study_of(nas_store *store, const char *text) {
  nas_error err;
  int64_t id;
  check_ok(nas_store_study(store, "a name", text, "{}", &id, &err), &err);
  return id;
}

static const nas_writer writer = {.script = "print(1)", .arguments = "--trials 3"};

/* Trials to be added to a run. */
#define TRIALS(list, count) (&(nas_run_part){.trials = (list), .trial_count = (count)})

/* A run without trials, which nobody holds. */
static int64_t begin_run(nas_store *store, int64_t study, int64_t parent, int64_t first) {
  nas_error err;
  nas_lock lock;
  nas_run run = {.study = study, .parent = parent, .first = first, .numeric_version = 4};
  check_ok(nas_store_begin_run(store, &run, INT64_MAX, &writer, TRIALS(NULL, 0), &lock, &err),
           &err);
  nas_store_unlock(store, &lock);
  return run.id;
}

static nas_trial trial_of(int64_t number, const char *decisions) {
  return (nas_trial){.number = number,
                     .decisions = decisions,
                     .origin = "{}",
                     .network = "0123",
                     .status = "ok",
                     .metrics = "{\"accuracy\":0.5}",
                     .measured = "{\"seconds\":2.5}",
                     .logged = "{\"reward\":0.25}"};
}

static void the_same_text_is_the_same_study(void **state) {
  (void)state;
  nas_store *store = store_at(NULL);
  int64_t a = study_of(store, "space a"), b = study_of(store, "space b");
  assert_int_not_equal(a, b);
  assert_int_equal(study_of(store, "space a"), a);
  nas_store_close(&store);
}

static void runs_and_their_trials_come_back(void **state) {
  (void)state;
  nas_error err;
  nas_run *runs;
  int count;
  nas_trials trials;
  const char *path = at("a.db");
  nas_store *store = store_at(path);
  const nas_session session = {.program = "search.lua", .isa = "avx2", .threads = 2};
  check_ok(nas_store_begin_session(store, &session, &err), &err);
  int64_t study = study_of(store, "space a"), other = study_of(store, "space b");
  int64_t run = begin_run(store, study, 0, 1);
  nas_trial some[] = {trial_of(1, "kernel=3"), trial_of(2, "kernel=1"), trial_of(3, "")};
  some[1].reason = "too large";
  some[1].network = NULL;
  some[1].status = "failed";
  check_ok(nas_store_append(store, run, TRIALS(some, 3), &err), &err);
  int64_t branch = begin_run(store, study, run, 3);
  begin_run(store, other, 0, 1);
  nas_store_close(&store);

  store = store_at(path);
  check_ok(nas_store_runs(store, study, &runs, &count, &err), &err);
  assert_int_equal(count, 2);
  assert_int_equal(runs[0].id, run);
  assert_int_equal(runs[0].parent, 0);
  assert_int_equal(runs[0].last, 3);
  assert_int_equal(runs[1].id, branch);
  assert_int_equal(runs[1].parent, run);
  assert_int_equal(runs[1].first, 3);
  assert_int_equal(runs[1].last, 2);
  nas_free(runs);
  check_ok(nas_store_trials(store, run, 2, 100, &trials, &err), &err);
  assert_int_equal(trials.count, 2);
  assert_int_equal(trials.list[0].number, 2);
  assert_string_equal(trials.list[0].decisions, "kernel=1");
  assert_string_equal(trials.list[0].reason, "too large");
  assert_null(trials.list[0].network);
  assert_string_equal(trials.list[1].decisions, "");
  assert_null(trials.list[1].reason);
  assert_string_equal(trials.list[1].network, "0123");
  assert_string_equal(trials.list[1].measured, "{\"seconds\":2.5}");
  assert_string_equal(trials.list[1].logged, "{\"reward\":0.25}");
  nas_trials_clear(&trials);
  check_ok(nas_store_trials(store, run, 1, 2, &trials, &err), &err);
  assert_int_equal(trials.count, 2);
  nas_trials_clear(&trials);
  nas_store_close(&store);
}

static nas_run run_of(nas_store *store, int64_t study, int64_t id) {
  nas_error err;
  nas_run *runs, found = {0};
  int count;
  check_ok(nas_store_runs(store, study, &runs, &count, &err), &err);
  for (int i = 0; i < count; i++)
    if (runs[i].id == id) found = runs[i];
  nas_free(runs);
  return found;
}

static void a_run_begins_with_trials_and_its_lock(void **state) {
  (void)state;
  nas_error err;
  nas_lock lock, other;
  const char *path = at("a.db");
  nas_store *store = store_at(path), *second = store_at(path);
  int64_t study = study_of(store, "space a");
  const nas_trial list[] = {trial_of(1, ""), trial_of(2, "")}, wrong = trial_of(2, "");
  nas_run run = {.study = study, .first = 1};
  assert_int_equal(nas_store_begin_run(store, &run, 0, &writer, TRIALS(&wrong, 1), &lock, &err),
                   NAS_STATE);
  assert_int_equal(run_of(store, study, 1).id, 0); /* all or nothing */
  check_ok(nas_store_begin_run(store, &run, 0, &writer, TRIALS(list, 2), &lock, &err), &err);
  assert_int_equal(run.last, 2);
  assert_int_equal(nas_store_lock(second, NAS_LOCK_RUN, (uint64_t)run.id, "", &other, &err),
                   NAS_BUSY);
  check_contains(err.text, "writes the run");
  /* Who has not seen it makes none beside it. */
  nas_run late = {.study = study, .first = 1};
  assert_int_equal(nas_store_begin_run(second, &late, 0, &writer, TRIALS(list, 2), &other, &err),
                   NAS_BUSY);
  check_contains(err.text, "run 1 is new");
  check_ok(nas_store_begin_run(second, &late, run.id, &writer, TRIALS(list, 2), &other, &err),
           &err);
  nas_store_close(&store);
  nas_store_close(&second);
}

static void a_run_can_begin_earlier(void **state) {
  (void)state;
  nas_error err;
  nas_trials trials;
  nas_store *store = store_at(NULL);
  const nas_trial list[] = {trial_of(1, "a"), trial_of(2, "b"), trial_of(3, "c")};
  int64_t study = study_of(store, "space a"), run = begin_run(store, study, 0, 1);
  check_ok(nas_store_append(store, run, TRIALS(list, 3), &err), &err);
  int64_t branch = begin_run(store, study, run, 3);
  check_ok(nas_store_append(store, branch, TRIALS(&list[2], 1), &err), &err);
  assert_int_equal(nas_store_prepend(store, branch, run, TRIALS(list, 1), &err), NAS_STATE);
  check_contains(err.text, "do not end before 3");
  check_ok(nas_store_prepend(store, branch, run, TRIALS(&list[1], 1), &err), &err);
  assert_int_equal(run_of(store, study, branch).first, 2);
  check_ok(nas_store_prepend(store, branch, 0, TRIALS(list, 1), &err), &err);
  assert_int_equal(run_of(store, study, branch).first, 1);
  assert_int_equal(run_of(store, study, branch).parent, 0);
  assert_int_equal(run_of(store, study, branch).last, 3);
  check_ok(nas_store_trials(store, branch, 1, 10, &trials, &err), &err);
  assert_int_equal(trials.count, 3);
  nas_trials_clear(&trials);
  nas_store_close(&store);
}

static int64_t fresh(nas_store *store, const char *script, int turn, int count, int expected) {
  nas_error err;
  int64_t seed;
  int again;
  const nas_writer who = {.script = script};
  check_ok(nas_store_begin_fresh(store, &who, turn, count, &seed, &again, &err), &err);
  assert_int_equal(again, expected);
  return seed;
}

static void no_seed_is_above_the_largest(void **state) {
  (void)state;
  nas_error err;
  int64_t seed;
  int again;
  nas_store *store = store_at(NULL);
  nas_evaluation_key key = key_of("1 input");
  key.seed = INT64_MAX - 3;
  put(store, &key, 1, 1);
  const nas_writer who = {.script = "a"};
  assert_int_equal(nas_store_begin_fresh(store, &who, 1, 4, &seed, &again, &err), NAS_LIMIT);
  assert_true(fresh(store, "a", 1, 2, 0) == INT64_MAX - 2);
  key.seed = INT64_MAX;
  put(store, &key, 1, 1);
  assert_int_equal(nas_store_begin_fresh(store, &who, 2, 1, &seed, &again, &err), NAS_LIMIT);
  check_contains(err.text, "largest seeds");
  nas_store_close(&store);
}

static void only_what_was_opened_ends(void **state) {
  (void)state;
  nas_error err;
  nas_text metrics = {0};
  nas_store *store = store_at(NULL);
  int64_t study;
  check_ok(nas_store_study(store, "a study", "epochs 3", NULL, &study, &err), &err);
  assert_int_equal(nas_store_end_final(store, study, "{}", &err), NAS_STATE);
  check_contains(err.text, "were not opened");
  check_ok(nas_store_open_final(store, study, "1 input", "tests", &metrics, &err), &err);
  check_ok(nas_store_end_final(store, study, "{\"loss\":1}", &err), &err);
  nas_text_add(&metrics, "kept ");
  assert_int_equal(nas_store_open_final(store, study, "2 input", "tests", &metrics, &err),
                   NAS_STATE);
  assert_string_equal(metrics.data, "kept "); /* and nothing of the other network */
  check_ok(nas_store_open_final(store, study, "1 input", "tests", &metrics, &err), &err);
  assert_string_equal(metrics.data, "kept {\"loss\":1}");
  nas_text_clear(&metrics);
  nas_store_close(&store);
}

static void fresh_seeds_are_nobodys(void **state) {
  (void)state;
  nas_error err;
  nas_store *store = store_at(NULL);
  nas_evaluation_key key = key_of("1 input");
  key.seed = 4;
  put(store, &key, 1, 1);
  assert_int_equal(fresh(store, "a", 1, 3, 0), 5);
  assert_int_equal(fresh(store, "b", 1, 1, 0), 8);
  assert_int_equal(fresh(store, "a", 1, 3, 1), 5); /* it was ended before it was through */
  assert_int_equal(fresh(store, "a", 2, 3, 0), 9);
  assert_int_equal(fresh(store, NULL, 1, 1, 0), 12);
  assert_int_equal(fresh(store, NULL, 1, 1, 1), 12);
  check_ok(nas_store_end_fresh(store, 5, &err), &err);
  assert_int_equal(fresh(store, "a", 1, 3, 0), 13);
  nas_store_close(&store);
}

static void trials_follow_each_other(void **state) {
  (void)state;
  nas_error err;
  nas_store *store = store_at(NULL);
  int64_t study = study_of(store, "space a"), run = begin_run(store, study, 0, 1);
  nas_trial second = trial_of(2, "");
  assert_int_equal(nas_store_append(store, run, TRIALS(&second, 1), &err), NAS_STATE);
  check_contains(err.text, "trial 2 does not follow its last, 0");
  nas_trial list[] = {trial_of(1, ""), trial_of(3, "")};
  assert_int_equal(nas_store_append(store, run, TRIALS(list, 2), &err), NAS_STATE);
  nas_trials trials;
  check_ok(nas_store_trials(store, run, 1, 10, &trials, &err), &err);
  assert_int_equal(trials.count, 0); /* all or nothing */
  nas_trials_clear(&trials);
  nas_store_close(&store);
}

static void what_a_trial_logged_can_be_replaced(void **state) {
  (void)state;
  nas_error err;
  nas_trials trials;
  nas_store *store = store_at(NULL);
  int64_t study = study_of(store, "space a"), run = begin_run(store, study, 0, 1);
  nas_trial list[] = {trial_of(1, ""), trial_of(2, "")};
  check_ok(nas_store_append(store, run, TRIALS(list, 2), &err), &err);
  check_ok(nas_store_log(store, run, 1, "{\"reward\":1}", &err), &err);
  assert_int_equal(nas_store_log(store, run, 3, "{}", &err), NAS_ARGUMENT);
  check_contains(err.text, "run 1 has no trial 3");
  check_ok(nas_store_trials(store, run, 1, 10, &trials, &err), &err);
  assert_string_equal(trials.list[0].logged, "{\"reward\":1}");
  assert_string_equal(trials.list[1].logged, "{\"reward\":0.25}");
  nas_trials_clear(&trials);
  nas_store_close(&store);
}

static void expect_versions(nas_store *store, const char *expected) {
  nas_error err;
  nas_rows *rows;
  int more;
  check_ok(nas_rows_open(&rows, store,
                         "SELECT group_concat(format('%d %s %d %s', run, file, first, body), '; ') "
                         "FROM (SELECT * FROM reward_version JOIN text ON id = source "
                         "ORDER BY run, file, first)",
                         NULL, 0, &err),
           &err);
  check_ok(nas_rows_next(rows, &more, &err), &err);
  assert_string_equal(nas_rows_column(rows, 0).bytes, expected);
  nas_rows_close(&rows);
}

static void a_run_has_versions_of_a_reward(void **state) {
  (void)state;
  nas_error err;
  nas_lock lock;
  nas_text report = {0};
  int damages;
  nas_store *store = store_at(NULL);
  const nas_trial list[] = {trial_of(1, "a"), trial_of(2, "b"), trial_of(3, "c")};
  const nas_reward_version a = {1, "r.lua", "return a"}, b = {3, "r.lua", "return b"},
                           c = {3, "r.lua", "return c"}, d = {2, "s.lua", "return b"};
  nas_run run = {.study = study_of(store, "space a"), .first = 1};
  const nas_run_part begun = {list, 1, &a, 1}, later = {list + 1, 1, &b, 1},
                     again = {NULL, 0, &c, 1};
  check_ok(nas_store_begin_run(store, &run, 0, &writer, &begun, &lock, &err), &err);
  check_ok(nas_store_append(store, run.id, &later, &err), &err);
  expect_versions(store, "1 r.lua 1 return a; 1 r.lua 3 return b");
  check_ok(nas_store_append(store, run.id, &again, &err), &err);
  expect_versions(store, "1 r.lua 1 return a; 1 r.lua 3 return c");
  /* None begins before its run; then nothing is added. */
  nas_run branch = {.study = run.study, .parent = run.id, .first = 3};
  const nas_run_part early = {list + 2, 1, &d, 1}, none = {NULL, 0, &d, 1};
  assert_int_equal(nas_store_begin_run(store, &branch, run.id, &writer, &early, &lock, &err),
                   NAS_STATE);
  check_contains(err.text,
                 "a version of s.lua begins at trial 2, before the run, which begins at 3");
  check_ok(nas_store_begin_run(store, &branch, run.id, &writer, TRIALS(list + 2, 1), &lock, &err),
           &err);
  assert_int_equal(nas_store_append(store, branch.id, &none, &err), NAS_STATE);
  const nas_run_part front = {list + 1, 1, &d, 1}, first = {list, 1, NULL, 0};
  check_ok(nas_store_prepend(store, branch.id, run.id, &front, &err), &err);
  expect_versions(store, "1 r.lua 1 return a; 1 r.lua 3 return c; 2 s.lua 2 return b");
  check_ok(nas_store_prepend(store, branch.id, 0, &first, &err), &err);
  check_ok(nas_store_check(store, &report, &damages, &err), &err);
  assert_int_equal(damages, 0);
  nas_text_clear(&report);
  nas_store_close(&store);
}

static void memory_failures_leave_nothing(void **state) {
  (void)state;
  nas_error err;
  nas_status status = NAS_MEMORY;
  nas_trial trial = trial_of(1, "kernel=3");
  nas_store *store = store_at(NULL);
  int64_t study = study_of(store, "space a"), run = begin_run(store, study, 0, 1);
  check_ok(nas_store_append(store, run, TRIALS(&trial, 1), &err), &err);
  for (long allowed = 0; status == NAS_MEMORY; allowed++) {
    nas_trials trials = {0};
    nas_run *runs;
    int count;
    nas_memory_fail_after(allowed);
    status = nas_store_trials(store, run, 1, 10, &trials, &err);
    nas_trials_clear(&trials);
    if (status == NAS_OK) status = nas_store_runs(store, study, &runs, &count, &err);
    nas_memory_fail_after(-1);
    if (status == NAS_OK) nas_free(runs);
    assert_true(allowed < 100);
  }
  check_ok(status, &err);
  nas_store_close(&store);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(the_same_text_is_the_same_study, check_no_blocks),
      cmocka_unit_test_setup_teardown(runs_and_their_trials_come_back, make_folder, remove_folder),
      cmocka_unit_test_setup_teardown(a_run_begins_with_trials_and_its_lock, make_folder,
                                      remove_folder),
      cmocka_unit_test_teardown(a_run_can_begin_earlier, check_no_blocks),
      cmocka_unit_test_teardown(fresh_seeds_are_nobodys, check_no_blocks),
      cmocka_unit_test_teardown(no_seed_is_above_the_largest, check_no_blocks),
      cmocka_unit_test_teardown(only_what_was_opened_ends, check_no_blocks),
      cmocka_unit_test_teardown(trials_follow_each_other, check_no_blocks),
      cmocka_unit_test_teardown(what_a_trial_logged_can_be_replaced, check_no_blocks),
      cmocka_unit_test_teardown(a_run_has_versions_of_a_reward, check_no_blocks),
      cmocka_unit_test_teardown(memory_failures_leave_nothing, check_no_blocks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
