#include <nas/tensor.h>
#include "handle.h"
#include <nas/memory.h>

static const struct {
  const char *name;
  size_t size;
} dtypes[] = {
    [NAS_FLOAT32] = {"float32", sizeof(float)},
    [NAS_UINT8] = {"uint8", sizeof(uint8_t)},
    [NAS_INT32] = {"int32", sizeof(int32_t)},
};

static int is_dtype(nas_dtype dtype) {
  return (size_t)dtype < sizeof dtypes / sizeof dtypes[0];
}

const char *nas_dtype_name(nas_dtype dtype) {
  return is_dtype(dtype) ? dtypes[dtype].name : "unknown";
}

size_t nas_dtype_size(nas_dtype dtype) {
  return is_dtype(dtype) ? dtypes[dtype].size : 0;
}

/* ---- Making and destroying ---- */

/* A checked shape without storage yet: foreign memory must not enter before all else is there. */
static nas_status create_handle(nas_tensor **out, nas_dtype dtype, int rank, const int64_t *dims,
                                nas_error *err) {
  nas_layout layout;
  *out = NULL;
  if (!is_dtype(dtype)) return nas_fail(err, NAS_ARGUMENT, "tensor: unknown dtype %d", (int)dtype);
  nas_status status = nas_layout_make(&layout, rank, dims, nas_dtype_size(dtype), err);
  if (status != NAS_OK) return status;
  nas_tensor *tensor = nas_alloc_zero(1, sizeof *tensor);
  if (!tensor) return nas_fail_memory(err, "a tensor", sizeof *tensor);
  tensor->dtype = dtype;
  tensor->layout = layout;
  *out = tensor;
  return NAS_OK;
}

nas_status nas_tensor_create(nas_tensor **out, nas_dtype dtype, int rank, const int64_t *dims,
                             nas_error *err) {
  nas_status status = create_handle(out, dtype, rank, dims, err);
  if (status != NAS_OK) return status;
  size_t bytes = (size_t)nas_tensor_size(*out) * nas_dtype_size(dtype);
  status = nas_storage_create(&(*out)->storage, bytes, err);
  if (status != NAS_OK) goto fail;
  (*out)->data = nas_storage_data((*out)->storage);
  return NAS_OK;

fail:
  nas_tensor_destroy(out);
  return status;
}

nas_status nas_tensor_wrap(nas_tensor **out, nas_dtype dtype, int rank, const int64_t *dims,
                           void *data, nas_tensor_release *release, void *context, nas_error *err) {
  nas_status status = create_handle(out, dtype, rank, dims, err);
  if (status != NAS_OK) return status;
  status = nas_storage_wrap(&(*out)->storage, data, release, context, err);
  if (status != NAS_OK) goto fail;
  (*out)->data = nas_storage_data((*out)->storage);
  return NAS_OK;

fail:
  nas_tensor_destroy(out);
  return status;
}

nas_status nas_handle_share(nas_tensor **out, const nas_tensor *tensor, const nas_layout *layout,
                            int64_t offset, nas_error *err) {
  nas_tensor *view = nas_alloc(1, sizeof *view);
  *out = view;
  if (!view) return nas_fail_memory(err, "a view of a tensor", sizeof *view);
  view->dtype = tensor->dtype;
  view->layout = *layout;
  view->storage = nas_storage_retain(tensor->storage);
  view->data = tensor->data + offset * (int64_t)nas_dtype_size(tensor->dtype);
  return NAS_OK;
}

void nas_tensor_destroy(nas_tensor **tensor) {
  if (!tensor || !*tensor) return;
  nas_storage_release(&(*tensor)->storage);
  nas_free(*tensor);
  *tensor = NULL;
}

/* ---- What it is ---- */

nas_dtype nas_tensor_dtype(const nas_tensor *tensor) {
  return tensor->dtype;
}

int nas_tensor_rank(const nas_tensor *tensor) {
  return tensor->layout.rank;
}

const int64_t *nas_tensor_dims(const nas_tensor *tensor) {
  return tensor->layout.dims;
}

const int64_t *nas_tensor_strides(const nas_tensor *tensor) {
  return tensor->layout.strides;
}

int64_t nas_tensor_size(const nas_tensor *tensor) {
  return nas_layout_size(&tensor->layout);
}

void *nas_tensor_data(const nas_tensor *tensor) {
  return tensor->data;
}

int nas_tensor_is_contiguous(const nas_tensor *tensor) {
  return nas_layout_is_contiguous(&tensor->layout);
}

int nas_tensor_shares(const nas_tensor *a, const nas_tensor *b) {
  return a->storage == b->storage;
}

void nas_tensor_dims_text(const nas_tensor *tensor, char text[NAS_DIMS_TEXT]) {
  nas_layout_dims_text(tensor->layout.rank, tensor->layout.dims, text);
}

nas_status nas_handle_check_equal_dims(const nas_tensor *a, const nas_tensor *b, nas_error *err) {
  if (nas_layout_equal_dims(&a->layout, &b->layout)) return NAS_OK;
  char a_text[NAS_DIMS_TEXT], b_text[NAS_DIMS_TEXT];
  nas_tensor_dims_text(a, a_text);
  nas_tensor_dims_text(b, b_text);
  return nas_fail(err, NAS_ARGUMENT, "tensor: the shapes %s and %s differ", a_text, b_text);
}

nas_status nas_handle_spread(nas_tensor *view, const nas_tensor *tensor, const nas_layout *layout,
                             nas_error *err) {
  *view = *tensor;
  view->layout = *layout;
  return nas_layout_spread(&tensor->layout, &view->layout, err);
}

nas_status nas_handle_check_writable(const nas_tensor *tensor, nas_error *err) {
  if (!nas_layout_repeats(&tensor->layout)) return NAS_OK;
  return nas_fail(err, NAS_ARGUMENT,
                  "tensor: an expanded tensor can't be written to; its clone can");
}

nas_status nas_handle_check_float(const nas_tensor *tensor, const char *what, nas_error *err) {
  if (tensor->dtype == NAS_FLOAT32) return NAS_OK;
  return nas_fail(err, NAS_ARGUMENT, "tensor: %s is %s; expected float32", what,
                  nas_dtype_name(tensor->dtype));
}

nas_dtype nas_dtype_wider(nas_dtype a, nas_dtype b) {
  if (a == NAS_FLOAT32 || b == NAS_FLOAT32) return NAS_FLOAT32;
  return a == NAS_INT32 || b == NAS_INT32 ? NAS_INT32 : NAS_UINT8;
}
