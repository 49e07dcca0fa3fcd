#include "value.h"
#include <math.h>

nas_status nas_value_require(nas_policy *policy, nas_value_head *head, nas_error *err) {
  nas_blocks *blocks = &policy->blocks;
  nas_status status = nas_blocks_require(blocks, NAS_KEY_VALUE "weight", policy->options.units, 1,
                                         &head->weight, err);
  if (status) return status;
  return nas_blocks_require(blocks, NAS_KEY_VALUE "bias", 1, 1, &head->bias, err);
}

nas_status nas_value_forward(const nas_policy *policy, const nas_value_head *head, nas_tape *tape,
                             int t, double *value, nas_error *err) {
  nas_rows_multiply(policy->kernels, nas_tape_top(tape), t + 1, &head->weight->part[tape->part],
                    head->bias->part[tape->part].data, &tape->logit_row, 0, 1, 0);
  *value = (double)tape->logit_row.data[0];
  if (isfinite(*value)) return NAS_OK;
  return nas_fail(err, NAS_DIVERGED, "the value of decision %d is not finite", t + 1);
}

void nas_value_gradient(const nas_policy *policy, const nas_value_head *head, nas_tape *tape, int t,
                        double coefficient, nas_policy_gradient *gradient) {
  /* The row may be longer; the kernels are told its width. */
  nas_rows d_v = {.data = tape->d_logits.data, .rows = 1, .width = 1, .stride = nas_row(1)};
  d_v.data[0] = (float)coefficient;
  for (int k = d_v.width; k < d_v.stride; k++) d_v.data[k] = 0;

  /* V = b + h w */
  nas_rows_add(&d_v, 0, nas_gradient_of(gradient, head->bias), 0);
  nas_rows_multiply_weights(policy->kernels, nas_tape_top(tape), t + 1, &d_v, 0, 1,
                            nas_gradient_of(gradient, head->weight));
  nas_rows_multiply(policy->kernels, &d_v, 0, &head->weight->transposed, NULL, &tape->d_hidden, t,
                    1, NAS_CONV_ACCUMULATE);
}

nas_status nas_policy_values(nas_policy *policy, nas_tape *tape, double *values, nas_error *err) {
  nas_value_head head;
  nas_policy_mark mark = nas_policy_mark_now(policy);
  nas_status status = nas_tape_check(tape, policy, err);
  if (status) return status;
  status = nas_value_require(policy, &head, err);
  for (int t = 0; status == NAS_OK && t < tape->length; t++)
    status = nas_value_forward(policy, &head, tape, t, &values[t], err);
  if (status) nas_policy_roll_back(policy, mark);
  return status;
}
