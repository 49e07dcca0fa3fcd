/* Which layers of a network work together, and which borders their maps need: what the plan of
 * memory (plan.c) and the formula for it (floats.c) have in common. */
#ifndef NAS_FUSION_H
#define NAS_FUSION_H

#include <nas/network.h>

/* Of a node of the network. */
typedef struct nas_fusion {
  int consumers; /* of its output, the caller included */
  int place;     /* the node where its output lies: the one before a ReLU that is applied there */
  int reads;     /* the node whose inputs it reads: the concatenation of which it reads the maps */
  int unwritten; /* 1: a concatenation of which all consumers do so */
  nas_border border; /* of the place, around the output and around its gradient */
} nas_fusion;

/* Fills nodes[nas_network_size]; the caller reads the values of node `output`. A ReLU joins the
 * layer before it when that layer can apply it and has no other consumer. A concatenation is not
 * written when all its consumers can read its maps side by side. Borders are those that layers ask
 * for. */
void nas_fusion_find(const nas_network *network, int output, nas_fusion *nodes);

/* Gives maps that are read side by side the same border; returns whether that widened one. */
int nas_fusion_match(const nas_network *network, nas_fusion *nodes);

/* How many inputs a node reads, and the place of one of them. */
static inline int nas_fusion_inputs(const nas_network *network, const nas_fusion *nodes,
                                    int index) {
  return nas_node_input_count(nas_network_node(network, nodes[index].reads));
}
static inline int nas_fusion_input(const nas_network *network, const nas_fusion *nodes, int index,
                                   int input) {
  return nodes[nas_network_input(network, nodes[index].reads, input)].place;
}

#endif
