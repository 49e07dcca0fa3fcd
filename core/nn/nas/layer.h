/* What a kind of layer is: one constant table of functions. To add a kind, write one file with such
 * a table and register it (core/README.md).
 *
 * Layout of activations (nas_map). The images of a micro-batch lie one after the other; an image
 * is rows of pixels, a pixel is a row of channels padded to NAS_LANES floats (NHWC). Around the
 * pixels lies a border of zeros as wide as the windows of the consumers reach, so no kernel tests
 * bounds. A vector is a map of one pixel.
 *
 *     border  border  border        pixel number of (image n, y, x) = n * image + y * pitch + x
 *     border  (0,0) (0,1) border    its channels begin at
 *     border  (1,0) (1,1) border      part of the arena + offset + pixel number * stride
 *     border  border  border        pixels of the border above and to the left are negative
 */
#ifndef NAS_LAYER_H
#define NAS_LAYER_H

#include <stddef.h>
#include <stdint.h>
#include <nas/node.h>

#define NAS_PARAMS_MAX 4 /* parameter sets of one layer */

struct nas_kernels;

typedef struct nas_border {
  int top, left, bottom, right;
} nas_border;

typedef struct nas_map {
  int height, width, channels;
  nas_border border;
  int stride;    /* floats between pixels */
  int pitch;     /* pixels between rows */
  int image;     /* pixels between images */
  int scratch;   /* in which part of an arena it lies */
  size_t offset; /* floats from the start of that part to pixel 0 */
} nas_map;

/* Where maps lie. */
typedef struct nas_arena {
  float *stored;  /* of a micro-batch: what it finds when it comes back for another segment */
  float *scratch; /* of a thread: what it uses up before it takes the next micro-batch */
} nas_arena;

typedef enum nas_init_kind {
  NAS_INIT_ZERO,
  NAS_INIT_ONE,
  NAS_INIT_UNIFORM, /* uniform in [-range, range) */
} nas_init_kind;

typedef enum nas_param_use {
  NAS_PARAM_WEIGHT, /* trained, and made smaller by decay */
  NAS_PARAM_OFFSET, /* trained, no decay: biases, scales, offsets */
  NAS_PARAM_STATE,  /* not trained: statistics that the layer keeps itself */
} nas_param_use;

/* A named parameter set. The last dimension is the row (padded in memory); `range` is what the
 * layer's initialiser gives for its fan-in and fan-out. */
typedef struct nas_param {
  const char *role; /* "kernel", "bias" */
  int rank;
  int dim[4];
  nas_init_kind init;
  float range;
  nas_param_use use;
} nas_param;

/* A layer of a compiled network, as its functions see it. */
typedef struct nas_layer {
  const nas_layer_kind *kind;
  const struct nas_kernels *kernels;
  const nas_option_value *options;
  int input_count;
  const nas_map *inputs[NAS_INPUTS_MAX];   /* activations */
  const nas_map *d_inputs[NAS_INPUTS_MAX]; /* their gradients; NULL where none is needed */
  int accumulate[NAS_INPUTS_MAX];          /* 1: another consumer wrote d_inputs[i] already */
  /* Both NULL: a concatenation that is read where its inputs lie. d_output is NULL also where no
   * loss asks for the gradient of the output, or no parameter lies before it, and in inference. */
  const nas_map *output, *d_output;
  size_t params[NAS_PARAMS_MAX]; /* floats from the start of the parameters to each set */
  size_t derived;                /* floats from the start of the derived data to this layer's */
  size_t kept;                   /* floats from the start of pass->kept to this layer's */
  size_t sums, d_sums;           /* doubles from the start of a group's sums to this layer's */
  nas_hash hash;                 /* of the sub-graph that the layer ends, and which of those that */
  int occurrence;                /* are equal it is: the address of its random streams */
  int relu;                      /* the layer applies ReLU to its output (fused) */
  int inference;                 /* compiled to run forwards only */
  int joined;                    /* the inputs are those of a concatenation (kind->joins) */
  int winograd;                  /* of nas_compile_options */
  int micro_batch;               /* images that a pass has at most */
  void *data;                    /* of the kind: what compile made */
} nas_layer;

/* How long a layer ran, in all passes. */
typedef struct nas_layer_seconds {
  double forward, backward;
} nas_layer_seconds;

/* What one thread has while it takes a few images through the network. */
typedef struct nas_pass {
  nas_arena arena;      /* activations and their gradients */
  const float *params;  /* all parameters */
  const float *derived; /* what derive made of them */
  float *room;          /* for a layer to use while it runs, with any contents */
  int images;           /* 1 .. micro_batch */
  int training;         /* 0: evaluation, where dropout passes everything on and batch
                           normalisation uses its running statistics */

  /* Of each node in canonical order, added to; NULL: no clock is read. */
  nas_layer_seconds *seconds;

  /* In training only. */
  float *d_params;      /* gradients of the parameters, added to */
  float *kept;          /* what layers gather for a group of images; zeros before the first */
  int first;            /* position of the first image in its batch */
  int batch;            /* images in the batch: the loss is their mean */
  uint64_t seed;        /* of random streams, with the epoch (from 1) and */
  int epoch;            /*   the numbers of the images in their data set */
  const int32_t *image; /* [images] */
  double *sums;         /* of the group of images, added to */
  const double *totals; /* the sums of the whole batch */
} nas_pass;

/* How a compiled layer is computed, and what that takes for one image: forward and, unless it was
 * compiled to run forwards only, backward. */
typedef struct nas_layer_work {
  char kernel[32]; /* for people: "Winograd F(4x4,3x3)", "direct 5x5", "plain C"; "" for nothing */
  const char *table; /* whose kernels those are: "avx512", ...; NULL: of no table */
  int64_t macs;      /* multiply-accumulates as of windows that slide */
  int64_t done;      /* those that the kernels do in fact, the padding of rows included */
  int64_t bytes;     /* read and written */
} nas_layer_work;

