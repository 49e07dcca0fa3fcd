/* Pooling: every table against the scalar one, bit for bit, and the scalar one by hand. */
#include "boards.h"

enum { WINDOWS_MAX = 24, WIDTH_MAX = 40, SIDE = 5, CASES = 300 };

/* Windows anywhere on a map, which may overlap; outputs in any order. */
typedef struct problem {
  mood mood;
  int width, stride, pitch, out_stride;
  size_t count, pixels;
  nas_tile *windows;
  float *x, *y, *d_y;
  ptrdiff_t in_rows[WINDOWS_MAX * SIDE * SIDE], out_rows[WINDOWS_MAX];
  size_t in_count;
} problem;

static problem problem_of(int number) {
  problem p = {.mood = (mood)(number % MOODS), .width = between(1, WIDTH_MAX)};
  p.stride = nas_row(p.width) + NAS_LANES * between(0, 2);
  p.out_stride = nas_row(p.width) + NAS_LANES * between(0, 1);
  p.pitch = between(SIDE, 8);
  p.count = (size_t)between(1, WINDOWS_MAX);
  p.windows = fence_alloc(p.count * sizeof *p.windows, fence_any_side());
  for (size_t w = 0; w < p.count; w++) {
    nas_tile *window = &p.windows[w];
    *window = (nas_tile){.in = between(0, 3 * p.pitch),
                         .out = (int32_t)(p.count - 1 - w),
                         .rows = between(1, SIDE),
                         .columns = between(1, SIDE)};
    p.out_rows[w] = (ptrdiff_t)window->out * p.out_stride;
    for (int i = 0; i < window->rows; i++)
      for (int j = 0; j < window->columns; j++) {
        int pixel = window->in + i * p.pitch + j;
        p.in_rows[p.in_count++] = (ptrdiff_t)pixel * p.stride;
        if ((size_t)pixel >= p.pixels) p.pixels = (size_t)pixel + 1;
      }
  }
  size_t row = (size_t)nas_row(p.width);
  p.x = numbers((p.pixels - 1) * (size_t)p.stride + row, p.mood);
  p.y = numbers((p.count - 1) * (size_t)p.out_stride + row, p.mood);
  p.d_y = numbers((p.count - 1) * (size_t)p.out_stride + row, p.mood);
  for (size_t i = 0; i < p.pixels; i++) clean_row(p.x + i * (size_t)p.stride, p.width, p.mood);
  for (size_t i = 0; i < p.count; i++) {
    clean_row(p.y + i * (size_t)p.out_stride, p.width, p.mood);
    clean_row(p.d_y + i * (size_t)p.out_stride, p.width, p.mood);
  }
  return p;
}

static void problem_free(problem *p) {
  fence_free(p->windows);
  fence_free(p->x);
  fence_free(p->y);
  fence_free(p->d_y);
}

static nas_pooling_maps maps_of(const problem *p) {
  return (nas_pooling_maps){.x = p->x,
                            .stride = p->stride,
                            .pitch = p->pitch,
                            .y = p->y,
                            .d_y = p->d_y,
                            .out_stride = p->out_stride};
}

/* Writes to y, or adds to d_x. */
typedef void pooling(const nas_kernels *table, const problem *p, float *to);

static void max_pool(const nas_kernels *table, const problem *p, float *to) {
  nas_pooling_maps maps = maps_of(p);
  maps.y = to;
  table->max_pool(&maps, p->windows, p->count, p->width);
}

static void avg_pool(const nas_kernels *table, const problem *p, float *to) {
  nas_pooling_maps maps = maps_of(p);
  maps.y = to;
  table->avg_pool(&maps, p->windows, p->count, p->width);
}

static void max_pool_gradient(const nas_kernels *table, const problem *p, float *to) {
  nas_pooling_maps maps = maps_of(p);
  maps.d_x = to;
  table->max_pool_gradient(&maps, p->windows, p->count, p->width);
}

