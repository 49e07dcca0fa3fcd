/* All values as one vector, in order of height, width and channels. */
#include <string.h>
#include "kinds.h"
#include "runs.h"

static nas_status shape(const nas_option_value *values, const nas_shape *inputs, int count,
                        nas_shape *output, nas_error *err) {
  (void)values, (void)count;
  int64_t size = nas_shape_size(inputs[0]);
  if (size > NAS_DIM_MAX) {
    char text[NAS_SHAPE_TEXT];
    nas_shape_text(inputs[0], text);
    return nas_fail(err, NAS_SHAPE,
                    "flatten: input of shape %s has %lld values; at most %d fit in a vector", text,
                    (long long)size, NAS_DIM_MAX);
  }
  *output = (nas_shape){1, {(int)size}};
  return NAS_OK;
}

static void forward(const nas_layer *layer, const nas_pass *pass) {
  const nas_map *in = layer->inputs[0], *out = layer->output;
  const float *x = nas_map_data(in, pass->arena);
  for (int n = 0; n < pass->images; n++) {
    float *y = nas_map_data(out, pass->arena) + nas_map_at(out, n, 0, 0);
    for (int i = 0; i < in->height; i++)
      for (int j = 0; j < in->width; j++, y += in->channels)
        memcpy(y, x + nas_map_at(in, n, i, j), (size_t)in->channels * sizeof *y);
  }
}

static void backward(const nas_layer *layer, const nas_pass *pass) {
  const nas_map *in = layer->d_inputs[0], *out = layer->d_output;
  if (!in) return;
  float *d_x = nas_map_data(in, pass->arena);
  for (int n = 0; n < pass->images; n++) {
    const float *d_y = nas_map_data(out, pass->arena) + nas_map_at(out, n, 0, 0);
    for (int i = 0; i < in->height; i++)
      for (int j = 0; j < in->width; j++, d_y += in->channels)
        nas_run_give(d_x + nas_map_at(in, n, i, j), d_y, in->channels, layer->accumulate[0]);
  }
}

const nas_layer_kind nas_kind_flatten = {
    .name = "flatten",
    .options = {"flatten", NULL, 0},
    .min_inputs = 1,
    .max_inputs = 1,
    .shape = shape,
    .forward = forward,
    .backward = backward,
};
