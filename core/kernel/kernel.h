/* The inner loops of training, behind one table of function pointers for each instruction set.
 *
 * Contract of all kernels: every output element is one chain of fused multiply-adds in the order
 * stated here, and a SIMD lane is one output element. So the tables of all instruction sets give
 * exactly the same bits (core/NUMBERS.md); scalar.c is the readable statement of each kernel
 * and the oracle of the tests. Kernels check nothing, allocate nothing and may run on any
 * number of threads at once.
 *
 * Rows. The channels of a pixel, and the output channels of a weight, lie in rows that begin at
 * multiples of NAS_LANES floats. Row elements from `width` up to the next multiple of NAS_LANES are
 * padding: kernels may read them and may write to them (what comes out of padding of zeros is
 * zero); nothing else is touched, not even read, but the described inputs and outputs. A source
 * that is only read one channel at a time (sources[] of nas_conv) may have any stride and no
 * padding. What is not in rows (lists, sums in double, random numbers, the arrays of Adam, of sums
 * of squares and of the squashing functions) has no padding.
 *
 * Pixels are addressed by lists of pixel numbers, multiplied by the stride of what they point into,
 * so one kernel serves any stride, any window, any border and any number of images. */
#ifndef NAS_KERNEL_H
#define NAS_KERNEL_H

#include <stddef.h>
#include <stdint.h>
#include <nas/random.h>
#include <nas/status.h>

#define NAS_LANES 16 /* floats: the widest vector of any table */

/* width rounded up to whole vectors */
static inline int nas_row(int width) {
  return (width + NAS_LANES - 1) / NAS_LANES * NAS_LANES;
}

/* One step of a window: `channels` consecutive inputs and as many rows of weights. */
typedef struct nas_tap {
  int32_t source;   /* index into sources[] */
  int32_t channels; /* at least 1 */
  int64_t offset;   /* floats from the pixel's first channel to the tap's first; may be negative */
  int64_t weights;  /* floats from the weights' start to the row of the tap's first channel */
} nas_tap;

/* The taps of a convolution and the pixels that it visits. Built once when a network is compiled.
 */
typedef struct nas_window {
  const nas_tap *taps;
  int tap_count;
  int weight_stride;            /* floats between the rows of consecutive channels */
  int width;                    /* output channels */
  const int32_t *source_stride; /* floats between pixels, one for each source */
  int out_stride;               /* floats between pixels of `out` */
} nas_window;

enum {
  NAS_CONV_ACCUMULATE = 1, /* the chain starts at what `out` holds; bias must be NULL */
  NAS_CONV_RELU = 2,       /* out = acc < 0 ? +0 : acc, so that NaN stays NaN and is noticed */
};

/* For p in 0 .. pixels-1, o in 0 .. width-1:
 *   acc = bias ? bias[o] : 0
 *   for each tap t in order, for c in 0 .. t.channels-1:
 *     acc = fma(sources[t.source][in[p] * source_stride[t.source] + t.offset + c],
 *               weights[t.weights + c * weight_stride + o], acc)
 *   out[out_pixel[p] * out_stride + o] = acc
 * Pixel numbers of out_pixel are distinct; out overlaps nothing that is read. */
typedef void nas_conv_fn(const nas_window *window, const float *const *sources, const int32_t *in,
                         const float *weights, const float *bias, float *out,
                         const int32_t *out_pixel, size_t pixels, unsigned flags);

/* The gradient of the weights. For each tap t, c in 0 .. t.channels-1, o in 0 .. width-1:
 *   w = &d_weights[t.weights + c * weight_stride + o]
 *   for p in 0 .. pixels-1:
 *     *w = fma(sources[t.source][in[p] * source_stride[t.source] + t.offset + c],
 *              d_out[out_pixel[p] * out_stride + o], *w)
 * The weight rows of different taps do not overlap. */
typedef void nas_conv_weights_fn(const nas_window *window, const float *const *sources,
                                 const int32_t *in, const float *d_out, const int32_t *out_pixel,
                                 float *d_weights, size_t pixels);

/* A window over each channel by itself: the taps' sources are 0 and their channels 1, and the rows
 * of the source have padding like all others (only the scalar table takes a source of any stride).
 * For p in 0 .. pixels-1, o in 0 .. width-1:
 *   acc = bias ? bias[o] : 0
 *   for each tap t in order:
 *     acc = fma(source[in[p] * source_stride[0] + t.offset + o], weights[t.weights + o], acc)
 *   out[out_pixel[p] * out_stride + o] = acc
 * Flags and pixel numbers as for nas_conv_fn. */
