/* Every table of kernels against the scalar one, bit for bit, on random windows; whole buffers are
 * compared. */
#include "boards.h"
#include <sys/mman.h>
#include <nas/cpu.h>

/* -- windows ---------------------------------------------------------------------------------- */

enum { TAPS_MAX = 12, SOURCES_MAX = 4, PIXELS_MAX = 600, CHANNELS_MAX = 40 };

typedef struct problem {
  mood mood;
  nas_window window;
  nas_tap *taps;
  int32_t *source_stride;
  float *blocks[SOURCES_MAX]; /* what the sources' floats lie in */
  const float **sources;
  int32_t *in, *out_pixel;
  ptrdiff_t out_row[PIXELS_MAX];                 /* where the rows of `out` begin */
  ptrdiff_t weight_row[TAPS_MAX * CHANNELS_MAX]; /* and those of the weights */
  size_t pixels, weight_rows;
} problem;

/* A stride of rows, often larger than it must be. */
static int row_stride(int width) {
  return nas_row(width) + (one_in(2) ? 0 : NAS_LANES * between(1, 3));
}

/* Rows of weights for the taps, in any order and with gaps, none in common. */
static void draw_weight_rows(problem *p) {
  int order[TAPS_MAX], slot = between(0, 3);
  for (int t = 0; t < p->window.tap_count; t++) order[t] = t;
  for (int t = p->window.tap_count - 1; t > 0; t--) {
    int other = between(0, t), moved = order[t];
    order[t] = order[other];
    order[other] = moved;
  }
  for (int t = 0; t < p->window.tap_count; t++) {
    nas_tap *tap = &p->taps[order[t]];
    tap->weights = (int64_t)slot * p->window.weight_stride;
    for (int c = 0; c < tap->channels; c++)
      p->weight_row[p->weight_rows++] = (ptrdiff_t)(slot + c) * p->window.weight_stride;
    slot += tap->channels + between(0, 2);
  }
}

static void *fenced(int count, size_t size) {
  return fence_alloc((size_t)count * size, fence_any_side());
}

static void draw_taps(problem *p, int sources) {
  int channels = between(1, CHANNELS_MAX), most = one_in(3) ? TAPS_MAX : 4;
  p->window.tap_count = one_in(20) ? 0 : between(1, most);
  p->window.taps = p->taps = fenced(p->window.tap_count, sizeof *p->taps);
  for (int t = 0; t < p->window.tap_count; t++)
    p->taps[t] = (nas_tap){.source = between(0, sources - 1),
                           .channels = one_in(2) ? channels : between(1, channels),
                           .offset = between(-300, 300)};
  draw_weight_rows(p);
}

static void draw_pixels(problem *p) {
  int32_t order[2 * PIXELS_MAX];
  int bunched = one_in(2); /* out pixels in a row */
  nas_stream_permutation(&dice, order, 2 * p->pixels);
  p->in = fenced((int)p->pixels, sizeof *p->in);
  p->out_pixel = fenced((int)p->pixels, sizeof *p->out_pixel);
  for (size_t i = 0; i < p->pixels; i++) {
    p->in[i] = between(-20, 60);
    p->out_pixel[i] = bunched ? (int32_t)i : order[i] - 10;
    p->out_row[i] = (ptrdiff_t)p->out_pixel[i] * p->window.out_stride;
  }
}

/* Exactly the floats that the window reads. */
static void draw_source(problem *p, int source) {
  ptrdiff_t low = PTRDIFF_MAX, high = PTRDIFF_MIN;
  for (int t = 0; t < p->window.tap_count; t++)
    for (size_t i = 0; i < p->pixels && p->taps[t].source == source; i++) {
      ptrdiff_t at = (ptrdiff_t)p->in[i] * p->source_stride[source] + p->taps[t].offset;
      if (at < low) low = at;
      if (at + p->taps[t].channels > high) high = at + p->taps[t].channels;
    }
  if (low > high) low = high = 0;
  p->blocks[source] = numbers((size_t)(high - low), p->mood);
  p->sources[source] = p->blocks[source] - low;
}

static void problem_draw(problem *p, int width, size_t pixels, mood m) {
  int sources = between(1, SOURCES_MAX);
  *p = (problem){.mood = m, .pixels = pixels};
  p->source_stride = fenced(sources, sizeof *p->source_stride);
  p->sources = fenced(sources, sizeof *p->sources);
  p->window = (nas_window){.weight_stride = row_stride(width),
                           .width = width,
                           .source_stride = p->source_stride,
                           .out_stride = row_stride(width)};
  for (int s = 0; s < sources; s++) p->source_stride[s] = between(1, 90);
  draw_taps(p, sources);
  draw_pixels(p);
  for (int s = 0; s < sources; s++) draw_source(p, s);
}

static void problem_free(problem *p) {
  for (int s = 0; s < SOURCES_MAX; s++) fence_free(p->blocks[s]);
  fence_free(p->taps);
  fence_free(p->source_stride);
  fence_free(p->sources);
  fence_free(p->in);
  fence_free(p->out_pixel);
}

