#include <nas/tensor.h>
#include "walk.h"

/* The address of the element at indices, checked. */
static nas_status locate(const nas_tensor *tensor, const int64_t *indices, int count,
                         void **element, nas_error *err) {
  const nas_layout *layout = &tensor->layout;
  int64_t offset = 0;
  if (count != layout->rank)
    return nas_fail(err, NAS_ARGUMENT, "tensor: %d %s given for %d %s", count,
                    count == 1 ? "index" : "indices", layout->rank,
                    layout->rank == 1 ? "dimension" : "dimensions");
  for (int d = 0; d < count; d++) {
    nas_status status = nas_layout_check_index(layout, d, indices[d], err);
    if (status != NAS_OK) return status;
    offset += indices[d] * layout->strides[d];
  }
  *element = tensor->data + offset * (int64_t)nas_dtype_size(tensor->dtype);
  return NAS_OK;
}

nas_status nas_tensor_get(const nas_tensor *tensor, const int64_t *indices, int count,
                          double *value, nas_error *err) {
  void *element;
  nas_status status = locate(tensor, indices, count, &element, err);
  if (status != NAS_OK) return status;
  *value = nas_dtype_load(tensor->dtype, element);
  return NAS_OK;
}

nas_status nas_tensor_set(nas_tensor *tensor, const int64_t *indices, int count, double value,
                          nas_error *err) {
  void *element;
  nas_status status = nas_handle_check_writable(tensor, err);
  if (status == NAS_OK) status = locate(tensor, indices, count, &element, err);
  if (status != NAS_OK) return status;
  if (!nas_dtype_holds(tensor->dtype, value))
    return nas_dtype_fail(tensor->dtype, "the element", value, err);
  nas_dtype_store(tensor->dtype, element, value);
  return NAS_OK;
}

nas_status nas_tensor_fill(nas_tensor *tensor, double value, nas_error *err) {
  double row[NAS_WALK_ROW];
  nas_walk walk = nas_walk_begin(1, (const nas_tensor *[]){tensor});
  nas_status status = nas_handle_check_writable(tensor, err);
  if (status != NAS_OK) return status;
  if (!nas_dtype_holds(tensor->dtype, value))
    return nas_dtype_fail(tensor->dtype, "every element", value, err);
  for (int i = 0; i < NAS_WALK_ROW; i++) row[i] = value;
  while (nas_walk_next(&walk)) nas_walk_store(&walk, 0, row, NULL);
  return NAS_OK;
}
