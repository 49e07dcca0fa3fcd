/* The kernels in GNU vector types. Compiled once for each instruction set, with its flags, and with
 *   NAS_TABLE    the table to define (nas_kernels_avx2, ...)
 *   NAS_ISA      its name
 *   NAS_VECTOR   floats in a vector: 4, 8 or 16
 *   NAS_VECTORS  vectors of output channels in a block at most, so that NAS_VECTOR * NAS_VECTORS
 *                is a multiple of NAS_LANES or divides it
 * A block keeps PX pixels (or weight rows) times NV vectors of sums in registers and walks the
 * chain once for all of them: each input is read once for NV vectors, each vector of weights once
 * for PX pixels. PX and NV are compile-time constants in every instance, so the loops over them
 * unroll. */
#include "tables.h"
#include <string.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif
#include "adam.h"
#include "fma_soft.h"

#define INLINE static inline __attribute__((always_inline))
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* One register holds the pointer: gcc would hold its sum with each of several offsets. */
#define KEEP(pointer) __asm__("" : "+r"(pointer))

typedef float vec __attribute__((vector_size(4 * NAS_VECTOR)));
typedef int32_t mask __attribute__((vector_size(4 * NAS_VECTOR)));

INLINE vec load(const float *p) {
  vec v;
  memcpy(&v, p, sizeof v);
  return v;
}

INLINE void store(float *p, vec v) {
  memcpy(p, &v, sizeof v);
}

/* x - 0 and not x + 0, which would turn -0 into +0 */
INLINE vec splat(float x) {
  return x - (vec){0};
}

/* a * b + c in every lane, rounded once; one instruction where there is one. gcc 12 makes that of
 * the loop, too, but not everywhere. */
INLINE vec fma_lanes(vec a, vec b, vec c) {
#if NAS_VECTOR == 16 && defined(__AVX512F__)
  return (vec)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif NAS_VECTOR == 8 && defined(__FMA__)
  return (vec)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
  vec r;
  UNROLL for (int i = 0; i < NAS_VECTOR; i++)
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
      r[i] = __builtin_fmaf(a[i], b[i], c[i]);
#else
      r[i] = nas_soft_fmaf(a[i], b[i], c[i]);
#endif
  return r;
#endif
}

/* v where keep is all ones, else +0 */
INLINE vec where(mask keep, vec v) {
  return (vec)((mask)v & keep);
}

enum { BLOCK = 12, MAX_VECTORS = 8 };

/* -- convolution ------------------------------------------------------------------------------ */

/* PX pixels, NV vectors of output channels beginning at channel o. */
INLINE void conv_block(const int PX, const int NV, const nas_window *window,
                       const float *const *sources, const int32_t *in, const float *weights,
                       const float *bias, float *out, const int32_t *out_pixel, int o,
                       unsigned flags) {
  vec acc[BLOCK][MAX_VECTORS];
  ptrdiff_t at[BLOCK] = {0};
  int source = -1;
  if (flags & NAS_CONV_ACCUMULATE) UNROLL for (int p = 0; p < PX; p++) {
      const float *row = out + (ptrdiff_t)out_pixel[p] * window->out_stride + o;
      UNROLL for (int v = 0; v < NV; v++) acc[p][v] = load(row + v * NAS_VECTOR);
    }
  else
    UNROLL for (int v = 0; v < NV; v++) {
      vec first = bias ? load(bias + o + v * NAS_VECTOR) : (vec){0};
      UNROLL for (int p = 0; p < PX; p++) acc[p][v] = first;
    }
  for (int t = 0; t < window->tap_count; t++) {
    const nas_tap *tap = &window->taps[t];
    if (tap->source != source) {
      source = tap->source;
      UNROLL for (int p = 0; p < PX; p++) at[p] = (ptrdiff_t)in[p] * window->source_stride[source];
    }
    const float *x = sources[source] + tap->offset;
    const float *w = weights + tap->weights + o;
    for (int c = 0; c < tap->channels; c++, w += window->weight_stride) {
      vec b[MAX_VECTORS];
      UNROLL for (int v = 0; v < NV; v++) b[v] = load(w + v * NAS_VECTOR);
      UNROLL for (int p = 0; p < PX; p++) {
        vec a = splat(x[at[p] + c]);
        UNROLL for (int v = 0; v < NV; v++) acc[p][v] = fma_lanes(a, b[v], acc[p][v]);
      }
    }
  }
  if (flags & NAS_CONV_RELU)
    UNROLL for (int p = 0; p < PX; p++) UNROLL for (int v = 0; v < NV; v++) acc[p][v] =
        where(~(mask)(acc[p][v] < 0.0f), acc[p][v]);
  UNROLL for (int p = 0; p < PX; p++) {
    float *row = out + (ptrdiff_t)out_pixel[p] * window->out_stride + o;
    UNROLL for (int v = 0; v < NV; v++) store(row + v * NAS_VECTOR, acc[p][v]);
  }
}

