/* y[n] = the sum of all values of image n */
#include "kinds.h"
#include "reduce.h"

static void forward(const nas_layer *layer, const nas_pass *pass) {
  nas_reduce_forward(layer, pass, 1);
}

static void backward(const nas_layer *layer, const nas_pass *pass) {
  nas_reduce_backward(layer, pass, 1);
}

const nas_layer_kind nas_kind_sum = {
    .name = "sum",
    .options = {"sum", NULL, 0},
    .min_inputs = 1,
    .max_inputs = 1,
    .shape = nas_reduce_shape,
    .forward = forward,
    .backward = backward,
};
