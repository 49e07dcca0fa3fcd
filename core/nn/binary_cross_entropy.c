/* mean over the values of -(t log p + (1 - t) log(1 - p)), p = 1 / (1 + e^-z), for logits z and
 * targets t from 0 to 1; computed as max(z, 0) - z t + log(1 + e^-|z|), which no z overflows. A
 * target may also be one class, 0 or 1, for an output of one unit: the logit of class 1. */
#include <math.h>
#include <nas/elementary.h>
#include "kinds.h"
#include "mean_loss.h"

static nas_status shape(const nas_option_value *values, const nas_shape *inputs, int count,
                        nas_shape *output, nas_error *err) {
  (void)values, (void)count;
  return nas_mean_loss_shape("binary_cross_entropy", 1, inputs, output, err);
}

/* log(1 + u), also where 1 + u drops digits of u (Goldberg 1991, theorem 4) */
static double log_1_plus(double u) {
  double w = 1 + u;
  return w == 1 ? u : nas_log(w) * u / (w - 1);
}

static double loss_of(const nas_option_value *values, double z, double t) {
  (void)values;
  return (z > 0 ? z : 0) - z * t + log_1_plus(nas_exp(-fabs(z)));
}

static nas_loss_slopes slopes_of(const nas_option_value *values, double z, double t) {
  (void)values;
  return (nas_loss_slopes){nas_sigmoid(z) - t, -z};
}

static void forward(const nas_layer *layer, const nas_pass *pass) {
  nas_mean_loss_forward(layer, pass, loss_of);
}

static void backward(const nas_layer *layer, const nas_pass *pass) {
  nas_mean_loss_backward(layer, pass, slopes_of);
}

const nas_layer_kind nas_kind_binary_cross_entropy = {
    .name = "binary_cross_entropy",
    .options = {"binary_cross_entropy", NULL, 0},
    .min_inputs = 2,
    .max_inputs = 2,
    .is_loss = 1,
    .target_low = 0,
    .target_high = 1,
    .shape = shape,
    .forward = forward,
    .backward = backward,
};
