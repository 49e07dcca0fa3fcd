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

/* ---- Stratified ---- */

/* n images of one pixel, of whose classes there are sizes[c], mixed by a fixed rule. */
static nas_dataset *classes_of(const int *sizes, int classes) {
  int64_t n = 0, at = 0;
  nas_tensor *labels;
  for (int c = 0; c < classes; c++) n += sizes[c];
  check_ok(nas_tensor_create(&labels, NAS_INT32, DIMS(n), NULL), NULL);
  for (int round = 0; at < n; round++)
    for (int c = 0; c < classes; c++)
      if (round < sizes[c]) ((int32_t *)nas_tensor_data(labels))[at++] = c;
  return set_of(noise(NAS_UINT8, 1, DIMS(n, 1, 1)), labels, classes);
}

/* How many of each class are in a list. */
static void count_classes(const nas_dataset *d, const int32_t *list, int64_t count, int *found) {
  for (int64_t i = 0; i < count; i++) found[nas_dataset_label(d, list[i])]++;
}

static void check_shares(const int *sizes, int classes, int64_t validation, const int *expected) {
  nas_dataset *whole = classes_of(sizes, classes);
  nas_dataset *split = split_by(whole, &(nas_split){.validation = validation, .stratified = 1});
  int in[2][8] = {{0}};
  int64_t counts[2];
  const int32_t *training = nas_dataset_training(split, &counts[0]);
  const int32_t *validates = nas_dataset_validation(split, &counts[1]);
  assert_int_equal(counts[1], validation);
  assert_int_equal(counts[0] + counts[1], nas_dataset_count(whole));
  count_classes(split, training, counts[0], in[0]);
  count_classes(split, validates, counts[1], in[1]);
  for (int c = 0; c < classes; c++) {
    assert_int_equal(in[1][c], expected[c]);
    assert_int_equal(in[0][c] + in[1][c], sizes[c]);
  }
  for (int64_t i = 1; i < counts[1]; i++) assert_true(validates[i] > validates[i - 1]);
  for (int64_t i = 1; i < counts[0]; i++) assert_true(training[i] > training[i - 1]);
  nas_dataset_release(&whole);
  nas_dataset_release(&split);
}

static void strata_share_by_largest_remainders(void **state) {
  (void)state;
  check_shares((int[]){50, 30, 20}, 3, 10, (int[]){5, 3, 2});
  check_shares((int[]){50, 30, 20}, 3, 11, (int[]){6, 3, 2}); /* 5.5, 3.3, 2.2 */
  check_shares((int[]){10, 10, 10}, 3, 10, (int[]){4, 3, 3}); /* of equals the lower class */
  check_shares((int[]){10, 10, 10}, 3, 11, (int[]){4, 4, 3});
  check_shares((int[]){1, 97, 2}, 3, 50, (int[]){1, 48, 1});   /* 0.5, 48.5, 1 */
  check_shares((int[]){40, 0, 60}, 3, 99, (int[]){40, 0, 59}); /* 39.6, 0, 59.4 */
  check_shares((int[]){40, 0, 60}, 3, 1, (int[]){0, 0, 1});
}

static void each_class_has_a_draw_of_its_own(void **state) {
  (void)state;
  const int sizes[] = {50, 30, 20}, more[] = {50, 30, 20, 40};
  nas_dataset *a = classes_of(sizes, 3), *b = classes_of(more, 4);
  nas_dataset *x = split_by(a, &(nas_split){.validation = 10, .seed = 4, .stratified = 1});
  nas_dataset *y = split_by(b, &(nas_split){.validation = 14, .seed = 4, .stratified = 1});
  nas_dataset *z = split_by(a, &(nas_split){.validation = 10, .seed = 5, .stratified = 1});
  nas_dataset *plain = split_by(a, &(nas_split){.validation = 10, .seed = 4});
  /* The first k numbers of the class's permutation are the members that validate. */
  int64_t count;
  const int32_t *list = nas_dataset_validation(x, &count);
  for (int c = 0; c < 3; c++) {
    int32_t order[50], members[50];
    int size = 0;
    nas_stream stream = nas_stream_open(4, "split", (uint64_t[]){(uint64_t)c}, 1);
    nas_stream_permutation(&stream, order, (size_t)sizes[c]);
    for (int i = 0; i < 100; i++)
      if (nas_dataset_label(a, i) == c) members[size++] = i;
    for (int k = 0; k < sizes[c] / 10; k++) {
      int there = 0;
      for (int64_t i = 0; i < count; i++) there |= list[i] == members[order[k]];
      assert_true(there);
    }
  }
  assert_memory_not_equal(list, nas_dataset_validation(z, &count), 10 * sizeof *list);
  assert_memory_not_equal(list, nas_dataset_validation(plain, &count), 10 * sizeof *list);
  assert_string_not_equal(identity_of(x), identity_of(plain));
  check_contains(identity_of(x), " training=90 validation=10 stratified=1");
  nas_dataset *sets[] = {a, b, x, y, z, plain};
  for (int i = 0; i < 6; i++) nas_dataset_release(&sets[i]);
}

