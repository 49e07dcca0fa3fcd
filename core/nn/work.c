/* How the layers of a compiled network are computed, and a prediction of how long they take. */
#include <stdio.h>
#include <string.h>
#include "convolve.h"
#include "kernel.h"
#include "kinds.h"
#include "plan.h"
#include "winograd.h"

/* -- convolutions ----------------------------------------------------------------------------- */

/* Multiply-adds where each of `elements` meets a matrix [channels][filters]. */
static int64_t products(int64_t elements, int channels, int filters) {
  return elements * channels * nas_row(filters);
}

/* Floats of V, M and Z are written and read again; the gradient of the kernel makes V anew. */
static void winograd_work(const nas_layer *layer, const nas_convolution *c, nas_layer_work *work) {
  nas_winograd_size size = nas_winograd_size_of(c);
  const int *outputs = size.form.outputs, *taps = size.form.taps;
  int64_t in_row = nas_convolution_columns(c), out_row = nas_row(c->filters);
  int trained = layer->d_output != NULL, through = nas_convolve_gives(layer);
  snprintf(work->kernel, sizeof work->kernel, "Winograd F(%dx%d,%dx%d)", outputs[0], outputs[1],
           taps[0], taps[1]);
  work->done = (1 + trained) * products(size.forward * size.parts, c->channels, c->filters) +
               through * products(size.back * size.parts, c->filters, nas_convolution_columns(c));
  work->bytes += 8 * ((1 + trained) * size.forward * (size.parts * in_row + out_row) +
                      through * size.back * size.parts * (in_row + out_row));
}

static void sliding_work(const nas_layer *layer, const nas_convolution *c, nas_layer_work *work) {
  int64_t elements = (int64_t)c->out[0] * c->out[1] * c->kernel[0] * c->kernel[1];
  int trained = layer->d_output != NULL, through = nas_convolve_gives(layer);
  if (layer->kind == &nas_kind_dense)
    snprintf(work->kernel, sizeof work->kernel, "dense");
  else if (c->kernel[0] == 1 && c->kernel[1] == 1 && !c->depthwise)
    snprintf(work->kernel, sizeof work->kernel, "1x1");
  else
    snprintf(work->kernel, sizeof work->kernel, "%s %dx%d", c->depthwise ? "depthwise" : "direct",
             c->kernel[0], c->kernel[1]);
  if (c->depthwise)
    work->done = (1 + trained + through) * products(elements, 1, c->channels);
  else
    work->done = (1 + trained) * products(elements, c->channels, c->filters) +
                 through * products(elements, c->filters, nas_convolution_columns(c));
}

void nas_convolve_work(const nas_layer *layer, nas_layer_work *work) {
  const nas_convolution *c = nas_convolve_of(layer);
  int64_t elements = (int64_t)c->out[0] * c->out[1] * c->kernel[0] * c->kernel[1];
  /* As convolve.c does: rows without padding are for the scalar table, where lanes are channels. */
  int scalar = c->depthwise && layer->inputs[0]->stride % NAS_LANES;
  work->table = scalar ? "scalar" : layer->kernels->name;
  work->macs = elements * (c->depthwise ? 1 : c->channels) * c->filters *
               (1 + (layer->d_output != NULL) + nas_convolve_gives(layer));
  if (nas_winograd_applies(c, layer->winograd))
    winograd_work(layer, c, work);
  else
    sliding_work(layer, c, work);
}

/* -- any layer -------------------------------------------------------------------------------- */

static size_t map_bytes(const nas_map *map) {
  return map ? (size_t)map->image * (size_t)map->stride * sizeof(float) : 0;
}

static size_t weight_bytes(const nas_compiled *c, int index) {
  const nas_layer *layer = &c->layers[index];
  nas_shape shapes[NAS_INPUTS_MAX];
  size_t floats = 0;
  for (int s = 0; s < c->param_count; s++)
    if (c->params[s].node == c->canonical[index])
      floats += c->params[s].rows * (size_t)nas_row(c->params[s].width);
  nas_plan_read_shapes(c, index, shapes);
  if (layer->kind->derived) floats += layer->kind->derived(layer, shapes);
  return floats * sizeof(float);
}

/* Forwards, inputs and output; backwards those or their gradients, and the gradients of the inputs.
 * Weights once for each micro-batch forwards, and twice backwards, where their gradients are. */
static int64_t moved(const nas_layer *layer, size_t weights) {
  size_t forward = map_bytes(layer->output), back = forward;
  for (int k = 0; k < layer->input_count; k++) {
    forward += map_bytes(layer->inputs[k]);
    back += map_bytes(layer->inputs[k]) + map_bytes(layer->d_inputs[k]);
  }
  if (!layer->d_output) back = 0;
  return (int64_t)(forward + back + (back ? 3 : 1) * weights / (size_t)layer->micro_batch);
}

/* Of the layer's table, or of the scalar one where that does its work; what is of no table has one
 * to a cycle. */
static double multiply_adds_in_a_cycle(const nas_layer *layer, const char *table) {
  if (!table) return 1;
  int scalar = strcmp(table, nas_kernels_scalar.name) == 0;
  return scalar ? nas_kernels_scalar.rate : layer->kernels->rate;
}

/* A fused ReLU runs in the layer whose place it shares; a concatenation that is not written, in its
 * consumers, of which this is the first. */
static int fused_into(const nas_compiled *c, int index) {
  if (c->fused[index]) return c->canonical[c->place_of[index]];
  for (int i = 0; i < c->size && c->unwritten[index]; i++)
    if (c->layers[i].joined && nas_node_input(c->nodes[i], 0) == c->nodes[index])
      return c->canonical[i];
  return -1;
}

nas_compiled_layer nas_compiled_layer_at(const nas_compiled *c, int node) {
  enum { BYTES_IN_A_CYCLE = 16 };
  int i = nas_plan_layer(c, node);
  const nas_layer *layer = &c->layers[i];
  nas_compiled_layer l = {.fused_into = fused_into(c, i)};
  if (l.fused_into >= 0) return l;
  l.map_bytes = map_bytes(layer->output);
  if (!c->places[i].heir_of) l.map_bytes += map_bytes(layer->d_output);
  l.weight_bytes = weight_bytes(c, i);
  if (layer->input_count == 0) return l; /* what others write */
  l.work.bytes = moved(layer, l.weight_bytes);
  if (layer->kind->work)
    layer->kind->work(layer, &l.work);
  else
    strcpy(l.work.kernel, "plain C");
  l.cycles = (double)l.work.done / multiply_adds_in_a_cycle(layer, l.work.table) +
             (double)l.work.bytes / BYTES_IN_A_CYCLE;
  return l;
}
