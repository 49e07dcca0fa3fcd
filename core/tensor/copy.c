#include <nas/tensor.h>
#include "walk.h"
#include <math.h>
#include <string.h>

static void round_row(nas_dtype dtype, double *row, int64_t length) {
  if (dtype == NAS_FLOAT32) return;
  for (int64_t i = 0; i < length; i++) row[i] = nearbyint(row[i]);
}

/* Equal dims, no overlap. May fail half-way unless check_numbers has passed. */
static nas_status copy_numbers(nas_tensor *to, const nas_tensor *from, nas_error *err) {
  int same_dtype = to->dtype == from->dtype;
  size_t size = nas_dtype_size(to->dtype);
  double row[NAS_WALK_ROW];
  nas_walk walk = nas_walk_begin(2, (const nas_tensor *[]){to, from});
  while (nas_walk_next(&walk)) {
    if (same_dtype && nas_walk_stride(&walk, 0) == 1 && nas_walk_stride(&walk, 1) == 1) {
      memcpy(nas_walk_data(&walk, 0), nas_walk_data(&walk, 1), size * (size_t)walk.length);
      continue;
    }
    nas_walk_load(&walk, 1, row);
    round_row(to->dtype, row, walk.length);
    nas_status status = nas_walk_store(&walk, 0, row, err);
    if (status != NAS_OK) return status;
  }
  return NAS_OK;
}

/* Whether every number fits, before any is written. */
static nas_status check_numbers(nas_dtype dtype, const nas_tensor *from, nas_error *err) {
  double row[NAS_WALK_ROW];
  nas_walk walk = nas_walk_begin(1, &from);
  if (dtype == NAS_FLOAT32 || dtype == from->dtype) return NAS_OK;
  while (nas_walk_next(&walk)) {
    nas_walk_load(&walk, 0, row);
    round_row(dtype, row, walk.length);
    nas_status status = nas_walk_check(&walk, dtype, row, err);
    if (status != NAS_OK) return status;
  }
  return NAS_OK;
}

nas_status nas_tensor_convert(nas_tensor **out, const nas_tensor *tensor, nas_dtype dtype,
                              nas_error *err) {
  nas_tensor *made = NULL;
  *out = NULL;
  nas_status status =
      nas_tensor_create(&made, dtype, tensor->layout.rank, tensor->layout.dims, err);
  if (status != NAS_OK) return status;
  status = copy_numbers(made, tensor, err);
  if (status != NAS_OK) goto fail;
  *out = made;
  return NAS_OK;

fail:
  nas_tensor_destroy(&made);
  return status;
}

nas_status nas_tensor_clone(nas_tensor **out, const nas_tensor *tensor, nas_error *err) {
  return nas_tensor_convert(out, tensor, tensor->dtype, err);
}

nas_status nas_tensor_copy(nas_tensor *to, const nas_tensor *from, nas_error *err) {
  nas_tensor *apart = NULL;
  nas_status status = nas_handle_check_equal_dims(to, from, err);
  if (status == NAS_OK) status = nas_handle_check_writable(to, err);
  if (status != NAS_OK) return status;
  status = check_numbers(to->dtype, from, err);
  if (status != NAS_OK) return status;
  if (nas_tensor_shares(to, from)) {
    status = nas_tensor_clone(&apart, from, err);
    if (status != NAS_OK) return status;
    from = apart;
  }
  status = copy_numbers(to, from, err);
  nas_tensor_destroy(&apart);
  return status;
}

/* ---- Where a mask holds ---- */

/* Spreads mask and `from` to the dims of `to`. */
static nas_status spread_both(nas_tensor *mask_view, nas_tensor *from_view, const nas_tensor *to,
                              const nas_tensor *mask, const nas_tensor *from, nas_error *err) {
  nas_layout both;
  nas_tensor all = *to;
  nas_status status = nas_layout_broadcast(&both, &from->layout, &to->layout, err);
  if (status == NAS_OK) status = nas_layout_broadcast(&all.layout, &mask->layout, &both, err);
  if (status == NAS_OK) status = nas_handle_check_equal_dims(to, &all, err);
  if (status == NAS_OK) status = nas_handle_spread(mask_view, mask, &to->layout, err);
  return status == NAS_OK ? nas_handle_spread(from_view, from, &to->layout, err) : status;
}

