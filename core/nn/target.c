/* Where the targets enter: what a loss compares the output with. */
#include "kinds.h"

enum { VALUES, OPTION_COUNT };

static const nas_option options[OPTION_COUNT] = {
    [VALUES] = {"values", NAS_OPTION_INTEGER, 0, 0, 0, NAS_DIM_MAX, NULL,
                "Numbers of a target; 0: a class, as one number that counts from 0."},
};

static nas_status shape(const nas_option_value *values, const nas_shape *inputs, int count,
                        nas_shape *output, nas_error *err) {
  (void)inputs, (void)count, (void)err;
  int size = values[VALUES].integer;
  *output = size ? (nas_shape){1, {size}} : (nas_shape){0};
  return NAS_OK;
}

/* The trainer writes the targets before a pass. */
static void nothing(const nas_layer *layer, const nas_pass *pass) {
  (void)layer, (void)pass;
}

const nas_layer_kind nas_kind_target = {
    .name = "target",
    .options = {"target", options, OPTION_COUNT},
    .shape = shape,
    .forward = nothing,
    .backward = nothing,
};
