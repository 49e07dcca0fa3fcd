/* loss[n] = log(sum over k of exp(z[n][k] - m)) - (z[n][label] - m), m = max over k of z[n][k];
 * computed in double, sums in order of k, and rounded once. */
#include <nas/elementary.h>
#include "kinds.h"

static nas_status shape(const nas_option_value *values, const nas_shape *inputs, int count,
                        nas_shape *output, nas_error *err) {
  (void)values, (void)count;
  if (inputs[0].rank != 1 || inputs[0].dim[0] < 2) {
    char text[NAS_SHAPE_TEXT];
    nas_shape_text(inputs[0], text);
    return nas_fail(err, NAS_SHAPE,
                    "softmax_cross_entropy: input has shape %s; expected one logit for each of 2 "
                    "or more classes",
                    text);
  }
  *output = (nas_shape){0};
  return NAS_OK;
}

/* The largest logit, the first among equals. */
static int largest(const float *z, int classes) {
  int best = 0;
  for (int k = 1; k < classes; k++)
    if (z[k] > z[best]) best = k;
  return best;
}

static double sum_of_exp(const float *z, int classes, double max) {
  double sum = 0;
  for (int k = 0; k < classes; k++) sum += nas_exp((double)z[k] - max);
  return sum;
}

static void forward(const nas_layer *layer, const nas_pass *pass) {
  const nas_map *in = layer->inputs[0];
  const float *z = nas_map_data(in, pass->arena);
  ptrdiff_t step = (ptrdiff_t)in->image * in->stride;
  for (int n = 0; n < pass->images; n++, z += step) {
    int best = largest(z, in->channels);
    double max = (double)z[best];
    double sum = sum_of_exp(z, in->channels, max);
    pass->loss[n] = (float)(nas_log(sum) - ((double)z[pass->labels[n]] - max));
    pass->predicted[n] = best;
  }
}

/* d loss / d z[k] = softmax(z)[k] - [k = label] */
static void backward(const nas_layer *layer, const nas_pass *pass) {
  const nas_map *in = layer->inputs[0], *d_in = layer->d_inputs[0];
  if (!d_in) return;
  const float *z = nas_map_data(in, pass->arena);
  float *d_z = nas_map_data(d_in, pass->arena);
  ptrdiff_t step = (ptrdiff_t)in->image * in->stride;
  for (int n = 0; n < pass->images; n++, z += step, d_z += step) {
    double max = (double)z[largest(z, in->channels)];
    double sum = sum_of_exp(z, in->channels, max);
    for (int k = 0; k < in->channels; k++) {
      double p = nas_exp((double)z[k] - max) / sum;
      float g = (float)(p - (k == pass->labels[n])) * pass->loss_scale;
      d_z[k] = layer->accumulate[0] ? d_z[k] + g : g;
    }
  }
}

const nas_layer_kind nas_kind_softmax_cross_entropy = {
    .name = "softmax_cross_entropy",
    .options = {"softmax_cross_entropy", NULL, 0},
    .min_inputs = 1,
    .max_inputs = 1,
    .is_loss = 1,
    .shape = shape,
    .forward = forward,
    .backward = backward,
};