static void repeat_last(int32_t *to, const int32_t *from, size_t count, int size) {
  for (int i = 0; i < size; i++) to[i] = from[(size_t)i < count ? (size_t)i : count - 1];
}

/* All pixels for NV vectors of output channels beginning at channel o. The last block repeats the
 * last pixel, whose row is written again. */
#define CONV_PIXELS(PX, NV)                                                                        \
  static __attribute__((noinline)) void conv_##PX##x##NV(                                          \
      const nas_window *window, const float *const *sources, const int32_t *in,                    \
      const float *weights, const float *bias, float *out, const int32_t *out_pixel,               \
      size_t pixels, int o, unsigned flags) {                                                      \
    int32_t last_in[PX], last_out[PX];                                                             \
    for (size_t p = 0; p < pixels; p += PX) {                                                      \
      const int32_t *from = in + p, *to = out_pixel + p;                                           \
      if (pixels - p < PX) {                                                                       \
        repeat_last(last_in, from, pixels - p, PX);                                                \
        repeat_last(last_out, to, pixels - p, PX);                                                 \
        from = last_in;                                                                            \
        to = last_out;                                                                             \
      }                                                                                            \
      conv_block(PX, NV, window, sources, from, weights, bias, out, to, o, flags);                 \
    }                                                                                              \
  }

/* -- gradient of the weights ------------------------------------------------------------------ */

/* The weight rows (tap, channel) of a window, in order, in blocks that stay within a source. */
typedef struct row_cursor {
  const nas_window *window;
  int tap, channel;
} row_cursor;

typedef struct row_block {
  int count, source;
  int side_by_side;     /* the rows' inputs follow each other */
  ptrdiff_t x[BLOCK];   /* where a row's input lies from a pixel's first channel */
  ptrdiff_t row[BLOCK]; /* where the row lies in the weights */
} row_block;

/* The next rows, `most` at most; 0 at the end. */
static int next_rows(row_cursor *cursor, int most, row_block *block) {
  const nas_window *window = cursor->window;
  int count = 0;
  while (count < most && cursor->tap < window->tap_count) {
    const nas_tap *tap = &window->taps[cursor->tap];
    if (count && tap->source != block->source) break;
    int left = tap->channels - cursor->channel, taken = left < most - count ? left : most - count;
    ptrdiff_t x = tap->offset + cursor->channel;
    ptrdiff_t row = tap->weights + (ptrdiff_t)cursor->channel * window->weight_stride;
    block->source = tap->source;
    block->side_by_side = count == 0 || (block->side_by_side && x == block->x[count - 1] + 1);
    for (int i = 0; i < taken; i++, row += window->weight_stride) {
      block->x[count + i] = x + i;
      block->row[count + i] = row;
    }
    count += taken;
    cursor->channel += taken;
    if (taken == left) {
      cursor->channel = 0;
      cursor->tap++;
    }
  }
  return block->count = count;
}

/* block->count <= RX rows, NV vectors of output channels beginning at channel o. SIDE_BY_SIDE, the
 * addresses of the inputs need one register. */
