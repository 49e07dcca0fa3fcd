/* Vectors one after the other; or the channels of maps, one after the other at every pixel. Maps
 * smaller than the highest or the widest get zeros around them: align = center puts an odd one
 * below or to the right, top_left puts all there. */
#include <string.h>
#include "kinds.h"
#include "runs.h"

enum { ALIGN, OPTION_COUNT };
enum { CENTER, TOP_LEFT };

static const char *const aligns[] = {"center", "top_left", NULL};

static const nas_option options[OPTION_COUNT] = {
    [ALIGN] = {"align", NAS_OPTION_CHOICE, 0, CENTER, 0, 0, aligns,
               "Where a smaller map lies among the zeros that fill it up."},
};

static nas_status refuse(const nas_shape *inputs, int k, nas_error *err) {
  char text[2][NAS_SHAPE_TEXT];
  nas_shape_text(inputs[0], text[0]);
  nas_shape_text(inputs[k], text[1]);
  if (inputs[k].rank == 0)
    return nas_fail(err, NAS_SHAPE, "concat: input %d is one number; expected maps or vectors",
                    k + 1);
  return nas_fail(
      err, NAS_SHAPE,
      "concat: input 1 has shape %s, but input %d has %s; expected only maps of height x "
      "width x channels, or only vectors",
      text[0], k + 1, text[1]);
}

static nas_status shape(const nas_option_value *values, const nas_shape *inputs, int count,
                        nas_shape *output, nas_error *err) {
  (void)values;
  int rank = inputs[0].rank, channels = 0; /* at most 64 * 65536 */
  *output = inputs[0];
  for (int k = 0; k < count; k++) {
    if (inputs[k].rank != rank || rank == 0) return refuse(inputs, k, err);
    channels += inputs[k].dim[rank - 1];
    for (int d = 0; d < rank - 1; d++)
      if (inputs[k].dim[d] > output->dim[d]) output->dim[d] = inputs[k].dim[d];
  }
  output->dim[rank - 1] = channels;
  return NAS_OK;
}

/* Where a smaller map lies in the output. */
typedef struct corner {
  int top, left;
} corner;

static corner corner_of(const nas_layer *layer, const nas_map *in) {
  if (layer->options[ALIGN].integer == TOP_LEFT) return (corner){0, 0};
  return (corner){(layer->output->height - in->height) / 2, (layer->output->width - in->width) / 2};
}

/* Input k becomes the channels of the output from `channel` on. */
static void forward_input(const nas_layer *layer, const nas_pass *pass, int k, int channel) {
  const nas_map *in = layer->inputs[k], *out = layer->output;
  const float *x = nas_map_data(in, pass->arena);
  float *y = nas_map_data(out, pass->arena) + channel;
  corner at = corner_of(layer, in);
  size_t bytes = (size_t)in->channels * sizeof *x;
  for (int n = 0; n < pass->images; n++)
    for (int i = 0; i < out->height; i++)
      for (int j = 0; j < out->width; j++) {
        int row = i - at.top, column = j - at.left;
        int inside = row >= 0 && row < in->height && column >= 0 && column < in->width;
        if (inside)
          memcpy(y + nas_map_at(out, n, i, j), x + nas_map_at(in, n, row, column), bytes);
        else
          memset(y + nas_map_at(out, n, i, j), 0, bytes);
      }
}

static void backward_input(const nas_layer *layer, const nas_pass *pass, int k, int channel) {
  const nas_map *in = layer->d_inputs[k], *out = layer->d_output;
  if (!in) return;
  float *d_x = nas_map_data(in, pass->arena);
  const float *d_y = nas_map_data(out, pass->arena) + channel;
  corner at = corner_of(layer, in);
  for (int n = 0; n < pass->images; n++)
    for (int i = 0; i < in->height; i++)
      for (int j = 0; j < in->width; j++)
        nas_run_give(d_x + nas_map_at(in, n, i, j),
                     d_y + nas_map_at(out, n, i + at.top, j + at.left), in->channels,
                     layer->accumulate[k]);
}

static void forward(const nas_layer *layer, const nas_pass *pass) {
  for (int k = 0, channel = 0; k < layer->input_count; channel += layer->inputs[k++]->channels)
    forward_input(layer, pass, k, channel);
}

static void backward(const nas_layer *layer, const nas_pass *pass) {
  for (int k = 0, channel = 0; k < layer->input_count; channel += layer->inputs[k++]->channels)
    backward_input(layer, pass, k, channel);
}

const nas_layer_kind nas_kind_concat = {
    .name = "concat",
    .options = {"concat", options, OPTION_COUNT},
    .min_inputs = 1,
    .max_inputs = NAS_INPUTS_MAX,
    .shape = shape,
    .forward = forward,
    .backward = backward,
};
