/* y[n][i][j][c] = (sum over the window, in raster order, of x) / pixels; what padding adds does not
 * count. d_x of a pixel: 0, or what another consumer left -> for each output, in raster order,
 * whose window has it: acc + d_y / pixels */
#include "kinds.h"
#include "pooling.h"

static nas_status shape(const nas_option_value *values, const nas_shape *inputs, int count,
                        nas_shape *output, nas_error *err) {
  (void)count;
  return nas_pooling_shape("avg_pool", values, inputs[0], output, err);
}

static void forward(const nas_layer *layer, const nas_pass *pass) {
  nas_pooling_forward(layer, pass, nas_pooling_kernels(layer)->avg_pool);
}

static void backward(const nas_layer *layer, const nas_pass *pass) {
  nas_pooling_backward(layer, pass, nas_pooling_kernels(layer)->avg_pool_gradient);
}

const nas_layer_kind nas_kind_avg_pool = {
    .name = "avg_pool",
    .options = {"avg_pool", nas_pooling_options, NAS_POOLING_OPTIONS},
    .min_inputs = 1,
    .max_inputs = 1,
    .shape = shape,
    .compile = nas_pooling_compile,
    .release = nas_pooling_release,
    .forward = forward,
    .backward = backward,
    .work = nas_pooling_work,
};
