/* y = x < 0 ? slope * x : x. Its gradient at 0 is the slope, the left side counting there as for
 * relu. */
#include "elementwise.h"
#include "kinds.h"

enum { SLOPE, OPTION_COUNT };

static const nas_option options[OPTION_COUNT] = {
    [SLOPE] = {"slope", NAS_OPTION_NUMBER, 0, 0.01, 0, 1, NULL, "Slope for values below 0."},
};

static void apply(const nas_option_value *values, const float *x, float *y, int count) {
  float negative = (float)values[SLOPE].number;
  for (int i = 0; i < count; i++) y[i] = x[i] < 0.0f ? negative * x[i] : x[i];
}

static void slope(const nas_option_value *values, const float *x, const float *y, float *d_y,
                  int count) {
  (void)y;
  float negative = (float)values[SLOPE].number;
  for (int i = 0; i < count; i++) d_y[i] = x[i] > 0.0f ? d_y[i] : negative * d_y[i];
}

static void forward(const nas_layer *layer, const nas_pass *pass) {
  nas_elementwise_forward(layer, pass, apply);
}

static void backward(const nas_layer *layer, const nas_pass *pass) {
  nas_elementwise_backward(layer, pass, slope);
}

const nas_layer_kind nas_kind_leaky_relu = {
    .name = "leaky_relu",
    .options = {"leaky_relu", options, OPTION_COUNT},
    .min_inputs = 1,
    .max_inputs = 1,
    .shape = nas_elementwise_shape,
    .passes = 1,
    .forward = forward,
    .backward = backward,
};
