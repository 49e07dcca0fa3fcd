/* y = x < 0 ? 0 : x, where it could not be fused into the layer before it. */
#include "kinds.h"

static nas_status shape(const nas_option_value *values, const nas_shape *inputs, int count,
                        nas_shape *output, nas_error *err) {
  (void)values, (void)count, (void)err;
  *output = inputs[0];
  return NAS_OK;
}

static float *row_of(const nas_map *map, float *arena, int n, int y) {
  return nas_map_data(map, arena) + nas_map_at(map, n, y, 0);
}

static void forward(const nas_layer *layer, const nas_pass *pass) {
  const nas_map *in = layer->inputs[0], *out = layer->output;
  for (int n = 0; n < pass->images; n++)
    for (int i = 0; i < out->height; i++) {
      const float *x = row_of(in, pass->arena, n, i);
      float *y = row_of(out, pass->arena, n, i);
      for (int j = 0; j < out->width; j++, x += in->stride, y += out->stride)
        for (int c = 0; c < out->channels; c++) y[c] = x[c] < 0.0f ? 0.0f : x[c];
    }
}

static void backward(const nas_layer *layer, const nas_pass *pass) {
  const nas_map *in = layer->d_inputs[0], *out = layer->output, *d_out = layer->d_output;
  if (!in) return;
  for (int n = 0; n < pass->images; n++)
    for (int i = 0; i < out->height; i++) {
      const float *y = row_of(out, pass->arena, n, i), *d_y = row_of(d_out, pass->arena, n, i);
      float *d_x = row_of(in, pass->arena, n, i);
      for (int j = 0; j < out->width;
           j++, y += out->stride, d_y += d_out->stride, d_x += in->stride)
        for (int c = 0; c < out->channels; c++) {
          float g = y[c] > 0.0f ? d_y[c] : 0.0f; /* y = x < 0 ? 0 : x */
          d_x[c] = layer->accumulate[0] ? d_x[c] + g : g;
        }
    }
}

const nas_layer_kind nas_kind_relu = {
    .name = "relu",
    .options = {"relu", NULL, 0},
    .min_inputs = 1,
    .max_inputs = 1,
    .shape = shape,
    .forward = forward,
    .backward = backward,
};