static void avg_pool_gradient(const nas_kernels *table, const problem *p, float *to) {
  nas_pooling_maps maps = maps_of(p);
  maps.d_x = to;
  table->avg_pool_gradient(&maps, p->windows, p->count, p->width);
}

static void check(const char *what, pooling *run, int backwards) {
  dice = nas_stream_open(17, what, NULL, 0);
  for (int number = 0; number < CASES; number++) {
    problem p = problem_of(number);
    /* What gives gradients goes by outputs that inputs have. */
    if (backwards && number / MOODS % 2) max_pool(nas_kernels_named("scalar"), &p, p.y);
    board b = board_of(backwards ? p.in_rows : p.out_rows, backwards ? p.in_count : p.count,
                       p.width, p.mood);
    run(nas_kernels_named("scalar"), &p, b.expected + b.zero);
    EACH_TABLE(table) {
      memcpy(b.got, b.before, b.size * sizeof(float));
      run(table, &p, b.got + b.zero);
      board_compare(&b, what, number, p.mood);
    }
    board_free(&b);
    problem_free(&p);
  }
}

static void max_equals_scalar(void **state) {
  (void)state;
  check("max_pool", max_pool, 0);
}

static void avg_equals_scalar(void **state) {
  (void)state;
  check("avg_pool", avg_pool, 0);
}

static void max_gradient_equals_scalar(void **state) {
  (void)state;
  check("max_pool_gradient", max_pool_gradient, 1);
}

static void avg_gradient_equals_scalar(void **state) {
  (void)state;
  check("avg_pool_gradient", avg_pool_gradient, 1);
}

/* Two windows of 2x2 that share a column, one channel, and rows without padding:
 *   1 3 3
 *   2 3 0 */
static void by_hand(void **state) {
  (void)state;
  const nas_kernels *scalar = nas_kernels_named("scalar");
  const nas_tile windows[] = {{0, 0, 2, 2}, {1, 1, 2, 2}};
  const float x[] = {1, 3, 3, 2, 3, 0}, d_y[] = {8, 16};
  float y[2], d_x[6] = {0};
  nas_pooling_maps maps = {
      .x = x, .d_x = d_x, .stride = 1, .pitch = 3, .y = y, .d_y = d_y, .out_stride = 1};
  scalar->max_pool(&maps, windows, 2, 1);
  scalar->max_pool_gradient(&maps, windows, 2, 1);
  assert_true(y[0] == 3 && y[1] == 3);
  assert_true(d_x[0] == 0 && d_x[1] == 24 && d_x[2] == 0 && d_x[3] == 0 && d_x[4] == 0 &&
              d_x[5] == 0);
  scalar->avg_pool(&maps, windows, 2, 1);
  scalar->avg_pool_gradient(&maps, windows, 2, 1);
  assert_true(y[0] == 2.25f && y[1] == 2.25f);
  assert_true(d_x[0] == 2 && d_x[1] == 30 && d_x[2] == 4 && d_x[3] == 2 && d_x[4] == 6 &&
              d_x[5] == 4);
}

/* A NaN anywhere in the window is noticed, and its gradient goes nowhere. */
static void nan_is_noticed(void **state) {
  (void)state;
  const nas_kernels *scalar = nas_kernels_named("scalar");
  const nas_tile window = {0, 0, 1, 3};
  const float d_y[] = {1};
  for (int at = 0; at < 3; at++) {
    float x[] = {1, 2, 3}, y[1], d_x[3] = {0};
    x[at] = NAN;
    nas_pooling_maps maps = {
        .x = x, .d_x = d_x, .stride = 1, .pitch = 3, .y = y, .d_y = d_y, .out_stride = 1};
    scalar->max_pool(&maps, &window, 1, 1);
    scalar->max_pool_gradient(&maps, &window, 1, 1);
    assert_true(isnan(y[0]) && d_x[0] == 0 && d_x[1] == 0 && d_x[2] == 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(max_equals_scalar),          TEST(avg_equals_scalar), TEST(max_gradient_equals_scalar),
      TEST(avg_gradient_equals_scalar), TEST(by_hand),           TEST(nan_is_noticed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
