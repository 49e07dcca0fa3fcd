/* What a compiled network is, and the plan of its memory. */
#ifndef NAS_PLAN_H
#define NAS_PLAN_H

#include <nas/compiled.h>

/* What a node's output and its gradient occupy. Both have the same geometry, so that one list of
 * pixels serves both. */
typedef struct nas_place {
  nas_map map, d_map;
  size_t before, size; /* floats from the border's start to pixel 0, and in all */
  nas_border border;
  int needs_gradient;
  struct nas_place *heir_of; /* its gradient takes over that one's place; NULL: it has its own */
  struct nas_place *next;    /* in its part of an arena, of those that have their own; or NULL */
  int shares;                /* its gradient lies where another one was: clear around it first */
  int first_write, last_use; /* backward steps between which the gradient is alive; 0: never */
} nas_place;

/* Layers [coupled, first) couple the images of a batch; then come the others, up to `end`. */
typedef struct nas_segment {
  int coupled, first, end;
  size_t sums, d_sums; /* doubles before those that its coupled layers collect, each direction */
  size_t sum_count;
  size_t params, param_floats; /* the parameters whose gradients its backward adds to */
} nas_segment;

/* Arrays of `size` run in the order of execution: by segment, those that couple first, then in
 * canonical order. */
struct nas_compiled {
  int size;
  int *canonical; /* the index in the network */
  nas_layer *layers;
  nas_node **nodes; /* referenced: layers point to their options */
  int *fused;       /* 1: a ReLU that the layer before it applies */
  int *unwritten;   /* 1: a concatenation whose maps its consumers read side by side */
  int *place_of;    /* which place a node's output has: its own, or that of the layer before */
  nas_place *places;
  nas_place **input_places; /* of all inputs of layer 0, then of layer 1, ... */
  int *input_at;            /* where those of each layer begin */
  nas_segment *segments;
  int segment_count;
  nas_param_place *params; /* in canonical order */
  int param_count;
  size_t param_floats, trained_floats, derived_floats, room_floats, kept_floats, sums;
  size_t stored_floats, scratch_floats; /* of an arena */
  int input, target, output;            /* layers; target: -1 without one */
  int micro_batch;
  int inference, input_gradient;
  nas_winograd winograd;
  const struct nas_kernels *kernels;
};

/* Fills everything but kernels, inference, input_gradient, winograd and what the layers' own
 * compile builds; micro_batch is what the caller asked for. On failure what there is waits for
 * nas_compiled_destroy. */
nas_status nas_plan(nas_compiled *compiled, const nas_network *network, const nas_node *output,
                    nas_error *err);

/* Floats that training stores of one image between segments. */
nas_status nas_plan_stored(const nas_network *network, int64_t *floats, nas_error *err);

/* The layer of a node of the network. */
static inline int nas_plan_layer(const nas_compiled *compiled, int node) {
  int i = 0;
  while (compiled->canonical[i] != node) i++;
  return i;
}

/* The shapes of the maps that a layer reads: where it is joined, not those of its node's inputs. */
void nas_plan_read_shapes(const nas_compiled *compiled, int layer, nas_shape *shapes);

/* Whether a layer has nothing to do itself. */
static inline int nas_plan_skips(const nas_compiled *compiled, int layer) {
  return compiled->fused[layer] || compiled->unwritten[layer];
}

/* The places of the inputs of a layer. */
static inline nas_place *const *nas_plan_inputs(const nas_compiled *compiled, int layer) {
  return compiled->input_places + compiled->input_at[layer];
}

#endif
