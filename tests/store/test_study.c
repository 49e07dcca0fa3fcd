#include "stores.h"

static int64_t study_of(nas_store *store, const char *text) {
  nas_error err;
  int64_t id;
  check_ok(nas_store_study(store, "a name", text, "{}", &id, &err), &err);
  return id;
}

static const nas_writer writer = {.script = "print(1)", .arguments = "--trials 3"};

/* A run without trials, which nobody holds. */
static int64_t begin_run(nas_store *store, int64_t study, int64_t parent, int64_t first) {
  nas_error err;
  nas_lock lock;
  nas_run run = {.study = study, .parent = parent, .first = first, .numeric_version = 4};
  check_ok(nas_store_begin_run(store, &run, INT64_MAX, &writer, NULL, 0, &lock, &err), &err);
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
  check_ok(nas_store_append(store, run, some, 3, &err), &err);
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

static void trials_follow_each_other(void **state) {
  (void)state;
  nas_error err;
  nas_store *store = store_at(NULL);
  int64_t study = study_of(store, "space a"), run = begin_run(store, study, 0, 1);
  nas_trial second = trial_of(2, "");
  assert_int_equal(nas_store_append(store, run, &second, 1, &err), NAS_STATE);
  check_contains(err.text, "trial 2 does not follow its last, 0");
  nas_trial list[] = {trial_of(1, ""), trial_of(3, "")};
  assert_int_equal(nas_store_append(store, run, list, 2, &err), NAS_STATE);
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
  check_ok(nas_store_append(store, run, list, 2, &err), &err);
  check_ok(nas_store_log(store, run, 1, "{\"reward\":1}", &err), &err);
  assert_int_equal(nas_store_log(store, run, 3, "{}", &err), NAS_ARGUMENT);
  check_contains(err.text, "run 1 has no trial 3");
  check_ok(nas_store_trials(store, run, 1, 10, &trials, &err), &err);
  assert_string_equal(trials.list[0].logged, "{\"reward\":1}");
  assert_string_equal(trials.list[1].logged, "{\"reward\":0.25}");
  nas_trials_clear(&trials);
  nas_store_close(&store);
}

static void memory_failures_leave_nothing(void **state) {
  (void)state;
  nas_error err;
  nas_status status = NAS_MEMORY;
  nas_trial trial = trial_of(1, "kernel=3");
  nas_store *store = store_at(NULL);
  int64_t study = study_of(store, "space a"), run = begin_run(store, study, 0, 1);
  check_ok(nas_store_append(store, run, &trial, 1, &err), &err);
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
      cmocka_unit_test_teardown(trials_follow_each_other, check_no_blocks),
      cmocka_unit_test_teardown(what_a_trial_logged_can_be_replaced, check_no_blocks),
      cmocka_unit_test_teardown(memory_failures_leave_nothing, check_no_blocks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
