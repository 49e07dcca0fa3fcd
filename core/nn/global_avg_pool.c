/* y[n][c] = (sum over pixels, in raster order, of x[n][i][j][c]) / pixels */
#include "kinds.h"

static nas_status shape(const nas_option_value *values, const nas_shape *inputs, int count,
                        nas_shape *output, nas_error *err) {
  (void)values, (void)count;
  if (inputs[0].rank != 3) {
    char text[NAS_SHAPE_TEXT];
    nas_shape_text(inputs[0], text);
    return nas_fail(err, NAS_SHAPE,
                    "global_avg_pool: input has shape %s; expected height x width x channels",
                    text);
  }
  *output = (nas_shape){1, {inputs[0].dim[2]}};
  return NAS_OK;
}

static void forward(const nas_layer *layer, const nas_pass *pass) {
  const nas_map *in = layer->inputs[0], *out = layer->output;
  const float *x = nas_map_data(in, pass->arena);
  float count = (float)(in->height * in->width);
  for (int n = 0; n < pass->images; n++) {
    float *y = nas_map_data(out, pass->arena) + nas_map_at(out, n, 0, 0);
    for (int c = 0; c < in->channels; c++) y[c] = 0.0f;
    for (int i = 0; i < in->height; i++)
      for (int j = 0; j < in->width; j++) {
        const float *p = x + nas_map_at(in, n, i, j);
        for (int c = 0; c < in->channels; c++) y[c] += p[c];
      }
    for (int c = 0; c < in->channels; c++) y[c] /= count;
  }
}

static void backward(const nas_layer *layer, const nas_pass *pass) {
  const nas_map *in = layer->d_inputs[0], *out = layer->d_output;
  if (!in) return;
  float *d_x = nas_map_data(in, pass->arena);
  float count = (float)(in->height * in->width);
  for (int n = 0; n < pass->images; n++) {
    const float *d_y = nas_map_data(out, pass->arena) + nas_map_at(out, n, 0, 0);
    for (int i = 0; i < in->height; i++)
      for (int j = 0; j < in->width; j++) {
        float *p = d_x + nas_map_at(in, n, i, j);
        for (int c = 0; c < in->channels; c++) { /* y += x / count */
          float g = d_y[c] / count;
          p[c] = layer->accumulate[0] ? p[c] + g : g;
        }
      }
  }
}

const nas_layer_kind nas_kind_global_avg_pool = {
    .name = "global_avg_pool",
    .options = {"global_avg_pool", NULL, 0},
    .min_inputs = 1,
    .max_inputs = 1,
    .shape = shape,
    .forward = forward,
    .backward = backward,
};
