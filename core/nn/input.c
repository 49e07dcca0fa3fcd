/* Where the images enter, or the features of a table. */
#include "kinds.h"

enum { SIZE, CHANNELS, OPTION_COUNT };

static const nas_option options[OPTION_COUNT] = {
    [SIZE] = {"size", NAS_OPTION_PAIR, 1, 1, 0, NAS_DIM_MAX, NULL,
              "Height and width in pixels; 0, 0: a vector, of features."},
    [CHANNELS] = {"channels", NAS_OPTION_INTEGER, 1, 1, 1, NAS_DIM_MAX, NULL,
                  "Channels, or the features of a vector."},
};

static nas_status shape(const nas_option_value *values, const nas_shape *inputs, int count,
                        nas_shape *output, nas_error *err) {
  (void)inputs, (void)count;
  int height = values[SIZE].pair[0], width = values[SIZE].pair[1];
  int channels = values[CHANNELS].integer;
  if (!height != !width)
    return nas_fail(err, NAS_SHAPE, "input: size is %d, %d; expected two positive numbers, or 0, 0",
                    height, width);
  *output = height ? (nas_shape){3, {height, width, channels}} : (nas_shape){1, {channels}};
  return NAS_OK;
}

/* The trainer writes the images before a pass. */
static void nothing(const nas_layer *layer, const nas_pass *pass) {
  (void)layer, (void)pass;
}

const nas_layer_kind nas_kind_input = {
    .name = "input",
    .options = {"input", options, OPTION_COUNT},
    .shape = shape,
    .forward = nothing,
    .backward = nothing,
};
