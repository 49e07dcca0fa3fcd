/* Every channel by itself:
 * y[n][i][j][c] = bias[c] + sum over ky, kx of
 *                 x[n][i * sy + ky - py][j * sx + kx - px][c] * kernel[ky][kx][c] */
#include "convolve.h"
#include "kinds.h"

enum { KERNEL, STRIDE, PADDING, BIAS, INIT, INIT_RANGE, OPTION_COUNT };

static const char *const paddings[] = {"same", "valid", NULL};

static const nas_option options[OPTION_COUNT] = {
    [KERNEL] = {"kernel", NAS_OPTION_PAIR, 1, 3, 1, 255, NULL, "Kernel size in pixels."},
    [STRIDE] = {"stride", NAS_OPTION_PAIR, 0, 1, 1, 255, NULL, "Step of the window in pixels."},
    [PADDING] = {"padding", NAS_OPTION_CHOICE, 0, 0, 0, 0, paddings,
                 "same: zeros around the map, as TensorFlow places them; valid: none."},
    [BIAS] = {"bias", NAS_OPTION_BOOLEAN, 0, 1, 0, 1, NULL, "Whether to add a bias."},
    [INIT] = {"init", NAS_OPTION_CHOICE, 0, 0, 0, 0, nas_init_words,
              "Distribution of the initial kernel; a bias begins at 0."},
    [INIT_RANGE] = {"init_range", NAS_OPTION_NUMBER, 0, 0.05, 0, 1000, NULL,
                    "Half the width of init = uniform."},
};

static nas_convolution convolution_of(const nas_option_value *values, nas_shape in) {
  nas_convolution c = {
      .channels = in.dim[2], .filters = in.dim[2], .bias = values[BIAS].integer, .depthwise = 1};
  for (int d = 0; d < 2; d++) {
    c.in[d] = in.dim[d];
    c.kernel[d] = values[KERNEL].pair[d];
    c.stride[d] = values[STRIDE].pair[d];
    c.out[d] = nas_window_count(c.in[d], c.kernel[d], c.stride[d], values[PADDING].integer == 0,
                                &c.pad[d]);
  }
  return c;
}

static nas_status shape(const nas_option_value *values, const nas_shape *inputs, int count,
                        nas_shape *output, nas_error *err) {
  (void)count;
  char text[NAS_SHAPE_TEXT];
  nas_shape_text(inputs[0], text);
  if (inputs[0].rank != 3)
    return nas_fail(err, NAS_SHAPE,
                    "depthwise_conv2d: input has shape %s; expected height x width x channels",
                    text);
  nas_convolution c = convolution_of(values, inputs[0]);
  if (c.out[0] < 1 || c.out[1] < 1)
    return nas_fail(
        err, NAS_SHAPE,
        "depthwise_conv2d: kernel %dx%d is larger than the input %s, which is not padded; use "
        "padding = \"same\" or a smaller kernel",
        c.kernel[0], c.kernel[1], text);
  *output = (nas_shape){3, {c.out[0], c.out[1], c.filters}};
  return NAS_OK;
}

/* A filter has one channel in and one out, so both fans are its window. */
static int params(const nas_option_value *values, const nas_shape *inputs, nas_param *sets) {
  nas_convolution c = convolution_of(values, inputs[0]);
  double window = (double)c.kernel[0] * c.kernel[1];
  sets[0] =
      (nas_param){"kernel",
                  3,
                  {c.kernel[0], c.kernel[1], c.channels},
                  NAS_INIT_UNIFORM,
                  nas_init_range(values[INIT].integer, values[INIT_RANGE].number, window, window),
                  NAS_PARAM_WEIGHT};
  sets[1] = (nas_param){"bias", 1, {c.channels}, NAS_INIT_ZERO, 0, NAS_PARAM_OFFSET};
  return c.bias ? 2 : 1;
}

static int64_t macs(const nas_option_value *values, const nas_shape *inputs, nas_shape output) {
  nas_convolution c = convolution_of(values, inputs[0]);
  return nas_shape_size(output) * c.kernel[0] * c.kernel[1];
}

static void borders(const nas_option_value *values, const nas_shape *inputs, int index,
                    nas_border *input, nas_border *d_output) {
  (void)index;
  nas_convolution c = convolution_of(values, inputs[0]);
  nas_convolve_borders(&c, input, d_output);
}

static nas_status compile(nas_layer *layer, nas_error *err) {
  const nas_map *in = layer->inputs[0];
  nas_shape shape_in = {3, {in->height, in->width, in->channels}};
  nas_convolution c = convolution_of(layer->options, shape_in);
  return nas_convolve_compile(layer, &c, err);
}

const nas_layer_kind nas_kind_depthwise_conv2d = {
    .name = "depthwise_conv2d",
    .options = {"depthwise_conv2d", options, OPTION_COUNT},
    .min_inputs = 1,
    .max_inputs = 1,
    .shape = shape,
    .params = params,
    .macs = macs,
    .borders = borders,
    .fuses_relu = 1,
    .compile = compile,
    .release = nas_convolve_release,
    .forward = nas_convolve_forward,
    .backward = nas_convolve_backward,
    .work = nas_convolve_work,
};