static float *draw_weights(const problem *p) {
  ptrdiff_t end = 0;
  for (size_t r = 0; r < p->weight_rows; r++)
    if (p->weight_row[r] + nas_row(p->window.width) > end)
      end = p->weight_row[r] + nas_row(p->window.width);
  float *weights = numbers((size_t)end, p->mood);
  for (size_t r = 0; r < p->weight_rows; r++)
    clean_row(weights + p->weight_row[r], p->window.width, p->mood);
  return weights;
}

enum { WIDTHS = 70, FEW_PIXELS = 40, CASES = WIDTHS * (FEW_PIXELS + 1) };

/* Every width from 1 with every small number of pixels from 0. */
static void problem_number(problem *p, int number) {
  problem_draw(p, 1 + number % WIDTHS, (size_t)(number / WIDTHS), (mood)(number % MOODS));
}

/* Frees the problem. */
static void compare_conv(problem *p, int number) {
  int width = p->window.width;
  unsigned flags = (unsigned)between(0, 3);
  float *weights = draw_weights(p), *bias = NULL;
  if (!(flags & NAS_CONV_ACCUMULATE) && one_in(2)) {
    bias = numbers((size_t)nas_row(width), p->mood);
    clean_row(bias, width, p->mood);
  }
  board out = board_of(p->out_row, p->pixels, width, p->mood);
  nas_kernels_named("scalar")->conv(&p->window, p->sources, p->in, weights, bias,
                                    out.expected + out.zero, p->out_pixel, p->pixels, flags);
  EACH_TABLE(table) {
    memcpy(out.got, out.before, out.size * sizeof(float));
    table->conv(&p->window, p->sources, p->in, weights, bias, out.got + out.zero, p->out_pixel,
                p->pixels, flags);
    board_compare(&out, table->name, number, p->mood);
  }
  board_free(&out);
  fence_free(weights);
  fence_free(bias);
  problem_free(p);
}

static void conv_equals_scalar(void **state) {
  (void)state;
  dice = nas_stream_open(1, "conv", NULL, 0);
  for (int number = 0; number < CASES; number++) {
    problem p;
    problem_number(&p, number);
    compare_conv(&p, number);
  }
}

/* One pixel is computed by kernels of its own, in blocks of up to eight vectors: here there are up
 * to ten of sixteen floats. */
static void conv_of_one_pixel(void **state) {
  (void)state;
  enum { WIDTH_MOST = 160 };
  dice = nas_stream_open(1, "one pixel", NULL, 0);
  for (int number = 0; number < MOODS * WIDTH_MOST; number++) {
    problem p;
    problem_draw(&p, 1 + number / MOODS, 1, (mood)(number % MOODS));
    compare_conv(&p, number);
  }
}

/* Frees the problem. */
static void compare_conv_weights(problem *p, int number) {
  board d_out = board_of(p->out_row, p->pixels, p->window.width, p->mood); /* only read here */
  board d_weights = board_of(p->weight_row, p->weight_rows, p->window.width, p->mood);
  nas_kernels_named("scalar")->conv_weights(&p->window, p->sources, p->in,
                                            d_out.before + d_out.zero, p->out_pixel,
                                            d_weights.expected + d_weights.zero, p->pixels);
  EACH_TABLE(table) {
    memcpy(d_weights.got, d_weights.before, d_weights.size * sizeof(float));
    table->conv_weights(&p->window, p->sources, p->in, d_out.before + d_out.zero, p->out_pixel,
                        d_weights.got + d_weights.zero, p->pixels);
    board_compare(&d_weights, table->name, number, p->mood);
  }
  board_free(&d_out);
  board_free(&d_weights);
  problem_free(p);
}

static void conv_weights_equals_scalar(void **state) {
  (void)state;
  dice = nas_stream_open(1, "conv_weights", NULL, 0);
  for (int number = 0; number < CASES; number++) {
    problem p;
    problem_number(&p, number);
    compare_conv_weights(&p, number);
  }
}

/* More than are taken at once, whatever the strides. */
static void conv_weights_of_many_pixels(void **state) {
  (void)state;
  dice = nas_stream_open(1, "many pixels", NULL, 0);
  for (int number = 0; number < 100; number++) {
    problem p;
    problem_draw(&p, between(1, WIDTHS), (size_t)between(FEW_PIXELS, PIXELS_MAX),
                 (mood)(number % MOODS));
    compare_conv_weights(&p, number);
  }
}

