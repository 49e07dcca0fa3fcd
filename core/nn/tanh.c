/* y = tanh(x) */
#include "elementwise.h"
#include "kinds.h"

static void slope(const nas_option_value *values, const float *x, const float *y, float *d_y,
                  int count) {
  (void)values, (void)x;
  for (int i = 0; i < count; i++) d_y[i] *= 1.0f - y[i] * y[i];
}

static void forward(const nas_layer *layer, const nas_pass *pass) {
  nas_squash_forward(layer, pass, layer->kernels->tanh);
}

static void backward(const nas_layer *layer, const nas_pass *pass) {
  nas_elementwise_backward(layer, pass, slope);
}

const nas_layer_kind nas_kind_tanh = {
    .name = "tanh",
    .options = {"tanh", NULL, 0},
    .min_inputs = 1,
    .max_inputs = 1,
    .shape = nas_elementwise_shape,
    .passes = 1,
    .forward = forward,
    .backward = backward,
};
