/* New tensors of some elements of others. */
#include <nas/tensor.h>
#include "walk.h"

/* ---- Entries of a dimension ---- */

/* Entries start .. start+count-1 of dimension dim, borrowed. */
static nas_tensor entries(const nas_tensor *tensor, int dim, int64_t start, int64_t count) {
  nas_tensor view = *tensor;
  view.layout.dims[dim] = count;
  view.data += start * view.layout.strides[dim] * (int64_t)nas_dtype_size(view.dtype);
  return view;
}

nas_status nas_tensor_take(nas_tensor **out, const nas_tensor *tensor, int dim,
                           const int64_t *indices, int64_t count, nas_error *err) {
  nas_layout layout = tensor->layout;
  *out = NULL;
  nas_status status = nas_layout_check_dim(&layout, dim, err);
  for (int64_t i = 0; i < count && status == NAS_OK; i++)
    status = nas_layout_check_index(&layout, dim, indices[i], err);
  if (status != NAS_OK) return status;
  layout.dims[dim] = count;
  status = nas_tensor_create(out, tensor->dtype, layout.rank, layout.dims, err);
  for (int64_t i = 0; i < count && status == NAS_OK; i++) {
    nas_tensor to = entries(*out, dim, i, 1), from = entries(tensor, dim, indices[i], 1);
    status = nas_tensor_copy(&to, &from, err);
  }
  if (status != NAS_OK) nas_tensor_destroy(out);
  return status;
}

/* Adds to *joined what the tensor has along dim; all else must be equal. */
static nas_status join(nas_layout *joined, const nas_tensor *tensor, int dim, nas_error *err) {
  nas_layout other = tensor->layout;
  if (other.rank == joined->rank) {
    other.dims[dim] = joined->dims[dim];
    if (nas_layout_equal_dims(&other, joined)) {
      if (__builtin_add_overflow(joined->dims[dim], tensor->layout.dims[dim], &joined->dims[dim]))
        return nas_fail(err, NAS_LIMIT,
                        "tensor: the joined tensor has more elements than memory can hold");
      return NAS_OK;
    }
  }
  char text[2][NAS_DIMS_TEXT];
  nas_layout_dims_text(joined->rank, joined->dims, text[0]);
  nas_tensor_dims_text(tensor, text[1]);
  return nas_fail(err, NAS_ARGUMENT,
                  "tensor: %s can't be joined to %s; only the dimension that grows may differ",
                  text[1], text[0]);
}

nas_status nas_tensor_concat(nas_tensor **out, const nas_tensor *const *tensors, int64_t count,
                             int dim, nas_error *err) {
  nas_layout layout = tensors[0]->layout;
  nas_dtype dtype = tensors[0]->dtype;
  *out = NULL;
  nas_status status = nas_layout_check_dim(&layout, dim, err);
  for (int64_t i = 1; i < count && status == NAS_OK; i++) {
    dtype = nas_dtype_wider(dtype, tensors[i]->dtype);
    status = join(&layout, tensors[i], dim, err);
  }
  if (status == NAS_OK) status = nas_tensor_create(out, dtype, layout.rank, layout.dims, err);
  for (int64_t i = 0, at = 0; i < count && status == NAS_OK; i++) {
    int64_t more = tensors[i]->layout.dims[dim];
    nas_tensor to = entries(*out, dim, at, more);
    status = nas_tensor_copy(&to, tensors[i], err);
    at += more;
  }
  if (status != NAS_OK) nas_tensor_destroy(out);
  return status;
}

/* ---- Masks ---- */

static int64_t count_nonzero(const nas_tensor *mask) {
  double row[NAS_WALK_ROW];
  int64_t count = 0;
  nas_walk walk = nas_walk_begin(1, &mask);
  while (nas_walk_next(&walk)) {
    nas_walk_load(&walk, 0, row);
    for (int64_t i = 0; i < walk.length; i++) count += row[i] != 0;
  }
  return count;
}