INLINE void weights_block(const int RX, const int NV, const int SIDE_BY_SIDE,
                          const row_block *block, const float *const *x, const float *const *d_out,
                          float *d_weights, size_t pixels, int o) {
  vec acc[BLOCK][MAX_VECTORS];
  ptrdiff_t at[BLOCK] = {0};
  UNROLL for (int r = 0; r < RX; r++) {
    int row = r < block->count ? r : block->count - 1;
    at[r] = block->x[row];
    UNROLL for (int v = 0; v < NV; v++) acc[r][v] =
        load(d_weights + block->row[row] + o + v * NAS_VECTOR);
  }
  for (size_t p = 0; p < pixels; p++) {
    const float *s = x[p] + (SIDE_BY_SIDE ? at[0] : 0);
    KEEP(s);
    vec b[MAX_VECTORS];
    UNROLL for (int v = 0; v < NV; v++) b[v] = load(d_out[p] + o + v * NAS_VECTOR);
    UNROLL for (int r = 0; r < RX; r++) {
      vec a = splat(s[SIDE_BY_SIDE ? r : at[r]]);
      UNROLL for (int v = 0; v < NV; v++) acc[r][v] = fma_lanes(a, b[v], acc[r][v]);
    }
  }
  for (int r = 0; r < RX; r++) {
    if (r == block->count) break;
    UNROLL for (int v = 0; v < NV; v++)
        store(d_weights + block->row[r] + o + v * NAS_VECTOR, acc[r][v]);
  }
}

/* Pixels that pass under all weight rows before the next do: what they read of the first source and
 * of d_out, about 24 KiB where that leaves at least PIXELS_MIN of them, stays in the first-level
 * cache; further sources come on top. Where their rows begin is looked up once for all blocks: a
 * product of integers and its sum would take the place of multiply-adds. */
enum { PIXELS_MIN = 32, PIXELS_MAX = 256 };

typedef struct pixel_block {
  size_t count;
  int source; /* of x */
  const float *x[PIXELS_MAX], *d_out[PIXELS_MAX];
} pixel_block;

static size_t pixels_at_once(const nas_window *window, int vectors) {
  int floats = 24 * 1024 / (int)sizeof(float);
  int most = floats / (window->source_stride[0] + vectors * NAS_VECTOR);
  return most < PIXELS_MIN ? PIXELS_MIN : most > PIXELS_MAX ? PIXELS_MAX : (size_t)most;
}

#define CONV_WEIGHTS(RX, NV)                                                                       \
  static __attribute__((noinline)) void weights_##RX##x##NV(                                       \
      const row_block *rows, const pixel_block *pixels, float *d_weights, int o) {                 \
    if (rows->side_by_side && rows->count == RX)                                                   \
      weights_block(RX, NV, 1, rows, pixels->x, pixels->d_out, d_weights, pixels->count, o);       \
    else                                                                                           \
      weights_block(RX, NV, 0, rows, pixels->x, pixels->d_out, d_weights, pixels->count, o);       \
  }

/* -- the blocks of each register file --------------------------------------------------------- */

/* Sums, one row of weights and an input must fit: 32 registers of 16 floats, 16 of 8 or 4. Rows of
 * weights come in WEIGHT_ROWS, the last few of them in half as many. */
#if NAS_VECTOR == 16
CONV_PIXELS(6, 4)
CONV_PIXELS(8, 3)
CONV_PIXELS(12, 2)
CONV_PIXELS(12, 1)
CONV_WEIGHTS(12, 2)
CONV_WEIGHTS(12, 1)
CONV_WEIGHTS(6, 2)
enum { WEIGHT_ROWS = 12, WEIGHT_VECTORS = 2 };
#define EACH_PIXELS(vectors, ...)                                                                  \
  switch (vectors) {                                                                               \
  case 1: conv_12x1(__VA_ARGS__); break;                                                           \
  case 2: conv_12x2(__VA_ARGS__); break;                                                           \
  case 3: conv_8x3(__VA_ARGS__); break;                                                            \
  default: conv_6x4(__VA_ARGS__); break;                                                           \
  }
