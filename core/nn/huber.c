/* mean over the values of, with e = output - target,
 *   e^2 / 2                    where |e| <= delta
 *   delta * (|e| - delta / 2)  elsewhere
 * (Huber 1964, "Robust Estimation of a Location Parameter") */
#include <math.h>
#include "kinds.h"
#include "mean_loss.h"

enum { DELTA, OPTION_COUNT };

static const nas_option options[OPTION_COUNT] = {
    [DELTA] = {"delta", NAS_OPTION_NUMBER, 0, 1, 1e-6, 1e6, NULL,
               "Difference from which on the loss grows linearly."},
};

static nas_status shape(const nas_option_value *values, const nas_shape *inputs, int count,
                        nas_shape *output, nas_error *err) {
  (void)values, (void)count;
  return nas_mean_loss_shape("huber", 0, inputs, output, err);
}

static double loss_of(const nas_option_value *values, double output, double target) {
  double delta = values[DELTA].number, e = fabs(output - target);
  return e > delta ? delta * (e - 0.5 * delta) : 0.5 * (e * e);
}

static nas_loss_slopes slopes_of(const nas_option_value *values, double output, double target) {
  double delta = values[DELTA].number, e = output - target;
  double slope = e > delta ? delta : e < -delta ? -delta : e;
  return (nas_loss_slopes){slope, -slope};
}

static void forward(const nas_layer *layer, const nas_pass *pass) {
  nas_mean_loss_forward(layer, pass, loss_of);
}

static void backward(const nas_layer *layer, const nas_pass *pass) {
  nas_mean_loss_backward(layer, pass, slopes_of);
}

const nas_layer_kind nas_kind_huber = {
    .name = "huber",
    .options = {"huber", options, OPTION_COUNT},
    .min_inputs = 2,
    .max_inputs = 2,
    .is_loss = 1,
    .shape = shape,
    .forward = forward,
    .backward = backward,
};
