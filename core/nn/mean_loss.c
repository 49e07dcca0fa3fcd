#include "mean_loss.h"
#include "kinds.h"

nas_status nas_mean_loss_shape(const char *kind, int takes_class, const nas_shape *inputs,
                               nas_shape *output, nas_error *err) {
  char text[2][NAS_SHAPE_TEXT];
  int one_class = takes_class && inputs[1].rank == 0;
  *output = (nas_shape){0};
  if (nas_shape_equal(inputs[0], inputs[1])) return NAS_OK;
  if (one_class && nas_shape_size(inputs[0]) == 1) return NAS_OK;
  nas_shape_text(inputs[0], text[0]);
  nas_shape_text(inputs[1], text[1]);
  if (one_class)
    return nas_fail(err, NAS_SHAPE,
                    "%s: the target is one class, but the output has shape %s; expected one unit, "
                    "the logit of class 1 of 0 and 1; for several classes use "
                    "softmax_cross_entropy",
                    kind, text[0]);
  if (inputs[1].rank == 0)
    return nas_fail(err, NAS_SHAPE,
                    "%s: the target is one class, but the output has shape %s; use "
                    "softmax_cross_entropy, or one_hot to make values of the class",
                    kind, text[0]);
  return nas_fail(err, NAS_SHAPE,
                  "%s: the output has shape %s, but the target has %s; they must be equal", kind,
                  text[0], text[1]);
}

/* Where pixel (i, j) of image n begins. */
static float *pixel(const nas_map *map, const nas_pass *pass, int n, int i, int j) {
  return nas_map_data(map, pass->arena) + nas_map_at(map, n, i, j);
}

static double values_of(const nas_map *map) {
  return (double)map->height * map->width * map->channels;
}

void nas_mean_loss_forward(const nas_layer *layer, const nas_pass *pass, nas_loss_fn *loss) {
  const nas_map *output = layer->inputs[0], *target = layer->inputs[1];
  for (int n = 0; n < pass->images; n++) {
    double sum = 0;
    for (int i = 0; i < output->height; i++)
      for (int j = 0; j < output->width; j++) {
        const float *y = pixel(output, pass, n, i, j), *t = pixel(target, pass, n, i, j);
        for (int c = 0; c < output->channels; c++)
          sum += loss(layer->options, (double)y[c], (double)t[c]);
      }
    *pixel(layer->output, pass, n, 0, 0) = (float)(sum / values_of(output));
  }
}

/* The gradient of input k: 0 is the output, 1 the target. */
static void backward_image(const nas_layer *layer, const nas_pass *pass, int k, int n,
                           nas_loss_slopes_fn *slopes) {
  const nas_map *output = layer->inputs[0], *target = layer->inputs[1];
  float d_loss = *pixel(layer->d_output, pass, n, 0, 0);
  double values = values_of(output);
  for (int i = 0; i < output->height; i++)
    for (int j = 0; j < output->width; j++) {
      const float *y = pixel(output, pass, n, i, j), *t = pixel(target, pass, n, i, j);
      float *d = pixel(layer->d_inputs[k], pass, n, i, j);
      for (int c = 0; c < output->channels; c++) {
        nas_loss_slopes s = slopes(layer->options, (double)y[c], (double)t[c]);
        float g = (float)((k == 0 ? s.output : s.target) / values) * d_loss;
        d[c] = layer->accumulate[k] ? d[c] + g : g;
      }
    }
}

void nas_mean_loss_backward(const nas_layer *layer, const nas_pass *pass,
                            nas_loss_slopes_fn *slopes) {
  for (int k = 0; k < 2; k++)
    for (int n = 0; layer->d_inputs[k] && n < pass->images; n++)
      backward_image(layer, pass, k, n, slopes);
}
