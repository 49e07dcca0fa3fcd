/* y[n][k] = 1 where k is the class x[n], else 0; all 0 when x is none of the classes. A step
 * function: its gradient is 0. */
#include "kinds.h"
#include "map.h"

enum { CLASSES, OPTION_COUNT };

static const nas_option options[OPTION_COUNT] = {
    [CLASSES] = {"classes", NAS_OPTION_INTEGER, 1, 1, 1, NAS_DIM_MAX, NULL, "Classes."},
};

static nas_status shape(const nas_option_value *values, const nas_shape *inputs, int count,
                        nas_shape *output, nas_error *err) {
  (void)count;
  if (inputs[0].rank != 0) {
    char text[NAS_SHAPE_TEXT];
    nas_shape_text(inputs[0], text);
    return nas_fail(err, NAS_SHAPE, "one_hot: input has shape %s; expected one class", text);
  }
  *output = (nas_shape){1, {values[CLASSES].integer}};
  return NAS_OK;
}

static void forward(const nas_layer *layer, const nas_pass *pass) {
  const nas_map *in = layer->inputs[0], *out = layer->output;
  for (int n = 0; n < pass->images; n++) {
    float x = nas_map_data(in, pass->arena)[nas_map_at(in, n, 0, 0)];
    float *y = nas_map_data(out, pass->arena) + nas_map_at(out, n, 0, 0);
    for (int k = 0; k < out->channels; k++) y[k] = (float)k == x ? 1.0f : 0.0f;
  }
}

static void backward(const nas_layer *layer, const nas_pass *pass) {
  const nas_map *in = layer->d_inputs[0];
  if (!in || layer->accumulate[0]) return;
  for (int n = 0; n < pass->images; n++) nas_map_clear(in, nas_map_data(in, pass->arena), n);
}

const nas_layer_kind nas_kind_one_hot = {
    .name = "one_hot",
    .options = {"one_hot", options, OPTION_COUNT},
    .min_inputs = 1,
    .max_inputs = 1,
    .shape = shape,
    .forward = forward,
    .backward = backward,
};
