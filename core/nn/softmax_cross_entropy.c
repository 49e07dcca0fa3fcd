/* loss[n] = log(sum over k of exp(z[n][k] - m)) - (z[n][t] - m), m = max over k of z[n][k], with t
 * the class of the target; computed in double, sums in order of k, and rounded once. */
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
  if (inputs[1].rank != 0) {
    char text[NAS_SHAPE_TEXT];
    nas_shape_text(inputs[1], text);
    return nas_fail(err, NAS_SHAPE,
                    "softmax_cross_entropy: target has shape %s; expected a class, which data for "
                    "classification have",
                    text);
  }
  *output = (nas_shape){0};
  return NAS_OK;
}

/* One number, or the first of a row, for each image. */
static ptrdiff_t step_of(const nas_map *map) {
  return (ptrdiff_t)map->image * map->stride;
}

static double largest(const float *z, int classes) {
  float max = z[0];
  for (int k = 1; k < classes; k++)
    if (z[k] > max) max = z[k];
  return (double)max;
}

static double sum_of_exp(const float *z, int classes, double max) {
  double sum = 0;
  for (int k = 0; k < classes; k++) sum += nas_exp((double)z[k] - max);
  return sum;
}

static void forward(const nas_layer *layer, const nas_pass *pass) {
  const nas_map *in = layer->inputs[0], *target = layer->inputs[1], *out = layer->output;
  const float *z = nas_map_data(in, pass->arena), *t = nas_map_data(target, pass->arena);
  float *loss = nas_map_data(out, pass->arena);
  for (int n = 0; n < pass->images; n++, z += step_of(in), t += step_of(target)) {
    double max = largest(z, in->channels);
    double sum = sum_of_exp(z, in->channels, max);
    loss[n * step_of(out)] = (float)(nas_log(sum) - ((double)z[(int)*t] - max));
  }
}

/* d loss / d z[k] = softmax(z)[k] - [k = t] */
static void backward(const nas_layer *layer, const nas_pass *pass) {
  const nas_map *in = layer->inputs[0], *target = layer->inputs[1], *d_in = layer->d_inputs[0];
  if (!d_in) return;
  const float *z = nas_map_data(in, pass->arena), *t = nas_map_data(target, pass->arena);
  const float *d_loss = nas_map_data(layer->d_output, pass->arena);
  float *d_z = nas_map_data(d_in, pass->arena);
  for (int n = 0; n < pass->images; n++, z += step_of(in), t += step_of(target)) {
    double max = largest(z, in->channels);
    double sum = sum_of_exp(z, in->channels, max);
    for (int k = 0; k < in->channels; k++) {
      double p = nas_exp((double)z[k] - max) / sum;
      float g = (float)(p - (k == (int)*t)) * d_loss[n * step_of(layer->d_output)];
      d_z[k] = layer->accumulate[0] ? d_z[k] + g : g;
    }
    d_z += step_of(d_in);
  }
}

const nas_layer_kind nas_kind_softmax_cross_entropy = {
    .name = "softmax_cross_entropy",
    .options = {"softmax_cross_entropy", NULL, 0},
    .min_inputs = 2,
    .max_inputs = 2,
    .is_loss = 1,
    .shape = shape,
    .forward = forward,
    .backward = backward,
};
