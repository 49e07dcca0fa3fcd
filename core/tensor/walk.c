#include "walk.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Whether dimension d of the tensors continues the last merged one without a gap in all of them, so
 * that the two are one longer dimension. */
static int continues(const nas_walk *walk, int d) {
  for (int k = 0; k < walk->operands; k++) {
    const nas_layout *layout = &walk->tensors[k]->layout;
    if (walk->strides[k][walk->rank - 1] != layout->strides[d] * layout->dims[d]) return 0;
  }
  return 1;
}

nas_walk nas_walk_begin(int operands, const nas_tensor *const *tensors) {
  nas_walk walk = {.operands = operands, .rank = 1, .dims = {1}};
  for (int k = 0; k < operands; k++) {
    walk.tensors[k] = tensors[k];
    walk.strides[k][0] = 1;
  }
  const nas_layout *layout = &tensors[0]->layout;
  int begun = 0;
  for (int d = 0; d < layout->rank; d++) {
    if (layout->dims[d] == 1) continue;
    if (begun && continues(&walk, d)) {
      walk.dims[walk.rank - 1] *= layout->dims[d];
    } else {
      if (begun) walk.rank++;
      walk.dims[walk.rank - 1] = layout->dims[d];
    }
    for (int k = 0; k < operands; k++)
      walk.strides[k][walk.rank - 1] = tensors[k]->layout.strides[d];
    begun = 1;
  }
  return walk;
}

int nas_walk_next(nas_walk *walk) {
  int d = walk->rank - 1;
  walk->position += walk->length;
  walk->index[d] += walk->length;
  while (d > 0 && walk->index[d] == walk->dims[d]) {
    walk->index[d--] = 0;
    walk->index[d]++;
  }
  int64_t left = walk->dims[walk->rank - 1] - walk->index[walk->rank - 1];
  walk->length = left < NAS_WALK_ROW ? left : NAS_WALK_ROW;
  return walk->index[0] < walk->dims[0];
}

void *nas_walk_data(const nas_walk *walk, int operand) {
  const nas_tensor *tensor = walk->tensors[operand];
  int64_t offset = 0;
  for (int d = 0; d < walk->rank; d++) offset += walk->index[d] * walk->strides[operand][d];
  return tensor->data + offset * (int64_t)nas_dtype_size(tensor->dtype);
}

int64_t nas_walk_stride(const nas_walk *walk, int operand) {
  return walk->strides[operand][walk->rank - 1];
}

/* ---- Rows ---- */

void nas_walk_load(const nas_walk *walk, int operand, double row[NAS_WALK_ROW]) {
  const void *data = nas_walk_data(walk, operand);
  int64_t stride = nas_walk_stride(walk, operand);
  switch (walk->tensors[operand]->dtype) {
  case NAS_FLOAT32:
    for (int64_t i = 0; i < walk->length; i++) row[i] = (double)((const float *)data)[i * stride];
    break;
  case NAS_UINT8:
    for (int64_t i = 0; i < walk->length; i++) row[i] = ((const uint8_t *)data)[i * stride];
    break;
  case NAS_INT32:
    for (int64_t i = 0; i < walk->length; i++) row[i] = ((const int32_t *)data)[i * stride];
    break;
  }
}

nas_status nas_walk_check(const nas_walk *walk, nas_dtype dtype, const double row[NAS_WALK_ROW],
                          nas_error *err) {
  if (dtype == NAS_FLOAT32) return NAS_OK;
  for (int64_t i = 0; i < walk->length; i++)
    if (!nas_dtype_holds(dtype, row[i])) {
      char place[48];
      snprintf(place, sizeof place, "element %" PRId64 " (in index order)", walk->position + i);
      return nas_dtype_fail(dtype, place, row[i], err);
    }
  return NAS_OK;
}

nas_status nas_walk_store(const nas_walk *walk, int operand, const double row[NAS_WALK_ROW],
                          nas_error *err) {
  nas_dtype dtype = walk->tensors[operand]->dtype;
  nas_status status = nas_walk_check(walk, dtype, row, err);
  if (status != NAS_OK) return status;
  void *data = nas_walk_data(walk, operand);
  int64_t stride = nas_walk_stride(walk, operand);
  switch (dtype) {
  case NAS_FLOAT32:
    for (int64_t i = 0; i < walk->length; i++) ((float *)data)[i * stride] = (float)row[i];
    break;
  case NAS_UINT8:
    for (int64_t i = 0; i < walk->length; i++) ((uint8_t *)data)[i * stride] = (uint8_t)row[i];
    break;
  case NAS_INT32:
    for (int64_t i = 0; i < walk->length; i++) ((int32_t *)data)[i * stride] = (int32_t)row[i];
    break;
  }
  return NAS_OK;
}

/* ---- Single numbers ---- */

static double lowest(nas_dtype dtype) {
  return dtype == NAS_INT32 ? INT32_MIN : 0;
}

static double highest(nas_dtype dtype) {
  return dtype == NAS_INT32 ? INT32_MAX : UINT8_MAX;
}

int nas_dtype_holds(nas_dtype dtype, double value) {
  if (dtype == NAS_FLOAT32) return 1;
  return value >= lowest(dtype) && value <= highest(dtype) && value == trunc(value);
}

nas_status nas_dtype_fail(nas_dtype dtype, const char *place, double value, nas_error *err) {
  return nas_fail(err, NAS_ARGUMENT,
                  "tensor: %s would be %.10g; %s holds whole numbers from %.10g to %.10g", place,
                  value, nas_dtype_name(dtype), lowest(dtype), highest(dtype));
}

void nas_dtype_swap(void *elements, size_t count, size_t size) {
  unsigned char *bytes = elements;
  if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ || size != 4) return;
  for (size_t i = 0; i < count; i++, bytes += 4) {
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    value = __builtin_bswap32(value);
    memcpy(bytes, &value, sizeof value);
  }
}

double nas_dtype_load(nas_dtype dtype, const void *element) {
  switch (dtype) {
  case NAS_UINT8: return *(const uint8_t *)element;
  case NAS_INT32: return *(const int32_t *)element;
  default: return (double)*(const float *)element;
  }
}

void nas_dtype_store(nas_dtype dtype, void *element, double value) {
  switch (dtype) {
  case NAS_UINT8: *(uint8_t *)element = (uint8_t)value; break;
  case NAS_INT32: *(int32_t *)element = (int32_t)value; break;
  default: *(float *)element = (float)value;
  }
}
