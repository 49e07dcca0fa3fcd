/* Convolutions by Winograd's algorithm: the three passes over tiles of outputs, with the transforms
 * of kernel/winograd_transforms.h. Between the transforms lie products of matrices, one for each
 * element of a transformed tile, 36 or, where the kernel has one row or column, 6:
 *
 *   forward             M[k] = V[k] U[k]      [tiles][filters] = [tiles][channels][filters]
 *   gradient of kernel  dU[k] += V[k]' Z[k]   [channels][filters]
 *   gradient of input   forward of d_y with the kernel turned about
 *
 * A form has at most five taps along a dimension; kernels of six to ten are cut in two. Forward,
 * parts are more channels; backwards, each part is a pass of its own.
 *
 * V, M and Z take a block of tiles at a time, in the room of the pass. dU gathers over a group of
 * images, in what the pass keeps, and is transformed back once a group. */
#ifndef NAS_WINOGRAD_H
#define NAS_WINOGRAD_H

#include "convolve.h"
#include "kernel.h"

typedef struct nas_winograd_plan nas_winograd_plan;

/* Whether a convolution is computed this way: `wish` is a nas_winograd. The rule looks at the shape
 * alone. */
int nas_winograd_applies(const nas_convolution *convolution, int wish);

/* Floats: of the transformed kernel U, and, unless for inference, which gives no gradient of the
 * input, of the parts turned about; of V (or M) and M (or Z) of a block of tiles; of dU. */
size_t nas_winograd_derived(const nas_convolution *convolution, int inference);
size_t nas_winograd_room(const nas_convolution *convolution);
size_t nas_winograd_kept(const nas_convolution *convolution);

/* The elements of all transformed tiles of one channel of one image, for each part: of the tiles of
 * the output, and of those of the input backwards. */
typedef struct nas_winograd_size {
  nas_winograd_form form;
  int parts;
  int64_t forward, back;
} nas_winograd_size;
nas_winograd_size nas_winograd_size_of(const nas_convolution *convolution);

/* The tiles of a layer. On failure *plan is NULL. NAS_MEMORY. */
nas_status nas_winograd_create(nas_winograd_plan **plan, const nas_layer *layer,
                               const nas_convolution *convolution, nas_error *err);
void nas_winograd_destroy(nas_winograd_plan **plan);

/* What the functions of a layer kind do, but for the gradients of ReLU and bias. */
void nas_winograd_forward(const nas_winograd_plan *plan, const nas_layer *layer, const float *bias,
                          const nas_pass *pass);
void nas_winograd_backward_kernel(const nas_winograd_plan *plan, const nas_layer *layer,
                                  const nas_pass *pass);
void nas_winograd_backward_input(const nas_winograd_plan *plan, const nas_layer *layer,
                                 const nas_pass *pass);
void nas_winograd_finish(const nas_winograd_plan *plan, const nas_layer *layer,
                         const nas_pass *pass);
void nas_winograd_derive(const nas_winograd_plan *plan, const nas_layer *layer, const float *params,
                         float *derived, int part, int parts);

#endif
