#include <check.h>
#include <nas/memory.h>
#include <nas/pool.h>

static void blocks_are_aligned_and_writable(void **state) {
  (void)state;
  for (size_t size = 0; size < 300; size++) {
    unsigned char *block = nas_alloc(size, 1);
    assert_non_null(block);
    assert_int_equal((uintptr_t)block % NAS_ALIGN, 0);
    memset(block, 0xa5, size);
    nas_free(block);
  }
  nas_free(NULL);
}

static void zeroed_blocks(void **state) {
  (void)state;
  int *numbers = nas_alloc_zero(1000, sizeof *numbers);
  assert_non_null(numbers);
  for (int i = 0; i < 1000; i++) assert_int_equal(numbers[i], 0);
  nas_free(numbers);
  void *nothing = nas_alloc_zero(0, 8);
  assert_non_null(nothing);
  nas_free(nothing);
}

static void sizes_that_do_not_fit(void **state) {
  (void)state;
  assert_null(nas_alloc(SIZE_MAX, 2));
  assert_null(nas_alloc(SIZE_MAX / 2 + 1, 2)); /* the product is 0 */
  assert_null(nas_alloc(SIZE_MAX, 1));         /* no room for the header */
  assert_null(nas_alloc(SIZE_MAX - NAS_ALIGN + 1, 1));
  assert_null(nas_alloc_zero(SIZE_MAX / 4, 8));
  int *kept = nas_alloc_zero(2, sizeof *kept);
  assert_null(nas_realloc(kept, 2, SIZE_MAX / 2, sizeof *kept));
  assert_int_equal(kept[1], 0);
  nas_free(kept);
}

static void size_arithmetic(void **state) {
  (void)state;
  size_t result = 7;
  assert_int_equal(nas_size_add(SIZE_MAX - 1, 1, &result), 0);
  assert_true(result == SIZE_MAX);
  assert_int_equal(nas_size_add(SIZE_MAX, 1, &result), -1);
  assert_true(result == SIZE_MAX);
  assert_int_equal(nas_size_mul(SIZE_MAX / 3, 3, &result), 0);
  assert_true(result == SIZE_MAX / 3 * 3);
  assert_int_equal(nas_size_mul(SIZE_MAX / 3 + 1, 3, &result), -1);
  assert_true(result == SIZE_MAX / 3 * 3);
  assert_int_equal(nas_size_mul(0, SIZE_MAX, &result), 0);
  assert_true(result == 0);
}

static void growing_and_shrinking(void **state) {
  (void)state;
  short *numbers = nas_realloc(NULL, 0, 3, sizeof *numbers);
  assert_non_null(numbers);
  for (short i = 0; i < 3; i++) numbers[i] = i;
  numbers = nas_realloc(numbers, 3, 5000, sizeof *numbers);
  assert_non_null(numbers);
  assert_int_equal((uintptr_t)numbers % NAS_ALIGN, 0);
  for (short i = 0; i < 3; i++) assert_int_equal(numbers[i], i);
  for (short i = 3; i < 5000; i++) numbers[i] = i;
  numbers = nas_realloc(numbers, 5000, 100, sizeof *numbers);
  assert_non_null(numbers);
  for (short i = 0; i < 100; i++) assert_int_equal(numbers[i], i);
  assert_int_equal(nas_memory_used().blocks, 1);
  assert_int_equal(nas_memory_used().bytes, 200);
  numbers = nas_realloc(numbers, 100, 0, sizeof *numbers);
  assert_non_null(numbers);
  nas_free(numbers);
}

static void copies_of_strings(void **state) {
  (void)state;
  char text[] = "Größe";
  char *copy = nas_strdup(text);
  text[0] = 'x';
  assert_string_equal(copy, "Größe");
  nas_free(copy);
  copy = nas_strdup("");
  assert_string_equal(copy, "");
  nas_free(copy);
}

