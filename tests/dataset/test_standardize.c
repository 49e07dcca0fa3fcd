#include "sets.h"
#include <math.h>

static nas_dataset *standardized(const nas_dataset *whole, nas_split split) {
  split.standardize = 1;
  return split_by(whole, &split);
}

static nas_dataset *adopted(const nas_dataset *dataset, int count, const double *mean,
                            const double *std) {
  nas_dataset *made;
  nas_error err = {0};
  check_ok(nas_dataset_adopt(&made, dataset, count, mean, std, &err), &err);
  return made;
}

/* ---- Fitting ---- */

/* The header's rule, read again: over one channel of the images that train. */
static void moments_by_the_header(const nas_dataset *dataset, int channel, double *mean,
                                  double *std) {
  int64_t count;
  int dims[3], rank = nas_dataset_input_shape(dataset, dims);
  int pixels = rank == 3 ? dims[0] * dims[1] : 1, channels = rank == 3 ? dims[2] : dims[0];
  const int32_t *training = nas_dataset_training(dataset, &count);
  nas_dataset *plain = adopted(dataset, 0, NULL, NULL);
  float *image = nas_alloc((size_t)(pixels * channels), sizeof *image);
  double sum = 0, squares = 0;
  for (int pass = 0; pass < 2; pass++) {
    for (int64_t i = 0; i < count; i++) {
      nas_dataset_read_input(plain, training[i], NULL, image,
                             rank == 3 ? dims[1] * dims[2] : dims[0]);
      for (int p = 0; p < pixels; p++) {
        double x = (double)image[p * channels + channel];
        if (pass) squares += (x - *mean) * (x - *mean);
        sum += x;
      }
    }
    if (!pass) *mean = sum / (double)(count * pixels);
  }
  *std = sqrt(squares / (double)(count * pixels));
  nas_free(image);
  nas_dataset_release(&plain);
}

static void check_fitted(nas_tensor *inputs, int channels) {
  int64_t n = nas_tensor_dims(inputs)[0];
  nas_dataset *whole = set_of(inputs, labels_in_turn(n, 3), 3);
  nas_dataset *split = standardized(whole, (nas_split){.validation = n / 3, .seed = 2, .limit = 5});
  const double *mean, *std;
  assert_int_equal(nas_dataset_standardization(split, &mean, &std), channels);
  for (int c = 0; c < channels; c++) {
    double m = 0, s = 0;
    moments_by_the_header(split, c, &m, &s);
    assert_true(mean[c] == m && std[c] == s);
  }
  nas_dataset_release(&whole);
  nas_dataset_release(&split);
}

static void channels_and_features_are_fitted_on_what_trains(void **state) {
  (void)state;
  check_fitted(noise(NAS_UINT8, 1, DIMS(12, 5, 4)), 1);
  check_fitted(noise(NAS_UINT8, 2, DIMS(12, 5, 4, 3)), 3);
  check_fitted(noise(NAS_UINT8, 3, DIMS(12, 3, 2, 20)), 20);
  check_fitted(noise(NAS_UINT8, 4, DIMS(12, 30)), 30);
  check_fitted(noise(NAS_FLOAT32, 5, DIMS(12, 5, 4)), 1);
  check_fitted(noise(NAS_FLOAT32, 6, DIMS(12, 5, 4, 2)), 2);
  check_fitted(noise(NAS_FLOAT32, 7, DIMS(12, 30)), 30);
}

/* Features 1, 2, 3, 4, 100 (which validates) and 0.1 throughout. */
static void numbers_by_hand(void **state) {
  (void)state;
  nas_tensor *inputs =
      tensor_of(NAS_FLOAT32, (double[]){1, 0.1, 2, 0.1, 3, 0.1, 4, 0.1, 100, 0.1}, DIMS(5, 2));
  nas_dataset *whole = set_of(inputs, labels_in_turn(5, 2), 2);
  nas_dataset *split = standardized(whole, (nas_split){.training_list = (int32_t[]){0, 1, 2, 3},
                                                       .training_count = 4,
                                                       .validation_list = (int32_t[]){4},
                                                       .validation_count = 1});
  const double *mean, *std;
  float x[2];
  assert_int_equal(nas_dataset_standardization(split, &mean, &std), 2);
  check_near(mean[0], 2.5, 0);
  check_near(std[0], sqrt(1.25), 0);
  check_near(mean[1], (double)0.1f, 0); /* exactly, though sums round */
  check_near(std[1], 1, 0);
  nas_dataset_read_input(split, 4, NULL, x, 2);
  check_float_bits(x[0], (float)(97.5 / sqrt(1.25)));
  check_float_bits(x[1], 0);
  assert_int_equal(nas_dataset_standardization(whole, &mean, &std), 0);
  assert_null(mean);
  assert_null(std);
  nas_dataset_release(&whole);
  nas_dataset_release(&split);
}