#define EACH_WEIGHTS(rows, vectors, ...)                                                           \
  switch (vectors) {                                                                               \
  case 1: weights_12x1(__VA_ARGS__); break;                                                        \
  default:                                                                                         \
    if (rows > 6)                                                                                  \
      weights_12x2(__VA_ARGS__);                                                                   \
    else                                                                                           \
      weights_6x2(__VA_ARGS__);                                                                    \
  }
#elif NAS_VECTOR == 8
CONV_PIXELS(6, 2)
CONV_WEIGHTS(6, 2)
CONV_WEIGHTS(3, 2)
enum { WEIGHT_ROWS = 6, WEIGHT_VECTORS = 2 };
#define EACH_PIXELS(vectors, ...) conv_6x2(__VA_ARGS__)
#define EACH_WEIGHTS(rows, vectors, ...)                                                           \
  if (rows > 3)                                                                                    \
    weights_6x2(__VA_ARGS__);                                                                      \
  else                                                                                             \
    weights_3x2(__VA_ARGS__)
#else
CONV_PIXELS(2, 4)
CONV_WEIGHTS(2, 4)
enum { WEIGHT_ROWS = 2, WEIGHT_VECTORS = 4 };
#define EACH_PIXELS(vectors, ...)        conv_2x4(__VA_ARGS__)
#define EACH_WEIGHTS(rows, vectors, ...) weights_2x4(__VA_ARGS__)
#endif

/* How many vectors of output channels, from o on, are taken next. A last one alone would share its
 * inputs with no other: five are taken as three and two. */
static int vectors_from(int width, int o, int most) {
  int left = (nas_row(width) - o) / NAS_VECTOR;
  if (left == most + 1 && most > 2) return (left + 1) / 2;
  return left < most ? left : most;
}

/* One pixel alone, as in an LSTM: no other pixels share the weights, so as many vectors as hide how
 * long a multiply-add takes, two begun in each of four cycles. */
CONV_PIXELS(1, 8)
CONV_PIXELS(1, 5)
CONV_PIXELS(1, 4)
CONV_PIXELS(1, 3)
CONV_PIXELS(1, 2)
CONV_PIXELS(1, 1)

static void conv_one(const nas_window *window, const float *const *sources, const int32_t *in,
                     const float *weights, const float *bias, float *out, const int32_t *out_pixel,
                     unsigned flags) {
#define ONE(vectors)                                                                               \
  case vectors:                                                                                    \
    conv_1x##vectors(window, sources, in, weights, bias, out, out_pixel, 1, o, flags);             \
    taken = vectors;                                                                               \
    break
  for (int o = 0, left = nas_row(window->width) / NAS_VECTOR, taken; left > 0;
       o += taken * NAS_VECTOR, left -= taken)
    switch (left > 7 ? 8 : left > 5 ? left / 2 : left) {
      ONE(1);
      ONE(2);
      ONE(3);
      ONE(4);
      ONE(5);
    default: ONE(8);
    }
#undef ONE
}

static void vector_conv(const nas_window *window, const float *const *sources, const int32_t *in,
                        const float *weights, const float *bias, float *out,
                        const int32_t *out_pixel, size_t pixels, unsigned flags) {
  if (pixels == 1) {
    conv_one(window, sources, in, weights, bias, out, out_pixel, flags);
    return;
  }
  for (int o = 0, vectors; o < window->width; o += vectors * NAS_VECTOR) {
    vectors = vectors_from(window->width, o, NAS_VECTORS);
    EACH_PIXELS(vectors, window, sources, in, weights, bias, out, out_pixel, pixels, o, flags);
  }
}

static void look_up(const float *rows, int stride, const int32_t *pixel, size_t count,
                    const float **row) {
  for (size_t p = 0; p < count; p++) row[p] = rows + (ptrdiff_t)pixel[p] * stride;
}

