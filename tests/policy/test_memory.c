/* Every allocation fails once: nothing leaks, the policy's bytes stay, and the same call succeeds
 * when there is memory again. */
#include "skips.h"
#include "toy.h"
#include <stdlib.h>
#include <unistd.h>

typedef struct setup {
  nas_policy *policy;
  nas_tape *tape;
  nas_policy_gradient *gradient;
  nas_text bytes; /* of the policy before the call */
  nas_stream stream;
  toy episode;
} setup;

/* A call that may run out of memory; `prepare` (may be NULL) goes before it with all memory. */
typedef nas_status operation(setup *s, nas_error *err);

static void set_up(setup *s, operation *prepare) {
  nas_policy_options options;
  nas_error err;
  memset(s, 0, sizeof *s);
  nas_policy_options_default(&options);
  options.units = 5;
  while (s->episode.count < 5) toy_next(&s->episode);
  s->stream = nas_stream_open(1, "sample", NULL, 0);
  check_ok(nas_policy_create(&s->policy, &options, 1, &err), &err);
  check_ok(nas_tape_create(&s->tape, s->policy, &err), &err);
  check_ok(nas_policy_gradient_create(&s->gradient, s->policy, &err), &err);
  check_ok(nas_policy_begin(s->policy, s->tape, NAS_POLICY_CURRENT, &err), &err);
  if (prepare) check_ok(prepare(s, &err), &err);
  check_ok(nas_policy_encode(s->policy, &s->bytes, &err), &err);
}

static void tear_down(setup *s) {
  nas_text_clear(&s->bytes);
  nas_policy_gradient_destroy(&s->gradient);
  nas_tape_destroy(&s->tape);
  nas_policy_destroy(&s->policy);
}

static void check_bytes(const setup *s, const nas_text *expected) {
  nas_text now = {0};
  nas_error err;
  check_ok(nas_policy_encode(s->policy, &now, &err), &err);
  assert_int_equal(now.size, expected->size);
  assert_memory_equal(now.data, expected->data, now.size);
  nas_text_clear(&now);
}

static void check_gradient_is_zero(const setup *s) {
  nas_error err;
  for (size_t i = 0; i < nas_policy_size(s->policy); i++) {
    float value;
    check_ok(nas_policy_gradient_get(s->policy, s->gradient, i, 1, &value, &err), &err);
    assert_true(value == 0);
  }
}

/* The policy's bytes after a call that nothing disturbed; the caller clears. */
static nas_text undisturbed(operation *prepare, operation *run) {
  setup s;
  nas_error err;
  nas_text bytes = {0};
  set_up(&s, prepare);
  check_ok(run(&s, &err), &err);
  check_ok(nas_policy_encode(s.policy, &bytes, &err), &err);
  tear_down(&s);
  return bytes;
}

/* Allows 0, 1, 2, ... allocations until the call succeeds. Fresh objects for each number: with
 * the old ones, what an earlier attempt had allocated would be there already. */
static void fail_each(operation *prepare, operation *run) {
  nas_text expected = undisturbed(prepare, run);
  nas_status status = NAS_MEMORY;
  long allowed = 0;
  for (; status != NAS_OK; allowed++) {
    setup s;
    nas_error err;
    set_up(&s, prepare);
    nas_memory_fail_after(allowed);
    status = run(&s, &err);
    nas_memory_fail_after(-1);
    if (status) {
      assert_int_equal(status, NAS_MEMORY);
      check_contains(err.text, "memory");
      check_bytes(&s, &s.bytes);
      check_gradient_is_zero(&s);
      check_ok(run(&s, &err), &err); /* now there is enough */
    }
    check_bytes(&s, &expected);
    tear_down(&s);
  }
  print_message("# %ld allocations\n", allowed - 1);
  assert_true(allowed > 1);
  nas_text_clear(&expected);
}

static nas_status run_create(setup *s, nas_error *err) {
  nas_policy *policy;
  (void)s;
  nas_status status = nas_policy_create(&policy, NULL, 1, err);
  assert_true((status == NAS_OK) == (policy != NULL));
  nas_policy_destroy(&policy);
  return status;
}