static void blocks_and_bytes_are_counted(void **state) {
  (void)state;
  nas_memory_use before = nas_memory_used();
  assert_int_equal(before.blocks, 0);
  assert_int_equal(before.bytes, 0);
  void *a = nas_alloc(before.peak_bytes + 100, 1), *b = nas_alloc(5, 8);
  nas_memory_use use = nas_memory_used();
  assert_int_equal(use.blocks, 2);
  assert_int_equal(use.bytes, before.peak_bytes + 140);
  assert_int_equal(use.peak_bytes, use.bytes);
  nas_free(a);
  use = nas_memory_used();
  assert_int_equal(use.blocks, 1);
  assert_int_equal(use.bytes, 40);
  assert_int_equal(use.peak_bytes, before.peak_bytes + 140);
  nas_free(b);
}

static void allocations_fail_on_demand(void **state) {
  (void)state;
  nas_memory_fail_after(2);
  char *a = nas_alloc(1, 1), *b = nas_alloc_zero(1, 1);
  char *c = nas_alloc(1, 1), *d = nas_strdup("d"), *e = nas_realloc(a, 1, 100, 1);
  nas_memory_fail_after(-1);
  assert_non_null(a);
  assert_non_null(b);
  assert_null(c);
  assert_null(d);
  assert_null(e); /* a is as it was */
  c = nas_alloc(1, 1);
  assert_non_null(c);
  nas_free(a);
  nas_free(b);
  nas_free(c);
}

/* A size that overflows does not use up one of the allocations that may succeed. */
static void only_real_allocations_count_against_the_limit(void **state) {
  (void)state;
  nas_memory_fail_after(1);
  assert_null(nas_alloc(SIZE_MAX, 2));
  void *block = nas_alloc(1, 1);
  nas_memory_fail_after(-1);
  assert_non_null(block);
  nas_free(block);
}

/* From several threads */

enum { ROUNDS = 2000, KEPT = 8 };

static void allocate_and_free(void *context, int worker, int workers) {
  (void)context, (void)workers;
  void *kept[KEPT] = {0};
  for (int i = 0; i < ROUNDS; i++) {
    nas_free(kept[i % KEPT]);
    kept[i % KEPT] = nas_alloc((size_t)(i * 7 + worker) % 500, 1);
  }
  for (int i = 0; i < KEPT; i++) nas_free(kept[i]);
}

static void counts_hold_with_threads(void **state) {
  (void)state;
  nas_pool *pool;
  check_ok(nas_pool_create(&pool, 4, NULL), NULL);
  nas_memory_use before = nas_memory_used();
  nas_pool_run(pool, allocate_and_free, NULL);
  nas_memory_use after = nas_memory_used();
  assert_int_equal(after.blocks, before.blocks);
  assert_int_equal(after.bytes, before.bytes);
  nas_pool_destroy(&pool);
}

typedef struct tally {
  void *blocks[4][50];
} tally;

static void allocate_under_a_limit(void *context, int worker, int workers) {
  (void)workers;
  for (int i = 0; i < 50; i++) ((tally *)context)->blocks[worker][i] = nas_alloc(1, 1);
}

static void the_limit_holds_with_threads(void **state) {
  (void)state;
  nas_pool *pool;
  tally all = {0};
  check_ok(nas_pool_create(&pool, 4, NULL), NULL);
  nas_memory_fail_after(77);
  nas_pool_run(pool, allocate_under_a_limit, &all);
  nas_memory_fail_after(-1);
  int succeeded = 0;
  for (int i = 0; i < 200; i++) {
    void *block = all.blocks[i / 50][i % 50];
    succeeded += block != NULL;
    nas_free(block);
  }
  assert_int_equal(succeeded, 77);
  nas_pool_destroy(&pool);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(blocks_are_aligned_and_writable),
      cmocka_unit_test(zeroed_blocks),
      cmocka_unit_test(sizes_that_do_not_fit),
      cmocka_unit_test(size_arithmetic),
      cmocka_unit_test(growing_and_shrinking),
      cmocka_unit_test(copies_of_strings),
      cmocka_unit_test(blocks_and_bytes_are_counted),
      cmocka_unit_test(allocations_fail_on_demand),
      cmocka_unit_test(only_real_allocations_count_against_the_limit),
      cmocka_unit_test(counts_hold_with_threads),
      cmocka_unit_test(the_limit_holds_with_threads),
  };
  return cmocka_run_group_tests(tests, NULL, check_no_blocks);
}
