/* The work of layers that make one number of all values of an image. */
#ifndef NAS_REDUCE_H
#define NAS_REDUCE_H

#include <nas/layer.h>

/* The output is one number; the input has any shape. */
nas_status nas_reduce_shape(const nas_option_value *values, const nas_shape *inputs, int count,
                            nas_shape *output, nas_error *err);

/* y[n] = (sum over the values of image n, in raster order) / divisor, in double, rounded once. */
void nas_reduce_forward(const nas_layer *layer, const nas_pass *pass, double divisor);

/* d_x = d_y[n] / divisor, in double, rounded once. */
void nas_reduce_backward(const nas_layer *layer, const nas_pass *pass, double divisor);

#endif
