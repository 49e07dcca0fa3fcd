/* y = factor * x + offset, rounded twice */
#include "elementwise.h"
#include "kinds.h"

enum { FACTOR, OFFSET, OPTION_COUNT };

static const nas_option options[OPTION_COUNT] = {
    [FACTOR] = {"factor", NAS_OPTION_NUMBER, 0, 1, -1e30, 1e30, NULL,
                "What values are multiplied by."},
    [OFFSET] = {"offset", NAS_OPTION_NUMBER, 0, 0, -1e30, 1e30, NULL, "What is added then."},
};

static void apply(const nas_option_value *values, const float *x, float *y, int count) {
  float factor = (float)values[FACTOR].number, offset = (float)values[OFFSET].number;
  for (int i = 0; i < count; i++) y[i] = factor * x[i] + offset;
}

static void slope(const nas_option_value *values, const float *x, const float *y, float *d_y,
                  int count) {
  (void)x, (void)y;
  float factor = (float)values[FACTOR].number;
  for (int i = 0; i < count; i++) d_y[i] *= factor;
}

static void forward(const nas_layer *layer, const nas_pass *pass) {
  nas_elementwise_forward(layer, pass, apply);
}

static void backward(const nas_layer *layer, const nas_pass *pass) {
  nas_elementwise_backward(layer, pass, slope);
}

const nas_layer_kind nas_kind_scale = {
    .name = "scale",
    .options = {"scale", options, OPTION_COUNT},
    .min_inputs = 1,
    .max_inputs = 1,
    .shape = nas_elementwise_shape,
    .passes = 1,
    .forward = forward,
    .backward = backward,
};
