/* Parameters: keys, appearance, initial values, access. */
#include "check.h"
#include <math.h>
#include <nas/policy.h>
#include "blocks.h"

/* ---- Keys --------------------------------------------------------------------------------- */

static void keys_are_unambiguous(void **state) {
  (void)state;
  nas_text key = {0};
  nas_text_add(&key, "option");
  nas_key_add(&key, "a/b%");
  nas_key_add(&key, "%2F,//");
  assert_string_equal(key.data, "option/a%2Fb%25/%252F,%2F%2F");
  nas_text_clear(&key);
}

static void key_shapes(void **state) {
  (void)state;
  static const struct {
    const char *key;
    int rows, width; /* rows -1: no key */
  } cases[] = {
      {"start", 1, 5},
      {"lstm/1/input", 5, 20},
      {"lstm/2/hidden", 5, 20},
      {"lstm/2/bias", 1, 20},
      {"name/kernel", 1, 5},
      {"occurrence/0", 1, 5},
      {"occurrence/65535", 1, 5},
      {"option/kernel/1,3", 0, 5},
      {"head/kernel/1,3/weight", 5, 0},
      {"head/kernel/1,3/bias", 1, 0},
      {"value/weight", 5, 1},
      {"anchor/skip/previous", 5, 5},
      {"anchor/skip/current", 5, 5},
      {"anchor/skip/vector", 5, 1},
      {"value/bias", 1, 1},
      {"", -1, 0},
      {"start/", -1, 0},
      {"lstm/3/input", -1, 0},
      {"lstm/0/input", -1, 0},
      {"lstm/01/input", -1, 0},
      {"lstm//input", -1, 0},
      {"lstm/1/inputs", -1, 0},
      {"lstm/1", -1, 0},
      {"lstm/999999999999/bias", -1, 0},
      {"name/", -1, 0},
      {"name/a/b", -1, 0},
      {"occurrence/", -1, 0},
      {"occurrence/00", -1, 0},
      {"occurrence/-1", -1, 0},
      {"occurrence/123456", -1, 0},
      {"option/kernel", -1, 0},
      {"option/kernel/1/2", -1, 0},
      {"head/kernel/weight", -1, 0},
      {"head/kernel/1,3/weights", -1, 0},
      {"head/kernel//weight", -1, 0},
      {"anchor/skip", -1, 0},
      {"anchor//vector", -1, 0},
      {"anchor/skip/vectors", -1, 0},
      {"anchor/skip/1/vector", -1, 0},
      {"anchors/skip/vector", -1, 0},
      {"tail/kernel", -1, 0},
      {"value/", -1, 0},
      {"value/weights", -1, 0},
      {"value/bias/1", -1, 0},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    int rows, width, failed = nas_key_shape(cases[i].key, 2, 5, &rows, &width);
    print_message("# \"%s\"\n", cases[i].key);
    assert_int_equal(failed, cases[i].rows < 0 ? -1 : 0);
    if (failed) continue;
    assert_int_equal(rows, cases[i].rows);
    assert_int_equal(width, cases[i].width);
  }
}

/* ---- Appearance --------------------------------------------------------------------------- */

static void blocks_appear_and_go(void **state) {
  (void)state;
  nas_blocks blocks = {.seed = 1, .init = 0.5};
  nas_block *b, *a, *again;
  nas_error err;
  check_ok(nas_blocks_require(&blocks, "b", 2, 3, &b, &err), &err);
  check_ok(nas_blocks_require(&blocks, "a", 1, 17, &a, &err), &err);
  assert_ptr_equal(blocks.sorted[0], a);
  assert_ptr_equal(nas_blocks_find(&blocks, "b"), b);
  assert_null(nas_blocks_find(&blocks, "c"));
  assert_int_equal(blocks.size, 23);
  check_ok(nas_blocks_require(&blocks, "b", 2, 3, &again, &err), &err);
  assert_ptr_equal(again, b);
  assert_int_equal(nas_blocks_require(&blocks, "b", 3, 2, &again, &err), NAS_ARGUMENT);
  check_contains(err.text, "\"b\" have 2 rows of 3");
  nas_blocks_roll_back(&blocks, 1);
  assert_int_equal(blocks.count, 1);
  assert_int_equal(blocks.size, 6);
  assert_ptr_equal(blocks.sorted[0], b);
  nas_blocks_clear(&blocks);
}

/* Uniform in [-init, init): mean within 5 standard errors (init / sqrt(3 n)), both ends reached. */
static void initial_values(void **state) {
  (void)state;
  enum { ROWS = 100, WIDTH = 50 };
  nas_blocks blocks = {.seed = 4, .init = 0.08};
  nas_block *block, *other;
  nas_error err;
  double sum = 0, low = 1, high = -1;
  check_ok(nas_blocks_require(&blocks, "x", ROWS, WIDTH, &block, &err), &err);
  check_ok(nas_blocks_require(&blocks, "y", ROWS, WIDTH, &other, &err), &err);
  const nas_rows *value = &block->part[NAS_PART_VALUE];
  for (int r = 0; r < ROWS; r++)
    for (int c = 0; c < value->stride; c++) {
      double v = (double)nas_rows_at(value, r)[c];
      if (c >= WIDTH) {
        check_near(v, 0, 0);
        continue;
      }
      check_float_bits(nas_rows_at(value, r)[c], nas_rows_at(&block->part[NAS_PART_INITIAL], r)[c]);
      check_float_bits(nas_rows_at(&block->part[NAS_PART_MOMENT1], r)[c], 0);
      check_float_bits(nas_rows_at(&block->part[NAS_PART_MOMENT2], r)[c], 0);
      sum += v;
      low = fmin(low, v);
      high = fmax(high, v);
    }
  check_near(sum / (ROWS * WIDTH), 0, 5 * 0.08 / sqrt(3.0 * ROWS * WIDTH));
  check_near(low, -0.08, 0.001);
  check_near(high, 0.08, 0.001);
  assert_true(low >= -0.08 && high <= 0.08);
  assert_memory_not_equal(value->data, other->part[NAS_PART_VALUE].data,
                          ROWS * (size_t)value->stride * sizeof(float));
  nas_blocks_clear(&blocks);
}

