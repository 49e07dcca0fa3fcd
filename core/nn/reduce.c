#include "reduce.h"

nas_status nas_reduce_shape(const nas_option_value *values, const nas_shape *inputs, int count,
                            nas_shape *output, nas_error *err) {
  (void)values, (void)inputs, (void)count, (void)err;
  *output = (nas_shape){0};
  return NAS_OK;
}

static double sum_of(const nas_map *map, const float *data, int n) {
  double sum = 0;
  for (int i = 0; i < map->height; i++)
    for (int j = 0; j < map->width; j++) {
      const float *x = data + nas_map_at(map, n, i, j);
      for (int c = 0; c < map->channels; c++) sum += (double)x[c];
    }
  return sum;
}

void nas_reduce_forward(const nas_layer *layer, const nas_pass *pass, double divisor) {
  const nas_map *in = layer->inputs[0], *out = layer->output;
  const float *x = nas_map_data(in, pass->arena);
  float *y = nas_map_data(out, pass->arena);
  for (int n = 0; n < pass->images; n++)
    y[nas_map_at(out, n, 0, 0)] = (float)(sum_of(in, x, n) / divisor);
}

void nas_reduce_backward(const nas_layer *layer, const nas_pass *pass, double divisor) {
  const nas_map *in = layer->d_inputs[0], *out = layer->d_output;
  if (!in) return;
  float *d_x = nas_map_data(in, pass->arena);
  const float *d_y = nas_map_data(out, pass->arena);
  for (int n = 0; n < pass->images; n++) {
    float g = (float)((double)d_y[nas_map_at(out, n, 0, 0)] / divisor);
    for (int i = 0; i < in->height; i++)
      for (int j = 0; j < in->width; j++) {
        float *p = d_x + nas_map_at(in, n, i, j);
        for (int c = 0; c < in->channels; c++) p[c] = layer->accumulate[0] ? p[c] + g : g;
      }
  }
}
