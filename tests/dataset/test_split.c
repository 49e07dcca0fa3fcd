#include "sets.h"
#include <nas/hash.h>

/* n images of one pixel. */
static nas_dataset *pixels(int64_t n) {
  nas_tensor *images;
  check_ok(nas_tensor_create(&images, NAS_UINT8, DIMS(n, 1, 1, 1), NULL), NULL);
  return set_of(images, labels_in_turn(n, 2), 2);
}

static nas_dataset *split_of(const nas_dataset *dataset, int64_t validation, uint64_t seed,
                             int64_t limit) {
  nas_split settings = {.validation = validation, .seed = seed, .limit = limit};
  return split_by(dataset, &settings);
}

static void the_default_is_5000_with_seed_0(void **state) {
  (void)state;
  nas_split split;
  nas_split_default(&split);
  assert_int_equal(split.validation, 5000);
  assert_int_equal(split.seed, 0);
  assert_int_equal(split.limit, 0);
}

static void both_lists_ascend_and_cover_everything_once(void **state) {
  (void)state;
  nas_dataset *whole = pixels(101);
  for (int64_t validation = 1; validation <= 100; validation += 33) {
    nas_dataset *split = split_of(whole, validation, 7, 0);
    int64_t counts[2];
    const int32_t *lists[2] = {nas_dataset_training(split, &counts[0]),
                               nas_dataset_validation(split, &counts[1])};
    int seen[101] = {0};
    assert_int_equal(counts[1], validation);
    assert_int_equal(counts[0], 101 - validation);
    for (int l = 0; l < 2; l++)
      for (int64_t i = 0; i < counts[l]; i++) {
        assert_in_range(lists[l][i], 0, 100);
        seen[lists[l][i]]++;
        if (i > 0) assert_true(lists[l][i] > lists[l][i - 1]);
      }
    for (int i = 0; i < 101; i++) assert_int_equal(seen[i], 1);
    nas_dataset_release(&split);
  }
  nas_dataset_release(&whole);
}

static void the_seed_decides_and_nothing_else(void **state) {
  (void)state;
  nas_dataset *whole = pixels(1000);
  nas_dataset *a = split_of(whole, 100, 1, 0), *b = split_of(whole, 100, 2, 0);
  nas_dataset *again = split_of(b, 100, 1, 0); /* an earlier split plays no part */
  int64_t count;
  const int32_t *first = nas_dataset_validation(a, &count);
  assert_memory_equal(first, nas_dataset_validation(again, &count), 100 * sizeof *first);
  assert_memory_not_equal(first, nas_dataset_validation(b, &count), 100 * sizeof *first);
  nas_dataset_release(&a);
  nas_dataset_release(&b);
  nas_dataset_release(&again);
  nas_dataset_release(&whole);
}

/* Stored evaluations depend on the default split: it must never change. */
static void the_default_split_of_60000_is_the_same_for_ever(void **state) {
  (void)state;
  nas_dataset *whole = pixels(60000), *split;
  int64_t count;
  char text[NAS_HASH_HEX];
  check_ok(nas_dataset_split(&split, whole, NULL, NULL), NULL);
  const int32_t *list = nas_dataset_validation(split, &count);
  assert_int_equal(count, 5000);
  unsigned char bytes[4 * 5000];
  for (int i = 0; i < 5000; i++)
    for (int k = 0; k < 4; k++) bytes[4 * i + k] = (unsigned char)(list[i] >> 8 * k);
  nas_hash_hex(nas_hash_bytes(bytes, sizeof bytes), text);
  assert_string_equal(text, "5334e75decf491d7f2511c3a0d26f819");
  nas_dataset_release(&split);
  nas_dataset_release(&whole);
}

static void a_limit_keeps_the_first_training_images(void **state) {
  (void)state;
  nas_dataset *whole = pixels(50), *all = split_of(whole, 10, 3, 0);
  nas_dataset *few = split_of(whole, 10, 3, 7), *full = split_of(whole, 10, 3, 40);
  int64_t count;
  const int32_t *kept = nas_dataset_training(few, &count);
  assert_int_equal(count, 7);
  assert_memory_equal(kept, nas_dataset_training(all, &count), 7 * sizeof *kept);
  const int32_t *validation = nas_dataset_validation(few, &count);
  assert_int_equal(count, 10);
  assert_memory_equal(validation, nas_dataset_validation(all, &count), 10 * sizeof *kept);
  nas_text a = {0}, f = {0}, n = {0};
  nas_dataset_identity(few, &a);
  check_contains(a.data, " classes=2 split_seed=3 training=7 validation=10");
  nas_dataset_identity(full, &f); /* a limit that leaves nothing out is none */
  nas_dataset_identity(all, &n);
  assert_string_equal(f.data, n.data);
  nas_text_clear(&a);
  nas_text_clear(&f);
  nas_text_clear(&n);
  nas_dataset_release(&whole);
  nas_dataset_release(&all);
  nas_dataset_release(&few);
  nas_dataset_release(&full);
}

static void a_split_shares_the_images(void **state) {
  (void)state;
  nas_dataset *whole = pixels(50), *split = split_of(whole, 10, 3, 0);
  assert_ptr_equal(nas_dataset_pixels(whole, 0), nas_dataset_pixels(split, 0));
  assert_string_equal(nas_dataset_fingerprint(whole), nas_dataset_fingerprint(split));
  assert_string_equal(nas_dataset_name(split), "set");
  nas_dataset_release(&whole);
  assert_int_equal(nas_dataset_pixels(split, 49)[0], 0);
  nas_dataset_release(&split);
}

static void counts_outside_their_range_are_refused(void **state) {
  (void)state;
  nas_dataset *whole = pixels(50), *d;
  nas_split split = {.validation = 0};
  check_refused(nas_dataset_split(&d, whole, &split, &err), NAS_ARGUMENT, d,
                "0 images for validation; expected 1 to 49 of the 50 images");
  split.validation = 50;
  check_refused(nas_dataset_split(&d, whole, &split, &err), NAS_ARGUMENT, d, "50 images for");
  split.validation = -1;
  check_refused(nas_dataset_split(&d, whole, &split, &err), NAS_ARGUMENT, d, "-1 images for");
  check_refused(nas_dataset_split(&d, whole, NULL, &err), NAS_ARGUMENT, d, "5000 images for");
  split.validation = 10;
  split.limit = 41;
  check_refused(nas_dataset_split(&d, whole, &split, &err), NAS_ARGUMENT, d,
                "a limit of 41 training images; expected 1 to 40, or 0 for all");
  split.limit = -1;
  check_refused(nas_dataset_split(&d, whole, &split, &err), NAS_ARGUMENT, d, "a limit of -1");
  nas_dataset_release(&whole);
}

static void splitting_survives_failing_memory(void **state) {
  (void)state;
  nas_dataset *whole = pixels(50), *split;
  nas_split settings = {.validation = 5, .seed = 1};
  check_starved(nas_dataset_split(&split, whole, &settings, NULL), split);
  nas_dataset_release(&split);
  nas_dataset_release(&whole);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(the_default_is_5000_with_seed_0),
      TEST(both_lists_ascend_and_cover_everything_once),
      TEST(the_seed_decides_and_nothing_else),
      TEST(the_default_split_of_60000_is_the_same_for_ever),
      TEST(a_limit_keeps_the_first_training_images),
      TEST(a_split_shares_the_images),
      TEST(counts_outside_their_range_are_refused),
      TEST(splitting_survives_failing_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
