/* What layers have in common that slide a window over each channel of a map. */
#ifndef NAS_POOLING_H
#define NAS_POOLING_H

#include <nas/layer.h>
#include "kernel.h"

enum { NAS_POOLING_POOL, NAS_POOLING_STRIDE, NAS_POOLING_PADDING, NAS_POOLING_OPTIONS };
extern const nas_option nas_pooling_options[NAS_POOLING_OPTIONS];

/* The output's shape for a layer of that kind; or NAS_SHAPE when the window does not fit. */
nas_status nas_pooling_shape(const char *kind, const nas_option_value *values, nas_shape input,
                             nas_shape *output, nas_error *err);

/* Makes the list of the windows, as nas_layer_kind has it; and takes it apart. */
nas_status nas_pooling_compile(nas_layer *layer, nas_error *err);
void nas_pooling_release(nas_layer *layer);

/* The kernels for the maps of a layer. */
const nas_kernels *nas_pooling_kernels(const nas_layer *layer);

/* Runs a kernel over all windows; backwards, the gradient of the input is cleared first unless
 * another consumer wrote it already. */
void nas_pooling_forward(const nas_layer *layer, const nas_pass *pass, nas_pooling_fn *run);
void nas_pooling_backward(const nas_layer *layer, const nas_pass *pass, nas_pooling_fn *run);

/* How a pooling layer is computed, as nas_layer_kind has it. */
void nas_pooling_work(const nas_layer *layer, nas_layer_work *work);

#endif