/* All weight rows over the pixels. */
static void weights_pixels(const nas_window *window, const float *const *sources, const int32_t *in,
                           pixel_block *pixels, float *d_weights, int o, int vectors) {
  row_cursor cursor = {window, 0, 0};
  row_block rows = {0};
  (void)vectors; /* some register files know only one number of them */
  while (next_rows(&cursor, WEIGHT_ROWS, &rows) > 0) {
    if (rows.source != pixels->source)
      look_up(sources[rows.source], window->source_stride[rows.source], in, pixels->count,
              pixels->x);
    pixels->source = rows.source;
    EACH_WEIGHTS(rows.count, vectors, &rows, pixels, d_weights, o);
  }
}

static void vector_conv_weights(const nas_window *window, const float *const *sources,
                                const int32_t *in, const float *d_out, const int32_t *out_pixel,
                                float *d_weights, size_t pixels) {
  for (int o = 0, vectors; o < window->width; o += vectors * NAS_VECTOR) {
    vectors = vectors_from(window->width, o, WEIGHT_VECTORS);
    size_t most = pixels_at_once(window, vectors);
    for (size_t p = 0; p < pixels; p += most) {
      pixel_block some; /* only what is looked up is written */
      some.source = -1;
      some.count = pixels - p < most ? pixels - p : most;
      look_up(d_out, window->out_stride, out_pixel + p, some.count, some.d_out);
      weights_pixels(window, sources, in + p, &some, d_weights, o, vectors);
    }
  }
}

/* -- a window over each channel ---------------------------------------------------------------- */

enum { DEPTH_PIXELS = 8, DEPTH_TAPS = 9 };

/* count <= DEPTH_PIXELS pixels, one vector of channels beginning at o. Pixels beyond count repeat
 * the last one and are not stored. */
INLINE void depthwise_block(const nas_window *window, const float *source, const int32_t *in,
                            const float *weights, const float *bias, float *out,
                            const int32_t *out_pixel, int o, int count, unsigned flags) {
  vec acc[DEPTH_PIXELS];
  const float *x[DEPTH_PIXELS];
  float *row[DEPTH_PIXELS];
  UNROLL for (int p = 0; p < DEPTH_PIXELS; p++) {
    int q = p < count ? p : count - 1;
    x[p] = source + (ptrdiff_t)in[q] * window->source_stride[0] + o;
    row[p] = out + (ptrdiff_t)out_pixel[q] * window->out_stride + o;
    acc[p] = flags & NAS_CONV_ACCUMULATE ? load(row[p]) : bias ? load(bias + o) : (vec){0};
  }
  for (int t = 0; t < window->tap_count; t++) {
    const nas_tap *tap = &window->taps[t];
    vec w = load(weights + tap->weights + o);
    UNROLL for (int p = 0; p < DEPTH_PIXELS; p++) acc[p] =
        fma_lanes(load(x[p] + tap->offset), w, acc[p]);
  }
  for (int p = 0; p < DEPTH_PIXELS; p++) {
    if (p == count) break;
    vec r = acc[p];
    if (flags & NAS_CONV_RELU) r = where(~(mask)(r < 0.0f), r);
    store(row[p], r);
  }
}

static void vector_depthwise(const nas_window *window, const float *source, const int32_t *in,
                             const float *weights, const float *bias, float *out,
                             const int32_t *out_pixel, size_t pixels, unsigned flags) {
  for (size_t p = 0; p < pixels; p += DEPTH_PIXELS)
    for (int o = 0; o < window->width; o += NAS_VECTOR)
      depthwise_block(window, source, in + p, weights, bias, out, out_pixel + p, o,
                      pixels - p < DEPTH_PIXELS ? (int)(pixels - p) : DEPTH_PIXELS, flags);
}

