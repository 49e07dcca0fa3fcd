/* A map with rows and columns of zeros around it. */
#include <string.h>
#include "kinds.h"
#include "map.h"
#include "runs.h"

enum { TOP, LEFT, BOTTOM, RIGHT, OPTION_COUNT };

static const nas_option options[OPTION_COUNT] = {
    [TOP] = {"top", NAS_OPTION_INTEGER, 0, 0, 0, 255, NULL, "Rows of zeros above."},
    [LEFT] = {"left", NAS_OPTION_INTEGER, 0, 0, 0, 255, NULL, "Columns of zeros to the left."},
    [BOTTOM] = {"bottom", NAS_OPTION_INTEGER, 0, 0, 0, 255, NULL, "Rows of zeros below."},
    [RIGHT] = {"right", NAS_OPTION_INTEGER, 0, 0, 0, 255, NULL, "Columns of zeros to the right."},
};

static nas_status shape(const nas_option_value *values, const nas_shape *inputs, int count,
                        nas_shape *output, nas_error *err) {
  (void)count;
  if (inputs[0].rank != 3) {
    char text[NAS_SHAPE_TEXT];
    nas_shape_text(inputs[0], text);
    return nas_fail(err, NAS_SHAPE,
                    "zero_pad: input has shape %s; expected height x width x channels", text);
  }
  *output = inputs[0];
  output->dim[0] += values[TOP].integer + values[BOTTOM].integer;
  output->dim[1] += values[LEFT].integer + values[RIGHT].integer;
  return NAS_OK;
}

static void forward(const nas_layer *layer, const nas_pass *pass) {
  const nas_map *in = layer->inputs[0], *out = layer->output;
  int top = layer->options[TOP].integer, left = layer->options[LEFT].integer;
  const float *x = nas_map_data(in, pass->arena);
  float *y = nas_map_data(out, pass->arena);
  for (int n = 0; n < pass->images; n++) {
    nas_map_clear(out, y, n);
    for (int i = 0; i < in->height; i++)
      for (int j = 0; j < in->width; j++)
        memcpy(y + nas_map_at(out, n, i + top, j + left), x + nas_map_at(in, n, i, j),
               (size_t)in->channels * sizeof *y);
  }
}

static void backward(const nas_layer *layer, const nas_pass *pass) {
  const nas_map *in = layer->d_inputs[0], *out = layer->d_output;
  if (!in) return;
  int top = layer->options[TOP].integer, left = layer->options[LEFT].integer;
  float *d_x = nas_map_data(in, pass->arena);
  const float *d_y = nas_map_data(out, pass->arena);
  for (int n = 0; n < pass->images; n++)
    for (int i = 0; i < in->height; i++)
      for (int j = 0; j < in->width; j++)
        nas_run_give(d_x + nas_map_at(in, n, i, j), d_y + nas_map_at(out, n, i + top, j + left),
                     in->channels, layer->accumulate[0]);
}

const nas_layer_kind nas_kind_zero_pad = {
    .name = "zero_pad",
    .options = {"zero_pad", options, OPTION_COUNT},
    .min_inputs = 1,
    .max_inputs = 1,
    .shape = shape,
    .forward = forward,
    .backward = backward,
};