/* One source, of rows like those of the output; one channel to a tap. */
static void depthwise_number(problem *p, int number) {
  int width = 1 + number % WIDTHS;
  *p = (problem){.mood = (mood)(number % MOODS), .pixels = (size_t)(number / WIDTHS)};
  p->source_stride = fenced(1, sizeof *p->source_stride);
  p->sources = fenced(1, sizeof *p->sources);
  p->source_stride[0] = row_stride(width);
  p->window = (nas_window){.tap_count = one_in(20) ? 0 : between(1, TAPS_MAX),
                           .weight_stride = row_stride(width),
                           .width = width,
                           .source_stride = p->source_stride,
                           .out_stride = row_stride(width)};
  p->window.taps = p->taps = fenced(p->window.tap_count, sizeof *p->taps);
  for (int t = 0; t < p->window.tap_count; t++)
    p->taps[t] = (nas_tap){.channels = 1, .offset = (int64_t)between(-9, 9) * p->source_stride[0]};
  draw_weight_rows(p);
  draw_pixels(p);
  ptrdiff_t low = PTRDIFF_MAX, high = PTRDIFF_MIN;
  for (int t = 0; t < p->window.tap_count; t++)
    for (size_t i = 0; i < p->pixels; i++) {
      ptrdiff_t at = (ptrdiff_t)p->in[i] * p->source_stride[0] + p->taps[t].offset;
      if (at < low) low = at;
      if (at + nas_row(width) > high) high = at + nas_row(width);
    }
  if (low > high) low = high = 0;
  p->blocks[0] = numbers((size_t)(high - low), p->mood);
  p->sources[0] = p->blocks[0] - low;
  for (ptrdiff_t row = 0; row < high - low; row += p->source_stride[0])
    clean_row(p->blocks[0] + row, width, p->mood);
}

static void depthwise_equals_scalar(void **state) {
  (void)state;
  dice = nas_stream_open(1, "depthwise", NULL, 0);
  for (int number = 0; number < CASES; number++) {
    problem p;
    depthwise_number(&p, number);
    int width = p.window.width;
    unsigned flags = (unsigned)between(0, 3);
    float *weights = draw_weights(&p), *bias = NULL;
    if (!(flags & NAS_CONV_ACCUMULATE) && one_in(2)) {
      bias = numbers((size_t)nas_row(width), p.mood);
      clean_row(bias, width, p.mood);
    }
    board out = board_of(p.out_row, p.pixels, width, p.mood);
    nas_kernels_named("scalar")->depthwise(&p.window, p.sources[0], p.in, weights, bias,
                                           out.expected + out.zero, p.out_pixel, p.pixels, flags);
    EACH_TABLE(table) {
      memcpy(out.got, out.before, out.size * sizeof(float));
      table->depthwise(&p.window, p.sources[0], p.in, weights, bias, out.got + out.zero,
                       p.out_pixel, p.pixels, flags);
      board_compare(&out, table->name, number, p.mood);
    }
    board_free(&out);
    fence_free(weights);
    fence_free(bias);
    problem_free(&p);
  }
}

static void depthwise_weights_equals_scalar(void **state) {
  (void)state;
  dice = nas_stream_open(1, "depthwise_weights", NULL, 0);
  for (int number = 0; number < CASES; number++) {
    problem p;
    depthwise_number(&p, number);
    board d_out = board_of(p.out_row, p.pixels, p.window.width, p.mood); /* only read here */
    board d_weights = board_of(p.weight_row, p.weight_rows, p.window.width, p.mood);
    nas_kernels_named("scalar")->depthwise_weights(&p.window, p.sources[0], p.in,
                                                   d_out.before + d_out.zero, p.out_pixel,
                                                   d_weights.expected + d_weights.zero, p.pixels);
    EACH_TABLE(table) {
      memcpy(d_weights.got, d_weights.before, d_weights.size * sizeof(float));
      table->depthwise_weights(&p.window, p.sources[0], p.in, d_out.before + d_out.zero,
                               p.out_pixel, d_weights.got + d_weights.zero, p.pixels);
      board_compare(&d_weights, table->name, number, p.mood);
    }
    board_free(&d_out);
    board_free(&d_weights);
    problem_free(&p);
  }
}

static void sum_rows_equals_scalar(void **state) {
  (void)state;
  static const ptrdiff_t first_row = 0;
  dice = nas_stream_open(1, "sum_rows", NULL, 0);
  for (int number = 0; number < CASES; number++) {
    problem p;
    problem_number(&p, number);
    int width = p.window.width, stride = p.window.out_stride;
    board rows = board_of(p.out_row, p.pixels, width, p.mood);
    board sum = board_of(&first_row, 1, width, p.mood);
    nas_kernels_named("scalar")->sum_rows(rows.before + rows.zero, stride, p.out_pixel, p.pixels,
                                          width, sum.expected + sum.zero);
    EACH_TABLE(table) {
      memcpy(sum.got, sum.before, sum.size * sizeof(float));
      table->sum_rows(rows.before + rows.zero, stride, p.out_pixel, p.pixels, width,
                      sum.got + sum.zero);
      board_compare(&sum, table->name, number, p.mood);
    }
    board_free(&rows);
    board_free(&sum);
    problem_free(&p);
  }
}

