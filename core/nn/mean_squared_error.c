/* mean over the values of (output - target)^2 */
#include "kinds.h"
#include "mean_loss.h"

static nas_status shape(const nas_option_value *values, const nas_shape *inputs, int count,
                        nas_shape *output, nas_error *err) {
  (void)values, (void)count;
  return nas_mean_loss_shape("mean_squared_error", 0, inputs, output, err);
}

static double loss_of(const nas_option_value *values, double output, double target) {
  (void)values;
  double e = output - target;
  return e * e;
}

static nas_loss_slopes slopes_of(const nas_option_value *values, double output, double target) {
  (void)values;
  double slope = 2 * (output - target);
  return (nas_loss_slopes){slope, -slope};
}

static void forward(const nas_layer *layer, const nas_pass *pass) {
  nas_mean_loss_forward(layer, pass, loss_of);
}

static void backward(const nas_layer *layer, const nas_pass *pass) {
  nas_mean_loss_backward(layer, pass, slopes_of);
}

const nas_layer_kind nas_kind_mean_squared_error = {
    .name = "mean_squared_error",
    .options = {"mean_squared_error", NULL, 0},
    .min_inputs = 2,
    .max_inputs = 2,
    .is_loss = 1,
    .shape = shape,
    .forward = forward,
    .backward = backward,
};
