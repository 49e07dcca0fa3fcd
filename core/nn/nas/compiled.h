/* A network made ready to run: memory planned, windows and pixel lists built, ReLU fused. Holds no
 * weights and no activations, so one compiled network serves any number of threads.
 *
 * Layers that couple the images of a batch cut the network into segments. In training, all images
 * of a batch go through segment 0, then all through segment 1, and so on to the last; then
 * backwards. Between two segments the sums of the groups of images are added up
 * (nas_compiled_total). What a micro-batch needs when it comes back is stored for each of them; all
 * else is a thread's, which uses it for one micro-batch after the other. */
#ifndef NAS_COMPILED_H
#define NAS_COMPILED_H

#include <nas/network.h>

#define NAS_GROUP 16 /* images of a batch that go together: the unit of determinism */

typedef struct nas_compiled nas_compiled;

/* Which convolutions with stride 1 and a kernel of up to ten rows and columns are computed by
 * Winograd's algorithm, whose results differ in the last bits. */
typedef enum nas_winograd {
  NAS_WINOGRAD_AUTO, /* those whose shape makes it faster, by a fixed rule */
  NAS_WINOGRAD_NONE,
  NAS_WINOGRAD_ALL,
} nas_winograd;

typedef struct nas_compile_options {
  int micro_batch; /* images that a thread takes through the network at once, 1 to NAS_GROUP; 0: as
                      many as keep the activations of a segment in half of the second-level cache,
                      but at least 4 and at most NAS_GROUP. Changes no bit. */
  const struct nas_kernels *kernels; /* NULL: LUANAS_ISA's or the best. Changes no bit. */
  const nas_node *output; /* the node whose values the caller reads; NULL: the last one */
  int inference;          /* 1: forward only, no room for gradients */
  nas_winograd winograd;  /* changes bits */
  int input_gradient; /* 1: training leaves the gradient of the input, too. Its map has then rows
                         with padding */
} nas_compile_options;

/* Compiles `network`. To be trained, its last node must be one number for each image, the loss
 * (NAS_ARGUMENT). On failure *compiled is NULL. The caller owns it; it keeps what it needs of the
 * network. options may be NULL. */
NAS_API nas_status nas_compiled_create(nas_compiled **compiled, const nas_network *network,
                                       const nas_compile_options *options, nas_error *err);

/* Frees and clears the pointer. Accepts NULL and a pointer to NULL. */
NAS_API void nas_compiled_destroy(nas_compiled **compiled);

/* Sizes in floats of what a caller allocates (zeroed, with nas_alloc_zero): parameters; derived
 * data; an arena's two parts, the stored one for each micro-batch that is under way (nothing, where
 * there is one segment), the scratch one for each thread; for each thread, room, and what it keeps
 * of a group. What is trained lies at the front of the parameters: gradients and moments are arrays
 * of trained_floats. */
NAS_API size_t nas_compiled_param_floats(const nas_compiled *compiled);
NAS_API size_t nas_compiled_trained_floats(const nas_compiled *compiled);
NAS_API size_t nas_compiled_derived_floats(const nas_compiled *compiled);
NAS_API size_t nas_compiled_stored_floats(const nas_compiled *compiled);
NAS_API size_t nas_compiled_scratch_floats(const nas_compiled *compiled);
NAS_API size_t nas_compiled_room_floats(const nas_compiled *compiled);
NAS_API size_t nas_compiled_kept_floats(const nas_compiled *compiled);

/* Segments, at least 1, and the doubles that a group of images collects (zeroed for each batch). */
NAS_API int nas_compiled_segments(const nas_compiled *compiled);
NAS_API size_t nas_compiled_sums(const nas_compiled *compiled);

NAS_API int nas_compiled_micro_batch(const nas_compiled *compiled);
NAS_API const struct nas_kernels *nas_compiled_kernels(const nas_compiled *compiled);

/* Where in an arena the caller writes the images of a micro-batch and their targets, borders left
 * alone, and finds outputs and losses. The target is NULL when the network has none. */
NAS_API const nas_map *nas_compiled_input(const nas_compiled *compiled);
NAS_API const nas_map *nas_compiled_target(const nas_compiled *compiled);
NAS_API const nas_map *nas_compiled_output(const nas_compiled *compiled);
NAS_API const nas_map *nas_compiled_loss(const nas_compiled *compiled);

/* Where the gradient of the input is after the backward of segment 0; NULL: nowhere. */
NAS_API const nas_map *nas_compiled_d_input(const nas_compiled *compiled);

/* Initial weights: each set from the stream (seed, "weights", hash of the node's sub-graph, its
 * occurrence, index of the set), elements in order of the dense set. */
NAS_API void nas_compiled_init(const nas_compiled *compiled, uint64_t seed, float *params);

/* Part `part` of `parts` of the derived data. All parts must be done, after the parameters changed,
 * before forward and backward run again. */
NAS_API void nas_compiled_derive(const nas_compiled *compiled, const float *params, float *derived,
                                 int part, int parts);

/* How the layer of a node of the network, counted in canonical order, is computed. */
typedef struct nas_compiled_layer {
  nas_layer_work work;
  int fused_into;      /* the node whose layer does all of this one's work; -1: none, it does it. Of
                          the consumers that read the maps of an unwritten concatenation the first */
  size_t map_bytes;    /* that its output and, unless another one's serves, the gradient of that
                          take in an arena, for an image */
  size_t weight_bytes; /* its parameters, and what is derived from them */
  /* Predicted, for an image on one core: work.done at the peak of the table (32 in a cycle for
   * avx512, 16 for avx2; without an instruction for them 1 in 12 cycles for baseline, 1 in 24 for
   * scalar), and work.bytes, 16 in a cycle. */
  double cycles;
} nas_compiled_layer;
NAS_API nas_compiled_layer nas_compiled_layer_at(const nas_compiled *compiled, int node);

/* Evaluation: the images in the arena through the whole network. pass->training is 0. */
NAS_API void nas_compiled_evaluate(const nas_compiled *compiled, const nas_pass *pass);

/* Training. The images in the arena through one segment, and back: adds the gradients of the
 * segment's parameters to pass->d_params, and what the next segment needs to pass->sums. The last
 * segment's backward follows its forward at once, and begins with the gradient of the mean loss of
 * the batch. */
NAS_API void nas_compiled_forward(const nas_compiled *compiled, int segment, const nas_pass *pass);
NAS_API void nas_compiled_backward(const nas_compiled *compiled, int segment, const nas_pass *pass);

/* To be called after the last backward of a group of images through a segment: what layers kept of
 * it is added to pass->d_params. Of the pass, params, d_params, kept and seconds count. */
NAS_API void nas_compiled_finish(const nas_compiled *compiled, int segment, const nas_pass *pass);

/* Adds up, in group order, what `groups` groups collected (nas_compiled_sums doubles each, one
 * group after the other) on the way into `segment` from below, or from above (backwards). */
NAS_API void nas_compiled_total(const nas_compiled *compiled, int segment, int backwards,
                                const double *sums, int groups, double *totals);

/* Lets layers that keep statistics take them from the totals of a batch of `batch` images. */
NAS_API void nas_compiled_settle(const nas_compiled *compiled, const double *totals, int batch,
                                 float *params);

/* The parameters whose gradients a segment's backward adds to: `*floats` floats from the one
 * returned. */
NAS_API size_t nas_compiled_segment_params(const nas_compiled *compiled, int segment,
                                           size_t *floats);

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