/* Without a sum in every second case. */
static void relu_gradient_equals_scalar(void **state) {
  (void)state;
  static const ptrdiff_t first_row = 0;
  dice = nas_stream_open(1, "relu_gradient", NULL, 0);
  for (int number = 0; number < CASES; number++) {
    problem p;
    problem_number(&p, number);
    int width = p.window.width, stride = p.window.out_stride, summed = one_in(2);
    board out = board_of(p.out_row, p.pixels, width, p.mood); /* only read here */
    board d_out = board_of(p.out_row, p.pixels, width, p.mood);
    board sum = board_of(&first_row, 1, width, p.mood);
    nas_kernels_named("scalar")->relu_gradient(out.before + out.zero, d_out.expected + d_out.zero,
                                               stride, p.out_pixel, p.pixels, width,
                                               summed ? sum.expected + sum.zero : NULL);
    EACH_TABLE(table) {
      memcpy(d_out.got, d_out.before, d_out.size * sizeof(float));
      memcpy(sum.got, sum.before, sum.size * sizeof(float));
      table->relu_gradient(out.before + out.zero, d_out.got + d_out.zero, stride, p.out_pixel,
                           p.pixels, width, summed ? sum.got + sum.zero : NULL);
      board_compare(&d_out, table->name, number, p.mood);
      board_compare(&sum, table->name, number, p.mood);
    }
    board_free(&out);
    board_free(&d_out);
    board_free(&sum);
    problem_free(&p);
  }
}

/* -- what the scalar table itself states ------------------------------------------------------ */

/* 1 + 2^24 is 2^24 in float, so the sums show where a chain begins and in which order it goes. */
static void order_of_the_chain(void **state) {
  (void)state;
  const nas_kernels *scalar = nas_kernels_named("scalar");
  const float big = 0x1p24f;
  const nas_tap taps[] = {{.source = 1, .channels = 1, .offset = -1, .weights = NAS_LANES},
                          {.source = 0, .channels = 2, .offset = 0, .weights = 2 * NAS_LANES}};
  const int32_t strides[] = {2, 1}, in[] = {1}, out_pixel[] = {1};
  const nas_window window = {taps, 2, NAS_LANES, 2, strides, NAS_LANES};
  const float first[] = {0, 0, -1, 1}, second[] = {1};
  const float *sources[] = {first, second};
  float weights[4 * NAS_LANES] = {0}, bias[NAS_LANES] = {1, 3}, out[2 * NAS_LANES] = {0};
  weights[NAS_LANES] = big;     /* 1 + 2^24 -> 2^24 */
  weights[2 * NAS_LANES] = big; /* - 2^24 -> 0 */
  weights[3 * NAS_LANES] = 0.5f;
  weights[2 * NAS_LANES + 1] = 5; /* 3 - 5 */
  scalar->conv(&window, sources, in, weights, bias, out, out_pixel, 1, 0);
  check_float_bits(out[NAS_LANES], 0.5f);
  check_float_bits(out[NAS_LANES + 1], -2.0f);
  scalar->conv(&window, sources, in, weights, bias, out, out_pixel, 1, NAS_CONV_RELU);
  check_float_bits(out[NAS_LANES + 1], 0.0f);
  out[NAS_LANES] = 0.25f; /* 0.25 + 2^24 -> 2^24 */
  scalar->conv(&window, sources, in, weights, NULL, out, out_pixel, 1, NAS_CONV_ACCUMULATE);
  check_float_bits(out[NAS_LANES], 0.5f);
  check_float_bits(out[NAS_LANES + 1], -5.0f);
}

static void gradients_by_hand(void **state) {
  (void)state;
  const nas_kernels *scalar = nas_kernels_named("scalar");
  const nas_tap tap = {.channels = 2, .offset = 1, .weights = NAS_LANES};
  const int32_t stride = 3, in[] = {0, 1}, pixel[] = {1, 0};
  const nas_window window = {&tap, 1, NAS_LANES, 1, &stride, NAS_LANES};
  const float x[] = {9, 1, 2, 9, 3, 4};
  const float *source = x;
  float d_out[2 * NAS_LANES] = {10, [NAS_LANES] = 100}, d_weights[3 * NAS_LANES] = {0};
  d_weights[NAS_LANES] = 0.5f;
  scalar->conv_weights(&window, &source, in, d_out, pixel, d_weights, 2);
  check_float_bits(d_weights[NAS_LANES], 130.5f);     /* 0.5 + 1 * 100 + 3 * 10 */
  check_float_bits(d_weights[2 * NAS_LANES], 240.0f); /* 2 * 100 + 4 * 10 */
  float sum[NAS_LANES] = {1};
  scalar->sum_rows(d_out, NAS_LANES, pixel, 2, 1, sum);
  check_float_bits(sum[0], 111.0f);
  const float out[2 * NAS_LANES] = {-0.0f, [NAS_LANES] = 1e-45f};
  scalar->relu_gradient(out, d_out, NAS_LANES, pixel, 2, 1, sum);
  check_float_bits(d_out[0], 0.0f);
  check_float_bits(d_out[NAS_LANES], 100.0f);
  check_float_bits(sum[0], 211.0f);
  scalar->relu_gradient(out, d_out, NAS_LANES, pixel, 2, 1, NULL);
}