static void a_later_split_starts_from_what_is_stored(void **state) {
  (void)state;
  nas_dataset *whole = set_of(noise(NAS_FLOAT32, 1, DIMS(20, 3)), labels_in_turn(20, 2), 2);
  nas_dataset *first = standardized(whole, (nas_split){.validation = 5});
  nas_dataset *again = standardized(first, (nas_split){.validation = 5});
  nas_dataset *plain = split_by(first, &(nas_split){.validation = 5});
  nas_dataset *expected = split_by(whole, &(nas_split){.validation = 5});
  assert_string_equal(identity_of(first), identity_of(again));
  assert_string_equal(identity_of(plain), identity_of(expected));
  nas_dataset *sets[] = {whole, first, again, plain, expected};
  for (int i = 0; i < 5; i++) nas_dataset_release(&sets[i]);
}

/* ---- Adopting ---- */

static void a_standardization_can_be_adopted(void **state) {
  (void)state;
  nas_dataset *whole = set_of(noise(NAS_UINT8, 1, DIMS(20, 4, 3, 2)), labels_in_turn(20, 2), 2);
  nas_dataset *other = set_of(noise(NAS_UINT8, 2, DIMS(9, 4, 3, 2)), labels_in_turn(9, 2), 2);
  nas_dataset *trained = standardized(whole, (nas_split){.validation = 5, .stratified = 1});
  nas_dataset *split = split_by(whole, &(nas_split){.validation = 5, .stratified = 1});
  const double *mean, *std, *other_mean, *other_std;
  float x[24];
  assert_int_equal(nas_dataset_standardization(trained, &mean, &std), 2);
  nas_dataset *seen = adopted(other, 2, mean, std), *same = adopted(split, 2, mean, std);
  nas_dataset *plain = adopted(trained, 0, NULL, NULL);
  assert_int_equal(nas_dataset_standardization(seen, &other_mean, &other_std), 2);
  assert_true(other_mean != mean && other_std != std); /* a copy */
  assert_memory_equal(mean, other_mean, 2 * sizeof *mean);
  assert_memory_equal(std, other_std, 2 * sizeof *std);
  nas_dataset_read_input(seen, 8, NULL, x, 6);
  for (int k = 0; k < 24; k++) {
    float value = (float)nas_dataset_pixels(other, 8)[k] / 255.0f;
    check_float_bits(x[k], (float)(((double)value - mean[k % 2]) / std[k % 2]));
  }
  assert_string_equal(identity_of(same), identity_of(trained)); /* with the split */
  assert_string_equal(identity_of(plain), identity_of(split));
  int64_t a, b;
  const int32_t *list = nas_dataset_validation(same, &a);
  assert_memory_equal(list, nas_dataset_validation(trained, &b), 5 * sizeof *list);
  nas_dataset *sets[] = {whole, other, trained, split, seen, same, plain};
  for (int i = 0; i < 7; i++) nas_dataset_release(&sets[i]);
}

static void unsound_standardizations_are_refused(void **state) {
  (void)state;
  nas_dataset *images = set_of(noise(NAS_UINT8, 1, DIMS(9, 4, 3, 2)), labels_in_turn(9, 2), 2), *d;
  nas_dataset *table = set_of(noise(NAS_UINT8, 1, DIMS(9, 3)), labels_in_turn(9, 2), 2);
  const double mean[] = {0, 1, 2}, std[] = {1, 2, 3}, nan[] = {0, (double)NAN}, zero[] = {1, 0};
  const double less[] = {-1, 1}, inf[] = {HUGE_VAL, 1};
  check_refused(nas_dataset_adopt(&d, images, 3, mean, std, &err), NAS_ARGUMENT, d,
                "dataset: a standardisation of 3 channels; expected 2 for set, or 0 for none");
  check_refused(nas_dataset_adopt(&d, table, 2, mean, std, &err), NAS_ARGUMENT, d,
                "a standardisation of 2 features; expected 3 for set");
  check_refused(nas_dataset_adopt(&d, images, -1, mean, std, &err), NAS_ARGUMENT, d, "of -1 chan");
  check_refused(nas_dataset_adopt(&d, images, 2, nan, std, &err), NAS_ARGUMENT, d,
                "dataset: mean 1 is nan; expected a finite number");
  check_refused(nas_dataset_adopt(&d, images, 2, mean, zero, &err), NAS_ARGUMENT, d,
                "standard deviation 1 is 0; expected a finite number above 0");
  check_refused(nas_dataset_adopt(&d, images, 2, mean, less, &err), NAS_ARGUMENT, d, "is -1;");
  check_refused(nas_dataset_adopt(&d, images, 2, mean, inf, &err), NAS_ARGUMENT, d, "is inf;");
  check_refused(nas_dataset_adopt(&d, images, 2, mean, nan, &err), NAS_ARGUMENT, d, "0 is 0;");
  nas_dataset_release(&images);
  nas_dataset_release(&table);
}