typedef void nas_depthwise_fn(const nas_window *window, const float *source, const int32_t *in,
                              const float *weights, const float *bias, float *out,
                              const int32_t *out_pixel, size_t pixels, unsigned flags);

/* The gradient of its weights. For each tap t, o in 0 .. width-1:
 *   w = &d_weights[t.weights + o]
 *   for p in 0 .. pixels-1:
 *     *w = fma(source[in[p] * source_stride[0] + t.offset + o],
 *              d_out[out_pixel[p] * out_stride + o], *w) */
typedef void nas_depthwise_weights_fn(const nas_window *window, const float *source,
                                      const int32_t *in, const float *d_out,
                                      const int32_t *out_pixel, float *d_weights, size_t pixels);

/* The gradient of a bias. For o in 0 .. width-1, p in 0 .. pixels-1 in order:
 *   sum[o] = sum[o] + rows[pixel[p] * stride + o] */
typedef void nas_sum_rows_fn(const float *rows, int stride, const int32_t *pixel, size_t pixels,
                             int width, float *sum);

/* The gradient of ReLU, in place, and of a bias before it unless sum is NULL. For o, p in order:
 *   if not out[q] > 0, d_out[q] = +0;  sum[o] = sum[o] + d_out[q], where q = pixel[p] * stride + o
 */
typedef void nas_relu_gradient_fn(const float *out, float *d_out, int stride, const int32_t *pixel,
                                  size_t pixels, int width, float *sum);

/* Rows of pixels: row p begins at data + pixel[p] * stride. */
typedef struct nas_pixel_rows {
  float *data;
  const int32_t *pixel;
  int stride;
} nas_pixel_rows;

static inline float *nas_pixel_row(const nas_pixel_rows *rows, size_t p) {
  return rows->data + (ptrdiff_t)rows->pixel[p] * rows->stride;
}

/* Batch normalisation. For o in 0 .. width-1, p in 0 .. pixels-1 in order, in double, where
 * products are exact:
 *   sum[o] = sum[o] + x[p][o];  square[o] = square[o] + x[p][o] * x[p][o]
 * Rows of this one may lie without padding. */
typedef void nas_moments_fn(const float *x, int stride, const int32_t *pixel, size_t pixels,
                            int width, double *sum, double *square);

/* What belongs to channels, here and below, is padded to whole vectors. */
typedef struct nas_normalization {
  const float *mean, *scale, *offset;
  int relu;
} nas_normalization;

/* y[p][o] = fma(x[p][o] - mean[o], scale[o], offset[o]); with relu, +0 where that is below 0. */
typedef void nas_normalize_fn(const nas_pixel_rows *x, const nas_pixel_rows *y, size_t pixels,
                              int width, const nas_normalization *n);

/* d = d_y[p][o], but with relu +0 where fma(x[p][o] - mean[o], scale[o], offset[o]) <= 0;
 * sum[o] = sum[o] + d;  product[o] = product[o] + d * (x[p][o] - mean[o]): the difference in float,
 * the rest in double. */
typedef void nas_normalize_sums_fn(const nas_pixel_rows *x, const nas_pixel_rows *d_y,
                                   size_t pixels, int width, const nas_normalization *n,
                                   double *sum, double *product);

/* With that d: d_x[p][o] = (accumulate ? d_x[p][o] : 0) + g,
 *   g = fma(x[p][o] - mean[o], of_x[o], fma(d, scale[o], constant[o])) */
typedef void nas_normalize_gradient_fn(const nas_pixel_rows *x, const nas_pixel_rows *d_y,
                                       const nas_pixel_rows *d_x, size_t pixels, int width,
                                       const nas_normalization *n, const float *of_x,
                                       const float *constant, int accumulate);

/* Winograd's algorithm (winograd_transforms.h). A tile is some outputs and the pixels that they
 * come from, fewer at the edges: there, transforms see zeros. */
typedef struct nas_tile {
  int32_t in, out;       /* pixel numbers of its first pixel in the one map and in the other */
  int32_t rows, columns; /* outputs, at least 1 each */
} nas_tile;

