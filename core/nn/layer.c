/* The table of layer kinds. */
#include <nas/layer.h>
#include <string.h>
#include "kinds.h"

enum { KINDS_MAX = 128 };

static const nas_layer_kind *kinds[KINDS_MAX] = {
    &nas_kind_input,
    &nas_kind_target,
    &nas_kind_conv2d,
    &nas_kind_depthwise_conv2d,
    &nas_kind_dense,
    &nas_kind_batch_norm,
    &nas_kind_relu,
    &nas_kind_leaky_relu,
    &nas_kind_tanh,
    &nas_kind_sigmoid,
    &nas_kind_exp,
    &nas_kind_log,
    &nas_kind_square,
    &nas_kind_abs,
    &nas_kind_scale,
    &nas_kind_identity,
    &nas_kind_add,
    &nas_kind_multiply,
    &nas_kind_concat,
    &nas_kind_zero_pad,
    &nas_kind_flatten,
    &nas_kind_max_pool,
    &nas_kind_avg_pool,
    &nas_kind_global_avg_pool,
    &nas_kind_mean,
    &nas_kind_sum,
    &nas_kind_one_hot,
    &nas_kind_dropout,
    &nas_kind_softmax_cross_entropy,
    &nas_kind_mean_squared_error,
    &nas_kind_huber,
    &nas_kind_binary_cross_entropy,
};

const nas_layer_kind *nas_layer_kind_at(int index) {
  return index >= 0 && index < KINDS_MAX ? kinds[index] : NULL;
}

const nas_layer_kind *nas_layer_kind_find(const char *name, nas_error *err) {
  for (int i = 0; i < KINDS_MAX && kinds[i]; i++)
    if (strcmp(kinds[i]->name, name) == 0) return kinds[i];
  nas_text known = {0};
  for (int i = 0; i < KINDS_MAX && kinds[i]; i++) {
    if (i) nas_text_add(&known, ", ");
    nas_text_add(&known, kinds[i]->name);
  }
  nas_fail(err, NAS_ARGUMENT, "unknown layer \"%s\"; known layers: %s", name,
           known.data ? known.data : "none");
  nas_text_clear(&known);
  return NULL;
}

nas_status nas_layer_kind_register(const nas_layer_kind *kind, nas_error *err) {
  if (!kind->name || !kind->shape || !kind->forward || !kind->backward)
    return nas_fail(err, NAS_ARGUMENT,
                    "layer kind \"%s\": name, shape, forward and backward are required",
                    kind->name ? kind->name : "");
  if (kind->compile && !kind->release)
    return nas_fail(err, NAS_ARGUMENT, "layer kind \"%s\": what compile builds needs a release",
                    kind->name);
  if (kind->sums && (!kind->collect || !kind->collect_backward))
    return nas_fail(err, NAS_ARGUMENT, "layer kind \"%s\": sums need collect and collect_backward",
                    kind->name);
  if (kind->derived && !kind->derive)
    return nas_fail(err, NAS_ARGUMENT, "layer kind \"%s\": derived data needs derive", kind->name);
  if (kind->kept && !kind->finish)
    return nas_fail(err, NAS_ARGUMENT, "layer kind \"%s\": what is kept needs finish", kind->name);
  /* The maps that it would read side by side are those of its one input. */
  if (kind->joins && (kind->min_inputs != 1 || kind->max_inputs != 1))
    return nas_fail(err, NAS_ARGUMENT, "layer kind \"%s\": what joins has one input", kind->name);
  if (kind->max_inputs > NAS_INPUTS_MAX || kind->options.count > NAS_OPTIONS_MAX)
    return nas_fail(err, NAS_ARGUMENT, "layer kind \"%s\": at most %d inputs and %d options",
                    kind->name, NAS_INPUTS_MAX, NAS_OPTIONS_MAX);
  int i = 0;
  for (; i < KINDS_MAX && kinds[i]; i++)
    if (strcmp(kinds[i]->name, kind->name) == 0)
      return nas_fail(err, NAS_ARGUMENT, "layer kind \"%s\" is registered already", kind->name);
  if (i == KINDS_MAX)
    return nas_fail(err, NAS_LIMIT, "layer kind \"%s\": the table holds %d kinds", kind->name,
                    KINDS_MAX);
  kinds[i] = kind;
  return NAS_OK;
}
