/* Networks as they are described: an immutable graph of nodes, each a layer applied to earlier
 * nodes. Describing allocates no weights and computes nothing but shapes, so a network that cannot
 * be built fails at the node that is wrong. */
#ifndef NAS_NODE_H
#define NAS_NODE_H

#include <nas/hash.h>
#include <nas/options.h>
#include <nas/status.h>

/* The shape of one image's activation: rank 3 is [height][width][channels], rank 1 is [units], rank
 * 0 one number. */
typedef struct nas_shape {
  int rank;
  int dim[3];
} nas_shape;

#define NAS_DIM_MAX    65536 /* largest height, width, number of channels */
#define NAS_INPUTS_MAX 64    /* inputs of one node */
#define NAS_NODES_MAX  10000 /* nodes of one network */

typedef struct nas_node nas_node;
typedef struct nas_layer_kind nas_layer_kind; /* <nas/layer.h> */

/* A new node of the kind, with option values as its table has them (NULL: the defaults) and
 * inputs[0..input_count). NAS_SHAPE names layer, shapes and reason when they do not fit, and
 * NAS_LIMIT what would be too large; NAS_ARGUMENT: another number of inputs than the kind takes.
 * The node keeps a reference to each input; the caller owns one reference to the new node. On
 * failure *node is NULL. Nodes may be shared between threads once created. */
NAS_API nas_status nas_node_create(nas_node **node, const nas_layer_kind *kind,
                                   const nas_option_value *values, nas_node *const *inputs,
                                   int input_count, nas_error *err);

/* One more reference; returns node. */
NAS_API nas_node *nas_node_retain(nas_node *node);

/* Gives a reference back and clears the pointer. Accepts NULL and a pointer to NULL. */
NAS_API void nas_node_release(nas_node **node);

NAS_API const nas_layer_kind *nas_node_kind(const nas_node *node);
NAS_API const nas_option_value *nas_node_options(const nas_node *node);
NAS_API nas_shape nas_node_shape(const nas_node *node);
NAS_API int nas_node_input_count(const nas_node *node);
NAS_API nas_node *nas_node_input(const nas_node *node, int index); /* borrowed */

/* Hash of the node's kind, options and the hashes of its inputs: equal for equal sub-graphs,
 * whatever lies downstream and whatever anything is called. */
NAS_API nas_hash nas_node_hash(const nas_node *node);

/* "28x28x1", "10". */
#define NAS_SHAPE_TEXT 40
NAS_API void nas_shape_text(nas_shape shape, char text[NAS_SHAPE_TEXT]);

/* Product of the dimensions. */
NAS_API int64_t nas_shape_size(nas_shape shape);

#endif
