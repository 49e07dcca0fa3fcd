/* Ioffe & Szegedy 2015. In training, with the mean m and the variance v (of the population) of each
 * channel over all pixels of the batch:
 *   y = (x - m) / sqrt(v + epsilon) * scale + offset
 * In evaluation, m and v are running averages, of the unbiased variance:
 *   average = momentum * average + (1 - momentum) * value of the batch */
#include <math.h>
#include <nas/memory.h>
#include <string.h>
#include "kernel.h"
#include "kinds.h"
#include "map.h"

enum { MOMENTUM, EPSILON, OPTION_COUNT };
enum { SCALE, OFFSET, MEAN, VARIANCE, SET_COUNT };

static const nas_option options[OPTION_COUNT] = {
    [MOMENTUM] = {"momentum", NAS_OPTION_NUMBER, 0, 0.9, 0, 1, NULL,
                  "Share of the running averages that a batch leaves as it was."},
    [EPSILON] = {"epsilon", NAS_OPTION_NUMBER, 0, 1e-5, 1e-12, 1, NULL, "Added to the variance."},
};

static nas_status shape(const nas_option_value *values, const nas_shape *inputs, int count,
                        nas_shape *output, nas_error *err) {
  (void)values, (void)count;
  if (inputs[0].rank == 0)
    return nas_fail(err, NAS_SHAPE, "batch_norm: input is one number; expected a map or a vector");
  *output = inputs[0];
  return NAS_OK;
}

static int params(const nas_option_value *values, const nas_shape *inputs, nas_param *sets) {
  (void)values;
  int channels = inputs[0].dim[inputs[0].rank - 1];
  sets[SCALE] = (nas_param){"scale", 1, {channels}, NAS_INIT_ONE, 0, NAS_PARAM_OFFSET};
  sets[OFFSET] = (nas_param){"offset", 1, {channels}, NAS_INIT_ZERO, 0, NAS_PARAM_OFFSET};
  sets[MEAN] = (nas_param){"mean", 1, {channels}, NAS_INIT_ZERO, 0, NAS_PARAM_STATE};
  sets[VARIANCE] = (nas_param){"variance", 1, {channels}, NAS_INIT_ONE, 0, NAS_PARAM_STATE};
  return SET_COUNT;
}

/* Forwards: sums of x and of x^2. Backwards: sums of d_y and of d_y * (x - mean), which what uses
 * them multiplies by 1 / sqrt(variance + epsilon). */
static size_t sums(const nas_option_value *values, const nas_shape *inputs) {
  (void)values;
  return 2 * (size_t)inputs[0].dim[inputs[0].rank - 1];
}

/* The pixels of input and output that hold values. */
typedef struct norm_data {
  int32_t *in, *out;
  size_t pixels; /* of one image */
} norm_data;

static void release(nas_layer *layer) {
  norm_data *data = layer->data;
  nas_free(data->in);
  nas_free(data->out);
  nas_free(data);
  layer->data = NULL;
}

static nas_status compile(nas_layer *layer, nas_error *err) {
  const nas_map *in = layer->inputs[0], *out = layer->output;
  norm_data *data = nas_alloc_zero(1, sizeof *data);
  if (!data) return nas_fail_memory(err, "a batch normalisation", sizeof *data);
  layer->data = data;
  data->pixels = (size_t)in->height * (size_t)in->width;
  size_t all = data->pixels * (size_t)layer->micro_batch;
  data->in = nas_alloc(all, sizeof(int32_t));
  data->out = nas_alloc(all, sizeof(int32_t));
  if (!data->in || !data->out) {
    release(layer);
    return nas_fail_memory(err, "a batch normalisation's pixel lists", all * 8);
  }
  const int zero[2] = {0, 0}, one[2] = {1, 1}, end[2] = {in->height, in->width};
  nas_map_pixels(in, layer->micro_batch, zero, one, end, data->in);
  nas_map_pixels(out, layer->micro_batch, zero, one, end, data->out);
  return NAS_OK;
}

/* -- what the sums say ------------------------------------------------------------------------ */

