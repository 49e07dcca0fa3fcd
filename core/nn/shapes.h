/* What a node is made of, from the shapes of its inputs. */
#ifndef NAS_SHAPES_H
#define NAS_SHAPES_H

#include <nas/layer.h>

/* The shapes of the outputs that a node is applied to; returns how many. */
static inline int nas_node_input_shapes(const nas_node *node, nas_shape shapes[NAS_INPUTS_MAX]) {
  int count = nas_node_input_count(node);
  for (int k = 0; k < count; k++) shapes[k] = nas_node_shape(nas_node_input(node, k));
  return count;
}

/* Its parameter sets; returns how many. */
static inline int nas_node_params(const nas_node *node, nas_param sets[NAS_PARAMS_MAX]) {
  const nas_layer_kind *kind = nas_node_kind(node);
  nas_shape shapes[NAS_INPUTS_MAX];
  if (!kind->params) return 0;
  nas_node_input_shapes(node, shapes);
  return kind->params(nas_node_options(node), shapes, sets);
}

/* The length of the rows of a parameter set, and how many there are. */
static inline int nas_param_width(const nas_param *set) {
  return set->dim[set->rank - 1];
}
static inline size_t nas_param_rows(const nas_param *set) {
  size_t rows = 1;
  for (int d = 0; d < set->rank - 1; d++) rows *= (size_t)set->dim[d];
  return rows;
}

#endif
