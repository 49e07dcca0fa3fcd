/* A layer kind from outside of the library: swish, y = x * sigmoid(beta * x) with a beta that is
 * trained (Ramachandran et al. 2017, "Searching for Activation Functions"). core/nn/LAYERS.md goes
 * through it; a program passes `swish` to nas_layer_kind_register before it does anything else. */
#include <nas/elementary.h>
#include <nas/layer.h>

extern const nas_layer_kind swish;

enum { PER_CHANNEL, OPTION_COUNT };

static const nas_option options[OPTION_COUNT] = {
    [PER_CHANNEL] = {"per_channel", NAS_OPTION_BOOLEAN, 0, 1, 0, 1, NULL,
                     "A beta for each channel, or one for all."},
};

static nas_status shape(const nas_option_value *values, const nas_shape *inputs, int count,
                        nas_shape *output, nas_error *err) {
  (void)values, (void)count, (void)err;
  *output = inputs[0];
  return NAS_OK;
}

static int params(const nas_option_value *values, const nas_shape *inputs, nas_param *sets) {
  nas_shape in = inputs[0];
  int channels = in.rank == 0 ? 1 : in.dim[in.rank - 1];
  sets[0] = (nas_param){.role = "beta",
                        .rank = 1,
                        .dim = {values[PER_CHANNEL].integer ? channels : 1},
                        .init = NAS_INIT_ONE,
                        .use = NAS_PARAM_OFFSET};
  return 1;
}

static float *pixel(const nas_map *map, const nas_pass *pass, int n, int i, int j) {
  return nas_map_data(map, pass->arena) + nas_map_at(map, n, i, j);
}

static void forward(const nas_layer *layer, const nas_pass *pass) {
  const nas_map *in = layer->inputs[0], *out = layer->output;
  const float *beta = pass->params + layer->params[0];
  int step = layer->options[PER_CHANNEL].integer;
  for (int n = 0; n < pass->images; n++)
    for (int i = 0; i < in->height; i++)
      for (int j = 0; j < in->width; j++) {
        const float *x = pixel(in, pass, n, i, j);
        float *y = pixel(out, pass, n, i, j);
        for (int c = 0; c < in->channels; c++) y[c] = x[c] * nas_sigmoidf(beta[c * step] * x[c]);
      }
}

/* With s = sigmoid(beta * x):  dy/dx = s + beta * x * s * (1 - s)
 *                              dy/dbeta = x * x * s * (1 - s), added up pixel after pixel */
static void backward(const nas_layer *layer, const nas_pass *pass) {
  const nas_map *in = layer->inputs[0], *d_in = layer->d_inputs[0], *d_out = layer->d_output;
  const float *beta = pass->params + layer->params[0];
  float *d_beta = pass->d_params + layer->params[0];
  int step = layer->options[PER_CHANNEL].integer;
  for (int n = 0; n < pass->images; n++)
    for (int i = 0; i < in->height; i++)
      for (int j = 0; j < in->width; j++) {
        const float *x = pixel(in, pass, n, i, j), *d_y = pixel(d_out, pass, n, i, j);
        float *d_x = d_in ? pixel(d_in, pass, n, i, j) : NULL;
        for (int c = 0; c < in->channels; c++) {
          float b = beta[c * step], s = nas_sigmoidf(b * x[c]), slope = s * (1.0f - s);
          d_beta[c * step] += d_y[c] * (x[c] * x[c] * slope);
          if (!d_x) continue;
          float g = d_y[c] * (s + b * x[c] * slope);
          d_x[c] = layer->accumulate[0] ? d_x[c] + g : g;
        }
      }
}

const nas_layer_kind swish = {
    .name = "swish",
    .options = {"swish", options, OPTION_COUNT},
    .min_inputs = 1,
    .max_inputs = 1,
    .shape = shape,
    .params = params,
    .forward = forward,
    .backward = backward,
};