/* How tiles are transformed along height and width: with 2 to 5 taps of the kernel, 7 - taps
 * outputs come from 6 points; with one tap, one output from itself. */
typedef struct nas_winograd_form {
  int taps[2], outputs[2], points[2];
} nas_winograd_form;

static inline nas_winograd_form nas_winograd_form_of(int rows, int columns) {
  nas_winograd_form form = {.taps = {rows, columns}};
  for (int d = 0; d < 2; d++) {
    form.points[d] = form.taps[d] > 1 ? 6 : 1;
    form.outputs[d] = form.points[d] + 1 - form.taps[d];
  }
  return form;
}

/* Elements of a transformed tile. */
static inline int nas_winograd_elements(const nas_winograd_form *form) {
  return form->points[0] * form->points[1];
}

/* Pixels of one image: columns lie `stride` floats apart, rows `pitch` pixels. */
typedef struct nas_tile_map {
  float *data;
  int stride, pitch;
} nas_tile_map;

/* Where transformed tiles lie: element k of tile t, channel c at data[k * plane + t * row + c]. */
typedef struct nas_tile_planes {
  float *data;
  size_t plane;
  int row;
} nas_tile_planes;

/* Taps of a kernel, at most as many as the form has: those that are missing count as zeros. */
typedef struct nas_winograd_taps {
  int count[2];
  ptrdiff_t apart[2]; /* floats between them, down and to the right */
} nas_winograd_taps;

/* For each tile and channel: B' x B of its pixels, count - 1 more than it has outputs. */
typedef void nas_winograd_input_fn(const nas_winograd_form *form, const int count[2],
                                   const nas_tile_map *map, const nas_tile *tiles,
                                   size_t tile_count, int width, const nas_tile_planes *to);

/* Likewise A d_y A' of its outputs. */
typedef void nas_winograd_d_output_fn(const nas_winograd_form *form, const nas_tile_map *map,
                                      const nas_tile *tiles, size_t tile_count, int width,
                                      const nas_tile_planes *to);

/* For each tile and output channel o: (before + A' m A) + bias[o] of its elements is written to its
 * outputs, and NAS_CONV_RELU of that. before is what was there with NAS_CONV_ACCUMULATE, else 0;
 * without a bias that is 0, too. */
typedef void nas_winograd_output_fn(const nas_winograd_form *form, const nas_tile_planes *from,
                                    const nas_tile *tiles, size_t tile_count, int width,
                                    const float *bias, const nas_tile_map *map, unsigned flags);

/* For each of `rows` rows r and each o: G w G' of the taps w[... + r * row + o], element k to
 * to[k * plane + r * row + o]. */
typedef void nas_winograd_kernel_fn(const nas_winograd_form *form, const nas_winograd_taps *taps,
                                    const float *w, int rows, int width, float *to, size_t plane);

/* And back: G' u G of the elements is added to the taps of d_w. */
typedef void nas_winograd_d_kernel_fn(const nas_winograd_form *form, const nas_winograd_taps *taps,
                                      const float *from, size_t plane, int rows, int width,
                                      float *d_w);

/* Pooling. Here a tile is one output pixel and its window: `in` is the first pixel of the map that
 * the window sees, of rows x columns pixels that lie on the map, at least one. Gradients lie like
 * what they are of. */
typedef struct nas_pooling_maps {
  const float *x;
  float *d_x;
  int stride, pitch; /* of both: floats between pixels, pixels between rows */
  float *y;
  const float *d_y;
  int out_stride;
} nas_pooling_maps;

/* For each window and each o in 0 .. width-1, over the window's pixels x in raster order:
 *   max_pool           y = the largest x; NaN, if there is one
 *   max_pool_gradient  d_x = d_x + d_y at the first x that equals y; nowhere where y is NaN
 *   avg_pool           y = (0 + x + x + ...) / (rows * columns), each operation rounded
 *   avg_pool_gradient  d_x = d_x + d_y / (rows * columns) at all of them
 * Rows have padding like all others (only the scalar table takes a source without). */
typedef void nas_pooling_fn(const nas_pooling_maps *maps, const nas_tile *windows, size_t count,
                            int width);

/* Adam (Kingma & Ba 2015, algorithm 1). For each i, in float, each operation rounded:
 *   moment1 = b1 moment1 + a1 g;  moment2 = b2 moment2 + a2 (g g)
 *   value = value - rate moment1 / (sqrt(moment2) scale + epsilon)
 * from the ones of `from` to those of `to`, which may be the same arrays. Returns whether all that
 * was written is finite. */