nas_status nas_tensor_masked(nas_tensor **out, const nas_tensor *tensor, const nas_tensor *mask,
                             nas_error *err) {
  double row[NAS_WALK_ROW], keep[NAS_WALK_ROW];
  *out = NULL;
  nas_status status = nas_handle_check_equal_dims(tensor, mask, err);
  int64_t count = status == NAS_OK ? count_nonzero(mask) : 0;
  if (count == 0) return status;
  status = nas_tensor_create(out, tensor->dtype, 1, &count, err);
  if (status != NAS_OK) return status;
  unsigned char *to = (*out)->data;
  nas_walk walk = nas_walk_begin(2, (const nas_tensor *[]){tensor, mask});
  while (nas_walk_next(&walk)) {
    nas_walk_load(&walk, 0, row);
    nas_walk_load(&walk, 1, keep);
    for (int64_t i = 0; i < walk.length; i++) {
      if (keep[i] == 0) continue;
      nas_dtype_store(tensor->dtype, to, row[i]);
      to += nas_dtype_size(tensor->dtype);
    }
  }
  return NAS_OK;
}

nas_status nas_tensor_nonzero(nas_tensor **out, const nas_tensor *tensor, nas_error *err) {
  double row[NAS_WALK_ROW];
  const nas_layout *layout = &tensor->layout;
  int64_t dims[] = {count_nonzero(tensor), layout->rank};
  *out = NULL;
  if (dims[0] == 0) return NAS_OK;
  for (int d = 0; d < layout->rank; d++)
    if (layout->dims[d] > INT32_MAX)
      return nas_fail(err, NAS_LIMIT, "tensor: indices above %d", INT32_MAX);
  nas_status status = nas_tensor_create(out, NAS_INT32, 2, dims, err);
  if (status != NAS_OK) return status;
  int32_t *to = nas_tensor_data(*out);
  nas_walk walk = nas_walk_begin(1, &tensor);
  while (nas_walk_next(&walk)) {
    nas_walk_load(&walk, 0, row);
    for (int64_t i = 0; i < walk.length; i++) {
      int64_t left = walk.position + i;
      if (row[i] == 0) continue;
      for (int d = layout->rank - 1; d >= 0; d--) {
        to[d] = (int32_t)(left % layout->dims[d]);
        left /= layout->dims[d];
      }
      to += layout->rank;
    }
  }
  return NAS_OK;
}

nas_status nas_tensor_where(nas_tensor **out, const nas_tensor *mask, const nas_tensor *a,
                            const nas_tensor *b, nas_error *err) {
  double keep[NAS_WALK_ROW], row[NAS_WALK_ROW], other[NAS_WALK_ROW];
  nas_layout both, all;
  nas_tensor spread_mask, spread_a, spread_b;
  *out = NULL;
  nas_status status = nas_layout_broadcast(&both, &a->layout, &b->layout, err);
  if (status == NAS_OK) status = nas_layout_broadcast(&all, &mask->layout, &both, err);
  if (status == NAS_OK) status = nas_handle_spread(&spread_mask, mask, &all, err);
  if (status == NAS_OK) status = nas_handle_spread(&spread_a, a, &all, err);
  if (status == NAS_OK) status = nas_handle_spread(&spread_b, b, &all, err);
  if (status == NAS_OK)
    status = nas_tensor_create(out, nas_dtype_wider(a->dtype, b->dtype), all.rank, all.dims, err);
  if (status != NAS_OK) return status;
  nas_walk walk =
      nas_walk_begin(4, (const nas_tensor *[]){*out, &spread_mask, &spread_a, &spread_b});
  while (nas_walk_next(&walk)) {
    nas_walk_load(&walk, 1, keep);
    nas_walk_load(&walk, 2, row);
    nas_walk_load(&walk, 3, other);
    for (int64_t i = 0; i < walk.length; i++)
      if (keep[i] == 0) row[i] = other[i];
    nas_walk_store(&walk, 0, row, NULL); /* the type holds both */
  }
  return NAS_OK;
}
