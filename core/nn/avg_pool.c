/* y[n][i][j][c] = (sum over the window, in raster order, of x) / pixels; what padding adds does not
 * count. d_x of a pixel: 0, or what another consumer left -> for each output, in raster order,
 * whose window has it: acc + d_y / pixels */
#include "kinds.h"
#include "map.h"
#include "pooling.h"

static nas_status shape(const nas_option_value *values, const nas_shape *inputs, int count,
                        nas_shape *output, nas_error *err) {
  (void)count;
  return nas_pooling_shape("avg_pool", values, inputs[0], output, err);
}

static float pixels_of(nas_pooling_window w) {
  return (float)((w.end[0] - w.first[0]) * (w.end[1] - w.first[1]));
}

static void mean_of(const nas_map *in, const float *x, int n, nas_pooling_window w, float *y) {
  float pixels = pixels_of(w);
  for (int c = 0; c < in->channels; c++) y[c] = 0.0f;
  for (int i = w.first[0]; i < w.end[0]; i++)
    for (int j = w.first[1]; j < w.end[1]; j++) {
      const float *p = x + nas_map_at(in, n, i, j);
      for (int c = 0; c < in->channels; c++) y[c] += p[c];
    }
  for (int c = 0; c < in->channels; c++) y[c] /= pixels;
}

static void forward(const nas_layer *layer, const nas_pass *pass) {
  const nas_map *in = layer->inputs[0], *out = layer->output;
  const float *x = nas_map_data(in, pass->arena);
  float *y = nas_map_data(out, pass->arena);
  for (int n = 0; n < pass->images; n++)
    for (int i = 0; i < out->height; i++)
      for (int j = 0; j < out->width; j++)
        mean_of(in, x, n, nas_pooling_at(layer, i, j), y + nas_map_at(out, n, i, j));
}

/* The gradient of one output pixel, which is scratch, to all pixels of its window. */
static void give_back(const nas_map *in, float *d_x, int n, nas_pooling_window w, float *d_y) {
  float pixels = pixels_of(w);
  for (int c = 0; c < in->channels; c++) d_y[c] /= pixels;
  for (int i = w.first[0]; i < w.end[0]; i++)
    for (int j = w.first[1]; j < w.end[1]; j++) {
      float *p = d_x + nas_map_at(in, n, i, j);
      for (int c = 0; c < in->channels; c++) p[c] += d_y[c];
    }
}

static void backward(const nas_layer *layer, const nas_pass *pass) {
  if (!layer->d_inputs[0]) return;
  const nas_map *in = layer->d_inputs[0], *out = layer->d_output;
  float *d_x = nas_map_data(in, pass->arena), *d_y = nas_map_data(out, pass->arena);
  for (int n = 0; n < pass->images; n++) {
    if (!layer->accumulate[0]) nas_map_clear(in, d_x, n);
    for (int i = 0; i < out->height; i++)
      for (int j = 0; j < out->width; j++)
        give_back(in, d_x, n, nas_pooling_at(layer, i, j), d_y + nas_map_at(out, n, i, j));
  }
}

const nas_layer_kind nas_kind_avg_pool = {
    .name = "avg_pool",
    .options = {"avg_pool", nas_pooling_options, NAS_POOLING_OPTIONS},
    .min_inputs = 1,
    .max_inputs = 1,
    .shape = shape,
    .forward = forward,
    .backward = backward,
};