/* The numbers of operand 2, rounded, where operand 1, the mask, holds; keep[i] tells where. */
static void load_kept(const nas_walk *walk, nas_dtype dtype, double *keep, double *row) {
  nas_walk_load(walk, 1, keep);
  nas_walk_load(walk, 2, row);
  round_row(dtype, row, walk->length);
  for (int64_t i = 0; i < walk->length; i++)
    if (keep[i] == 0) row[i] = 0; /* which every type holds */
}

/* Equal dims, no overlap. Nothing is written unless all numbers fit. */
static nas_status put_numbers(nas_tensor *to, const nas_tensor *mask, const nas_tensor *from,
                              nas_error *err) {
  double keep[NAS_WALK_ROW], row[NAS_WALK_ROW];
  const nas_tensor *operands[] = {to, mask, from};
  nas_walk walk = nas_walk_begin(3, operands);
  while (to->dtype != NAS_FLOAT32 && nas_walk_next(&walk)) {
    load_kept(&walk, to->dtype, keep, row);
    nas_status status = nas_walk_check(&walk, to->dtype, row, err);
    if (status != NAS_OK) return status;
  }
  walk = nas_walk_begin(3, operands);
  while (nas_walk_next(&walk)) {
    unsigned char *element = nas_walk_data(&walk, 0);
    int64_t step = nas_walk_stride(&walk, 0) * (int64_t)nas_dtype_size(to->dtype);
    load_kept(&walk, to->dtype, keep, row);
    for (int64_t i = 0; i < walk.length; i++)
      if (keep[i] != 0) nas_dtype_store(to->dtype, element + i * step, row[i]);
  }
  return NAS_OK;
}

nas_status nas_tensor_put(nas_tensor *to, const nas_tensor *mask, const nas_tensor *from,
                          nas_error *err) {
  nas_tensor *mask_apart = NULL, *from_apart = NULL, mask_view, from_view;
  nas_status status = spread_both(&mask_view, &from_view, to, mask, from, err);
  if (status == NAS_OK) status = nas_handle_check_writable(to, err);
  if (status == NAS_OK && nas_tensor_shares(to, mask)) {
    status = nas_tensor_clone(&mask_apart, &mask_view, err);
    if (status == NAS_OK) mask_view = *mask_apart;
  }
  if (status == NAS_OK && nas_tensor_shares(to, from)) {
    status = nas_tensor_clone(&from_apart, &from_view, err);
    if (status == NAS_OK) from_view = *from_apart;
  }
  if (status == NAS_OK) status = put_numbers(to, &mask_view, &from_view, err);
  nas_tensor_destroy(&mask_apart);
  nas_tensor_destroy(&from_apart);
  return status;
}

/* ---- Bytes ---- */

void nas_tensor_to_bytes(const nas_tensor *tensor, void *bytes) {
  size_t size = nas_dtype_size(tensor->dtype);
  unsigned char *to = bytes;
  nas_walk walk = nas_walk_begin(1, &tensor);
  while (nas_walk_next(&walk)) {
    const unsigned char *from = nas_walk_data(&walk, 0);
    int64_t step = nas_walk_stride(&walk, 0) * (int64_t)size;
    /* Not by way of doubles, which would take some NaNs for others. */
    for (int64_t i = 0; i < walk.length; i++, to += size) memcpy(to, from + i * step, size);
  }
  nas_dtype_swap(bytes, (size_t)nas_tensor_size(tensor), size);
}

nas_status nas_tensor_from_bytes(nas_tensor **out, nas_dtype dtype, int rank, const int64_t *dims,
                                 const void *bytes, size_t size, nas_error *err) {
  char text[NAS_DIMS_TEXT];
  nas_status status = nas_tensor_create(out, dtype, rank, dims, err);
  if (status != NAS_OK) return status;
  size_t count = (size_t)nas_tensor_size(*out), expected = count * nas_dtype_size(dtype);
  if (size == expected) {
    memcpy((*out)->data, bytes, size);
    nas_dtype_swap((*out)->data, count, nas_dtype_size(dtype));
    return NAS_OK;
  }
  nas_layout_dims_text(rank, dims, text);
  nas_tensor_destroy(out);
  return nas_fail(err, NAS_ARGUMENT, "tensor: %zu bytes given for %s of %s, which has %zu", size,
                  text, nas_dtype_name(dtype), expected);
}
