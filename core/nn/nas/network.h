/* The canonical form of a network, from which everything follows: identity, costs, weights, the
 * compiled network.
 *
 * Canonical: only nodes that the output depends on, in the order in which a depth-first walk from
 * the output, inputs in order, finishes them. So names, unused nodes and the order in which
 * independent branches were described do not matter. Nodes with equal sub-graphs are told apart
 * by their occurrence in that order. */
#ifndef NAS_NETWORK_H
#define NAS_NETWORK_H

#include <nas/layer.h>

typedef struct nas_network nas_network;

/* The canonical form of what `output` depends on. Must depend on exactly one input layer. The
 * network keeps references to the nodes. On failure *network is NULL. Immutable: may be used from
 * several threads. */
NAS_API nas_status nas_network_create(nas_network **network, nas_node *output, nas_error *err);

/* Frees and clears the pointer. Accepts NULL and a pointer to NULL. */
NAS_API void nas_network_destroy(nas_network **network);

/* One line for each node, in canonical order: "3 conv2d(2) kernel=3,3 filters=64 ..." */
NAS_API const char *nas_network_text(const nas_network *network);

/* The node whose network has that canonical text, to the byte. NAS_FORMAT, with the line and what
 * was expected there: another syntax, a line number, layer or option that is not known, an input
 * that is no earlier line, an option that is missing or out of range, or another text than the
 * network's canonical one. NAS_SHAPE and NAS_LIMIT as nas_node_create and nas_network_create say;
 * NAS_MEMORY. On success the caller owns one reference to *output; on failure it is NULL. */
NAS_API nas_status nas_network_parse(nas_node **output, const char *text, nas_error *err);

/* XXH3-128 of the canonical text. */
NAS_API nas_hash nas_network_hash(const nas_network *network);

NAS_API int64_t nas_network_params(const nas_network *network); /* trainable numbers */
NAS_API int64_t nas_network_macs(const nas_network *network);   /* for one image, forward */

/* Bytes that training takes, by a formula over the canonical network that is the same on every
 * machine: 4 * (14 P + D + 2 A n + S b + 2 (K + R)), with
 *   P  the parameters
 *   D  what is derived from them
 *   A  the activations of one image, with the borders that its layers ask for; gradients take up to
 *      A again
 *   n  the images that two threads take at once, each as many as have 2 A floats in 512 KiB, but 4
 *      to 16 (a compiled network chooses by half of the cache that is there, borders left out)
 *   S  0, or where a layer couples the images of a batch A, or what a compiled network stores of
 *      an image (nas/compiled.h), activations and gradients, if that is more
 *   b  the images of the batch, rounded up to 16
 *   K  what a thread keeps while a group of images goes backwards
 *   R  the most that a layer needs while it runs
 * in floats, with the padding of rows. Not in it are the lists of pixels of the compiled network,
 * less than a twentieth of it. */
NAS_API int64_t nas_network_memory(const nas_network *network, int batch);

/* Appends a table for people: the layers with the options that differ from the defaults, output
 * shapes, parameters, multiply-accumulates; then the sums, and the memory of training with that
 * batch. text->failed tells when memory ran out. */
NAS_API void nas_network_summary(const nas_network *network, int batch, nas_text *text);

/* Appends the graph in Graphviz's language: `dot -Tsvg`. */
NAS_API void nas_network_graphviz(const nas_network *network, nas_text *text);

NAS_API int nas_network_size(const nas_network *network);
NAS_API nas_node *nas_network_node(const nas_network *network, int index); /* borrowed */

/* Which input of node `index` is which node, and which occurrence of its sub-graph the node is. */
NAS_API int nas_network_input(const nas_network *network, int index, int input);
NAS_API int nas_network_occurrence(const nas_network *network, int index);

/* The parameters and multiply-accumulates of one node. */
NAS_API int64_t nas_network_node_params(const nas_network *network, int index);
NAS_API int64_t nas_network_node_macs(const nas_network *network, int index);

#endif
