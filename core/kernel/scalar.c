/* The readable statement of every kernel: what the others must equal, bit for bit. */
#include "adam.h"
#include "kernel.h"
#include <nas/elementary.h>

typedef float lane;
enum { LANES = 1 };
static lane lane_load(const float *p) {
  return *p;
}
static void lane_store(float *p, lane v) {
  *p = v;
}
static lane lane_fma(lane a, lane b, lane c) {
  return nas_fmaf(a, b, c);
}
static lane lane_clip(lane v, lane least) {
  return v < least ? 0.0f : v;
}
static lane lane_gate(lane d, lane v, lane most) {
  return v <= most ? 0.0f : d;
}
typedef int lane_mask;
static lane lane_choose(lane_mask first, lane a, lane b) {
  return first ? a : b;
}
#include "winograd_transforms.h"
#include "normalize.h"
#include "pooling.h"
#include "square.h"
#include "squash.h"

static void scalar_conv(const nas_window *window, const float *const *sources, const int32_t *in,
                        const float *weights, const float *bias, float *out,
                        const int32_t *out_pixel, size_t pixels, unsigned flags) {
  for (size_t p = 0; p < pixels; p++) {
    float *row = out + (ptrdiff_t)out_pixel[p] * window->out_stride;
    for (int o = 0; o < window->width; o++) {
      float acc = flags & NAS_CONV_ACCUMULATE ? row[o] : bias ? bias[o] : 0.0f;
      for (int t = 0; t < window->tap_count; t++) {
        const nas_tap *tap = &window->taps[t];
        const float *x = sources[tap->source] +
                         (ptrdiff_t)in[p] * window->source_stride[tap->source] + tap->offset;
        const float *w = weights + tap->weights + o;
        for (int c = 0; c < tap->channels; c++)
          acc = nas_fmaf(x[c], w[(ptrdiff_t)c * window->weight_stride], acc);
      }
      if ((flags & NAS_CONV_RELU) && acc < 0.0f) acc = 0.0f;
      row[o] = acc;
    }
  }
}

static void scalar_conv_weights(const nas_window *window, const float *const *sources,
                                const int32_t *in, const float *d_out, const int32_t *out_pixel,
                                float *d_weights, size_t pixels) {
  for (int t = 0; t < window->tap_count; t++) {
    const nas_tap *tap = &window->taps[t];
    const float *source = sources[tap->source] + tap->offset;
    ptrdiff_t stride = window->source_stride[tap->source];
    for (int c = 0; c < tap->channels; c++)
      for (int o = 0; o < window->width; o++) {
        float *w = &d_weights[tap->weights + (ptrdiff_t)c * window->weight_stride + o];
        for (size_t p = 0; p < pixels; p++)
          *w = nas_fmaf(source[in[p] * stride + c],
                        d_out[(ptrdiff_t)out_pixel[p] * window->out_stride + o], *w);
      }
  }
}

static void scalar_depthwise(const nas_window *window, const float *source, const int32_t *in,
                             const float *weights, const float *bias, float *out,
                             const int32_t *out_pixel, size_t pixels, unsigned flags) {
  for (size_t p = 0; p < pixels; p++) {
    const float *x = source + (ptrdiff_t)in[p] * window->source_stride[0];
    float *row = out + (ptrdiff_t)out_pixel[p] * window->out_stride;
    for (int o = 0; o < window->width; o++) {
      float acc = flags & NAS_CONV_ACCUMULATE ? row[o] : bias ? bias[o] : 0.0f;
      for (int t = 0; t < window->tap_count; t++)
        acc = nas_fmaf(x[window->taps[t].offset + o], weights[window->taps[t].weights + o], acc);
      if ((flags & NAS_CONV_RELU) && acc < 0.0f) acc = 0.0f;
      row[o] = acc;
    }
  }
}

static void scalar_depthwise_weights(const nas_window *window, const float *source,
                                     const int32_t *in, const float *d_out,
                                     const int32_t *out_pixel, float *d_weights, size_t pixels) {
  for (int t = 0; t < window->tap_count; t++) {
    const float *x = source + window->taps[t].offset;
    for (int o = 0; o < window->width; o++) {
      float *w = &d_weights[window->taps[t].weights + o];
      for (size_t p = 0; p < pixels; p++)
        *w = nas_fmaf(x[(ptrdiff_t)in[p] * window->source_stride[0] + o],
                      d_out[(ptrdiff_t)out_pixel[p] * window->out_stride + o], *w);
    }
  }
}

static void scalar_sum_rows(const float *rows, int stride, const int32_t *pixel, size_t pixels,
                            int width, float *sum) {
  for (int o = 0; o < width; o++)
    for (size_t p = 0; p < pixels; p++) sum[o] += rows[(ptrdiff_t)pixel[p] * stride + o];
}

static void scalar_relu_gradient(const float *out, float *d_out, int stride, const int32_t *pixel,
                                 size_t pixels, int width, float *sum) {
  for (size_t p = 0; p < pixels; p++)
    for (int o = 0; o < width; o++) {
      ptrdiff_t q = (ptrdiff_t)pixel[p] * stride + o;
      if (!(out[q] > 0.0f)) d_out[q] = 0.0f;
      if (sum) sum[o] += d_out[q];
    }
}

static int scalar_adam(const nas_adam_factors *factors, const float *g, nas_adam_arrays from,
                       nas_adam_arrays to, size_t count) {
  return adam_elements(factors, g, from, to, 0, count);
}

static void scalar_draw(nas_stream *stream, uint32_t *numbers) {
  for (int i = 0; i < NAS_DRAWN; i++) numbers[i] = nas_stream_u32(stream);
}

const nas_kernels nas_kernels_scalar = {
    .name = "scalar",
    .rate = 1.0 / 24,
    .conv = scalar_conv,
    .conv_weights = scalar_conv_weights,
    .depthwise = scalar_depthwise,
    .depthwise_weights = scalar_depthwise_weights,
    .sum_rows = scalar_sum_rows,
    .relu_gradient = scalar_relu_gradient,
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
    .adam = scalar_adam,
    .square = square,
    .sigmoid = squash_sigmoid,
    .tanh = squash_tanh,
    .draw = scalar_draw,
};
