/* The built-in kinds of layers, one file each. */
#ifndef NAS_KINDS_H
#define NAS_KINDS_H

#include <nas/layer.h>

extern const nas_layer_kind nas_kind_input;
extern const nas_layer_kind nas_kind_target;
extern const nas_layer_kind nas_kind_batch_norm;
extern const nas_layer_kind nas_kind_conv2d;
extern const nas_layer_kind nas_kind_dense;
extern const nas_layer_kind nas_kind_relu;
extern const nas_layer_kind nas_kind_max_pool;
extern const nas_layer_kind nas_kind_global_avg_pool;
extern const nas_layer_kind nas_kind_softmax_cross_entropy;

#endif
