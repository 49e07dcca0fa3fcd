#include "floats.h"
#include <nas/compiled.h>
#include <nas/memory.h>
#include "fusion.h"
#include "kernel.h"
#include "map.h"
#include "plan.h"
#include "shapes.h"

/* Where a layer passes its gradient on, one of its inputs will share its border: here all do. */
static void match_borders(const nas_network *network, nas_fusion *nodes) {
  for (int widened = 1; widened;) {
    widened = nas_fusion_match(network, nodes);
    for (int i = 0; i < nas_network_size(network); i++) {
      int passes = nas_node_kind(nas_network_node(network, i))->passes;
      for (int k = 0; k < nas_fusion_inputs(network, nodes, i) && passes; k++)
        widened |= nas_border_match(&nodes[nodes[i].place].border,
                                    &nodes[nas_fusion_input(network, nodes, i, k)].border);
    }
  }
}

static int64_t floats_of_output(nas_shape shape, nas_border border) {
  nas_map map;
  size_t before;
  int channels = shape.rank ? shape.dim[shape.rank - 1] : 1;
  return (int64_t)nas_map_layout(&map, shape, border, nas_row(channels), 1, &before);
}

static int64_t floats_of_params(const nas_node *node) {
  nas_param sets[NAS_PARAMS_MAX];
  int64_t floats = 0;
  int count = nas_node_params(node, sets);
  for (int s = 0; s < count; s++)
    floats += (int64_t)nas_param_rows(&sets[s]) * nas_row(nas_param_width(&sets[s]));
  return floats;
}

static void add_extras(const nas_network *network, int index, const nas_fusion *nodes,
                       nas_floats *floats) {
  const nas_node *node = nas_network_node(network, index);
  const nas_layer_kind *kind = nas_node_kind(node);
  nas_shape shapes[NAS_INPUTS_MAX];
  const nas_layer layer = {
      .kind = kind,
      .options = nas_node_options(node),
      .input_count = nas_node_input_shapes(nas_network_node(network, nodes[index].reads), shapes),
      .joined = nodes[index].reads != index};
  if (kind->derived) floats->derived += (int64_t)kind->derived(&layer, shapes);
  if (kind->kept) floats->kept += (int64_t)kind->kept(&layer, shapes);
  int64_t room = kind->room ? (int64_t)kind->room(&layer, shapes) : 0;
  if (room > floats->room) floats->room = room;
}

/* Where layers couple the images of a batch: the activations, or what a plan stores where that is
 * more: gradients that many later segments add to wait side by side. */
static nas_status count_stored(const nas_network *network, nas_floats *floats, nas_error *err) {
  nas_status status = nas_plan_stored(network, &floats->stored, err);
  if (floats->stored < floats->activations) floats->stored = floats->activations;
  return status;
}

nas_status nas_floats_count(const nas_network *network, nas_floats *floats, nas_error *err) {
  int size = nas_network_size(network), couples = 0;
  nas_fusion *nodes = nas_alloc((size_t)size, sizeof *nodes);
  if (!nodes) return nas_fail_memory(err, "a network", (size_t)size * sizeof *nodes);
  *floats = (nas_floats){0};
  nas_fusion_find(network, size - 1, nodes);
  match_borders(network, nodes);
  for (int i = 0; i < size; i++) {
    const nas_node *node = nas_network_node(network, i);
    floats->params += floats_of_params(node);
    add_extras(network, i, nodes, floats);
    if (nodes[i].place == i && !nodes[i].unwritten)
      floats->activations += floats_of_output(nas_node_shape(node), nodes[i].border);
    couples |= nas_node_kind(node)->sums != NULL;
  }
  nas_free(nodes);
  return couples ? count_stored(network, floats, err) : NAS_OK;
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
  int64_t stored = (batch + NAS_GROUP - 1) / NAS_GROUP * NAS_GROUP * floats->stored;
  return 4 * (COPIES * floats->params + floats->derived + image * images + stored +
              THREADS * (floats->kept + floats->room));
}
