#include "convolve.h"
#include <math.h>
#include <nas/memory.h>
#include "kernel.h"
#include "map.h"
#include "transpose.h"
#include "winograd.h"

/* The input pixels (y, x) with y % stride == a, x % stride == b share the taps through which their
 * gradient comes: the gradient of a strided convolution is one small window for each (a, b). A
 * dense layer has as many as input pixels, so a phase is little more than where its lists begin. */
typedef struct phase {
  int tap, tap_count;
  size_t at, pixels; /* in from[] and to[]; of one image */
} phase;

typedef struct convolve_data {
  nas_convolution is;
  nas_window window;
  nas_tap *taps;
  int32_t in_stride[NAS_INPUTS_MAX], out_stride;
  int32_t *in_pixels, *out_pixels;
  size_t pixels; /* of one image */
  int phase_count;
  phase *phases;               /* NULL when no gradient of the input is needed */
  nas_tap *back_taps;          /* of all phases, one after the other */
  int32_t *from, *to;          /* likewise, pixels of the gradients of output and input */
  nas_winograd_plan *winograd; /* NULL: the window slides */
} convolve_data;

/* -- geometry --------------------------------------------------------------------------------- */

int nas_window_count(int size, int kernel, int stride, int same, int *pad) {
  *pad = 0;
  if (!same) return size < kernel ? 0 : (size - kernel) / stride + 1;
  int count = (size + stride - 1) / stride;
  int total = (count - 1) * stride + kernel - size;
  *pad = total > 0 ? total / 2 : 0;
  return count;
}

/* How many of first, first + step, ... lie below end. */
static int steps(int first, int step, int end) {
  return first < end ? (end - first + step - 1) / step : 0;
}

static void widen(int *border, int needed) {
  if (needed > *border) *border = needed;
}

/* Along one dimension. Backwards, input y meets outputs (y + pad - k) / stride for k in the
 * kernel, where that leaves no remainder; they run from below 0 to past the last. */
static void borders_along(const nas_convolution *c, int d, int *in_low, int *in_high, int *out_low,
                          int *out_high) {
  widen(in_low, c->pad[d]);
  widen(in_high, (c->out[d] - 1) * c->stride[d] + c->kernel[d] - c->pad[d] - c->in[d]);
  widen(out_low, (c->kernel[d] - 1 - c->pad[d]) / c->stride[d]);
  widen(out_high, (c->in[d] - 1 + c->pad[d]) / c->stride[d] - (c->out[d] - 1));
}

void nas_convolve_borders(const nas_convolution *c, nas_border *in, nas_border *d_out) {
  borders_along(c, 0, &in->top, &in->bottom, &d_out->top, &d_out->bottom);
  borders_along(c, 1, &in->left, &in->right, &d_out->left, &d_out->right);
}

/* -- compiling -------------------------------------------------------------------------------- */

static nas_status compile_forward(const nas_layer *layer, convolve_data *data, nas_error *err) {
  const nas_convolution *c = &data->is;
  const nas_map *in = layer->inputs[0], *out = layer->output;
  int sources = nas_convolution_sources(c);
  size_t taps = (size_t)c->kernel[0] * (size_t)c->kernel[1] * (size_t)sources;
  data->pixels = (size_t)c->out[0] * (size_t)c->out[1];
  size_t pixels = data->pixels * (size_t)layer->micro_batch;
  data->taps = nas_alloc(taps, sizeof *data->taps);
  data->in_pixels = nas_alloc(pixels, sizeof(int32_t));
  data->out_pixels = nas_alloc(pixels, sizeof(int32_t));
  if (!data->taps || !data->in_pixels || !data->out_pixels)
    return nas_fail_memory(err, "a convolution's pixel lists", pixels * 8);

  nas_tap *tap = data->taps;
  int row = nas_row(c->filters);
  int64_t rows = 0;
  for (int ky = 0; ky < c->kernel[0]; ky++)
    for (int kx = 0; kx < c->kernel[1]; kx++)
      for (int k = 0; k < sources; k++, tap++) {
        *tap = (nas_tap){
            .source = k,
            .channels = c->depthwise ? 1 : nas_convolution_source(c, k),
            .offset =
                (int64_t)((ky - c->pad[0]) * in->pitch + kx - c->pad[1]) * layer->inputs[k]->stride,
            .weights = rows * row,
        };
        rows += tap->channels;
      }
  for (int k = 0; k < sources; k++) data->in_stride[k] = layer->inputs[k]->stride;
  data->window = (nas_window){data->taps, (int)taps, row, c->filters, data->in_stride, out->stride};
  const int zero[2] = {0, 0}, one[2] = {1, 1};
  const int end[2] = {c->out[0] * c->stride[0], c->out[1] * c->stride[1]};
  nas_map_pixels(in, layer->micro_batch, zero, c->stride, end, data->in_pixels);
  nas_map_pixels(out, layer->micro_batch, zero, one, c->out, data->out_pixels);
  return NAS_OK;
}

