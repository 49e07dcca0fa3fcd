/* Options: presets, the table, ranges. */
#include "check.h"
#include <math.h>
#include <stdlib.h>
#include <nas/policy.h>

static void paper_is_the_default(void **state) {
  (void)state;
  nas_policy_options options, paper;
  nas_error err;
  nas_policy_options_default(&options);
  check_ok(nas_policy_options_preset(&paper, "paper", &err), &err);
  assert_memory_equal(&options, &paper, sizeof options);
  /* Zoph & Le 2017, sec. 4.1: two layers of 35 units, uniform in +-0.08, Adam with 0.0006. */
  assert_int_equal(options.layers, 2);
  assert_int_equal(options.units, 35);
  check_near(options.init, 0.08, 0);
  check_near(options.rate, 6e-4, 0);
  check_near(options.beta1, 0.9, 0);
  check_near(options.beta2, 0.999, 0);
  check_near(options.epsilon, 1e-8, 0);
  check_near(options.value_rate, options.rate, 0);
  check_near(options.temperature, 1, 0);
  check_near(options.forget_bias + options.tanh_constant + options.clip_norm + options.l2, 0, 0);
}

/* A preset's values are part of what a search that names it gives: they change with the numeric
 * version only. */
static void small_stays(void **state) {
  (void)state;
  nas_policy_options small, expected;
  nas_error err;
  check_ok(nas_policy_options_preset(&small, "small", &err), &err);
  nas_policy_options_default(&expected);
  expected.layers = 1;
  expected.init = 0.4;
  expected.tanh_constant = 2.5;
  expected.rate = 6e-3;
  expected.beta1 = 0.5;
  assert_memory_equal(&small, &expected, sizeof small);
}

static void presets_are_valid(void **state) {
  (void)state;
  nas_error err;
  int count = 0;
  for (; nas_policy_presets[count]; count++) {
    nas_policy *policy;
    nas_policy_options options;
    check_ok(nas_policy_options_preset(&options, nas_policy_presets[count], &err), &err);
    check_ok(nas_policy_create(&policy, &options, 1, &err), &err);
    assert_memory_equal(nas_policy_options_of(policy), &options, sizeof options);
    nas_policy_destroy(&policy);
    assert_null(policy);
  }
  assert_int_equal(count, 2);
  nas_policy_options before, options;
  nas_policy_options_default(&before);
  options = before;
  assert_int_equal(nas_policy_options_preset(&options, "large", &err), NAS_ARGUMENT);
  check_contains(err.text, "large");
  check_contains(err.text, "paper");
  assert_memory_equal(&options, &before, sizeof options);
}

/* Every option goes through the table and back to its own field. */
static void table_and_struct_agree(void **state) {
  (void)state;
  const nas_option_table *table = &nas_policy_option_table;
  nas_policy_options options, back;
  nas_option_value values[NAS_POLICY_OPTIONS], again[NAS_POLICY_OPTIONS];
  nas_error err;
  assert_int_equal(table->count, NAS_POLICY_OPTIONS);
  for (int i = 0; i < table->count; i++) {
    nas_options_default(table, values);
    double other = table->options[i].high;
    check_ok(nas_options_set_number(table, values, i, other, &err), &err);
    nas_policy_options_from_values(&options, values);
    nas_policy_options_to_values(&options, again);
    nas_policy_options_from_values(&back, again);
    assert_memory_equal(&options, &back, sizeof options);
    if (table->options[i].type == NAS_OPTION_INTEGER)
      check_near(again[i].integer, other, 0);
    else
      check_near(again[i].number, other, 0);
    nas_policy_options_default(&back);
    assert_memory_not_equal(&options, &back, sizeof options);
  }
  nas_policy_options_default(&options);
  options.rate = 0.25;
  nas_policy_options_to_values(&options, values);
  int rate = nas_options_find(table, "rate", &err);
  assert_true(rate >= 0);
  check_near(values[rate].number, 0.25, 0);
}

static void ranges(void **state) {
  (void)state;
  nas_policy *policy;
  nas_policy_options options;
  nas_error err;
  nas_policy_options_default(&options);
  options.layers = 9;
  assert_int_equal(nas_policy_create(&policy, &options, 1, &err), NAS_ARGUMENT);
  check_contains(err.text, "layers is 9");
  assert_null(policy);
  nas_policy_options_default(&options);
  options.temperature = 0;
  assert_int_equal(nas_policy_create(&policy, &options, 1, &err), NAS_ARGUMENT);
  check_contains(err.text, "temperature");
  nas_policy_options_default(&options);
  options.rate = (double)NAN;
  assert_int_equal(nas_policy_create(&policy, &options, 1, &err), NAS_ARGUMENT);
  check_contains(err.text, "rate");
  nas_policy_options_default(&options);
  options.value_rate = -1;
  assert_int_equal(nas_policy_create(&policy, &options, 1, &err), NAS_ARGUMENT);
  check_contains(err.text, "value_rate is -1");
  nas_policy_options_default(&options);
  options.beta2 = 1;
  assert_int_equal(nas_policy_create(&policy, &options, 1, NULL), NAS_ARGUMENT);
  nas_policy_destroy(NULL);
  nas_policy_destroy(&policy);
}

/* What a policy computes with is chosen when it is made. */
static void unknown_isa(void **state) {
  (void)state;
  nas_policy *policy;
  nas_error err;
  setenv("LUANAS_ISA", "avx9", 1);
  assert_int_equal(nas_policy_create(&policy, NULL, 1, &err), NAS_ARGUMENT);
  unsetenv("LUANAS_ISA");
  assert_null(policy);
  check_contains(err.text, "LUANAS_ISA is \"avx9\"; this machine has scalar, baseline");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(paper_is_the_default, check_no_blocks),
      cmocka_unit_test_teardown(small_stays, check_no_blocks),
      cmocka_unit_test_teardown(presets_are_valid, check_no_blocks),
      cmocka_unit_test_teardown(table_and_struct_agree, check_no_blocks),
      cmocka_unit_test_teardown(ranges, check_no_blocks),
      cmocka_unit_test_teardown(unknown_isa, check_no_blocks),
  };
  return cmocka_run_group_tests_name("policy settings", tests, NULL, NULL);
}