typedef struct statistics {
  double mean, variance; /* of the population */
} statistics;

static statistics of_batch(const nas_layer *layer, const double *totals, int batch, int channel) {
  const double *sum = totals + layer->sums, *square = sum + layer->output->channels;
  double count = (double)batch * (double)((norm_data *)layer->data)->pixels;
  double mean = sum[channel] / count, variance = square[channel] / count - mean * mean;
  return (statistics){mean, variance > 0 || variance != variance ? variance : 0};
}

static statistics running(const nas_layer *layer, const float *params, int channel) {
  return (statistics){(double)params[layer->params[MEAN] + (size_t)channel],
                      (double)params[layer->params[VARIANCE] + (size_t)channel]};
}

/* Channels are taken a block at a time, so that what belongs to them fits on the stack, padded with
 * zeros to whole vectors. */
enum { BLOCK = 64 };

typedef struct block {
  int from, width;
  double inverse[BLOCK]; /* 1 / sqrt(variance + epsilon) */
  float mean[BLOCK], scale[BLOCK], offset[BLOCK];
} block;

static block block_at(const nas_layer *layer, const nas_pass *pass, int from) {
  int left = layer->output->channels - from;
  block b = {.from = from, .width = left < BLOCK ? left : BLOCK};
  double epsilon = layer->options[EPSILON].number;
  for (int c = 0; c < b.width; c++) {
    statistics s = pass->training ? of_batch(layer, pass->totals, pass->batch, from + c)
                                  : running(layer, pass->params, from + c);
    size_t channel = (size_t)(from + c);
    b.mean[c] = (float)s.mean;
    b.inverse[c] = 1 / sqrt(s.variance + epsilon);
    b.scale[c] = (float)((double)pass->params[layer->params[SCALE] + channel] * b.inverse[c]);
    b.offset[c] = pass->params[layer->params[OFFSET] + channel];
  }
  return b;
}

static nas_normalization normalization_of(const nas_layer *layer, const block *b) {
  return (nas_normalization){b->mean, b->scale, b->offset, layer->relu};
}

static const nas_kernels *kernels_of(const nas_layer *layer) {
  return nas_kernels_for(layer->kernels, layer->inputs[0]->stride);
}

static nas_pixel_rows rows_of(const nas_map *map, const nas_pass *pass, const int32_t *pixels,
                              int from) {
  return (nas_pixel_rows){nas_map_data(map, pass->arena) + from, pixels, map->stride};
}

/* -- running ---------------------------------------------------------------------------------- */

static void collect(const nas_layer *layer, const nas_pass *pass) {
  const norm_data *data = layer->data;
  const nas_map *in = layer->inputs[0];
  double *sum = pass->sums + layer->sums;
  layer->kernels->moments(nas_map_data(in, pass->arena), in->stride, data->in,
                          data->pixels * (size_t)pass->images, in->channels, sum,
                          sum + in->channels);
}

static void forward(const nas_layer *layer, const nas_pass *pass) {
  const norm_data *data = layer->data;
  for (int from = 0; from < layer->output->channels; from += BLOCK) {
    block b = block_at(layer, pass, from);
    nas_pixel_rows x = rows_of(layer->inputs[0], pass, data->in, from);
    nas_pixel_rows y = rows_of(layer->output, pass, data->out, from);
    nas_normalization n = normalization_of(layer, &b);
    kernels_of(layer)->normalize(&x, &y, data->pixels * (size_t)pass->images, b.width, &n);
  }
}

static void collect_backward(const nas_layer *layer, const nas_pass *pass) {
  const norm_data *data = layer->data;
  int channels = layer->output->channels;
  size_t pixels = data->pixels * (size_t)pass->images;
  double *sum = pass->sums + layer->d_sums, *product = sum + channels;
  for (int from = 0; from < channels; from += BLOCK) {
    block b = block_at(layer, pass, from);
    nas_pixel_rows x = rows_of(layer->inputs[0], pass, data->in, from);
    nas_pixel_rows d_y = rows_of(layer->d_output, pass, data->out, from);
    nas_normalization n = normalization_of(layer, &b);
    kernels_of(layer)->normalize_sums(&x, &d_y, pixels, b.width, &n, sum + from, product + from);
  }
}