static nas_status run_choose(setup *s, nas_error *err) {
  int chosen, length = nas_tape_length(s->tape);
  nas_stream before = s->stream;
  nas_status status =
      nas_policy_choose(s->policy, s->tape, "kernel", "1,3", 2, &s->stream, &chosen, NULL, err);
  assert_int_equal(nas_tape_length(s->tape), length + (status == NAS_OK));
  if (status) assert_memory_equal(&before, &s->stream, sizeof before);
  return status;
}

static nas_status run_score(setup *s, nas_error *err) {
  return nas_policy_score(s->policy, s->tape, NAS_POLICY_CURRENT, s->episode.decisions,
                          s->episode.count, err);
}

static nas_status run_kl(setup *s, nas_error *err) {
  double kl;
  return nas_policy_kl(s->policy, s->episode.decisions, s->episode.count, &kl, err);
}

static nas_status run_accumulate(setup *s, nas_error *err) {
  nas_coefficients c = {.log_prob = 1};
  return nas_policy_accumulate(s->policy, s->tape, &c, s->gradient, err);
}

static nas_status run_values(setup *s, nas_error *err) {
  double values[TOY_MAX];
  return nas_policy_values(s->policy, s->tape, values, err);
}

static nas_status run_accumulate_values(setup *s, nas_error *err) {
  nas_coefficients c = {.values = (double[]){1, -1, 2, -2, 3}};
  return nas_policy_accumulate(s->policy, s->tape, &c, s->gradient, err);
}

static nas_status run_learn_values(setup *s, nas_error *err) {
  nas_episode episode = {.decisions = s->episode.decisions,
                         .count = s->episode.count,
                         .coefficients = {.values = (double[]){1, -1, 2, -2, 3}}};
  return nas_policy_learn(s->policy, &episode, 1, NULL, err);
}

static nas_status run_learn(setup *s, nas_error *err) {
  toy first = {0};
  toy_next(&first);
  nas_episode episodes[] = {
      {.decisions = first.decisions, .count = first.count, .coefficients = {.log_prob = 0.1}},
      {.decisions = s->episode.decisions,
       .count = s->episode.count,
       .coefficients = {.log_prob = 0.1}}};
  return nas_policy_learn(s->policy, episodes, 2, NULL, err);
}

/* A network of the space with anchors. */
static void anchored(skips *k) {
  skips next = {.count = 0};
  memset(k, 0, sizeof *k);
  for (int n = 0; skips_next(&next) && n < 40; n++) skips_copy(k, &next);
}

static nas_status run_anchor(setup *s, nas_error *err) {
  static const int first[] = {0};
  unsigned char chosen;
  int length = nas_tape_length(s->tape);
  nas_stream before = s->stream;
  nas_status status =
      nas_policy_anchor(s->policy, s->tape, "jump", first, 1, &s->stream, &chosen, NULL, err);
  assert_int_equal(nas_tape_length(s->tape), length + (status == NAS_OK));
  if (status) assert_memory_equal(&before, &s->stream, sizeof before);
  return status;
}

static nas_status run_first_anchor(setup *s, nas_error *err) {
  return nas_policy_force_anchor(s->policy, s->tape, "skip", NULL, 0, NULL, NULL, err);
}

static nas_status run_score_anchors(setup *s, nas_error *err) {
  skips k;
  anchored(&k);
  return nas_policy_score(s->policy, s->tape, NAS_POLICY_CURRENT, k.decisions, k.count, err);
}

static nas_status run_learn_anchors(setup *s, nas_error *err) {
  skips k;
  anchored(&k);
  nas_episode episode = {.decisions = k.decisions,
                         .count = k.count,
                         .coefficients = {.log_prob = 0.1, .skip_weight = 1, .skip_prior = 0.4}};
  return nas_policy_learn(s->policy, &episode, 1, NULL, err);
}

static nas_status run_encode(setup *s, nas_error *err) {
  nas_text bytes = {0};
  nas_status status = nas_policy_encode(s->policy, &bytes, err);
  if (status) assert_int_equal(bytes.size, 0);
  nas_text_clear(&bytes);
  return status;
}

static nas_status run_decode(setup *s, nas_error *err) {
  nas_policy *policy;
  nas_status status = nas_policy_decode(&policy, s->bytes.data, s->bytes.size, err);
  assert_true((status == NAS_OK) == (policy != NULL));
  nas_policy_destroy(&policy);
  return status;
}