/* ---- Lists ---- */

static nas_status split_lists(nas_dataset **out, const nas_dataset *whole, const int32_t *training,
                              int64_t trained, const int32_t *validation, int64_t validated,
                              nas_error *err) {
  nas_split split;
  nas_split_default(&split); /* whose 5000 validation images do not matter */
  split.training_list = training;
  split.training_count = trained;
  split.validation_list = validation;
  split.validation_count = validated;
  return nas_dataset_split(out, whole, &split, err);
}

static void lists_are_kept_ascending(void **state) {
  (void)state;
  nas_dataset *whole = pixels(10), *a, *b, *c;
  int64_t count;
  check_ok(split_lists(&a, whole, (int32_t[]){7, 2, 9}, 3, (int32_t[]){8, 0}, 2, NULL), NULL);
  check_ok(split_lists(&b, whole, (int32_t[]){9, 7, 2}, 3, (int32_t[]){0, 8}, 2, NULL), NULL);
  check_ok(split_lists(&c, whole, (int32_t[]){9, 7, 2}, 3, (int32_t[]){0, 6}, 2, NULL), NULL);
  const int32_t *list = nas_dataset_training(a, &count);
  assert_int_equal(count, 3);
  assert_memory_equal(list, ((int32_t[]){2, 7, 9}), 3 * sizeof *list);
  list = nas_dataset_validation(a, &count);
  assert_int_equal(count, 2);
  assert_memory_equal(list, ((int32_t[]){0, 8}), 2 * sizeof *list);
  check_contains(identity_of(a), " classes=2 split_lists=");
  check_contains(identity_of(a), " training=3 validation=2");
  assert_string_equal(identity_of(a), identity_of(b));
  assert_string_not_equal(identity_of(a), identity_of(c));
  nas_dataset *sets[] = {whole, a, b, c};
  for (int i = 0; i < 4; i++) nas_dataset_release(&sets[i]);
}

static void unsound_lists_are_refused(void **state) {
  (void)state;
  nas_dataset *whole = pixels(10), *d;
  const int32_t good[] = {1, 2}, twice[] = {3, 4, 3}, both[] = {5, 2}, high[] = {10},
                low[] = {3, -1};
  const nas_status bad = NAS_ARGUMENT;
  check_refused(split_lists(&d, whole, twice, 3, good, 2, &err), bad, d,
                "dataset: entry 2 of the training images is position 3, which is listed twice");
  check_refused(split_lists(&d, whole, good, 2, both, 2, &err), bad, d,
                "entry 1 of the validation images is position 2, which is listed twice");
  check_refused(split_lists(&d, whole, good, 2, high, 1, &err), bad, d,
                "entry 0 of the validation images is position 10; expected 0 to 9");
  check_refused(split_lists(&d, whole, low, 2, good, 2, &err), bad, d,
                "entry 1 of the training images is position -1; expected 0 to 9");
  check_refused(split_lists(&d, whole, good, 0, high, 1, &err), bad, d,
                "the list of training images is empty");
  check_refused(split_lists(&d, whole, good, 2, high, 0, &err), bad, d,
                "the list of validation images is empty");
  check_refused(split_lists(&d, whole, good, 2, NULL, 0, &err), bad, d,
                "the list of validation images is not given; expected both lists or none");
  check_refused(split_lists(&d, whole, NULL, 0, good, 2, &err), bad, d,
                "the list of training images is not given");
  nas_split split = {.training_list = good,
                     .training_count = 2,
                     .validation_list = twice,
                     .validation_count = 1,
                     .limit = 1};
  check_refused(nas_dataset_split(&d, whole, &split, &err), bad, d, "two lists with a limit");
  split.limit = 0;
  split.stratified = 1;
  check_refused(nas_dataset_split(&d, whole, &split, &err), bad, d, "with stratified set");
  nas_dataset_release(&whole);
  whole = set_of(noise(NAS_UINT8, 1, DIMS(9, 2)), counting(NAS_FLOAT32, DIMS(9)), 0);
  split = (nas_split){.validation = 2, .stratified = 1};
  check_refused(nas_dataset_split(&d, whole, &split, &err), bad, d,
                "a stratified split of set, whose targets are values; expected classes");
  nas_dataset_release(&whole);
}

static void splitting_survives_failing_memory(void **state) {
  (void)state;
  nas_dataset *whole = pixels(50), *split;
  const int32_t first[] = {0}, second[] = {1};
  const nas_split settings[] = {
      {.validation = 5, .seed = 1},
      {.validation = 5, .stratified = 1, .standardize = 1},
      {.training_list = first,
       .training_count = 1,
       .validation_list = second,
       .validation_count = 1},
  };
  for (int i = 0; i < 3; i++) {
    check_starved(nas_dataset_split(&split, whole, &settings[i], NULL), split);
    nas_dataset_release(&split);
  }
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
      TEST(strata_share_by_largest_remainders),
      TEST(each_class_has_a_draw_of_its_own),
      TEST(lists_are_kept_ascending),
      TEST(unsound_lists_are_refused),
      TEST(splitting_survives_failing_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
