/* y[n][i][j][c] = max over the window of x; what padding adds never wins. The gradient goes to the
 * first of equal largest inputs, in raster order. */
#include "kinds.h"
#include "pooling.h"

static nas_status shape(const nas_option_value *values, const nas_shape *inputs, int count,
                        nas_shape *output, nas_error *err) {
  (void)count;
  return nas_pooling_shape("max_pool", values, inputs[0], output, err);
}

static void forward(const nas_layer *layer, const nas_pass *pass) {
  nas_pooling_forward(layer, pass, nas_pooling_kernels(layer)->max_pool);
}

static void backward(const nas_layer *layer, const nas_pass *pass) {
  nas_pooling_backward(layer, pass, nas_pooling_kernels(layer)->max_pool_gradient);
}

const nas_layer_kind nas_kind_max_pool = {
    .name = "max_pool",
    .options = {"max_pool", nas_pooling_options, NAS_POOLING_OPTIONS},
    .min_inputs = 1,
    .max_inputs = 1,
    .shape = shape,
    .compile = nas_pooling_compile,
    .release = nas_pooling_release,
    .forward = forward,
    .backward = backward,
    .work = nas_pooling_work,
};