static nas_status run_save_and_load(setup *s, nas_error *err) {
  char path[] = "/tmp/nas-policy-memory-XXXXXX";
  nas_policy *policy = NULL;
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  close(fd);
  nas_status status = nas_policy_save(s->policy, path, err);
  if (status == NAS_OK) status = nas_policy_load(&policy, path, err);
  nas_policy_destroy(&policy);
  unlink(path);
  return status;
}

static void create(void **state) {
  (void)state;
  fail_each(NULL, run_create);
}

static void choose(void **state) {
  (void)state;
  fail_each(NULL, run_choose);
}

static void score(void **state) {
  (void)state;
  fail_each(NULL, run_score);
}

static void kl(void **state) {
  (void)state;
  fail_each(NULL, run_kl);
}

static void accumulate(void **state) {
  (void)state;
  fail_each(run_score, run_accumulate);
}

static void values(void **state) {
  (void)state;
  fail_each(run_score, run_values);
  fail_each(run_score, run_accumulate_values);
  fail_each(NULL, run_learn_values);
}

/* A value head that was taken back leaves no sums: blocks of other shapes, which now take its
 * places, have their own. */
static void values_taken_back(void **state) {
  (void)state;
  nas_status status = NAS_MEMORY;
  for (long allowed = 0; status != NAS_OK; allowed++) {
    setup s;
    nas_error err;
    nas_policy_gradient *fresh;
    nas_coefficients c = {.log_prob = 1};
    set_up(&s, run_score);
    nas_memory_fail_after(allowed);
    status = run_accumulate_values(&s, &err);
    nas_memory_fail_after(-1);
    if (status) {
      check_ok(nas_policy_gradient_create(&fresh, s.policy, &err), &err);
      check_ok(nas_policy_force(s.policy, s.tape, "wide", "1,2,3,4,5,6", 6, 0, NULL, &err), &err);
      check_ok(nas_policy_accumulate(s.policy, s.tape, &c, s.gradient, &err), &err);
      check_ok(nas_policy_accumulate(s.policy, s.tape, &c, fresh, &err), &err);
      for (size_t i = 0; i < nas_policy_size(s.policy); i++) {
        float a, b;
        check_ok(nas_policy_gradient_get(s.policy, s.gradient, i, 1, &a, &err), &err);
        check_ok(nas_policy_gradient_get(s.policy, fresh, i, 1, &b, &err), &err);
        check_float_bits(a, b);
      }
      nas_policy_gradient_destroy(&fresh);
    }
    tear_down(&s);
  }
}

static void learn(void **state) {
  (void)state;
  fail_each(NULL, run_learn);
}

static void anchors(void **state) {
  (void)state;
  fail_each(run_first_anchor, run_anchor);
  fail_each(NULL, run_score_anchors);
  fail_each(run_score_anchors, run_accumulate);
  fail_each(NULL, run_learn_anchors);
  fail_each(run_learn_anchors, run_decode);
}

static void encode(void **state) {
  (void)state;
  fail_each(NULL, run_encode);
}

static void decode(void **state) {
  (void)state;
  fail_each(NULL, run_decode);
  fail_each(run_learn_values, run_decode);
}

static void save_and_load(void **state) {
  (void)state;
  fail_each(NULL, run_save_and_load);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(create, check_no_blocks),
      cmocka_unit_test_teardown(choose, check_no_blocks),
      cmocka_unit_test_teardown(score, check_no_blocks),
      cmocka_unit_test_teardown(kl, check_no_blocks),
      cmocka_unit_test_teardown(accumulate, check_no_blocks),
      cmocka_unit_test_teardown(values, check_no_blocks),
      cmocka_unit_test_teardown(values_taken_back, check_no_blocks),
      cmocka_unit_test_teardown(learn, check_no_blocks),
      cmocka_unit_test_teardown(anchors, check_no_blocks),
      cmocka_unit_test_teardown(encode, check_no_blocks),
      cmocka_unit_test_teardown(decode, check_no_blocks),
      cmocka_unit_test_teardown(save_and_load, check_no_blocks),
  };
  return cmocka_run_group_tests_name("policy memory", tests, NULL, NULL);
}
