/* loss[n] = log(sum over k of exp(z[n][k] - m)) - (z[n][t] - m), m = max over k of z[n][k], with t
 * the class of the target; computed in double, sums in order of k, and rounded once. Label
 * smoothing e (Szegedy et al. 2016, section 7) puts (1 - e) (z[n][t] - m) + e (mean over k of
 * z[n][k] - m) in the place of z[n][t] - m. A target that is none of the classes gives NaN. */
#include <math.h>
#include <nas/elementary.h>
#include "kinds.h"
#include "map.h"

enum { LABEL_SMOOTHING, OPTION_COUNT };

static const nas_option options[OPTION_COUNT] = {
    [LABEL_SMOOTHING] = {"label_smoothing", NAS_OPTION_NUMBER, 0, 0, 0, 0.999, NULL,
                         "Part of the target that all classes share."},
};

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
                    "classification have; for values use mean_squared_error or huber",
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

/* -1 for none of the classes. */
static int class_of(float target, int classes) {
  return target >= 0.0f && target < (float)classes ? (int)target : -1;
}

/* What the target gives of z - max. */
static double target_part(const float *z, int classes, double max, int target, double smoothing) {
  if (target < 0) return (double)NAN;
  double part = (double)z[target] - max, sum = 0;
  if (smoothing == 0) return part;
  for (int k = 0; k < classes; k++) sum += (double)z[k] - max;
  return (1 - smoothing) * part + smoothing * (sum / classes);
}

static void forward(const nas_layer *layer, const nas_pass *pass) {
  const nas_map *in = layer->inputs[0], *target = layer->inputs[1], *out = layer->output;
  const float *z = nas_map_data(in, pass->arena), *t = nas_map_data(target, pass->arena);
  double smoothing = layer->options[LABEL_SMOOTHING].number;
  float *loss = nas_map_data(out, pass->arena);
  for (int n = 0; n < pass->images; n++, z += step_of(in), t += step_of(target)) {
    double max = largest(z, in->channels);
    double sum = sum_of_exp(z, in->channels, max);
    double part = target_part(z, in->channels, max, class_of(*t, in->channels), smoothing);
    loss[n * step_of(out)] = (float)(nas_log(sum) - part);
  }
}

/* d loss / d z[k] = softmax(z)[k] - (1 - e) [k = t] - e / classes */
static void backward_logits(const nas_layer *layer, const nas_pass *pass) {
  const nas_map *in = layer->inputs[0], *target = layer->inputs[1], *d_in = layer->d_inputs[0];
  const float *z = nas_map_data(in, pass->arena), *t = nas_map_data(target, pass->arena);
  const float *d_loss = nas_map_data(layer->d_output, pass->arena);
  double smoothing = layer->options[LABEL_SMOOTHING].number, share = smoothing / in->channels;
  float *d_z = nas_map_data(d_in, pass->arena);
  for (int n = 0; n < pass->images; n++, z += step_of(in), t += step_of(target)) {
    double max = largest(z, in->channels);
    double sum = sum_of_exp(z, in->channels, max);
    int class = class_of(*t, in->channels);
    for (int k = 0; k < in->channels; k++) {
      double p = nas_exp((double)z[k] - max) / sum;
      float g = (float)(p - (k == class ? 1 - smoothing : 0) - share) *
                d_loss[n * step_of(layer->d_output)];
      d_z[k] = layer->accumulate[0] ? d_z[k] + g : g;
    }
    d_z += step_of(d_in);
  }
}

/* The class is a step function of the target, so that its gradient is 0. */
static void backward(const nas_layer *layer, const nas_pass *pass) {
  const nas_map *d_t = layer->d_inputs[1];
  if (layer->d_inputs[0]) backward_logits(layer, pass);
  for (int n = 0; d_t && !layer->accumulate[1] && n < pass->images; n++)
    nas_map_clear(d_t, nas_map_data(d_t, pass->arena), n);
}

const nas_layer_kind nas_kind_softmax_cross_entropy = {
    .name = "softmax_cross_entropy",
    .options = {"softmax_cross_entropy", options, OPTION_COUNT},
    .min_inputs = 2,
    .max_inputs = 2,
    .is_loss = 1,
    .shape = shape,
    .forward = forward,
    .backward = backward,
};
