#include "floats.h"
#include <nas/compiled.h>
#include <nas/memory.h>
#include "kernel.h"
#include "kinds.h"
#include "map.h"

/* What is known of a node's output before anything is planned. */
typedef struct output {
  nas_border border;
  int consumers;
  int place; /* the output where it lies: a fused ReLU's is that of the layer before it */
} output;

static int shapes_of(const nas_network *network, int index, nas_shape *shapes) {
  const nas_node *node = nas_network_node(network, index);
  int count = nas_node_input_count(node);
  for (int k = 0; k < count; k++) shapes[k] = nas_node_shape(nas_node_input(node, k));
  return count;
}

/* A ReLU that the layer before it can apply takes no place of its own. */
static int is_fused(const nas_network *network, int index, const output *outputs) {
  if (nas_node_kind(nas_network_node(network, index)) != &nas_kind_relu) return 0;
  int before = nas_network_input(network, index, 0);
  return nas_node_kind(nas_network_node(network, before))->fuses_relu &&
         outputs[before].consumers == 1;
}

static void find_places(const nas_network *network, output *outputs) {
  int size = nas_network_size(network);
  for (int i = 0; i < size; i++)
    for (int k = 0; k < nas_node_input_count(nas_network_node(network, i)); k++)
      outputs[nas_network_input(network, i, k)].consumers++;
  for (int i = 0; i < size; i++)
    outputs[i].place = is_fused(network, i, outputs) ? nas_network_input(network, i, 0) : i;
}

static output *input_of(const nas_network *network, int index, int k, output *outputs) {
  return &outputs[outputs[nas_network_input(network, index, k)].place];
}

static void find_borders(const nas_network *network, output *outputs) {
  for (int i = 0; i < nas_network_size(network); i++) {
    const nas_node *node = nas_network_node(network, i);
    const nas_layer_kind *kind = nas_node_kind(node);
    nas_shape shapes[NAS_INPUTS_MAX];
    int count = shapes_of(network, i, shapes);
    for (int k = 0; k < count && kind->borders; k++)
      kind->borders(nas_node_options(node), shapes, k, &input_of(network, i, k, outputs)->border,
                    &outputs[i].border);
  }
}

/* Where a layer passes its gradient on, one of its inputs will share its border: here all do. */
static void match_borders(const nas_network *network, output *outputs) {
  for (int widened = 1; widened;) {
    widened = 0;
    for (int i = 0; i < nas_network_size(network); i++) {
      const nas_node *node = nas_network_node(network, i);
      for (int k = 0; k < nas_node_input_count(node) && nas_node_kind(node)->passes; k++)
        widened |= nas_border_match(&outputs[outputs[i].place].border,
                                    &input_of(network, i, k, outputs)->border);
    }
  }
}

static int64_t floats_of_output(nas_shape shape, nas_border border) {
  nas_map map;
  size_t before;
  int channels = shape.rank ? shape.dim[shape.rank - 1] : 1;
  return (int64_t)nas_map_layout(&map, shape, border, nas_row(channels), 1, &before);
}

static int64_t floats_of_params(const nas_network *network, int index) {
  const nas_node *node = nas_network_node(network, index);
  const nas_layer_kind *kind = nas_node_kind(node);
  nas_shape shapes[NAS_INPUTS_MAX];
  nas_param sets[NAS_PARAMS_MAX];
  int64_t floats = 0;
  shapes_of(network, index, shapes);
  int count = kind->params ? kind->params(nas_node_options(node), shapes, sets) : 0;
  for (int s = 0; s < count; s++) {
    int64_t rows = 1;
    for (int d = 0; d < sets[s].rank - 1; d++) rows *= sets[s].dim[d];
    floats += rows * nas_row(sets[s].dim[sets[s].rank - 1]);
  }
  return floats;
}

static void add_extras(const nas_network *network, int index, nas_floats *floats) {
  const nas_node *node = nas_network_node(network, index);
  const nas_layer_kind *kind = nas_node_kind(node);
  const nas_layer layer = {.kind = kind, .options = nas_node_options(node)};
  nas_shape shapes[NAS_INPUTS_MAX];
  shapes_of(network, index, shapes);
  if (kind->derived) floats->derived += (int64_t)kind->derived(&layer, shapes);
  if (kind->kept) floats->kept += (int64_t)kind->kept(&layer, shapes);
  int64_t room = kind->room ? (int64_t)kind->room(&layer, shapes) : 0;
  if (room > floats->room) floats->room = room;
}

nas_status nas_floats_count(const nas_network *network, nas_floats *floats, nas_error *err) {
  size_t size = (size_t)nas_network_size(network);
  output *outputs = nas_alloc_zero(size, sizeof *outputs);
  if (!outputs) return nas_fail_memory(err, "a network", size * sizeof *outputs);
  *floats = (nas_floats){0};
  find_places(network, outputs);
  find_borders(network, outputs);
  match_borders(network, outputs);
  for (int i = 0; i < (int)size; i++) {
    const nas_node *node = nas_network_node(network, i);
    const nas_layer_kind *kind = nas_node_kind(node);
    floats->params += floats_of_params(network, i);
    add_extras(network, i, floats);
    /* A concatenation counts, also where it is not written (plan.c): its consumers then widen the
     * borders of its maps. */
    if (outputs[i].place == i)
      floats->activations += floats_of_output(nas_node_shape(node), outputs[i].border);
    floats->couples |= kind->sums != NULL;
  }
  nas_free(outputs);
  return NAS_OK;
}

/* The cache of the machine that the formula is about, and the threads. */
enum { CACHE = 512 << 10, THREADS = 2 };

/* Weights, gradient, two moments and an average; a copy of weights, moments and average from the
 * end of the last epoch, and the best weights; two gradients for each thread. */
enum { COPIES = 5 + 4 + 1 + 2 * THREADS };

int64_t nas_floats_bytes(const nas_floats *floats, int batch) {
  int64_t image = 2 * floats->activations;
  int64_t images = CACHE / (4 * (image + 1));
  images = THREADS * (images < 4 ? 4 : images > NAS_GROUP ? NAS_GROUP : images);
  int64_t stored =
      floats->couples ? (batch + NAS_GROUP - 1) / NAS_GROUP * NAS_GROUP * floats->activations : 0;
  return 4 * (COPIES * floats->params + floats->derived + image * images + stored +
              THREADS * (floats->kept + floats->room));
}
