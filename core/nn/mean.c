/* y[n] = the mean of all values of image n */
#include "kinds.h"
#include "reduce.h"

static double values_of(const nas_map *map) {
  return (double)map->height * map->width * map->channels;
}

static void forward(const nas_layer *layer, const nas_pass *pass) {
  nas_reduce_forward(layer, pass, values_of(layer->inputs[0]));
}

static void backward(const nas_layer *layer, const nas_pass *pass) {
  nas_reduce_backward(layer, pass, values_of(layer->inputs[0]));
}

const nas_layer_kind nas_kind_mean = {
    .name = "mean",
    .options = {"mean", NULL, 0},
    .min_inputs = 1,
    .max_inputs = 1,
    .shape = nas_reduce_shape,
    .forward = forward,
    .backward = backward,
};
