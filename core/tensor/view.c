#include <nas/tensor.h>
#include "handle.h"
#include <inttypes.h>
#include <string.h>

nas_status nas_tensor_view(nas_tensor **out, const nas_tensor *tensor, nas_error *err) {
  return nas_handle_share(out, tensor, &tensor->layout, 0, err);
}

nas_status nas_tensor_narrow(nas_tensor **out, const nas_tensor *tensor, int dim, int64_t start,
                             int64_t count, nas_error *err) {
  *out = NULL;
  nas_status status = nas_layout_check_dim(&tensor->layout, dim, err);
  if (status != NAS_OK) return status;
  status = nas_layout_check_index(&tensor->layout, dim, start, err);
  if (status != NAS_OK) return status;
  int64_t left = tensor->layout.dims[dim] - start;
  if (count < 1 || count > left)
    return nas_fail(err, NAS_ARGUMENT,
                    "tensor: dimension %d has %" PRId64 " entries from index %" PRId64
                    " on; count %" PRId64 " is outside 1 to %" PRId64,
                    dim, left, start, count, left);
  nas_layout layout = tensor->layout;
  layout.dims[dim] = count;
  return nas_handle_share(out, tensor, &layout, start * layout.strides[dim], err);
}

nas_status nas_tensor_select(nas_tensor **out, const nas_tensor *tensor, int dim, int64_t index,
                             nas_error *err) {
  *out = NULL;
  nas_status status = nas_layout_check_dim(&tensor->layout, dim, err);
  if (status != NAS_OK) return status;
  status = nas_layout_check_index(&tensor->layout, dim, index, err);
  if (status != NAS_OK) return status;
  nas_layout layout = tensor->layout;
  if (layout.rank == 1)
    return nas_fail(err, NAS_ARGUMENT,
                    "tensor: select takes away a dimension and this tensor has only one");
  int64_t offset = index * layout.strides[dim];
  size_t behind = sizeof layout.dims[0] * (size_t)(layout.rank - 1 - dim);
  memmove(&layout.dims[dim], &layout.dims[dim + 1], behind);
  memmove(&layout.strides[dim], &layout.strides[dim + 1], behind);
  layout.rank--;
  return nas_handle_share(out, tensor, &layout, offset, err);
}

nas_status nas_tensor_step(nas_tensor **out, const nas_tensor *tensor, int dim, int64_t step,
                           nas_error *err) {
  *out = NULL;
  nas_status status = nas_layout_check_dim(&tensor->layout, dim, err);
  if (status != NAS_OK) return status;
  if (step == 0 || step == INT64_MIN)
    return nas_fail(err, NAS_ARGUMENT, "tensor: step is %" PRId64 "; expected another number",
                    step);
  nas_layout layout = tensor->layout;
  int64_t last = layout.dims[dim] - 1;
  int64_t offset = step < 0 ? last * layout.strides[dim] : 0;
  layout.dims[dim] = last / (step < 0 ? -step : step) + 1;
  if (layout.dims[dim] > 1) layout.strides[dim] *= step; /* which is less than dims[dim] */
  return nas_handle_share(out, tensor, &layout, offset, err);
}

nas_status nas_tensor_transpose(nas_tensor **out, const nas_tensor *tensor, int first, int second,
                                nas_error *err) {
  *out = NULL;
  nas_status status = nas_layout_check_dim(&tensor->layout, first, err);
  if (status != NAS_OK) return status;
  status = nas_layout_check_dim(&tensor->layout, second, err);
  if (status != NAS_OK) return status;
  nas_layout layout = tensor->layout;
  layout.dims[first] = tensor->layout.dims[second];
  layout.dims[second] = tensor->layout.dims[first];
  layout.strides[first] = tensor->layout.strides[second];
  layout.strides[second] = tensor->layout.strides[first];
  return nas_handle_share(out, tensor, &layout, 0, err);
}

nas_status nas_tensor_permute(nas_tensor **out, const nas_tensor *tensor, const int *order,
                              nas_error *err) {
  nas_layout layout = tensor->layout;
  unsigned seen = 0;
  *out = NULL;
  for (int d = 0; d < layout.rank; d++) {
    nas_status status = nas_layout_check_dim(&tensor->layout, order[d], err);
    if (status != NAS_OK) return status;
    if (seen & 1u << order[d])
      return nas_fail(err, NAS_ARGUMENT, "tensor: dimension %d is there twice; expected each once",
                      order[d]);
    seen |= 1u << order[d];
    layout.dims[d] = tensor->layout.dims[order[d]];
    layout.strides[d] = tensor->layout.strides[order[d]];
  }
  return nas_handle_share(out, tensor, &layout, 0, err);
}

nas_status nas_tensor_unsqueeze(nas_tensor **out, const nas_tensor *tensor, int dim,
                                nas_error *err) {
  nas_layout layout = tensor->layout;
  *out = NULL;
  if (dim < 0 || dim > layout.rank)
    return nas_fail(err, NAS_ARGUMENT, "tensor: a dimension %d can't be added; expected 0 to %d",
                    dim, layout.rank);
  if (layout.rank == NAS_RANK_MAX)
    return nas_fail(err, NAS_ARGUMENT, "tensor: %d dimensions are the most", NAS_RANK_MAX);
  size_t behind = sizeof layout.dims[0] * (size_t)(layout.rank - dim);
  memmove(&layout.dims[dim + 1], &layout.dims[dim], behind);
  memmove(&layout.strides[dim + 1], &layout.strides[dim], behind);
  layout.dims[dim] = 1;
  layout.strides[dim] = 1;
  layout.rank++;
  return nas_handle_share(out, tensor, &layout, 0, err);
}

nas_status nas_tensor_expand(nas_tensor **out, const nas_tensor *tensor, int rank,
                             const int64_t *dims, nas_error *err) {
  nas_layout layout;
  *out = NULL;
  nas_status status = nas_layout_make(&layout, rank, dims, nas_dtype_size(tensor->dtype), err);
  if (status == NAS_OK) status = nas_layout_spread(&tensor->layout, &layout, err);
  return status == NAS_OK ? nas_handle_share(out, tensor, &layout, 0, err) : status;
}

nas_status nas_tensor_reshape(nas_tensor **out, const nas_tensor *tensor, int rank,
                              const int64_t *dims, nas_error *err) {
  nas_layout layout;
  nas_tensor *contiguous = NULL;
  *out = NULL;
  nas_status status = nas_layout_make(&layout, rank, dims, nas_dtype_size(tensor->dtype), err);
  if (status != NAS_OK) return status;
  if (nas_layout_size(&layout) != nas_tensor_size(tensor)) {
    char from[NAS_DIMS_TEXT], to[NAS_DIMS_TEXT];
    nas_tensor_dims_text(tensor, from);
    nas_layout_dims_text(rank, dims, to);
    return nas_fail(err, NAS_ARGUMENT,
                    "tensor: %s has %" PRId64 " elements and cannot become %s with %" PRId64, from,
                    nas_tensor_size(tensor), to, nas_layout_size(&layout));
  }
  if (nas_tensor_is_contiguous(tensor)) return nas_handle_share(out, tensor, &layout, 0, err);
  status = nas_tensor_clone(&contiguous, tensor, err);
  if (status != NAS_OK) return status;
  contiguous->layout = layout;
  *out = contiguous;
  return NAS_OK;
}
