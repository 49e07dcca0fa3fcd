#include "pooling.h"
#include <nas/memory.h>
#include <stdio.h>
#include "convolve.h"
#include "map.h"

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

/* -- windows ---------------------------------------------------------------------------------- */

typedef struct pooling_data {
  size_t of_image;   /* windows */
  nas_tile *windows; /* of the images of a micro-batch, image after image */
} pooling_data;

/* Where along one dimension the window of an output begins and ends, on the map. */
typedef struct span {
  int first, end;
} span;

static span span_of(const nas_layer *layer, int size, int d, int output) {
  int pad;
  count_of(layer->options, size, d, &pad);
  int start = output * layer->options[NAS_POOLING_STRIDE].pair[d] - pad;
  int end = start + layer->options[NAS_POOLING_POOL].pair[d];
  return (span){start > 0 ? start : 0, end < size ? end : size};
}

static void list_windows(const nas_layer *layer, nas_tile *window) {
  const nas_map *in = layer->inputs[0], *out = layer->output;
  for (int n = 0; n < layer->micro_batch; n++)
    for (int i = 0; i < out->height; i++) {
      span y = span_of(layer, in->height, 0, i);
      for (int j = 0; j < out->width; j++) {
        span x = span_of(layer, in->width, 1, j);
        *window++ = (nas_tile){.in = n * in->image + y.first * in->pitch + x.first,
                               .out = n * out->image + i * out->pitch + j,
                               .rows = y.end - y.first,
                               .columns = x.end - x.first};
      }
    }
}

void nas_pooling_release(nas_layer *layer) {
  pooling_data *data = layer->data;
  if (data) nas_free(data->windows);
  nas_free(data);
  layer->data = NULL;
}

nas_status nas_pooling_compile(nas_layer *layer, nas_error *err) {
  pooling_data *data = nas_alloc_zero(1, sizeof *data);
  if (!data) return nas_fail_memory(err, "pooling", sizeof *data);
  data->of_image = (size_t)layer->output->height * (size_t)layer->output->width;
  size_t count = data->of_image * (size_t)layer->micro_batch;
  layer->data = data;
  data->windows = nas_alloc(count, sizeof *data->windows);
  if (!data->windows) {
    nas_pooling_release(layer);
    return nas_fail_memory(err, "pooling", count * sizeof *data->windows);
  }
  list_windows(layer, data->windows);
  return NAS_OK;
}

/* -- running ---------------------------------------------------------------------------------- */

const nas_kernels *nas_pooling_kernels(const nas_layer *layer) {
  return nas_kernels_for(layer->kernels, layer->inputs[0]->stride);
}

static nas_pooling_maps maps_of(const nas_layer *layer, const nas_pass *pass) {
  const nas_map *in = layer->inputs[0], *out = layer->output;
  return (nas_pooling_maps){.x = nas_map_data(in, pass->arena),
                            .stride = in->stride,
                            .pitch = in->pitch,
                            .y = nas_map_data(out, pass->arena),
                            .out_stride = out->stride};
}

void nas_pooling_forward(const nas_layer *layer, const nas_pass *pass, nas_pooling_fn *run) {
  const pooling_data *data = layer->data;
  nas_pooling_maps maps = maps_of(layer, pass);
  run(&maps, data->windows, data->of_image * (size_t)pass->images, layer->output->channels);
}

void nas_pooling_backward(const nas_layer *layer, const nas_pass *pass, nas_pooling_fn *run) {
  const pooling_data *data = layer->data;
  const nas_map *d_in = layer->d_inputs[0];
  if (!d_in) return;
  nas_pooling_maps maps = maps_of(layer, pass);
  maps.d_x = nas_map_data(d_in, pass->arena);
  maps.d_y = nas_map_data(layer->d_output, pass->arena);
  for (int n = 0; n < pass->images && !layer->accumulate[0]; n++) nas_map_clear(d_in, maps.d_x, n);
  run(&maps, data->windows, data->of_image * (size_t)pass->images, layer->output->channels);
}

void nas_pooling_work(const nas_layer *layer, nas_layer_work *work) {
  snprintf(work->kernel, sizeof work->kernel, "pool %dx%d",
           layer->options[NAS_POOLING_POOL].pair[0], layer->options[NAS_POOLING_POOL].pair[1]);
  work->table = nas_pooling_kernels(layer)->name;
}
