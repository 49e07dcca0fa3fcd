/* The work of layers that make every value of their output of the same value of their one input. */
#ifndef NAS_ELEMENTWISE_H
#define NAS_ELEMENTWISE_H

#include <nas/layer.h>
#include "kernel.h"

/* y[i] = f(x[i]) for i in 0 .. count-1. */
typedef void nas_apply_fn(const nas_option_value *values, const float *x, float *y, int count);

/* d_y[i] = d_y[i] * f'(x[i]), where y = f(x). */
typedef void nas_slope_fn(const nas_option_value *values, const float *x, const float *y,
                          float *d_y, int count);

/* The output has the input's shape, of any rank. */
nas_status nas_elementwise_shape(const nas_option_value *values, const nas_shape *inputs, int count,
                                 nas_shape *output, nas_error *err);

void nas_elementwise_forward(const nas_layer *layer, const nas_pass *pass, nas_apply_fn *apply);
/* The same with a kernel. */
void nas_squash_forward(const nas_layer *layer, const nas_pass *pass, nas_squash_fn *squash);

void nas_elementwise_backward(const nas_layer *layer, const nas_pass *pass, nas_slope_fn *slope);

#endif