static void depthwise_by_hand(void **state) {
  (void)state;
  const nas_kernels *scalar = nas_kernels_named("scalar");
  const float big = 0x1p24f;
  const nas_tap taps[] = {{.channels = 1, .offset = 3, .weights = NAS_LANES},
                          {.channels = 1, .offset = 0, .weights = 0}};
  const int32_t stride = 3, in[] = {1, 0}, pixel[] = {0, 1};
  const nas_window window = {taps, 2, NAS_LANES, 2, &stride, NAS_LANES}; /* rows of 2 in 3 floats */
  const float x[] = {2, 3, 9, -1, 5, 9, 1, 7, 9};
  float weights[2 * NAS_LANES] = {big, 10, [NAS_LANES] = big, 100}, bias[NAS_LANES] = {1, 2};
  float out[2 * NAS_LANES] = {0}, d_weights[2 * NAS_LANES] = {0};
  scalar->depthwise(&window, x, in, weights, bias, out, pixel, 2, 0);
  check_float_bits(out[0], 0); /* 1 + 2^24 -> 2^24, - 2^24 */
  check_float_bits(out[1], 752);
  check_float_bits(out[NAS_LANES], big); /* 1 - 2^24 -> 1 - 2^24, + 2^25 -> 2^24 + 1 -> 2^24 */
  check_float_bits(out[NAS_LANES + 1], 532);
  scalar->depthwise(&window, x, in, weights, NULL, out, pixel, 1, NAS_CONV_ACCUMULATE);
  check_float_bits(out[1], 1502);
  weights[1] = -1000;
  scalar->depthwise(&window, x, in, weights, NULL, out, pixel, 1, NAS_CONV_RELU);
  check_float_bits(out[1], 0);
  const float d_out[2 * NAS_LANES] = {1, 10, [NAS_LANES] = 100, 1000};
  d_weights[NAS_LANES + 1] = 0.5f;
  scalar->depthwise_weights(&window, x, in, d_out, pixel, d_weights, 2);
  check_float_bits(d_weights[0], -1 + 200);
  check_float_bits(d_weights[1], 50 + 3000);
  check_float_bits(d_weights[NAS_LANES], 1 - 100);
  check_float_bits(d_weights[NAS_LANES + 1], 0.5f + 70 + 5000);
}

/* -- pixels far away -------------------------------------------------------------------------- */

/* Pixel number times stride beyond 2^31 floats, in memory of which only the touched pages exist. */
enum { STRIDE = 64, WIDTH = 5, FAR_IN = 36000000, FAR_OUT = 35000000 };
static const size_t far_bytes = (size_t)(FAR_IN + 10) * STRIDE * sizeof(float);

