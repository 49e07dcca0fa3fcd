#include <nas/tensor.h>
#include "walk.h"

typedef enum operation { ADD, SUB, MUL } operation;

/* a = a op b. The results are exact sums and products of float32 and int32 before they are rounded
 * to the tensor's type, but for products of int32 that do not fit anyway. */
static void apply_row(operation op, double *a, const double *b, int64_t length) {
  switch (op) {
  case ADD:
    for (int64_t i = 0; i < length; i++) a[i] += b[i];
    break;
  case SUB:
    for (int64_t i = 0; i < length; i++) a[i] -= b[i];
    break;
  case MUL:
    for (int64_t i = 0; i < length; i++) a[i] *= b[i];
    break;
  }
}

/* b NULL: the scalar in its place. */
static nas_status apply(nas_tensor **out, operation op, const nas_tensor *a, const nas_tensor *b,
                        double scalar, nas_error *err) {
  double row[NAS_WALK_ROW], other[NAS_WALK_ROW];
  nas_tensor *made = NULL;
  *out = NULL;
  nas_status status = nas_tensor_create(&made, a->dtype, a->layout.rank, a->layout.dims, err);
  if (status != NAS_OK) return status;
  for (int i = 0; i < NAS_WALK_ROW; i++) other[i] = scalar;
  nas_walk walk = nas_walk_begin(b ? 3 : 2, (const nas_tensor *[]){made, a, b});
  while (nas_walk_next(&walk)) {
    nas_walk_load(&walk, 1, row);
    if (b) nas_walk_load(&walk, 2, other);
    apply_row(op, row, other, walk.length);
    status = nas_walk_store(&walk, 0, row, err);
    if (status != NAS_OK) goto fail;
  }
  *out = made;
  return NAS_OK;

fail:
  nas_tensor_destroy(&made);
  return status;
}

static nas_status apply_tensors(nas_tensor **out, operation op, const nas_tensor *a,
                                const nas_tensor *b, nas_error *err) {
  *out = NULL;
  if (a->dtype != b->dtype)
    return nas_fail(err, NAS_ARGUMENT, "tensor: the types %s and %s differ; convert one first",
                    nas_dtype_name(a->dtype), nas_dtype_name(b->dtype));
  nas_status status = nas_handle_check_equal_dims(a, b, err);
  if (status != NAS_OK) return status;
  return apply(out, op, a, b, 0, err);
}

nas_status nas_tensor_add(nas_tensor **out, const nas_tensor *a, const nas_tensor *b,
                          nas_error *err) {
  return apply_tensors(out, ADD, a, b, err);
}

nas_status nas_tensor_sub(nas_tensor **out, const nas_tensor *a, const nas_tensor *b,
                          nas_error *err) {
  return apply_tensors(out, SUB, a, b, err);
}

nas_status nas_tensor_mul(nas_tensor **out, const nas_tensor *a, const nas_tensor *b,
                          nas_error *err) {
  return apply_tensors(out, MUL, a, b, err);
}

nas_status nas_tensor_add_scalar(nas_tensor **out, const nas_tensor *a, double b, nas_error *err) {
  return apply(out, ADD, a, NULL, b, err);
}

nas_status nas_tensor_sub_scalar(nas_tensor **out, const nas_tensor *a, double b, nas_error *err) {
  return apply(out, SUB, a, NULL, b, err);
}

nas_status nas_tensor_mul_scalar(nas_tensor **out, const nas_tensor *a, double b, nas_error *err) {
  return apply(out, MUL, a, NULL, b, err);
}
