#include "sets.h"
#include <stdlib.h>

enum { GUARD = 3 }; /* floats between rows, which must stay as they are */

static int between(nas_stream *dice, int low, int high) {
  return low + (int)nas_stream_below(dice, (uint32_t)(high - low) + 1);
}

static int64_t nearest(int64_t x, int64_t size) {
  return x < 0 ? 0 : x >= size ? size - 1 : x;
}

static float stored(const nas_tensor *inputs, int64_t i, int64_t at) {
  int64_t size = nas_tensor_size(inputs) / nas_tensor_dims(inputs)[0];
  const void *data = nas_tensor_data(inputs);
  if (nas_tensor_dtype(inputs) == NAS_FLOAT32) return ((const float *)data)[i * size + at];
  return (float)((const uint8_t *)data)[i * size + at] / 255.0f;
}

/* One number as nas/augment.h defines what a view shows. */
static float seen(const nas_tensor *inputs, const nas_dataset *dataset, int64_t i,
                  const nas_view *view, const int dims[3], int y, int x, int c) {
  const double *mean, *std;
  int scaled = nas_dataset_standardization(dataset, &mean, &std);
  if (y >= view->erase[0] && y < view->erase[0] + view->erase[2] && x >= view->erase[1] &&
      x < view->erase[1] + view->erase[3])
    return 0;
  if (view->flip) x = dims[1] - 1 - x;
  int row = y + view->crop[0], column = x + view->crop[1];
  float value = 0;
  if (row >= 0 && row < dims[0] && column >= 0 && column < dims[1]) {
    int64_t r = nearest(row + view->shift[0], dims[0]);
    int64_t k = nearest(column + view->shift[1], dims[1]);
    value = stored(inputs, i, (r * dims[1] + k) * dims[2] + c);
  }
  return scaled ? (float)(((double)value - mean[c]) / std[c]) : value;
}

static nas_view random_view(nas_stream *dice, int reach) {
  nas_view view = {0};
  if (between(dice, 0, 2))
    for (int d = 0; d < 2; d++) view.crop[d] = between(dice, -reach, reach);
  if (between(dice, 0, 2))
    for (int d = 0; d < 2; d++) view.shift[d] = between(dice, -reach, reach);
  view.flip = between(dice, 0, 1);
  if (between(dice, 0, 1))
    for (int d = 0; d < 4; d++) view.erase[d] = between(dice, d < 2 ? -2 : 0, reach);
  return view;
}

static void check_read(const nas_tensor *inputs, const nas_dataset *dataset, int64_t i,
                       const nas_view *view) {
  static const nas_view plain = {0};
  int dims[3], rank = nas_dataset_input_shape(dataset, dims);
  if (rank == 1) {
    dims[2] = dims[0];
    dims[0] = dims[1] = 1;
  }
  int row = dims[1] * dims[2];
  float *rows = nas_alloc((size_t)(dims[0] * (row + GUARD)), sizeof *rows);
  assert_non_null(rows);
  for (int k = 0; k < dims[0] * (row + GUARD); k++) rows[k] = -77;
  nas_dataset_read_input(dataset, i, view, rows, row + GUARD);
  for (int y = 0; y < dims[0]; y++)
    for (int k = 0; k < row + GUARD; k++) {
      float expected = -77;
      if (k < row)
        expected = seen(inputs, dataset, i, view && rank == 3 ? view : &plain, dims, y, k / dims[2],
                        k % dims[2]);
      check_float_bits(rows[y * (row + GUARD) + k], expected);
    }
  nas_free(rows);
}

/* Random sizes, with and without a standardisation, as stored and through views. */
static void check_many(nas_dtype dtype, int rank) {
  nas_stream dice = nas_stream_open(dtype, "read", (uint64_t[]){(uint64_t)rank}, 1);
  for (int round = 0; round < 60; round++) {
    int64_t dims[] = {6, between(&dice, 1, 9), between(&dice, 1, 9),
                      round % 10 == 9 ? 18 : between(&dice, 1, 4)};
    if (rank == 2) dims[1] = between(&dice, 1, 40);
    nas_tensor *inputs = noise(dtype, (uint64_t)round, rank, dims), *kept;
    check_ok(nas_tensor_view(&kept, inputs, NULL), NULL);
    nas_dataset *whole = set_of(inputs, labels_in_turn(6, 2), 2);
    nas_split split = {.validation = 2, .standardize = 1};
    nas_dataset *sets[] = {whole, split_by(whole, &split)};
    for (int s = 0; s < 2; s++) {
      for (int64_t i = 0; i < 6; i++) check_read(kept, sets[s], i, NULL);
      for (int k = 0; k < 30; k++) {
        nas_view view = random_view(&dice, k < 20 ? 4 : 25);
        check_read(kept, sets[s], k % 6, &view);
      }
    }
    nas_tensor_destroy(&kept);
    for (int s = 0; s < 2; s++) nas_dataset_release(&sets[s]);
  }
}