/* count <= DEPTH_TAPS taps, one vector of channels beginning at o. */
INLINE void depthwise_weights_block(const nas_window *window, const nas_tap *taps, int count,
                                    const float *source, const int32_t *in, const float *d_out,
                                    const int32_t *out_pixel, float *d_weights, size_t pixels,
                                    int o) {
  vec acc[DEPTH_TAPS];
  ptrdiff_t at[DEPTH_TAPS];
  UNROLL for (int t = 0; t < DEPTH_TAPS; t++) {
    const nas_tap *tap = &taps[t < count ? t : count - 1];
    at[t] = tap->offset + o;
    acc[t] = load(d_weights + tap->weights + o);
  }
  for (size_t p = 0; p < pixels; p++) {
    const float *x = source + (ptrdiff_t)in[p] * window->source_stride[0];
    vec d = load(d_out + (ptrdiff_t)out_pixel[p] * window->out_stride + o);
    UNROLL for (int t = 0; t < DEPTH_TAPS; t++) acc[t] = fma_lanes(load(x + at[t]), d, acc[t]);
  }
  for (int t = 0; t < DEPTH_TAPS; t++) {
    if (t == count) break;
    store(d_weights + taps[t].weights + o, acc[t]);
  }
}

static void vector_depthwise_weights(const nas_window *window, const float *source,
                                     const int32_t *in, const float *d_out,
                                     const int32_t *out_pixel, float *d_weights, size_t pixels) {
  for (int t = 0; t < window->tap_count; t += DEPTH_TAPS)
    for (int o = 0; o < window->width; o += NAS_VECTOR)
      depthwise_weights_block(window, window->taps + t,
                              window->tap_count - t < DEPTH_TAPS ? window->tap_count - t
                                                                 : DEPTH_TAPS,
                              source, in, d_out, out_pixel, d_weights, pixels, o);
}

/* -- element-wise ----------------------------------------------------------------------------- */

static void vector_sum_rows(const float *rows, int stride, const int32_t *pixel, size_t pixels,
                            int width, float *sum) {
  for (int o = 0; o < width; o += NAS_LANES) {
    vec acc[NAS_LANES / NAS_VECTOR];
    UNROLL for (int v = 0; v < NAS_LANES / NAS_VECTOR; v++) acc[v] = load(sum + o + v * NAS_VECTOR);
    for (size_t p = 0; p < pixels; p++) {
      const float *row = rows + (ptrdiff_t)pixel[p] * stride + o;
      UNROLL for (int v = 0; v < NAS_LANES / NAS_VECTOR; v++) acc[v] += load(row + v * NAS_VECTOR);
    }
    UNROLL for (int v = 0; v < NAS_LANES / NAS_VECTOR; v++) store(sum + o + v * NAS_VECTOR, acc[v]);
  }
}

/* NV vectors of channels beginning at channel o. */
INLINE void relu_gradient_block(const int NV, const float *out, float *d_out, int stride,
                                const int32_t *pixel, size_t pixels, int o, float *sum) {
  vec acc[MAX_VECTORS];
  UNROLL for (int v = 0; v < NV; v++) acc[v] = sum ? load(sum + o + v * NAS_VECTOR) : (vec){0};
  for (size_t p = 0; p < pixels; p++) {
    ptrdiff_t q = (ptrdiff_t)pixel[p] * stride + o;
    UNROLL for (int v = 0; v < NV; v++, q += NAS_VECTOR) {
      vec d = where((mask)(load(out + q) > 0.0f), load(d_out + q));
      store(d_out + q, d);
      acc[v] += d;
    }
  }
  if (sum) UNROLL for (int v = 0; v < NV; v++) store(sum + o + v * NAS_VECTOR, acc[v]);
}

static void vector_relu_gradient(const float *out, float *d_out, int stride, const int32_t *pixel,
                                 size_t pixels, int width, float *sum) {
  for (int o = 0, left = nas_row(width) / NAS_VECTOR; left > 0; o += 4 * NAS_VECTOR, left -= 4)
    switch (left) {
    case 1: relu_gradient_block(1, out, d_out, stride, pixel, pixels, o, sum); break;
    case 2: relu_gradient_block(2, out, d_out, stride, pixel, pixels, o, sum); break;
    case 3: relu_gradient_block(3, out, d_out, stride, pixel, pixels, o, sum); break;
    default: relu_gradient_block(4, out, d_out, stride, pixel, pixels, o, sum);
    }
}