static void order_of_use_changes_nothing(void **state) {
  (void)state;
  static const struct {
    const char *name, *options;
    int count;
  } asked[] = {{"kernel", "1,3", 2}, {"filters", "32,48,64", 3}, {"kernel", "1,3,5", 3}};
  nas_policy *forth, *back;
  nas_tape *tape;
  nas_error err;
  check_ok(nas_policy_create(&forth, NULL, 5, &err), &err);
  check_ok(nas_policy_create(&back, NULL, 5, &err), &err);
  check_ok(nas_tape_create(&tape, forth, &err), &err);
  check_ok(nas_policy_begin(forth, tape, NAS_POLICY_CURRENT, &err), &err);
  for (int i = 0; i < 3; i++)
    check_ok(nas_policy_force(forth, tape, asked[i].name, asked[i].options, asked[i].count, 0, NULL,
                              &err),
             &err);
  check_ok(nas_policy_begin(back, tape, NAS_POLICY_CURRENT, &err), &err);
  for (int i = 2; i >= 0; i--)
    check_ok(nas_policy_force(back, tape, asked[i].name, asked[i].options, asked[i].count, 1, NULL,
                              &err),
             &err);
  nas_text a = {0}, b = {0};
  check_ok(nas_policy_encode(forth, &a, &err), &err);
  check_ok(nas_policy_encode(back, &b, &err), &err);
  assert_int_equal(a.size, b.size);
  assert_memory_equal(a.data, b.data, a.size);
  nas_text_clear(&a);
  nas_text_clear(&b);
  nas_tape_destroy(&tape);
  nas_policy_destroy(&forth);
  nas_policy_destroy(&back);
}

/* ---- Access ------------------------------------------------------------------------------- */

static void flat_access(void **state) {
  (void)state;
  nas_policy *policy;
  nas_policy_block block, next;
  nas_policy_options options;
  nas_error err;
  float values[12], back[12];
  nas_policy_options_default(&options);
  options.layers = 1;
  options.units = 3;
  check_ok(nas_policy_create(&policy, &options, 9, &err), &err);
  size_t size = nas_policy_size(policy), total = 0;
  assert_int_equal(size, 2 * 3 * 12 + 12 + 3);
  assert_int_equal(nas_policy_block_count(policy), 4);
  for (int i = 0; i < 4; i++) {
    check_ok(nas_policy_block_at(policy, i, &block, &err), &err);
    assert_int_equal(block.first, total);
    total += (size_t)(block.rows * block.width);
    check_ok(nas_policy_block_find(policy, block.key, &next, &err), &err);
    assert_memory_equal(&block, &next, sizeof block);
  }
  assert_int_equal(total, size);
  check_ok(nas_policy_block_find(policy, "lstm/1/hidden", &block, &err), &err);
  assert_int_equal(block.rows, 3);
  assert_int_equal(block.width, 12);
  for (int i = 0; i < 12; i++) values[i] = (float)i;
  /* From inside one row into the next. */
  check_ok(nas_policy_set(policy, block.first + 7, 12, values, &err), &err);
  check_ok(nas_policy_get(policy, NAS_POLICY_CURRENT, block.first + 7, 12, back, &err), &err);
  assert_memory_equal(values, back, sizeof values);
  check_ok(nas_policy_get(policy, NAS_POLICY_INITIAL, block.first + 7, 12, back, &err), &err);
  assert_memory_not_equal(values, back, sizeof values);
  check_ok(nas_policy_get(policy, NAS_POLICY_CURRENT, size, 0, back, &err), &err);
  assert_int_equal(nas_policy_get(policy, NAS_POLICY_CURRENT, size - 1, 2, back, &err),
                   NAS_ARGUMENT);
  assert_int_equal(nas_policy_set(policy, size + 1, 0, values, &err), NAS_ARGUMENT);
  values[1] = INFINITY;
  assert_int_equal(nas_policy_set(policy, 0, 2, values, &err), NAS_ARGUMENT);
  check_contains(err.text, "parameter 1 would be inf");
  assert_int_equal(nas_policy_block_at(policy, 4, &block, &err), NAS_ARGUMENT);
  assert_int_equal(nas_policy_block_find(policy, "name/kernel", &block, &err), NAS_ARGUMENT);
  check_contains(err.text, "name/kernel");
  nas_policy_destroy(&policy);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(keys_are_unambiguous, check_no_blocks),
      cmocka_unit_test_teardown(key_shapes, check_no_blocks),
      cmocka_unit_test_teardown(blocks_appear_and_go, check_no_blocks),
      cmocka_unit_test_teardown(initial_values, check_no_blocks),
      cmocka_unit_test_teardown(order_of_use_changes_nothing, check_no_blocks),
      cmocka_unit_test_teardown(flat_access, check_no_blocks),
  };
  return cmocka_run_group_tests_name("policy blocks", tests, NULL, NULL);
}
