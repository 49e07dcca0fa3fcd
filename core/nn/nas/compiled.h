/* A network made ready to run: memory planned, windows and pixel lists built, ReLU fused. Holds no
 * weights and no activations, so one compiled network serves any number of threads. */
#ifndef NAS_COMPILED_H
#define NAS_COMPILED_H

#include <nas/network.h>

typedef struct nas_compiled nas_compiled;

typedef struct nas_compile_options {
  int micro_batch; /* images that a thread takes through the network at once, 1 to 16; 0: as many
                      as keep the activations in half of the second-level cache. Changes no bit. */
  const struct nas_kernels *kernels; /* NULL: the best of this processor. Changes no bit. */
} nas_compile_options;

/* Compiles `network`, whose last node must be a loss. On failure *compiled is NULL. The caller owns
 * it; it keeps what it needs of the network. */
NAS_API nas_status nas_compiled_create(nas_compiled **compiled, const nas_network *network,
                                       const nas_compile_options *options, nas_error *err);

/* Frees and clears the pointer. Accepts NULL and a pointer to NULL. */
NAS_API void nas_compiled_destroy(nas_compiled **compiled);

/* Sizes in floats of what a caller allocates (zeroed, with nas_alloc_zero): parameters (also their
 * gradient and moments), derived data, and for each thread an arena. */
NAS_API size_t nas_compiled_param_floats(const nas_compiled *compiled);
NAS_API size_t nas_compiled_derived_floats(const nas_compiled *compiled);
NAS_API size_t nas_compiled_arena_floats(const nas_compiled *compiled);

NAS_API int nas_compiled_micro_batch(const nas_compiled *compiled);
NAS_API const struct nas_kernels *nas_compiled_kernels(const nas_compiled *compiled);

/* Where the images of a micro-batch are written to, borders left alone. */
NAS_API const nas_map *nas_compiled_input(const nas_compiled *compiled);

/* Initial weights: each set from the stream (seed, "weights", hash of the node's sub-graph, its
 * occurrence, index of the set), elements in order of the dense set. */
NAS_API void nas_compiled_init(const nas_compiled *compiled, uint64_t seed, float *params);

/* Part `part` of `parts` of the derived data. All parts must be done, after the parameters changed,
 * before forward and backward run again. */
NAS_API void nas_compiled_derive(const nas_compiled *compiled, const float *params, float *derived,
                                 int part, int parts);

/* The images in the arena's input map through the network: fills pass->loss, pass->predicted. */
NAS_API void nas_compiled_forward(const nas_compiled *compiled, const nas_pass *pass);

/* After forward, with the same pass: adds the gradients of all parameters to pass->d_params. */
NAS_API void nas_compiled_backward(const nas_compiled *compiled, const nas_pass *pass);

/* The parameter sets, in canonical order. */
typedef struct nas_param_place {
  int node;     /* index in the canonical network */
  nas_param is; /* role, dimensions */
  size_t at;    /* floats from the start of the parameters */
  size_t rows;  /* product of all dimensions but the last */
  int width;    /* the last dimension; rows lie nas_row(width) floats apart */
} nas_param_place;
NAS_API int nas_compiled_param_count(const nas_compiled *compiled);
NAS_API nas_param_place nas_compiled_param(const nas_compiled *compiled, int index);

#endif
