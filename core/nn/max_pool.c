/* y[n][i][j][c] = max over the window of x; what padding adds never wins. The gradient goes to the
 * first of equal largest inputs, in raster order. */
#include <string.h>
#include "kinds.h"
#include "map.h"
#include "pooling.h"

static nas_status shape(const nas_option_value *values, const nas_shape *inputs, int count,
                        nas_shape *output, nas_error *err) {
  (void)count;
  return nas_pooling_shape("max_pool", values, inputs[0], output, err);
}

static void max_of(const nas_map *in, const float *x, int n, nas_pooling_window w, float *y) {
  for (int c = 0; c < in->channels; c++) y[c] = x[nas_map_at(in, n, w.first[0], w.first[1]) + c];
  for (int i = w.first[0]; i < w.end[0]; i++)
    for (int j = w.first[1]; j < w.end[1]; j++) {
      const float *p = x + nas_map_at(in, n, i, j);
      for (int c = 0; c < in->channels; c++)
        y[c] = p[c] > y[c] || p[c] != p[c] ? p[c] : y[c]; /* NaN wins, so that it is noticed */
    }
}

static void forward(const nas_layer *layer, const nas_pass *pass) {
  const nas_map *in = layer->inputs[0], *out = layer->output;
  const float *x = nas_map_data(in, pass->arena);
  float *y = nas_map_data(out, pass->arena);
  for (int n = 0; n < pass->images; n++)
    for (int i = 0; i < out->height; i++)
      for (int j = 0; j < out->width; j++)
        max_of(in, x, n, nas_pooling_at(layer, i, j), y + nas_map_at(out, n, i, j));
}

/* Channels are taken four at a time, whether there are as many or not: rows are padded, but for the
 * network's input, whose gradient nobody asks for. */
enum { QUAD = 4 };
typedef float quad __attribute__((vector_size(4 * QUAD)));
typedef int32_t choice __attribute__((vector_size(4 * QUAD)));

/* One output pixel's gradient to the first input that equals the output, for each channel. */
static void give_back(const nas_map *in, const float *x, float *d_x, int n, nas_pooling_window w,
                      const float *y, const float *d_y) {
  for (int c = 0; c < in->channels; c += QUAD) {
    quad largest, given, here, sum;
    choice open = ~(choice){0}; /* until the gradient was given */
    memcpy(&largest, y + c, sizeof largest);
    memcpy(&given, d_y + c, sizeof given);
    for (int i = w.first[0]; i < w.end[0]; i++)
      for (int j = w.first[1]; j < w.end[1]; j++) {
        ptrdiff_t p = nas_map_at(in, n, i, j) + c;
        memcpy(&here, x + p, sizeof here);
        memcpy(&sum, d_x + p, sizeof sum);
        choice takes = open & (here == largest);
        sum = (quad)((takes & (choice)(sum + given)) | (~takes & (choice)sum));
        memcpy(d_x + p, &sum, sizeof sum);
        open &= ~takes;
      }
  }
}

static void backward(const nas_layer *layer, const nas_pass *pass) {
  if (!layer->d_inputs[0]) return;
  const nas_map *in = layer->inputs[0], *out = layer->output;
  const float *x = nas_map_data(in, pass->arena), *y = nas_map_data(out, pass->arena);
  const float *d_y = nas_map_data(layer->d_output, pass->arena);
  float *d_x = nas_map_data(layer->d_inputs[0], pass->arena);
  for (int n = 0; n < pass->images; n++) {
    if (!layer->accumulate[0]) nas_map_clear(in, d_x, n);
    for (int i = 0; i < out->height; i++)
      for (int j = 0; j < out->width; j++) {
        ptrdiff_t p = nas_map_at(out, n, i, j);
        give_back(in, x, d_x, n, nas_pooling_at(layer, i, j), y + p, d_y + p);
      }
  }
}

const nas_layer_kind nas_kind_max_pool = {
    .name = "max_pool",
    .options = {"max_pool", nas_pooling_options, NAS_POOLING_OPTIONS},
    .min_inputs = 1,
    .max_inputs = 1,
    .shape = shape,
    .forward = forward,
    .backward = backward,
};
