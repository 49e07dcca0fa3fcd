/* Batch normalisation's loops: every table against the scalar one, bit for bit. */
#include "boards.h"

enum { PIXELS_MAX = 30, WIDTH_MAX = 70, CASES = 600 };

/* Rows of pixels, each row once. */
typedef struct problem {
  mood mood;
  int width, stride, relu;
  size_t count;
  int32_t pixels[PIXELS_MAX];
  ptrdiff_t rows[PIXELS_MAX];
  float *x, *d_y;                                  /* [PIXELS_MAX][stride] */
  float *mean, *a, *b, *c, *d;                     /* of channels, padded with zeros */
  double sums[2 * WIDTH_MAX], more[2 * WIDTH_MAX]; /* before, and after the scalar table */
} problem;

static float *clean(float *rows, int count, int stride, int width) {
  for (int r = 0; r < count; r++) clean_row(rows + r * stride, width, CLEAN);
  return rows;
}

static problem problem_of(int number) {
  problem p = {.mood = (mood)(number % MOODS), .width = between(1, WIDTH_MAX), .relu = one_in(2)};
  if (p.mood == PLAIN) p.mood = CLEAN; /* padding is zero in maps */
  p.stride = nas_row(p.width) + NAS_LANES * between(0, 2);
  p.count = (size_t)between(1, PIXELS_MAX);
  int first = between(0, PIXELS_MAX - (int)p.count);
  for (size_t i = 0; i < p.count; i++) {
    p.pixels[i] = first + (int32_t)i;
    p.rows[i] = (ptrdiff_t)p.pixels[i] * p.stride;
  }
  size_t floats = (size_t)(PIXELS_MAX * p.stride), row = (size_t)nas_row(p.width);
  p.x = clean(numbers(floats, p.mood), PIXELS_MAX, p.stride, p.width);
  p.d_y = clean(numbers(floats, p.mood), PIXELS_MAX, p.stride, p.width);
  p.mean = clean(numbers(row, p.mood), 1, (int)row, p.width);
  p.a = clean(numbers(row, p.mood), 1, (int)row, p.width);
  p.b = clean(numbers(row, p.mood), 1, (int)row, p.width);
  p.c = clean(numbers(row, p.mood), 1, (int)row, p.width);
  p.d = clean(numbers(row, p.mood), 1, (int)row, p.width);
  for (int i = 0; i < 2 * p.width; i++) p.sums[i] = (double)plain_number();
  return p;
}

static void problem_free(problem *p) {
  float *all[] = {p->x, p->d_y, p->mean, p->a, p->b, p->c, p->d};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) nas_free(all[i]);
}

static nas_pixel_rows rows_of(const problem *p, float *data) {
  return (nas_pixel_rows){data, p->pixels, p->stride};
}

static void moments(const nas_kernels *table, problem *p, double *sums) {
  table->moments(p->x, p->stride, p->pixels, p->count, p->width, sums, sums + p->width);
}

static nas_normalization normalization_of(const problem *p) {
  return (nas_normalization){p->mean, p->a, p->b, p->relu};
}

static void normalize_sums(const nas_kernels *table, problem *p, double *sums) {
  nas_pixel_rows x = rows_of(p, p->x), d_y = rows_of(p, p->d_y);
  nas_normalization n = normalization_of(p);
  table->normalize_sums(&x, &d_y, p->count, p->width, &n, sums, sums + p->width);
}

static void check_sums(const char *purpose,
                       void (*run)(const nas_kernels *table, problem *p, double *sums)) {
  dice = nas_stream_open(1, purpose, NULL, 0);
  for (int number = 0; number < CASES; number++) {
    problem p = problem_of(number);
    size_t count = 2 * (size_t)p.width;
    memcpy(p.more, p.sums, sizeof p.sums);
    run(nas_kernels_named("scalar"), &p, p.more);
    EACH_TABLE(table) {
      double got[2 * WIDTH_MAX + 1];
      memcpy(got, p.sums, count * sizeof *got);
      got[count] = 17;
      run(table, &p, got);
      for (size_t i = 0; i < count; i++)
        if (memcmp(&got[i], &p.more[i], sizeof *got) != 0 && !(isnan(got[i]) && isnan(p.more[i])))
          fail_msg("%s, case %d: sum %zu of %d channels is %a, expected %a", table->name, number, i,
                   p.width, got[i], p.more[i]);
      assert_true(got[count] == 17);
    }
    problem_free(&p);
  }
}

static void moments_equal_scalar(void **state) {
  (void)state;
  check_sums("moments", moments);
}

static void sums_equal_scalar(void **state) {
  (void)state;
  check_sums("sums", normalize_sums);
}

/* -- rows ------------------------------------------------------------------------------------- */

static void normalize(const nas_kernels *table, const problem *p, int accumulate, float *to) {
  nas_pixel_rows x = rows_of(p, p->x), y = rows_of(p, to);
  nas_normalization n = normalization_of(p);
  (void)accumulate;
  table->normalize(&x, &y, p->count, p->width, &n);
}

static void normalize_gradient(const nas_kernels *table, const problem *p, int accumulate,
                               float *to) {
  nas_pixel_rows x = rows_of(p, p->x), d_y = rows_of(p, p->d_y), d_x = rows_of(p, to);
  nas_normalization n = normalization_of(p);
  table->normalize_gradient(&x, &d_y, &d_x, p->count, p->width, &n, p->c, p->d, accumulate);
}

static void check_rows(const char *purpose, void (*run)(const nas_kernels *table, const problem *p,
                                                        int accumulate, float *to)) {
  dice = nas_stream_open(1, purpose, NULL, 0);
  for (int number = 0; number < CASES; number++) {
    problem p = problem_of(number);
    int accumulate = one_in(2);
    board b = board_of(p.rows, p.count, p.width, p.mood);
    run(nas_kernels_named("scalar"), &p, accumulate, b.expected + b.zero);
    EACH_TABLE(table) {
      memcpy(b.got, b.before, b.size * sizeof(float));
      run(table, &p, accumulate, b.got + b.zero);
      board_compare(&b, table->name, number, p.mood);
    }
    board_free(&b);
    problem_free(&p);
  }
}

static void normalize_equals_scalar(void **state) {
  (void)state;
  check_rows("normalize", normalize);
}

static void gradient_equals_scalar(void **state) {
  (void)state;
  check_rows("gradient", normalize_gradient);
}

int main(void) {
  const struct CMUnitTest tests[] = {TEST(moments_equal_scalar), TEST(sums_equal_scalar),
                                     TEST(normalize_equals_scalar), TEST(gradient_equals_scalar)};
  return cmocka_run_group_tests_name("normalize", tests, NULL, NULL);
}
