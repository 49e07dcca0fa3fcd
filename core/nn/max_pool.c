/* y[n][i][j][c] = max over the window of x; what padding adds never wins. The gradient goes to the
 * first of equal largest inputs, in raster order. */
#include <string.h>
#include "convolve.h"
#include "kinds.h"

enum { POOL, STRIDE, PADDING, OPTION_COUNT };

static const char *const paddings[] = {"valid", "same", NULL};

static const nas_option options[OPTION_COUNT] = {
    [POOL] = {"pool", NAS_OPTION_PAIR, 0, 2, 1, 255, NULL, "Window size in pixels."},
    [STRIDE] = {"stride", NAS_OPTION_PAIR, 0, 2, 1, 255, NULL, "Step of the window in pixels."},
    [PADDING] = {"padding", NAS_OPTION_CHOICE, 0, 0, 0, 0, paddings,
                 "valid: whole windows only; same: windows that reach over the edge, too."},
};

static nas_status shape(const nas_option_value *values, const nas_shape *inputs, int count,
                        nas_shape *output, nas_error *err) {
  (void)count;
  int pad, out[2];
  char text[NAS_SHAPE_TEXT];
  nas_shape_text(inputs[0], text);
  if (inputs[0].rank != 3)
    return nas_fail(err, NAS_SHAPE,
                    "max_pool: input has shape %s; expected height x width x channels", text);
  for (int d = 0; d < 2; d++)
    out[d] = nas_window_count(inputs[0].dim[d], values[POOL].pair[d], values[STRIDE].pair[d],
                              values[PADDING].integer == 1, &pad);
  if (out[0] < 1 || out[1] < 1)
    return nas_fail(err, NAS_SHAPE,
                    "max_pool: window %dx%d is larger than the input %s, which is not padded; use "
                    "padding = \"same\" or a smaller pool",
                    values[POOL].pair[0], values[POOL].pair[1], text);
  *output = (nas_shape){3, {out[0], out[1], inputs[0].dim[2]}};
  return NAS_OK;
}

/* The part of the window of output (i, j) that lies on the map. */
typedef struct span {
  int first[2], end[2];
} span;

static span window_of(const nas_layer *layer, int i, int j) {
  const nas_map *in = layer->inputs[0];
  const int size[2] = {in->height, in->width}, at[2] = {i, j};
  span w;
  for (int d = 0; d < 2; d++) {
    int pad, pool = layer->options[POOL].pair[d], stride = layer->options[STRIDE].pair[d];
    nas_window_count(size[d], pool, stride, layer->options[PADDING].integer == 1, &pad);
    int start = at[d] * stride - pad;
    w.first[d] = start > 0 ? start : 0;
    w.end[d] = start + pool < size[d] ? start + pool : size[d];
  }
  return w;
}

static void max_of(const nas_map *in, const float *x, int n, span w, float *y) {
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
        max_of(in, x, n, window_of(layer, i, j), y + nas_map_at(out, n, i, j));
}

/* Channels are taken four at a time, whether there are as many or not: rows are padded, but for the
 * network's input, whose gradient nobody asks for. */
enum { QUAD = 4 };
typedef float quad __attribute__((vector_size(4 * QUAD)));
typedef int32_t choice __attribute__((vector_size(4 * QUAD)));

/* One output pixel's gradient to the first input that equals the output, for each channel. */
static void give_back(const nas_map *in, const float *x, float *d_x, int n, span w, const float *y,
                      const float *d_y) {
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

static void clear(const nas_map *map, float *data, int n) {
  for (int i = 0; i < map->height; i++)
    for (int j = 0; j < map->width; j++)
      for (int c = 0; c < map->channels; c++) data[nas_map_at(map, n, i, j) + c] = 0.0f;
}

static void backward(const nas_layer *layer, const nas_pass *pass) {
  if (!layer->d_inputs[0]) return;
  const nas_map *in = layer->inputs[0], *out = layer->output;
  const float *x = nas_map_data(in, pass->arena), *y = nas_map_data(out, pass->arena);
  const float *d_y = nas_map_data(layer->d_output, pass->arena);
  float *d_x = nas_map_data(layer->d_inputs[0], pass->arena);
  for (int n = 0; n < pass->images; n++) {
    if (!layer->accumulate[0]) clear(in, d_x, n);
    for (int i = 0; i < out->height; i++)
      for (int j = 0; j < out->width; j++) {
        ptrdiff_t p = nas_map_at(out, n, i, j);
        give_back(in, x, d_x, n, window_of(layer, i, j), y + p, d_y + p);
      }
  }
}

const nas_layer_kind nas_kind_max_pool = {
    .name = "max_pool",
    .options = {"max_pool", options, OPTION_COUNT},
    .min_inputs = 1,
    .max_inputs = 1,
    .shape = shape,
    .forward = forward,
    .backward = backward,
};