/* Input pixel a + stride * i meets kernel element k where (a + pad - k) is a multiple of stride, at
 * output i + (a + pad - k) / stride. */
static phase compile_phase(const nas_layer *layer, convolve_data *data, phase before,
                           const int first[2]) {
  const nas_convolution *c = &data->is;
  const nas_map *in = layer->inputs[0], *out = layer->d_output;
  int count[2], k[2]; /* pixels, first kernel element */
  for (int d = 0; d < 2; d++) {
    count[d] = steps(first[d], c->stride[d], c->in[d]);
    k[d] = (first[d] + c->pad[d]) % c->stride[d];
  }
  phase part = {.tap = before.tap + before.tap_count,
                .at = before.at + before.pixels * (size_t)layer->micro_batch,
                .pixels = (size_t)count[0] * (size_t)count[1]};
  int row = nas_convolution_columns(c), filters = c->depthwise ? 1 : c->filters;
  for (int ky = k[0]; ky < c->kernel[0]; ky += c->stride[0])
    for (int kx = k[1]; kx < c->kernel[1]; kx += c->stride[1]) {
      int y = (first[0] + c->pad[0] - ky) / c->stride[0];
      int x = (first[1] + c->pad[1] - kx) / c->stride[1];
      data->back_taps[part.tap + part.tap_count++] = (nas_tap){
          .channels = filters,
          .offset = (int64_t)(y * out->pitch + x) * out->stride,
          .weights = (int64_t)(ky * c->kernel[1] + kx) * filters * row,
      };
    }
  const int zero[2] = {0, 0}, one[2] = {1, 1};
  nas_map_pixels(out, layer->micro_batch, zero, one, count, data->from + part.at);
  nas_map_pixels(in, layer->micro_batch, first, c->stride, c->in, data->to + part.at);
  return part;
}

static nas_status compile_phases(const nas_layer *layer, convolve_data *data, nas_error *err) {
  const nas_convolution *c = &data->is;
  data->out_stride = layer->d_output->stride;
  int rows = c->stride[0] < c->in[0] ? c->stride[0] : c->in[0];
  int columns = c->stride[1] < c->in[1] ? c->stride[1] : c->in[1];
  data->phase_count = rows * columns;
  /* Each pixel is of one phase, each element of the kernel of one at most. */
  size_t phases = (size_t)data->phase_count, taps = (size_t)c->kernel[0] * (size_t)c->kernel[1];
  size_t pixels = (size_t)c->in[0] * (size_t)c->in[1] * (size_t)layer->micro_batch;
  data->phases = nas_alloc(phases, sizeof *data->phases);
  data->back_taps = nas_alloc(taps, sizeof *data->back_taps);
  data->from = nas_alloc(pixels, sizeof *data->from);
  data->to = nas_alloc(pixels, sizeof *data->to);
  if (!data->phases || !data->back_taps || !data->from || !data->to)
    return nas_fail_memory(err, "a convolution's phases",
                           phases * sizeof *data->phases + taps * sizeof *data->back_taps +
                               pixels * (sizeof *data->from + sizeof *data->to));
  phase part = {0};
  for (int i = 0; i < data->phase_count; i++) {
    const int first[2] = {i / columns, i % columns};
    data->phases[i] = part = compile_phase(layer, data, part, first);
  }
  return NAS_OK;
}

