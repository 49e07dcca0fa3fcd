/* The built-in kinds of layers, one file each. */
#ifndef NAS_KINDS_H
#define NAS_KINDS_H

#include <nas/layer.h>

extern const nas_layer_kind nas_kind_input;
extern const nas_layer_kind nas_kind_target;
extern const nas_layer_kind nas_kind_conv2d;
extern const nas_layer_kind nas_kind_depthwise_conv2d;
extern const nas_layer_kind nas_kind_dense;
extern const nas_layer_kind nas_kind_batch_norm;
extern const nas_layer_kind nas_kind_relu;
extern const nas_layer_kind nas_kind_leaky_relu;
extern const nas_layer_kind nas_kind_tanh;
extern const nas_layer_kind nas_kind_sigmoid;
extern const nas_layer_kind nas_kind_exp;
extern const nas_layer_kind nas_kind_log;
extern const nas_layer_kind nas_kind_square;
extern const nas_layer_kind nas_kind_abs;
extern const nas_layer_kind nas_kind_scale;
extern const nas_layer_kind nas_kind_identity;
extern const nas_layer_kind nas_kind_add;
extern const nas_layer_kind nas_kind_multiply;
extern const nas_layer_kind nas_kind_concat;
extern const nas_layer_kind nas_kind_zero_pad;
extern const nas_layer_kind nas_kind_flatten;
extern const nas_layer_kind nas_kind_max_pool;
extern const nas_layer_kind nas_kind_avg_pool;
extern const nas_layer_kind nas_kind_global_avg_pool;
extern const nas_layer_kind nas_kind_mean;
extern const nas_layer_kind nas_kind_sum;
extern const nas_layer_kind nas_kind_one_hot;
extern const nas_layer_kind nas_kind_dropout;
extern const nas_layer_kind nas_kind_softmax_cross_entropy;
extern const nas_layer_kind nas_kind_mean_squared_error;
extern const nas_layer_kind nas_kind_huber;
extern const nas_layer_kind nas_kind_binary_cross_entropy;

static inline int nas_shape_equal(nas_shape a, nas_shape b) {
  int equal = a.rank == b.rank;
  for (int d = 0; equal && d < a.rank; d++) equal = a.dim[d] == b.dim[d];
  return equal;
}

#endif