typedef struct nas_adam_factors {
  float b1, a1, b2, a2, rate, scale, epsilon;
} nas_adam_factors;
typedef struct nas_adam_arrays {
  float *value, *moment1, *moment2;
} nas_adam_arrays;
typedef int nas_adam_fn(const nas_adam_factors *factors, const float *g, nas_adam_arrays from,
                        nas_adam_arrays to, size_t count);

/* The sum of squares, in double: chain k of 16 takes the elements k, k + 16, k + 32, ... in this
 * order, beginning at 0; then chain k takes chain k + 8, for k below 8; the same with 4, 2 and 1.
 * The squares are exact. Zeros at the end change no bit. */
typedef double nas_square_fn(const float *x, size_t count);

/* x[i] = nas_sigmoidf(x[i]), nas_tanhf(x[i]) */
typedef void nas_squash_fn(float *x, int count);

/* The next numbers of a stream that has given whole blocks of four so far, as nas_stream_u32 would
 * give them. */
#define NAS_DRAWN 64
typedef void nas_draw_fn(nas_stream *stream, uint32_t *numbers);

typedef struct nas_kernels {
  const char *name; /* "scalar", "baseline", "avx2", "avx512" */
  double rate;      /* multiply-adds in a cycle at its peak, for predictions */
  nas_conv_fn *conv;
  nas_conv_weights_fn *conv_weights;
  nas_depthwise_fn *depthwise;
  nas_depthwise_weights_fn *depthwise_weights;
  nas_sum_rows_fn *sum_rows;
  nas_relu_gradient_fn *relu_gradient;
  nas_moments_fn *moments;
  nas_normalize_fn *normalize;
  nas_normalize_sums_fn *normalize_sums;
  nas_normalize_gradient_fn *normalize_gradient;
  nas_winograd_input_fn *winograd_input;
  nas_winograd_d_output_fn *winograd_d_output;
  nas_winograd_output_fn *winograd_output;
  nas_winograd_kernel_fn *winograd_kernel;
  nas_winograd_d_kernel_fn *winograd_d_kernel;
  nas_pooling_fn *max_pool, *max_pool_gradient, *avg_pool, *avg_pool_gradient;
  nas_adam_fn *adam;
  nas_square_fn *square;
  nas_squash_fn *sigmoid, *tanh;
  nas_draw_fn *draw;
} nas_kernels;

/* The tables that this build has and nas_cpu_flags allows, up the ladder: number 0 is "scalar", 1
 * is "baseline"; NULL after the last. */
const nas_kernels *nas_kernels_numbered(int number);

/* That of them with this name, or NULL. */
const nas_kernels *nas_kernels_named(const char *name);

/* Number 0, whatever is switched off. */
extern const nas_kernels nas_kernels_scalar;

/* The table for pixels that lie `stride` floats apart: those of the network's images may have no
 * padding, and only the scalar one reads such rows. Looks at nothing else: worker threads ask in
 * the middle of a step, when the environment may be changing. */
static inline const nas_kernels *nas_kernels_for(const nas_kernels *kernels, int stride) {
  return stride % NAS_LANES ? &nas_kernels_scalar : kernels;
}

/* The same into *kernels, or NULL and NAS_ARGUMENT; the message calls the name the value of `what`,
 * and lists the tables that are there. */
nas_status nas_kernels_find(const nas_kernels **kernels, const char *name, const char *what,
                            nas_error *err);

/* The table that nas_kernels_use chose, else that which LUANAS_ISA names, else the last of the
 * ladder. Never NULL: a name in LUANAS_ISA that is not there counts as not set. */
const nas_kernels *nas_kernels_best(void);

/* The same into *kernels, or NULL and NAS_ARGUMENT when LUANAS_ISA, if it decides, is neither empty
 * nor the name of a table that is there: whoever makes what computes asks here. */
nas_status nas_kernels_default(const nas_kernels **kernels, nas_error *err);

/* Chooses for all that is made afterwards, on any thread, whatever LUANAS_ISA says; NULL takes the
 * choice back. For tests and measurements. On failure nothing changes. */
nas_status nas_kernels_use(const char *name, nas_error *err);

#endif