/* NULL: there is no room for so much. */
static float *far_map(void) {
  if (sizeof(size_t) < 8) return NULL;
  float *far = mmap(NULL, far_bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return far == MAP_FAILED ? NULL : far;
}

static void far_pixels(void **state) {
  (void)state;
  enum { COUNT = 2 };
  const int32_t in[COUNT] = {1, FAR_IN}, out_pixel[COUNT] = {FAR_OUT + 1, FAR_OUT}, stride = STRIDE;
  float *far = far_map();
  if (!far) check_skip("no room for so large a map");
  const nas_tap tap = {.channels = 1};
  const nas_window window = {&tap, 1, NAS_LANES, WIDTH, &stride, STRIDE};
  const float *source = far;
  const float weights[NAS_LANES] = {1, 2, 3, 4, 5};
  for (int i = 0; i < COUNT; i++) far[(size_t)in[i] * STRIDE] = (float)(i + 1);
  EACH_TABLE(table) {
    float *rows[COUNT], d_weights[NAS_LANES] = {0}, d_depthwise[NAS_LANES] = {0};
    float sum[NAS_LANES] = {0};
    for (int i = 0; i < COUNT; i++) rows[i] = far + (size_t)out_pixel[i] * STRIDE;
    table->conv(&window, &source, in, weights, NULL, far, out_pixel, COUNT, 0);
    for (int i = 0; i < COUNT; i++)
      for (int o = 0; o < WIDTH; o++) check_float_bits(rows[i][o], (float)((i + 1) * (o + 1)));
    table->conv_weights(&window, &source, in, far, out_pixel, d_weights, COUNT);
    table->sum_rows(far, STRIDE, out_pixel, COUNT, WIDTH, sum);
    table->depthwise_weights(&window, far, in, far, out_pixel, d_depthwise, COUNT);
    table->depthwise(&window, far, in, weights, NULL, far + NAS_LANES, out_pixel, COUNT, 0);
    for (int i = 0; i < COUNT; i++)
      for (int o = 0; o < WIDTH; o++)
        check_float_bits(rows[i][NAS_LANES + o], o ? 0.0f : (float)(i + 1));
    rows[1][0] = -1;
    table->relu_gradient(far, far, STRIDE, out_pixel, COUNT, WIDTH, NULL);
    for (int o = 0; o < WIDTH; o++) {
      check_float_bits(d_weights[o], (float)(5 * (o + 1)));
      check_float_bits(sum[o], (float)(3 * (o + 1)));
      check_float_bits(d_depthwise[o], o ? 0.0f : 5.0f);
    }
    check_float_bits(rows[1][0], 0.0f);
    check_float_bits(rows[1][1], 4.0f);
  }
  munmap(far, far_bytes);
}

/* Rows of pixels far apart: of x at `in`, from float 0 on; what comes from them behind it. */
static void far_normalization(void **state) {
  (void)state;
  enum { COUNT = 2 };
  const int32_t in[COUNT] = {1, FAR_IN}, out[COUNT] = {FAR_OUT + 1, FAR_OUT};
  const float zeros[NAS_LANES] = {0}, twos[NAS_LANES] = {2, 2, 2, 2, 2};
  const nas_normalization n = {zeros, twos, zeros, 0};
  float *far = far_map();
  if (!far) check_skip("no room for so large a map");
  const nas_pixel_rows x = {far, in, STRIDE}, y = {far, out, STRIDE};
  const nas_pixel_rows d_x = {far + NAS_LANES, in, STRIDE};
  for (int i = 0; i < COUNT; i++)
    for (int o = 0; o < WIDTH; o++) nas_pixel_row(&x, (size_t)i)[o] = (float)(10 * i + o);
  EACH_TABLE(table) {
    double sum[WIDTH] = {0}, square[WIDTH] = {0}, d_sum[WIDTH] = {0}, product[WIDTH] = {0};
    table->moments(far, STRIDE, in, COUNT, WIDTH, sum, square);
    table->normalize(&x, &y, COUNT, WIDTH, &n);
    table->normalize_sums(&x, &y, COUNT, WIDTH, &n, d_sum, product);
    table->normalize_gradient(&x, &y, &d_x, COUNT, WIDTH, &n, twos, zeros, 0);
    for (int o = 0; o < WIDTH; o++) {
      double a = o, b = 10 + o;
      check_near(sum[o], a + b, 0);
      check_near(square[o], a * a + b * b, 0);
      check_near(d_sum[o], 2 * (a + b), 0);
      check_near(product[o], 2 * (a * a + b * b), 0);
      for (int i = 0; i < COUNT; i++) {
        check_float_bits(nas_pixel_row(&y, (size_t)i)[o], (float)(20 * i + 2 * o));
        check_float_bits(nas_pixel_row(&d_x, (size_t)i)[o], (float)(60 * i + 6 * o));
      }
    }
  }
  munmap(far, far_bytes);
}

/* A window of two rows, one near and one far, and an output in between. */
static void far_pooling(void **state) {
  (void)state;
  const nas_tile window = {.in = 1, .out = FAR_OUT, .rows = 2, .columns = 1};
  float *far = far_map();
  if (!far) check_skip("no room for so large a map");
  float *near_row = far + STRIDE, *far_row = far + (size_t)FAR_IN * STRIDE;
  float *y = far + (size_t)FAR_OUT * STRIDE;
  const nas_pooling_maps maps = {.x = far,
                                 .d_x = far + NAS_LANES,
                                 .stride = STRIDE,
                                 .pitch = FAR_IN - 1,
                                 .y = far,
                                 .d_y = far + NAS_LANES,
                                 .out_stride = STRIDE};
  for (int o = 0; o < WIDTH; o++) {
    near_row[o] = (float)o;
    far_row[o] = (float)(6 - 2 * o); /* larger in the first two channels, equal in the third */
    y[NAS_LANES + o] = 2;
  }
  EACH_TABLE(table) {
    for (int o = 0; o < WIDTH; o++) near_row[NAS_LANES + o] = far_row[NAS_LANES + o] = 0;
    table->max_pool(&maps, &window, 1, WIDTH);
    table->max_pool_gradient(&maps, &window, 1, WIDTH);
    for (int o = 0; o < WIDTH; o++) {
      check_float_bits(y[o], o < 2 ? far_row[o] : near_row[o]);
      check_float_bits(near_row[NAS_LANES + o], o < 2 ? 0 : 2);
      check_float_bits(far_row[NAS_LANES + o], o < 2 ? 2 : 0);
    }
    table->avg_pool(&maps, &window, 1, WIDTH);
    table->avg_pool_gradient(&maps, &window, 1, WIDTH);
    for (int o = 0; o < WIDTH; o++) {
      check_float_bits(y[o], (float)(6 - o) / 2);
      check_float_bits(near_row[NAS_LANES + o], o < 2 ? 1 : 3);
      check_float_bits(far_row[NAS_LANES + o], o < 2 ? 3 : 1);
    }
  }
  munmap(far, far_bytes);
}

/* Winograd's transforms of one tile, far and near, and of planes that lie far apart and near by:
 * the same numbers. */
enum { ELEMENTS = 6, TILE = 5, FAR_PLANE = 450000000 };

static void same_rows(const float *far, size_t far_apart, const float *near, size_t near_apart,
                      int rows) {
  for (int r = 0; r < rows; r++)
    for (int o = 0; o < WIDTH; o++)
      check_float_bits(far[(size_t)r * far_apart + (size_t)o],
                       near[(size_t)r * near_apart + (size_t)o]);
}

static void far_winograd(void **state) {
  (void)state;
  const nas_winograd_form form = nas_winograd_form_of(1, 2);
  const nas_tile far_tile = {FAR_IN, FAR_OUT, 1, TILE}, near_tile = {0, 0, 1, TILE};
  const nas_winograd_taps taps = {{1, 2}, {2 * STRIDE, STRIDE}};
  float *far = far_map(), near[ELEMENTS * STRIDE] = {0}, d_w[2][2 * STRIDE];
  if (!far) check_skip("no room for so large a map");
  float near_planes[ELEMENTS * NAS_LANES] = {0}, bias[NAS_LANES] = {1, 2, 3, 4, 5};
  float *in = far + (size_t)FAR_IN * STRIDE, *out = far + (size_t)FAR_OUT * STRIDE;
  const nas_tile_map far_pixels_at = {far, STRIDE, 10}, near_pixels_at = {near, STRIDE, 10};
  const nas_tile_planes far_to = {far, FAR_PLANE, NAS_LANES};
  const nas_tile_planes near_to = {near_planes, NAS_LANES, NAS_LANES};
  dice = nas_stream_open(1, "far tiles", NULL, 0);
  EACH_TABLE(table) {
    for (int k = 0; k < ELEMENTS; k++)
      for (int o = 0; o < WIDTH; o++)
        near[k * STRIDE + o] = in[k * STRIDE + o] = out[k * STRIDE + o] = plain_number();
    table->winograd_input(&form, form.taps, &far_pixels_at, &far_tile, 1, WIDTH, &far_to);
    table->winograd_input(&form, form.taps, &near_pixels_at, &near_tile, 1, WIDTH, &near_to);
    same_rows(far, FAR_PLANE, near_planes, NAS_LANES, ELEMENTS);
    table->winograd_d_output(&form, &far_pixels_at, &far_tile, 1, WIDTH, &far_to);
    table->winograd_d_output(&form, &near_pixels_at, &near_tile, 1, WIDTH, &near_to);
    same_rows(far, FAR_PLANE, near_planes, NAS_LANES, ELEMENTS);
    table->winograd_output(&form, &far_to, &far_tile, 1, WIDTH, bias, &far_pixels_at, 0);
    table->winograd_output(&form, &near_to, &near_tile, 1, WIDTH, bias, &near_pixels_at, 0);
    same_rows(out, STRIDE, near, STRIDE, TILE);
    table->winograd_kernel(&form, &taps, near, 1, WIDTH, far, FAR_PLANE);
    table->winograd_kernel(&form, &taps, near, 1, WIDTH, near_planes, NAS_LANES);
    same_rows(far, FAR_PLANE, near_planes, NAS_LANES, ELEMENTS);
    memset(d_w, 0, sizeof d_w);
    table->winograd_d_kernel(&form, &taps, far, FAR_PLANE, 1, WIDTH, d_w[0]);
    table->winograd_d_kernel(&form, &taps, near_planes, NAS_LANES, 1, WIDTH, d_w[1]);
    same_rows(d_w[0], STRIDE, d_w[1], STRIDE, 2);
  }
  munmap(far, far_bytes);
}

/* -- choosing --------------------------------------------------------------------------------- */

static void tables_by_name(void **state) {
  (void)state;
  assert_string_equal(nas_kernels_named("scalar")->name, "scalar");
  assert_string_equal(nas_kernels_named("baseline")->name, "baseline");
  assert_null(nas_kernels_named("sse9"));
  assert_null(nas_kernels_named(""));
  EACH_TABLE(table) assert_ptr_equal(nas_kernels_named(table->name), table);
}

/* The best one goes down the ladder as instruction sets are switched off. */
static void tables_by_mask(void **state) {
  (void)state;
  const nas_kernels *avx2 = nas_kernels_named("avx2"), *avx512 = nas_kernels_named("avx512");
  const nas_kernels *baseline = nas_kernels_named("baseline");
  assert_ptr_equal(nas_kernels_best(), avx512 ? avx512 : avx2 ? avx2 : baseline);
  nas_cpu_mask(NAS_CPU_AVX2);
  assert_ptr_equal(nas_kernels_best(), avx2 ? avx2 : baseline);
  assert_null(nas_kernels_named("avx512"));
  nas_cpu_mask(0);
  assert_ptr_equal(nas_kernels_best(), baseline);
  assert_null(nas_kernels_named("avx2"));
  nas_cpu_mask(~0u);
}

/* Numbers go up the ladder without gaps. */
static void tables_by_number(void **state) {
  (void)state;
  int count = 0;
  while (nas_kernels_numbered(count)) count++;
  assert_true(count >= 2);
  assert_null(nas_kernels_numbered(-1));
  assert_null(nas_kernels_numbered(count + 1));
  for (int i = 0; i < count; i++) {
    assert_ptr_equal(nas_kernels_named(nas_kernels_numbered(i)->name), nas_kernels_numbered(i));
    assert_true(nas_kernels_numbered(i)->rate > (i ? nas_kernels_numbered(i - 1)->rate : 0));
  }
  assert_string_equal(nas_kernels_numbered(0)->name, "scalar");
  assert_ptr_equal(nas_kernels_numbered(count - 1), nas_kernels_best());
}

static void tables_by_environment(void **state) {
  (void)state;
  static const char *const names[] = {"scalar", "baseline", "avx2", "avx512"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    unsetenv("LUANAS_ISA");
    const nas_kernels *table = nas_kernels_named(names[i]);
    setenv("LUANAS_ISA", names[i], 1);
    const nas_kernels *given = NULL;
    nas_error err;
    nas_status status = nas_kernels_default(&given, &err);
    assert_ptr_equal(given, table);
    assert_int_equal(status, table ? NAS_OK : NAS_ARGUMENT);
    if (table) assert_ptr_equal(nas_kernels_best(), table);
  }
  unsetenv("LUANAS_ISA");
}

static void check_refused(const char *expected) {
  const nas_kernels *table = nas_kernels_best();
  nas_error err;
  assert_int_equal(nas_kernels_default(&table, &err), NAS_ARGUMENT);
  assert_null(table);
  assert_string_equal(err.text, expected);
  assert_non_null(nas_kernels_best());
}

/* Messages list what this process can use. */
static void unknown_names(void **state) {
  (void)state;
  nas_error err;
  nas_cpu_mask(0);
  setenv("LUANAS_ISA", "avx9", 1);
  check_refused("LUANAS_ISA is \"avx9\"; this machine has scalar, baseline");
  setenv("LUANAS_ISA", "AVX2", 1);
  check_refused("LUANAS_ISA is \"AVX2\"; this machine has scalar, baseline");
  setenv("LUANAS_ISA", "avx512", 1); /* known, but not here */
  check_refused("LUANAS_ISA is \"avx512\"; this machine has scalar, baseline");
  nas_cpu_mask(~0u);
  setenv("LUANAS_ISA", "scalar", 1);
  assert_int_equal(nas_kernels_use("avx2", &err), NAS_ARGUMENT);
  assert_string_equal(err.text,
                      "isa is \"avx2\"; with LUANAS_ISA=scalar, this machine has scalar, baseline");
  assert_string_equal(nas_kernels_best()->name, "scalar");
  setenv("LUANAS_ISA", "", 1);
  const nas_kernels *table;
  assert_int_equal(nas_kernels_default(&table, NULL), NAS_OK);
  assert_ptr_equal(table, nas_kernels_best());
  unsetenv("LUANAS_ISA");
}

static void tables_by_choice(void **state) {
  (void)state;
  const nas_kernels *best = nas_kernels_best(), *table;
  for (int i = 0; (table = nas_kernels_numbered(i)) != NULL; i++) {
    const nas_kernels *given;
    assert_int_equal(nas_kernels_use(table->name, NULL), NAS_OK);
    assert_int_equal(nas_kernels_use("sse9", NULL), NAS_ARGUMENT);
    setenv("LUANAS_ISA", "avx9", 1); /* does not decide now */
    assert_int_equal(nas_kernels_default(&given, NULL), NAS_OK);
    unsetenv("LUANAS_ISA");
    assert_ptr_equal(given, table);
    assert_ptr_equal(nas_kernels_best(), table);
  }
  assert_int_equal(nas_kernels_use(NULL, NULL), NAS_OK);
  assert_ptr_equal(nas_kernels_best(), best);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(tables_by_name),
      TEST(tables_by_mask),
      TEST(tables_by_number),
      TEST(tables_by_environment),
      TEST(unknown_names),
      TEST(tables_by_choice),
      TEST(order_of_the_chain),
      TEST(gradients_by_hand),
      TEST(far_pixels),
      TEST(far_normalization),
      TEST(far_pooling),
      TEST(far_winograd),
      TEST(conv_equals_scalar),
      TEST(conv_of_one_pixel),
      TEST(conv_weights_equals_scalar),
      TEST(conv_weights_of_many_pixels),
      TEST(sum_rows_equals_scalar),
      TEST(relu_gradient_equals_scalar),
      TEST(depthwise_by_hand),
      TEST(depthwise_equals_scalar),
      TEST(depthwise_weights_equals_scalar),
  };
  unsetenv("LUANAS_ISA");
  return cmocka_run_group_tests_name("kernels", tests, NULL, NULL);
}
