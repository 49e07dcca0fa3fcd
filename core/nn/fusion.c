#include "fusion.h"
#include "kinds.h"
#include "map.h"
#include "shapes.h"

static const nas_layer_kind *kind_of(const nas_network *network, int index) {
  return nas_node_kind(nas_network_node(network, index));
}

static void count_consumers(const nas_network *network, int output, nas_fusion *nodes) {
  for (int i = 0; i < nas_network_size(network); i++)
    nodes[i] = (nas_fusion){.consumers = i == output, .place = i, .reads = i};
  for (int i = 0; i < nas_network_size(network); i++)
    for (int k = 0; k < nas_fusion_inputs(network, nodes, i); k++)
      nodes[nas_network_input(network, i, k)].consumers++;
}

static void fuse_relu(const nas_network *network, nas_fusion *nodes) {
  for (int i = 0; i < nas_network_size(network); i++) {
    if (kind_of(network, i) != &nas_kind_relu) continue;
    int before = nas_network_input(network, i, 0);
    if (kind_of(network, before)->fuses_relu && nodes[before].consumers == 1)
      nodes[i].place = before;
  }
}

/* Whether all maps of a concatenation have its height and width: nothing is filled up. */
static int lies_side_by_side(const nas_node *concat) {
  nas_shape all = nas_node_shape(concat);
  for (int k = 0; k < nas_node_input_count(concat); k++) {
    nas_shape part = nas_node_shape(nas_node_input(concat, k));
    if (part.rank != 3 || part.dim[0] != all.dim[0] || part.dim[1] != all.dim[1]) return 0;
  }
  return 1;
}

static void join_concats(const nas_network *network, int output, nas_fusion *nodes) {
  int size = nas_network_size(network);
  for (int i = 0; i < size; i++)
    nodes[i].unwritten = kind_of(network, i) == &nas_kind_concat && i != output &&
                         lies_side_by_side(nas_network_node(network, i));
  for (int i = 0; i < size; i++)
    for (int k = 0; k < nas_fusion_inputs(network, nodes, i) && !kind_of(network, i)->joins; k++)
      nodes[nas_network_input(network, i, k)].unwritten = 0;
  for (int i = 0; i < size; i++) {
    if (!kind_of(network, i)->joins) continue;
    int input = nas_network_input(network, i, 0);
    if (nodes[input].unwritten) nodes[i].reads = input;
  }
}

static void find_borders(const nas_network *network, nas_fusion *nodes) {
  for (int i = 0; i < nas_network_size(network); i++) {
    const nas_node *node = nas_network_node(network, i);
    nas_shape shapes[NAS_INPUTS_MAX];
    nas_node_input_shapes(node, shapes);
    for (int k = 0; k < nas_fusion_inputs(network, nodes, i) && nas_node_kind(node)->borders; k++)
      nas_node_kind(node)->borders(nas_node_options(node), shapes, k,
                                   &nodes[nas_fusion_input(network, nodes, i, k)].border,
                                   &nodes[nodes[i].place].border);
  }
}

void nas_fusion_find(const nas_network *network, int output, nas_fusion *nodes) {
  count_consumers(network, output, nodes);
  fuse_relu(network, nodes);
  join_concats(network, output, nodes);
  find_borders(network, nodes);
}

int nas_fusion_match(const nas_network *network, nas_fusion *nodes) {
  int widened = 0;
  for (int i = 0; i < nas_network_size(network); i++)
    for (int k = 0; k < nas_fusion_inputs(network, nodes, i) && nodes[i].reads != i; k++)
      widened |= nas_border_match(&nodes[nas_fusion_input(network, nodes, i, 0)].border,
                                  &nodes[nas_fusion_input(network, nodes, i, k)].border);
  return widened;
}
