/* y = |x|. Its gradient at 0 is 0. */
#include <math.h>
#include "elementwise.h"
#include "kinds.h"

static void apply(const nas_option_value *values, const float *x, float *y, int count) {
  (void)values;
  for (int i = 0; i < count; i++) y[i] = fabsf(x[i]);
}

static void slope(const nas_option_value *values, const float *x, const float *y, float *d_y,
                  int count) {
  (void)values, (void)y;
  for (int i = 0; i < count; i++) d_y[i] = x[i] > 0.0f ? d_y[i] : x[i] < 0.0f ? -d_y[i] : 0.0f;
}

static void forward(const nas_layer *layer, const nas_pass *pass) {
  nas_elementwise_forward(layer, pass, apply);
}

static void backward(const nas_layer *layer, const nas_pass *pass) {
  nas_elementwise_backward(layer, pass, slope);
}

const nas_layer_kind nas_kind_abs = {
    .name = "abs",
    .options = {"abs", NULL, 0},
    .min_inputs = 1,
    .max_inputs = 1,
    .shape = nas_elementwise_shape,
    .passes = 1,
    .forward = forward,
    .backward = backward,
};
