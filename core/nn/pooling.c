#include "pooling.h"
#include "convolve.h"

static const char *const paddings[] = {"valid", "same", NULL};

const nas_option nas_pooling_options[NAS_POOLING_OPTIONS] = {
    [NAS_POOLING_POOL] = {"pool", NAS_OPTION_PAIR, 0, 2, 1, 255, NULL, "Window size in pixels."},
    [NAS_POOLING_STRIDE] = {"stride", NAS_OPTION_PAIR, 0, 2, 1, 255, NULL,
                            "Step of the window in pixels."},
    [NAS_POOLING_PADDING] =
        {"padding", NAS_OPTION_CHOICE, 0, 0, 0, 0, paddings,
         "valid: whole windows only; same: windows that reach over the edge, too."},
};

/* Outputs along one dimension of so many pixels. */
static int count_of(const nas_option_value *values, int size, int d, int *pad) {
  return nas_window_count(size, values[NAS_POOLING_POOL].pair[d],
                          values[NAS_POOLING_STRIDE].pair[d],
                          values[NAS_POOLING_PADDING].integer == 1, pad);
}

nas_status nas_pooling_shape(const char *kind, const nas_option_value *values, nas_shape input,
                             nas_shape *output, nas_error *err) {
  int pad;
  char text[NAS_SHAPE_TEXT];
  nas_shape_text(input, text);
  if (input.rank != 3)
    return nas_fail(err, NAS_SHAPE, "%s: input has shape %s; expected height x width x channels",
                    kind, text);
  *output = input;
  for (int d = 0; d < 2; d++) output->dim[d] = count_of(values, input.dim[d], d, &pad);
  if (output->dim[0] < 1 || output->dim[1] < 1)
    return nas_fail(err, NAS_SHAPE,
                    "%s: window %dx%d is larger than the input %s, which is not padded; use "
                    "padding = \"same\" or a smaller pool",
                    kind, values[NAS_POOLING_POOL].pair[0], values[NAS_POOLING_POOL].pair[1], text);
  return NAS_OK;
}

nas_pooling_window nas_pooling_at(const nas_layer *layer, int i, int j) {
  const nas_map *in = layer->inputs[0];
  const int size[2] = {in->height, in->width}, at[2] = {i, j};
  nas_pooling_window w;
  for (int d = 0; d < 2; d++) {
    int pad, pool = layer->options[NAS_POOLING_POOL].pair[d];
    count_of(layer->options, size[d], d, &pad);
    int start = at[d] * layer->options[NAS_POOLING_STRIDE].pair[d] - pad;
    w.first[d] = start > 0 ? start : 0;
    w.end[d] = start + pool < size[d] ? start + pool : size[d];
  }
  return w;
}