int nas_convolve_gives(const nas_layer *layer) {
  for (int k = 0; k < layer->input_count; k++)
    if (layer->d_inputs[k]) return 1;
  return 0;
}

nas_status nas_convolve_compile(nas_layer *layer, const nas_convolution *convolution,
                                nas_error *err) {
  convolve_data *data = nas_alloc_zero(1, sizeof *data);
  if (!data) return nas_fail_memory(err, "a convolution", sizeof *data);
  layer->data = data;
  data->is = *convolution;
  nas_status status = compile_forward(layer, data, err);
  if (status == NAS_OK && nas_winograd_applies(convolution, layer->winograd))
    status = nas_winograd_create(&data->winograd, layer, convolution, err);
  else if (status == NAS_OK && nas_convolve_gives(layer))
    status = compile_phases(layer, data, err);
  if (status != NAS_OK) nas_convolve_release(layer);
  return status;
}

void nas_convolve_release(nas_layer *layer) {
  convolve_data *data = layer->data;
  if (!data) return;
  nas_free(data->phases);
  nas_free(data->back_taps);
  nas_free(data->from);
  nas_free(data->to);
  nas_winograd_destroy(&data->winograd);
  nas_free(data->taps);
  nas_free(data->in_pixels);
  nas_free(data->out_pixels);
  nas_free(data);
  layer->data = NULL;
}

const nas_convolution *nas_convolve_of(const nas_layer *layer) {
  const convolve_data *data = layer->data;
  return &data->is;
}

/* -- running ---------------------------------------------------------------------------------- */

static void slide(const convolve_data *data, const nas_kernels *kernels, const nas_window *window,
                  const float *const *sources, const int32_t *in, const float *weights,
                  const float *bias, float *out, const int32_t *out_pixel, size_t pixels,
                  unsigned flags) {
  if (data->is.depthwise)
    nas_kernels_for(kernels, window->source_stride[0])
        ->depthwise(window, sources[0], in, weights, bias, out, out_pixel, pixels, flags);
  else
    kernels->conv(window, sources, in, weights, bias, out, out_pixel, pixels, flags);
}

static void find_sources(const nas_layer *layer, const nas_pass *pass, const float **sources) {
  for (int k = 0; k < layer->input_count; k++)
    sources[k] = nas_map_data(layer->inputs[k], pass->arena);
}

void nas_convolve_forward(const nas_layer *layer, const nas_pass *pass) {
  const convolve_data *data = layer->data;
  const float *bias = data->is.bias ? pass->params + layer->params[1] : NULL;
  const float *sources[NAS_INPUTS_MAX];
  if (data->winograd) {
    nas_winograd_forward(data->winograd, layer, bias, pass);
    return;
  }
  find_sources(layer, pass, sources);
  slide(data, layer->kernels, &data->window, sources, data->in_pixels,
        pass->params + layer->params[0], bias, nas_map_data(layer->output, pass->arena),
        data->out_pixels, data->pixels * (size_t)pass->images, layer->relu ? NAS_CONV_RELU : 0);
}

/* y += x * kernel */
static void backward_kernel(const nas_layer *layer, const nas_pass *pass, const float *d_y) {
  const convolve_data *data = layer->data;
  const nas_window *window = &data->window;
  const float *sources[NAS_INPUTS_MAX];
  find_sources(layer, pass, sources);
  float *d_kernel = pass->d_params + layer->params[0];
  size_t pixels = data->pixels * (size_t)pass->images;
  if (data->is.depthwise)
    nas_kernels_for(layer->kernels, window->source_stride[0])
        ->depthwise_weights(window, sources[0], data->in_pixels, d_y, data->out_pixels, d_kernel,
                            pixels);
  else
    layer->kernels->conv_weights(window, sources, data->in_pixels, d_y, data->out_pixels, d_kernel,
                                 pixels);
}