static void standardizing_survives_failing_memory(void **state) {
  (void)state;
  const double mean[] = {0, 1, 2}, std[] = {1, 2, 3};
  for (int kind = 0; kind < 3; kind++) {
    nas_tensor *inputs = kind == 0   ? noise(NAS_UINT8, 1, DIMS(9, 2, 2, 3))
                         : kind == 1 ? noise(NAS_FLOAT32, 1, DIMS(9, 2, 2, 3))
                                     : noise(NAS_UINT8, 1, DIMS(9, 3));
    nas_dataset *whole = set_of(inputs, labels_in_turn(9, 2), 2), *d;
    const nas_split split = {.validation = 2, .standardize = 1};
    check_starved(nas_dataset_split(&d, whole, &split, NULL), d);
    nas_dataset_release(&d);
    check_starved(nas_dataset_adopt(&d, whole, 3, mean, std, NULL), d);
    nas_dataset_release(&d);
    nas_dataset_release(&whole);
  }
}

/* ---- Identity ---- */

static void identity_tells_what_changes_results(void **state) {
  (void)state;
  const double mean[] = {0.5, 0.25}, std[] = {1, 2}, less[] = {-0.0, 0.25}, zero[] = {0, 0.25};
  nas_dataset *whole = set_of(noise(NAS_FLOAT32, 1, DIMS(40, 2)), labels_in_turn(40, 4), 4);
  const int32_t first[] = {1, 2, 3}, second[] = {0, 5};
  const nas_split settings[] = {
      {.validation = 8},
      {.validation = 9},
      {.validation = 8, .seed = 1},
      {.validation = 8, .limit = 31},
      {.validation = 8, .stratified = 1},
      {.validation = 8, .standardize = 1},
      {.validation = 8, .standardize = 1, .limit = 31},
      {.training_list = first,
       .training_count = 3,
       .validation_list = second,
       .validation_count = 2},
      {.training_list = first,
       .training_count = 3,
       .validation_list = second,
       .validation_count = 1},
      {.training_list = second,
       .training_count = 2,
       .validation_list = first,
       .validation_count = 3},
  };
  enum { SPLITS = sizeof settings / sizeof *settings, SETS = SPLITS + 4 };
  nas_dataset *sets[SETS];
  char lines[SETS][400];
  for (int i = 0; i < SPLITS; i++) sets[i] = split_by(whole, &settings[i]);
  sets[SPLITS] = adopted(sets[0], 2, mean, std);
  sets[SPLITS + 1] = adopted(sets[0], 2, std, mean);
  sets[SPLITS + 2] = adopted(sets[0], 2, zero, std);
  sets[SPLITS + 3] = nas_dataset_retain(whole);
  for (int i = 0; i < SETS; i++) snprintf(lines[i], sizeof lines[i], "%s", identity_of(sets[i]));
  for (int i = 0; i < SETS; i++)
    for (int j = 0; j < i; j++) assert_string_not_equal(lines[i], lines[j]);
  nas_dataset *same = adopted(sets[1], 2, less, std), *also = adopted(sets[1], 2, zero, std);
  assert_string_equal(identity_of(same), identity_of(also)); /* -0 is 0 */
  nas_dataset_release(&same);
  nas_dataset_release(&also);
  same = split_by(whole, &(nas_split){.validation = 8, .limit = 32, .stratified = 7});
  assert_string_equal(identity_of(same), lines[4]);
  nas_dataset_release(&same);
  for (int i = 0; i < SETS; i++) nas_dataset_release(&sets[i]);
  nas_dataset_release(&whole);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(channels_and_features_are_fitted_on_what_trains),
      TEST(numbers_by_hand),
      TEST(a_later_split_starts_from_what_is_stored),
      TEST(a_standardization_can_be_adopted),
      TEST(unsound_standardizations_are_refused),
      TEST(standardizing_survives_failing_memory),
      TEST(identity_tells_what_changes_results),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
