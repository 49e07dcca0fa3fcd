/* y[n][o] = bias[o] + sum over i of x[n][i] * kernel[i][o]; a map is read in order of height, width
 * and channels. A convolution whose window covers the whole map; as it steps past the map, each
 * pixel is a phase of its own, so the gradient of the input costs no more than the output. */
#include "convolve.h"
#include "kinds.h"

enum { UNITS, BIAS, INIT, INIT_RANGE, OPTION_COUNT };

static const nas_option options[OPTION_COUNT] = {
    [UNITS] = {"units", NAS_OPTION_INTEGER, 1, 1, 1, NAS_DIM_MAX, NULL, "Outputs."},
    [BIAS] = {"bias", NAS_OPTION_BOOLEAN, 0, 1, 0, 1, NULL, "Whether to add a bias."},
    [INIT] = {"init", NAS_OPTION_CHOICE, 0, 0, 0, 0, nas_init_words,
              "Distribution of the initial kernel; a bias begins at 0."},
    [INIT_RANGE] = {"init_range", NAS_OPTION_NUMBER, 0, 0.05, 0, 1000, NULL,
                    "Half the width of init = uniform."},
};

static nas_convolution convolution_of(const nas_option_value *values, int height, int width,
                                      int channels) {
  return (nas_convolution){.in = {height, width},
                           .out = {1, 1},
                           .kernel = {height, width},
                           .stride = {height, width},
                           .channels = channels,
                           .filters = values[UNITS].integer,
                           .bias = values[BIAS].integer};
}

static nas_convolution of_shape(const nas_option_value *values, nas_shape in) {
  return in.rank == 3 ? convolution_of(values, in.dim[0], in.dim[1], in.dim[2])
                      : convolution_of(values, 1, 1, in.rank ? in.dim[0] : 1);
}

static nas_status shape(const nas_option_value *values, const nas_shape *inputs, int count,
                        nas_shape *output, nas_error *err) {
  (void)inputs, (void)count, (void)err;
  *output = (nas_shape){1, {values[UNITS].integer}};
  return NAS_OK;
}

static int params(const nas_option_value *values, const nas_shape *inputs, nas_param *sets) {
  int units = values[UNITS].integer;
  int64_t fan_in = nas_shape_size(inputs[0]);
  sets[0] = (nas_param){
      "kernel",
      2,
      {(int)fan_in, units},
      NAS_INIT_UNIFORM,
      nas_init_range(values[INIT].integer, values[INIT_RANGE].number, (double)fan_in, units),
      NAS_PARAM_WEIGHT};
  sets[1] = (nas_param){"bias", 1, {units}, NAS_INIT_ZERO, 0, NAS_PARAM_OFFSET};
  return values[BIAS].integer ? 2 : 1;
}

static int64_t macs(const nas_option_value *values, const nas_shape *inputs, nas_shape output) {
  (void)values;
  return nas_shape_size(inputs[0]) * output.dim[0];
}

static void borders(const nas_option_value *values, const nas_shape *inputs, int index,
                    nas_border *input, nas_border *d_output) {
  (void)index;
  nas_convolution c = of_shape(values, inputs[0]);
  nas_convolve_borders(&c, input, d_output);
}

static size_t derived(const nas_layer *layer, const nas_shape *inputs) {
  nas_convolution c = of_shape(layer->options, inputs[0]);
  return nas_convolve_derived(layer, &c);
}

static nas_status compile(nas_layer *layer, nas_error *err) {
  const nas_map *in = layer->inputs[0];
  nas_convolution c = convolution_of(layer->options, in->height, in->width, in->channels);
  return nas_convolve_compile(layer, &c, err);
}

const nas_layer_kind nas_kind_dense = {
    .name = "dense",
    .options = {"dense", options, OPTION_COUNT},
    .min_inputs = 1,
    .max_inputs = 1,
    .shape = shape,
    .params = params,
    .macs = macs,
    .borders = borders,
    .fuses_relu = 1,
    .derived = derived,
    .compile = compile,
    .release = nas_convolve_release,
    .forward = nas_convolve_forward,
    .backward = nas_convolve_backward,
    .work = nas_convolve_work,
    .derive = nas_convolve_derive,
};