/* d offset = sum of d_y, d scale = sum of d_y * normalised x: of the whole batch, so the first
 * images add them. */
static void add_gradients(const nas_layer *layer, const nas_pass *pass, const block *b) {
  const double *sum = pass->totals + layer->d_sums + b->from;
  const double *product = sum + layer->output->channels;
  float *d_offset = pass->d_params + layer->params[OFFSET] + b->from;
  float *d_scale = pass->d_params + layer->params[SCALE] + b->from;
  for (int c = 0; c < b->width; c++) {
    d_offset[c] += (float)sum[c];
    d_scale[c] += (float)(product[c] * b->inverse[c]);
  }
}

/* With n the normalised x, and means over the batch:
 *   d_x = scale * inverse * (d_y - mean of d_y - n * mean of d_y * n) */
static void give_gradient(const nas_layer *layer, const nas_pass *pass, const block *b) {
  const norm_data *data = layer->data;
  const double *sum = pass->totals + layer->d_sums + b->from;
  const double *product = sum + layer->output->channels;
  double count = (double)pass->batch * (double)data->pixels;
  float of_x[BLOCK] = {0}, constant[BLOCK] = {0};
  for (int c = 0; c < b->width; c++) {
    double scale = (double)b->scale[c], inverse = b->inverse[c];
    constant[c] = (float)(-scale * (sum[c] / count));
    of_x[c] = (float)(-scale * (inverse * inverse * (product[c] / count)));
  }
  nas_pixel_rows x = rows_of(layer->inputs[0], pass, data->in, b->from);
  nas_pixel_rows d_y = rows_of(layer->d_output, pass, data->out, b->from);
  nas_pixel_rows d_x = rows_of(layer->d_inputs[0], pass, data->in, b->from);
  nas_normalization n = normalization_of(layer, b);
  layer->kernels->normalize_gradient(&x, &d_y, &d_x, data->pixels * (size_t)pass->images, b->width,
                                     &n, of_x, constant, layer->accumulate[0]);
}

static void backward(const nas_layer *layer, const nas_pass *pass) {
  for (int from = 0; from < layer->output->channels; from += BLOCK) {
    block b = block_at(layer, pass, from);
    if (pass->first == 0) add_gradients(layer, pass, &b);
    if (layer->d_inputs[0]) give_gradient(layer, pass, &b);
  }
}

static void work(const nas_layer *layer, nas_layer_work *to) {
  strcpy(to->kernel, "normalise");
  to->table = kernels_of(layer)->name;
  /* Each direction goes through its maps once more, for the sums or to make the output again. */
  to->bytes *= 2;
}

static void settle(const nas_layer *layer, const double *totals, int batch, float *params) {
  double count = (double)batch * (double)((norm_data *)layer->data)->pixels;
  double momentum = layer->options[MOMENTUM].number;
  double unbiased = count > 1 ? count / (count - 1) : 1;
  float *mean = params + layer->params[MEAN], *variance = params + layer->params[VARIANCE];
  for (int c = 0; c < layer->output->channels; c++) {
    statistics s = of_batch(layer, totals, batch, c);
    mean[c] = (float)(momentum * (double)mean[c] + (1 - momentum) * s.mean);
    variance[c] =
        (float)(momentum * (double)variance[c] + (1 - momentum) * (s.variance * unbiased));
  }
}

const nas_layer_kind nas_kind_batch_norm = {
    .name = "batch_norm",
    .options = {"batch_norm", options, OPTION_COUNT},
    .min_inputs = 1,
    .max_inputs = 1,
    .shape = shape,
    .params = params,
    .fuses_relu = 1,
    .compile = compile,
    .release = release,
    .forward = forward,
    .backward = backward,
    .work = work,
    .sums = sums,
    .collect = collect,
    .collect_backward = collect_backward,
    .settle = settle,
};
