/* y = x1 * x2 * ..., from the left. An input after the first may be a vector of as many units as
 * the first one has channels: a gate for each channel (squeeze and excitation, Hu et al. 2018).
 *   d_xk = d_y * the other inputs, from the left; that of a gate is summed over the pixels, in
 *   raster order, from 0 or from what another consumer left */
#include <string.h>
#include "kinds.h"
#include "map.h"
#include "runs.h"

static int is_gate(nas_shape x, nas_shape first) {
  return first.rank == 3 && x.rank == 1 && x.dim[0] == first.dim[2];
}

static nas_status shape(const nas_option_value *values, const nas_shape *inputs, int count,
                        nas_shape *output, nas_error *err) {
  (void)values;
  for (int k = 1; k < count; k++)
    if (!nas_shape_equal(inputs[k], inputs[0]) && !is_gate(inputs[k], inputs[0])) {
      char text[2][NAS_SHAPE_TEXT];
      nas_shape_text(inputs[0], text[0]);
      nas_shape_text(inputs[k], text[1]);
      return nas_fail(err, NAS_SHAPE,
                      "multiply: input 1 has shape %s, but input %d has %s; expected the same, or "
                      "a vector with one unit for each channel",
                      text[0], k + 1, text[1]);
    }
  *output = inputs[0];
  return NAS_OK;
}

static int is_small(const nas_map *map, const nas_map *out) {
  return map->height != out->height || map->width != out->width;
}

/* Pixel (i, j) of image n; a gate is the same everywhere. */
static float *pixel(const nas_layer *layer, const nas_map *map, nas_arena arena, int n, int i,
                    int j) {
  int everywhere = is_small(map, layer->output);
  return nas_map_data(map, arena) + nas_map_at(map, n, everywhere ? 0 : i, everywhere ? 0 : j);
}

static void times(float *y, const float *x, int count) {
  for (int c = 0; c < count; c++) y[c] *= x[c];
}

static void forward_pixel(const nas_layer *layer, const nas_pass *pass, int n, int i, int j) {
  int channels = layer->output->channels;
  float *y = pixel(layer, layer->output, pass->arena, n, i, j);
  const float *x = pixel(layer, layer->inputs[0], pass->arena, n, i, j);
  memcpy(y, x, (size_t)channels * sizeof *y);
  for (int k = 1; k < layer->input_count; k++)
    times(y, pixel(layer, layer->inputs[k], pass->arena, n, i, j), channels);
}

static void forward(const nas_layer *layer, const nas_pass *pass) {
  for (int n = 0; n < pass->images; n++)
    for (int i = 0; i < layer->output->height; i++)
      for (int j = 0; j < layer->output->width; j++) forward_pixel(layer, pass, n, i, j);
}

/* The gradient of input k, a block of channels at a time. */
static void backward_pixel(const nas_layer *layer, const nas_pass *pass, int k, int accumulate,
                           int n, int i, int j) {
  enum { BLOCK = 64 };
  int channels = layer->output->channels;
  const float *d_y = pixel(layer, layer->d_output, pass->arena, n, i, j);
  float *d_x = pixel(layer, layer->d_inputs[k], pass->arena, n, i, j), g[BLOCK];
  for (int c = 0; c < channels; c += BLOCK) {
    int count = channels - c < BLOCK ? channels - c : BLOCK;
    memcpy(g, d_y + c, (size_t)count * sizeof *g);
    for (int other = 0; other < layer->input_count; other++)
      if (other != k) times(g, pixel(layer, layer->inputs[other], pass->arena, n, i, j) + c, count);
    nas_run_give(d_x + c, g, count, accumulate);
  }
}

static void backward(const nas_layer *layer, const nas_pass *pass) {
  for (int k = 0; k < layer->input_count; k++) {
    const nas_map *d_x = layer->d_inputs[k];
    if (!d_x) continue;
    int gate = is_small(d_x, layer->output);
    for (int n = 0; n < pass->images; n++) {
      if (gate && !layer->accumulate[k]) nas_map_clear(d_x, nas_map_data(d_x, pass->arena), n);
      for (int i = 0; i < layer->output->height; i++)
        for (int j = 0; j < layer->output->width; j++)
          backward_pixel(layer, pass, k, gate || layer->accumulate[k], n, i, j);
    }
  }
}

const nas_layer_kind nas_kind_multiply = {
    .name = "multiply",
    .options = {"multiply", NULL, 0},
    .min_inputs = 2,
    .max_inputs = NAS_INPUTS_MAX,
    .shape = shape,
    .forward = forward,
    .backward = backward,
};