struct nas_layer_kind {
  const char *name;
  nas_option_table options;
  int min_inputs, max_inputs;
  int draws;                      /* takes random numbers in training */
  int is_loss;                    /* one number from (output, target): a recipe can name it */
  double target_low, target_high; /* where a loss wants the values of targets; equal: anywhere */

  /* The output's shape. NAS_SHAPE with shapes and reason when the inputs do not fit. */
  nas_status (*shape)(const nas_option_value *options, const nas_shape *inputs, int count,
                      nas_shape *output, nas_error *err);

  /* Fills params with the parameter sets and returns how many; NULL: none. */
  int (*params)(const nas_option_value *options, const nas_shape *inputs, nas_param *params);

  /* Multiply-accumulates for one image, forward; NULL: none counted. */
  int64_t (*macs)(const nas_option_value *options, const nas_shape *inputs, nas_shape output);

  /* Widens the borders that the layer needs around input `index` and around the gradient of its
   * output; NULL: none. */
  void (*borders)(const nas_option_value *options, const nas_shape *inputs, int index,
                  nas_border *input, nas_border *d_output);

  /* Whether the kernel of this layer can apply ReLU as it stores. */
  int fuses_relu;

  /* Whether backward leaves in the gradient of the output what inputs of the output's shape get.
   * One of them, whose gradient no other consumer wrote yet, may then get that very memory: the
   * data of d_inputs[k] is that of d_output, and there is nothing to copy. */
  int passes;

  /* Whether the layer can read the maps of a concatenation side by side, so that it need not be
   * written: its inputs are then those of the concatenation. Such a kind has one input. They have
   * the same height, width and border, so that one list of pixels serves all. */
  int joins;

  /* Floats of derived data (transposed weights); of memory that a thread has while the layer runs;
   * and of memory that it keeps while a group of images goes backwards. NULL: none. Of the layer,
   * only what describes it is filled in yet: kind, kernels, options, relu, inference, winograd,
   * joined and input_count. The shapes are those of the maps that the layer reads. */
  size_t (*derived)(const nas_layer *layer, const nas_shape *inputs);
  size_t (*room)(const nas_layer *layer, const nas_shape *inputs);
  size_t (*kept)(const nas_layer *layer, const nas_shape *inputs);

  /* Builds layer->data (tap lists, pixel lists); NULL: nothing to build. On failure nothing is
   * left behind. `release` frees it. */
  nas_status (*compile)(nas_layer *layer, nas_error *err);
  void (*release)(nas_layer *layer);

  /* Output from inputs, for pass->images images. Padding of rows stays zero. */
  void (*forward)(const nas_layer *layer, const nas_pass *pass);

  /* From the gradient of the output (which it may overwrite): adds to pass->d_params, and writes
   * or adds to the gradients of the inputs. */
  void (*backward)(const nas_layer *layer, const nas_pass *pass);

  /* How the compiled layer is computed. Fills in kernel, table, macs and done; bytes hold those of
   * its maps and parameters, to which it adds others. NULL: "plain C" without multiply-accumulates.
   */
  void (*work)(const nas_layer *layer, nas_layer_work *work);

  /* After the last backward of a group of images, for kinds that keep memory: adds to
   * pass->d_params what was gathered there, and leaves zeros. */
  void (*finish)(const nas_layer *layer, const nas_pass *pass);

  /* Makes part `part` of `parts` of the derived data from the parameters; the parts may run at
   * once. */
  void (*derive)(const nas_layer *layer, const float *params, float *derived, int part, int parts);

  /* Layers that couple the images of a batch (batch normalisation). In training, all images of the
   * batch go as far as the inputs of such a layer, and `collect` adds to the layer's numbers in
   * pass->sums; when the numbers of all groups are added up in pass->totals, forward runs. Likewise
   * backwards: collect_backward, which may change the gradient of the output in place, and then
   * backward, when the output may be gone. Where it is not stored, forward runs a second time, on
   * the way back, before the layers that need it. `settle` runs once a batch, between steps: it may
   * change the layer's NAS_PARAM_STATE. sums: how many doubles each direction collects; NULL: the
   * kind couples nothing. */
  size_t (*sums)(const nas_option_value *options, const nas_shape *inputs);
  void (*collect)(const nas_layer *layer, const nas_pass *pass);
  void (*collect_backward)(const nas_layer *layer, const nas_pass *pass);
  void (*settle)(const nas_layer *layer, const double *totals, int batch, float *params);
};

/* The kind of that name; or NULL and NAS_ARGUMENT in *err with the known names. */
NAS_API const nas_layer_kind *nas_layer_kind_find(const char *name, nas_error *err);

/* The index-th kind in order of registration, built-in ones first; NULL past the end. */
NAS_API const nas_layer_kind *nas_layer_kind_at(int index);

/* Adds a kind, which must stay valid for ever and have another name than those there. Before any
 * other thread uses the library. NAS_ARGUMENT: name taken or functions missing; NAS_LIMIT: the
 * table is full. */
NAS_API nas_status nas_layer_kind_register(const nas_layer_kind *kind, nas_error *err);

/* A pointer to pixel 0 of image 0 of a map. */
static inline float *nas_map_data(const nas_map *map, nas_arena arena) {
  return (map->scratch ? arena.scratch : arena.stored) + map->offset;
}

/* Floats from there to the first channel of pixel (y, x) of image n. */
static inline ptrdiff_t nas_map_at(const nas_map *map, int n, int y, int x) {
  return ((ptrdiff_t)n * map->image + (ptrdiff_t)y * map->pitch + x) * map->stride;
}

#endif
