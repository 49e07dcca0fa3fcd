#include <nas/tensor.h>
#include "walk.h"
#include <math.h>
#include <nas/elementary.h>

/* ---- Two tensors ---- */

static double larger(double a, double b) {
  return isnan(a) || a >= b ? a : b;
}

static double smaller(double a, double b) {
  return isnan(a) || a <= b ? a : b;
}

#define EACH(expression)                                                                           \
  for (int64_t i = 0; i < length; i++) a[i] = (expression);                                        \
  break

/* a = a op b. In double, + - * of float32 and int32 are exact before they are rounded to the
 * result's type, but for products of int32 that do not fit anyway; / is rounded twice to the same
 * bits as once. */
static void combine(nas_binary operation, double *a, const double *b, int64_t length) {
  switch (operation) {
  case NAS_BINARY_ADD: EACH(a[i] + b[i]);
  case NAS_BINARY_SUB: EACH(a[i] - b[i]);
  case NAS_BINARY_MUL: EACH(a[i] * b[i]);
  case NAS_BINARY_DIV: EACH(a[i] / b[i]);
  case NAS_BINARY_POW: EACH(nas_pow(a[i], b[i]));
  case NAS_BINARY_MAXIMUM: EACH(larger(a[i], b[i]));
  case NAS_BINARY_MINIMUM: EACH(smaller(a[i], b[i]));
  case NAS_BINARY_LT: EACH(a[i] < b[i]);
  case NAS_BINARY_LE: EACH(a[i] <= b[i]);
  case NAS_BINARY_GT: EACH(a[i] > b[i]);
  case NAS_BINARY_GE: EACH(a[i] >= b[i]);
  case NAS_BINARY_EQ: EACH(a[i] == b[i]);
  case NAS_BINARY_NE: EACH(a[i] != b[i]);
  case NAS_BINARY_AND: EACH(a[i] != 0 && b[i] != 0);
  case NAS_BINARY_OR: EACH(a[i] != 0 || b[i] != 0);
  }
}

static nas_dtype dtype_of_numbers(nas_dtype dtype) {
  return dtype == NAS_FLOAT32 ? NAS_FLOAT32 : NAS_INT32;
}

static nas_dtype dtype_of_binary(nas_binary operation, nas_dtype a, nas_dtype b) {
  switch (operation) {
  case NAS_BINARY_ADD:
  case NAS_BINARY_SUB:
  case NAS_BINARY_MUL: return dtype_of_numbers(nas_dtype_wider(a, b));
  case NAS_BINARY_DIV:
  case NAS_BINARY_POW: return NAS_FLOAT32;
  case NAS_BINARY_MAXIMUM:
  case NAS_BINARY_MINIMUM: return nas_dtype_wider(a, b);
  default: return NAS_UINT8;
  }
}

nas_status nas_tensor_binary(nas_tensor **out, nas_binary operation, const nas_tensor *a,
                             const nas_tensor *b, nas_error *err) {
  double row[NAS_WALK_ROW], other[NAS_WALK_ROW];
  nas_layout layout;
  nas_tensor *made = NULL, spread_a, spread_b;
  *out = NULL;
  nas_status status = nas_layout_broadcast(&layout, &a->layout, &b->layout, err);
  if (status == NAS_OK) status = nas_handle_spread(&spread_a, a, &layout, err);
  if (status == NAS_OK) status = nas_handle_spread(&spread_b, b, &layout, err);
  if (status == NAS_OK)
    status = nas_tensor_create(&made, dtype_of_binary(operation, a->dtype, b->dtype), layout.rank,
                               layout.dims, err);
  if (status != NAS_OK) return status;
  nas_walk walk = nas_walk_begin(3, (const nas_tensor *[]){made, &spread_a, &spread_b});
  while (nas_walk_next(&walk)) {
    nas_walk_load(&walk, 1, row);
    nas_walk_load(&walk, 2, other);
    combine(operation, row, other, walk.length);
    status = nas_walk_store(&walk, 0, row, err);
    if (status != NAS_OK) goto fail;
  }
  *out = made;
  return NAS_OK;

fail:
  nas_tensor_destroy(&made);
  return status;
}

/* ---- One tensor ---- */

static double sign(double x) {
  return x > 0 ? 1 : x < 0 ? -1 : x; /* NaN stays, and -0 */
}

static void map(nas_unary operation, double *a, int64_t length) {
  switch (operation) {
  case NAS_UNARY_ABS: EACH(fabs(a[i]));
  case NAS_UNARY_SIGN: EACH(sign(a[i]));
  case NAS_UNARY_FLOOR: EACH(floor(a[i]));
  case NAS_UNARY_CEIL: EACH(ceil(a[i]));
  case NAS_UNARY_ROUND: EACH(nearbyint(a[i]));
  case NAS_UNARY_EXP: EACH(nas_exp(a[i]));
  case NAS_UNARY_LOG: EACH(nas_log(a[i]));
  case NAS_UNARY_SQRT: EACH(sqrt(a[i]));
  case NAS_UNARY_TANH: EACH(nas_tanh(a[i]));
  case NAS_UNARY_SIGMOID: EACH(nas_sigmoid(a[i]));
  case NAS_UNARY_IS_NAN: EACH(isnan(a[i]) != 0);
  case NAS_UNARY_IS_FINITE: EACH(isfinite(a[i]) != 0);
  case NAS_UNARY_NOT: EACH(a[i] == 0);
  }
}

static nas_dtype dtype_of_unary(nas_unary operation, nas_dtype dtype) {
  if (operation <= NAS_UNARY_ROUND) return dtype_of_numbers(dtype);
  return operation <= NAS_UNARY_SIGMOID ? NAS_FLOAT32 : NAS_UINT8;
}

nas_status nas_tensor_unary(nas_tensor **out, nas_unary operation, const nas_tensor *tensor,
                            nas_error *err) {
  double row[NAS_WALK_ROW];
  nas_tensor *made = NULL;
  *out = NULL;
  nas_status status = nas_tensor_create(&made, dtype_of_unary(operation, tensor->dtype),
                                        tensor->layout.rank, tensor->layout.dims, err);
  if (status != NAS_OK) return status;
  nas_walk walk = nas_walk_begin(2, (const nas_tensor *[]){made, tensor});
  while (nas_walk_next(&walk)) {
    nas_walk_load(&walk, 1, row);
    map(operation, row, walk.length);
    status = nas_walk_store(&walk, 0, row, err);
    if (status != NAS_OK) goto fail; /* abs(INT32_MIN) */
  }
  *out = made;
  return NAS_OK;

fail:
  nas_tensor_destroy(&made);
  return status;
}