/* For the gradient of each input its columns of the exchanged kernel. */
static void backward_input(const nas_layer *layer, const nas_pass *pass, const float *d_y) {
  const convolve_data *data = layer->data;
  const nas_convolution *c = &data->is;
  const float *weights =
      c->depthwise ? pass->params + layer->params[0] : pass->derived + layer->derived;
  const float *const source[] = {d_y};
  for (int k = 0; k < layer->input_count; k++) {
    const nas_map *to = layer->d_inputs[k];
    for (int i = 0; to && i < data->phase_count; i++) {
      const phase *part = &data->phases[i];
      const nas_window window = {.taps = data->back_taps + part->tap,
                                 .tap_count = part->tap_count,
                                 .weight_stride = nas_convolution_columns(c),
                                 .width = nas_convolution_source(c, k),
                                 .source_stride = &data->out_stride,
                                 .out_stride = to->stride};
      slide(data, layer->kernels, &window, source, data->from + part->at,
            weights + nas_convolution_column(c, k), NULL, nas_map_data(to, pass->arena),
            data->to + part->at, part->pixels * (size_t)pass->images,
            layer->accumulate[k] ? NAS_CONV_ACCUMULATE : 0);
    }
  }
}

void nas_convolve_backward(const nas_layer *layer, const nas_pass *pass) {
  const convolve_data *data = layer->data;
  float *d_y = nas_map_data(layer->d_output, pass->arena);
  int stride = layer->d_output->stride, filters = data->is.filters;
  size_t pixels = data->pixels * (size_t)pass->images;
  float *d_bias = data->is.bias ? pass->d_params + layer->params[1] : NULL;
  if (layer->relu)
    layer->kernels->relu_gradient(nas_map_data(layer->output, pass->arena), d_y, stride,
                                  data->out_pixels, pixels, filters, d_bias);
  else if (d_bias)
    layer->kernels->sum_rows(d_y, stride, data->out_pixels, pixels, filters, d_bias);
  if (data->winograd) {
    nas_winograd_backward_kernel(data->winograd, layer, pass);
    if (nas_convolve_gives(layer)) nas_winograd_backward_input(data->winograd, layer, pass);
  } else {
    backward_kernel(layer, pass, d_y);
    if (data->phases) backward_input(layer, pass, d_y);
  }
}

void nas_convolve_finish(const nas_layer *layer, const nas_pass *pass) {
  const convolve_data *data = layer->data;
  if (data->winograd) nas_winograd_finish(data->winograd, layer, pass);
}

size_t nas_convolve_room(const nas_layer *layer, const nas_convolution *c) {
  return nas_winograd_applies(c, layer->winograd) ? nas_winograd_room(c) : 0;
}

size_t nas_convolve_kept(const nas_layer *layer, const nas_convolution *c) {
  return nas_winograd_applies(c, layer->winograd) ? nas_winograd_kept(c) : 0;
}

size_t nas_convolve_derived(const nas_layer *layer, const nas_convolution *c) {
  if (nas_winograd_applies(c, layer->winograd)) return nas_winograd_derived(c, layer->inference);
  if (layer->inference) return 0;
  return (size_t)c->kernel[0] * (size_t)c->kernel[1] * (size_t)c->filters *
         (size_t)nas_convolution_columns(c);
}

void nas_convolve_derive(const nas_layer *layer, const float *params, float *derived, int part,
                         int parts) {
  const convolve_data *data = layer->data;
  if (data->winograd) nas_winograd_derive(data->winograd, layer, params, derived, part, parts);
  if (!data->phases) return;
  const nas_convolution *c = &data->is;
  int row = nas_row(c->filters), columns = nas_convolution_columns(c);
  int sources = nas_convolution_sources(c);
  for (int t = part; t < data->window.tap_count / sources; t += parts) {
    const float *from = params + layer->params[0] + (size_t)t * c->channels * row;
    float *to = derived + layer->derived + (size_t)t * c->filters * columns;
    for (int k = 0; k < sources; k++) {
      int channels = nas_convolution_source(c, k);
      nas_transpose(from, row, channels, c->filters, to + nas_convolution_column(c, k), columns);
      from += (size_t)channels * row;
    }
  }
}

/* -- initial values --------------------------------------------------------------------------- */

const char *const nas_init_words[] = {"glorot_uniform", "he_uniform", "uniform", NULL};

float nas_init_range(int word, double uniform_range, double fan_in, double fan_out) {
  switch (word) {
  case 0: return (float)sqrt(6.0 / (fan_in + fan_out));
  case 1: return (float)sqrt(6.0 / fan_in);
  default: return (float)uniform_range;
  }
}
