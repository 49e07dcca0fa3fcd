/* Batch normalisation's loops: every table against the scalar one, bit for bit. */
#include "boards.h"

enum { PIXELS_MAX = 30, WIDTH_MAX = 70, CASES = 600 };

/* Rows of pixels, each row once. */
typedef struct problem {
  mood mood;
  int width, stride, relu;
  size_t count;
  int32_t *pixels;
  ptrdiff_t rows[PIXELS_MAX];
  float *x, *d_y;              /* the blocks: rows from that of pixels[0] */
  float *mean, *a, *b, *c, *d; /* of channels, padded with zeros */
  double before[2][WIDTH_MAX]; /* sums */
} problem;

/* `count` rows, the last of which ends at `end` floats from its start. */
static float *rows_drawn(const problem *p, int count, int end) {
  float *rows = numbers((size_t)((count - 1) * p->stride + end), p->mood);
  for (int r = 0; r < count && end > p->width; r++)
    clean_row(rows + r * p->stride, p->width, CLEAN);
  return rows;
}

/* Rows lie without padding when they may and chance wants it. */
static problem problem_of(int number, int dense) {
  problem p = {.mood = (mood)(number % MOODS), .width = between(1, WIDTH_MAX), .relu = one_in(2)};
  if (p.mood == PLAIN) p.mood = CLEAN; /* padding is zero in maps */
  int row = nas_row(p.width), end = dense && one_in(2) ? p.width : row;
  p.stride = end == row ? row + NAS_LANES * between(0, 2) : p.width + between(0, 3);
  p.count = (size_t)between(1, PIXELS_MAX);
  p.pixels = fence_alloc(p.count * sizeof *p.pixels, fence_any_side());
  int first = between(0, PIXELS_MAX - (int)p.count);
  for (size_t i = 0; i < p.count; i++) {
    p.pixels[i] = first + (int32_t)i;
    p.rows[i] = (ptrdiff_t)p.pixels[i] * p.stride;
  }
  p.x = rows_drawn(&p, (int)p.count, end);
  p.d_y = rows_drawn(&p, (int)p.count, end);
  float **of_channels[] = {&p.mean, &p.a, &p.b, &p.c, &p.d};
  for (size_t i = 0; i < sizeof of_channels / sizeof *of_channels; i++)
    *of_channels[i] = rows_drawn(&p, 1, row);
  for (int i = 0; i < p.width; i++) {
    p.before[0][i] = (double)plain_number();
    p.before[1][i] = (double)plain_number();
  }
  return p;
}

static void problem_free(problem *p) {
  float *all[] = {p->x, p->d_y, p->mean, p->a, p->b, p->c, p->d};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) fence_free(all[i]);
  fence_free(p->pixels);
}

/* data: of pixel 0 */
static nas_pixel_rows rows_of(const problem *p, float *data) {
  return (nas_pixel_rows){data, p->pixels, p->stride};
}

static float *pixel_0(const problem *p, float *block) {
  return block - p->rows[0];
}

/* -- sums ------------------------------------------------------------------------------------- */

typedef void summing(const nas_kernels *table, problem *p, double *const sums[2]);

static void moments(const nas_kernels *table, problem *p, double *const sums[2]) {
  table->moments(pixel_0(p, p->x), p->stride, p->pixels, p->count, p->width, sums[0], sums[1]);
}

static nas_normalization normalization_of(const problem *p) {
  return (nas_normalization){p->mean, p->a, p->b, p->relu};
}

static void normalize_sums(const nas_kernels *table, problem *p, double *const sums[2]) {
  nas_pixel_rows x = rows_of(p, pixel_0(p, p->x)), d_y = rows_of(p, pixel_0(p, p->d_y));
  nas_normalization n = normalization_of(p);
  table->normalize_sums(&x, &d_y, p->count, p->width, &n, sums[0], sums[1]);
}

/* What is added to p->before, of which there are as many as channels. */
static void sums_of(const nas_kernels *table, problem *p, summing *run, double *const sums[2]) {
  for (int k = 0; k < 2; k++) memcpy(sums[k], p->before[k], (size_t)p->width * sizeof(double));
  run(table, p, sums);
}

static void check_sums(const char *purpose, summing *run, int dense) {
  dice = nas_stream_open(1, purpose, NULL, 0);
  for (int number = 0; number < CASES; number++) {
    problem p = problem_of(number, dense);
    double *expected[2], *got[2];
    for (int k = 0; k < 2; k++) {
      expected[k] = fence_copy(p.before[k], (size_t)p.width * sizeof(double));
      got[k] = fence_copy(p.before[k], (size_t)p.width * sizeof(double));
    }
    sums_of(nas_kernels_named("scalar"), &p, run, expected);
    EACH_TABLE(table) {
      sums_of(table, &p, run, got);
      for (int i = 0; i < 2 * p.width; i++) {
        double a = got[i % 2][i / 2], b = expected[i % 2][i / 2];
        if (memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b))) continue;
        fail_msg("%s, case %d: sum %d of channel %d of %d is %a, expected %a", table->name, number,
                 i % 2, i / 2, p.width, a, b);
      }
    }
    for (int k = 0; k < 2; k++) {
      fence_free(expected[k]);
      fence_free(got[k]);
    }
    problem_free(&p);
  }
}

static void moments_equal_scalar(void **state) {
  (void)state;
  check_sums("moments", moments, 1);
}

static void sums_equal_scalar(void **state) {
  (void)state;
  check_sums("sums", normalize_sums, 0);
}

/* -- rows ------------------------------------------------------------------------------------- */

static void normalize(const nas_kernels *table, const problem *p, int accumulate, float *to) {
  nas_pixel_rows x = rows_of(p, pixel_0(p, p->x)), y = rows_of(p, to);
  nas_normalization n = normalization_of(p);
  (void)accumulate;
  table->normalize(&x, &y, p->count, p->width, &n);
}

static void normalize_gradient(const nas_kernels *table, const problem *p, int accumulate,
                               float *to) {
  nas_pixel_rows x = rows_of(p, pixel_0(p, p->x)), d_y = rows_of(p, pixel_0(p, p->d_y)),
                 d_x = rows_of(p, to);
  nas_normalization n = normalization_of(p);
  table->normalize_gradient(&x, &d_y, &d_x, p->count, p->width, &n, p->c, p->d, accumulate);
}

static void check_rows(const char *purpose, void (*run)(const nas_kernels *table, const problem *p,
                                                        int accumulate, float *to)) {
  dice = nas_stream_open(1, purpose, NULL, 0);
  for (int number = 0; number < CASES; number++) {
    problem p = problem_of(number, 0);
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