static void bytes_are_read_through_views(void **state) {
  (void)state;
  for (int rank = 2; rank <= 4; rank++) check_many(NAS_UINT8, rank);
}

static void floats_are_read_through_views(void **state) {
  (void)state;
  for (int rank = 2; rank <= 4; rank++) check_many(NAS_FLOAT32, rank);
}

static void every_byte_has_the_bits_of_the_formula(void **state) {
  (void)state;
  nas_tensor *inputs;
  check_ok(nas_tensor_create(&inputs, NAS_UINT8, DIMS(2, 16, 16), NULL), NULL);
  for (int k = 0; k < 512; k++) ((uint8_t *)nas_tensor_data(inputs))[k] = (uint8_t)k;
  nas_dataset *whole = set_of(inputs, labels_in_turn(2, 2), 2), *scaled;
  const double mean = 0.2860406, std = 0.35302424;
  float x[256];
  check_ok(nas_dataset_adopt(&scaled, whole, 1, &mean, &std, NULL), NULL);
  nas_dataset_read_input(whole, 1, NULL, x, 16);
  for (int k = 0; k < 256; k++) check_float_bits(x[k], (float)k / 255.0f);
  nas_dataset_read_input(scaled, 1, NULL, x, 16);
  for (int k = 0; k < 256; k++)
    check_float_bits(x[k], (float)(((double)((float)k / 255.0f) - mean) / std));
  nas_dataset_release(&whole);
  nas_dataset_release(&scaled);
}

/* Numbers 1 .. 6 as 2 rows of 3, mean 1, std 2. */
static void check_picture(nas_view view, const float expected[6]) {
  nas_tensor *inputs =
      tensor_of(NAS_FLOAT32, (double[]){1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 0}, DIMS(2, 2, 3));
  nas_dataset *whole = set_of(inputs, labels_in_turn(2, 2), 2), *scaled;
  float x[6];
  check_ok(nas_dataset_adopt(&scaled, whole, 1, (double[]){1}, (double[]){2}, NULL), NULL);
  nas_dataset_read_input(scaled, 0, &view, x, 3);
  for (int k = 0; k < 6; k++) check_float_bits(x[k], expected[k]);
  nas_dataset_release(&whole);
  nas_dataset_release(&scaled);
}

static void views_by_hand(void **state) {
  (void)state;
  const float zero = -0.5f; /* a stored 0, standardised */
  check_picture((nas_view){.flip = 1}, (float[]){1, 0.5f, 0, 2.5f, 2, 1.5f});
  check_picture((nas_view){.crop = {1, -1}}, (float[]){zero, 1.5f, 2, zero, zero, zero});
  check_picture((nas_view){.shift = {1, -1}}, (float[]){1.5f, 1.5f, 2, 1.5f, 1.5f, 2});
  check_picture((nas_view){.erase = {0, 1, 2, 1}}, (float[]){0, 0, 1, 1.5f, 0, 2.5f});
  check_picture((nas_view){.crop = {0, 1}, .flip = 1, .erase = {1, 0, 1, 1}},
                (float[]){zero, 1, 0.5f, 0, 2.5f, 2});
}

static void extreme_views_are_safe(void **state) {
  (void)state;
  const int numbers[] = {INT32_MIN, -1, 0, 1, INT32_MAX};
  nas_dataset *d = set_of(noise(NAS_UINT8, 1, DIMS(2, 3, 4, 2)), labels_in_turn(2, 2), 2);
  nas_stream dice = nas_stream_open(1, "extreme", NULL, 0);
  float rows[24 + 2] = {[0] = -77, [25] = -77};
  for (int k = 0; k < 2000; k++) {
    nas_view view = {.flip = k % 2};
    for (int j = 0; j < 2; j++) view.crop[j] = numbers[between(&dice, 0, 4)];
    for (int j = 0; j < 2; j++) view.shift[j] = numbers[between(&dice, 0, 4)];
    for (int j = 0; j < 4; j++) view.erase[j] = numbers[between(&dice, 0, 4)];
    nas_dataset_read_input(d, 1, &view, rows + 1, 8);
    check_float_bits(rows[0], -77);
    check_float_bits(rows[25], -77);
  }
  nas_dataset_release(&d);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(bytes_are_read_through_views),
      TEST(floats_are_read_through_views),
      TEST(every_byte_has_the_bits_of_the_formula),
      TEST(views_by_hand),
      TEST(extreme_views_are_safe),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