/* -- Adam ------------------------------------------------------------------------------------- */

INLINE vec sqrt_lanes(vec v) {
#if NAS_VECTOR == 16 && defined(__AVX512F__)
  return (vec)_mm512_sqrt_ps((__m512)v);
#elif NAS_VECTOR == 8 && defined(__AVX__)
  return (vec)_mm256_sqrt_ps((__m256)v);
#elif NAS_VECTOR == 4 && defined(__SSE__)
  return (vec)_mm_sqrt_ps((__m128)v);
#else
  vec r;
  UNROLL for (int i = 0; i < NAS_VECTOR; i++) r[i] = sqrtf(v[i]);
  return r;
#endif
}

INLINE mask not_finite(vec v) {
  return ((mask)v & 0x7f800000) == 0x7f800000;
}

static int vector_adam(const nas_adam_factors *factors, const float *g, nas_adam_arrays from,
                       nas_adam_arrays to, size_t count) {
  const vec b1 = splat(factors->b1), a1 = splat(factors->a1), b2 = splat(factors->b2);
  const vec a2 = splat(factors->a2), rate = splat(factors->rate), scale = splat(factors->scale);
  const vec epsilon = splat(factors->epsilon);
  mask bad = {0};
  size_t i = 0;
  for (; i + NAS_VECTOR <= count; i += NAS_VECTOR) {
    vec d = load(g + i);
    vec m = b1 * load(from.moment1 + i) + a1 * d;
    vec v = b2 * load(from.moment2 + i) + a2 * (d * d);
    vec value = load(from.value + i) - rate * m / (sqrt_lanes(v) * scale + epsilon);
    store(to.value + i, value);
    store(to.moment1 + i, m);
    store(to.moment2 + i, v);
    bad |= not_finite(value) | not_finite(m) | not_finite(v);
  }
  int finite = adam_elements(factors, g, from, to, i, count);
  for (int l = 0; l < NAS_VECTOR; l++) finite &= !bad[l];
  return finite;
}

/* -- what is written once for all tables ------------------------------------------------------ */

typedef vec lane;
enum { LANES = NAS_VECTOR };
#define lane_load  load
#define lane_store store
#define lane_fma   fma_lanes

INLINE vec lane_clip(vec v, vec least) {
  return where(~(mask)(v < least), v);
}

INLINE vec lane_gate(vec d, vec v, vec most) {
  return where(~(mask)(v <= most), d);
}

typedef mask lane_mask;

INLINE vec lane_choose(mask first, vec a, vec b) {
  return (vec)(((mask)a & first) | ((mask)b & ~first));
}

#include "winograd_transforms.h"
#include "draw.h"
#include "normalize.h"
#include "pooling.h"
#include "square.h"
#include "squash.h"

/* Two vectors of multiply-adds; where there is no instruction for them, see fma_soft.h. */
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
#define RATE (2.0 * NAS_VECTOR)
#else
#define RATE (1.0 / 12)
#endif

const nas_kernels NAS_TABLE = {
    .name = NAS_ISA,
    .rate = RATE,
    .conv = vector_conv,
    .conv_weights = vector_conv_weights,
    .depthwise = vector_depthwise,
    .depthwise_weights = vector_depthwise_weights,
    .sum_rows = vector_sum_rows,
    .relu_gradient = vector_relu_gradient,
    .moments = moments,
    .normalize = normalize,
    .normalize_sums = normalize_sums,
    .normalize_gradient = normalize_gradient,
    .winograd_input = winograd_input,
    .winograd_d_output = winograd_d_output,
    .winograd_output = winograd_output,
    .winograd_kernel = winograd_kernel,
    .winograd_d_kernel = winograd_d_kernel,
    .max_pool = max_pool,
    .max_pool_gradient = max_pool_gradient,
    .avg_pool = avg_pool,
    .avg_pool_gradient = avg_pool_gradient,
    .adam = vector_adam,
    .square = square,
    .sigmoid = squash_sigmoid,
    .tanh = squash_tanh,
    .draw = draw,
};
