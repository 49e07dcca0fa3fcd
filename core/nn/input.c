/* Where the images enter. */
#include "kinds.h"

enum { SIZE, CHANNELS, OPTION_COUNT };

static const nas_option options[OPTION_COUNT] = {
    [SIZE] = {"size", NAS_OPTION_PAIR, 1, 1, 1, NAS_DIM_MAX, NULL, "Height and width in pixels."},
    [CHANNELS] = {"channels", NAS_OPTION_INTEGER, 1, 1, 1, NAS_DIM_MAX, NULL, "Channels."},
};

static nas_status shape(const nas_option_value *values, const nas_shape *inputs, int count,
                        nas_shape *output, nas_error *err) {
  (void)inputs, (void)count, (void)err;
  *output = (nas_shape){3, {values[SIZE].pair[0], values[SIZE].pair[1], values[CHANNELS].integer}};
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
