#include <nas/tensor.h>
#include "walk.h"
#include <math.h>

double nas_tensor_sum(const nas_tensor *tensor) {
  double row[NAS_WALK_ROW], sum = 0;
  nas_walk walk = nas_walk_begin(1, &tensor);
  while (nas_walk_next(&walk)) {
    nas_walk_load(&walk, 0, row);
    for (int64_t i = 0; i < walk.length; i++) sum += row[i];
  }
  return sum;
}

double nas_tensor_mean(const nas_tensor *tensor) {
  return nas_tensor_sum(tensor) / (double)nas_tensor_size(tensor);
}

/* sign 1 gives the largest element, -1 the smallest; negation is exact. */
static double extreme(const nas_tensor *tensor, double sign) {
  double row[NAS_WALK_ROW], best = -HUGE_VAL;
  nas_walk walk = nas_walk_begin(1, &tensor);
  while (nas_walk_next(&walk)) {
    nas_walk_load(&walk, 0, row);
    for (int64_t i = 0; i < walk.length; i++) {
      if (isnan(row[i])) return (double)NAN;
      if (sign * row[i] > best) best = sign * row[i];
    }
  }
  return sign * best;
}

double nas_tensor_min(const nas_tensor *tensor) {
  return extreme(tensor, -1);
}

double nas_tensor_max(const nas_tensor *tensor) {
  return extreme(tensor, 1);
}

/* The tensor with the last dimension narrowed to one entry: a picture of where the result goes. */
static nas_tensor first_entries(const nas_tensor *tensor) {
  nas_tensor heads = *tensor;
  heads.layout.dims[heads.layout.rank - 1] = 1;
  return heads;
}

/* Of `count` elements, `stride` elements apart. */
static int64_t index_of_largest(const nas_tensor *tensor, const unsigned char *entries,
                                int64_t count, int64_t stride) {
  int64_t step = stride * (int64_t)nas_dtype_size(tensor->dtype);
  double best = nas_dtype_load(tensor->dtype, entries);
  int64_t index = 0;
  for (int64_t i = 1; i < count && !isnan(best); i++) {
    double value = nas_dtype_load(tensor->dtype, entries + i * step);
    if (value > best || isnan(value)) {
      best = value;
      index = i;
    }
  }
  return index;
}

nas_status nas_tensor_argmax(nas_tensor **out, const nas_tensor *tensor, nas_error *err) {
  nas_tensor *made = NULL;
  *out = NULL;
  const int last = tensor->layout.rank - 1;
  if (tensor->layout.dims[last] > INT32_MAX)
    return nas_fail(err, NAS_LIMIT, "tensor: argmax over more than %d entries", INT32_MAX);
  nas_tensor heads = first_entries(tensor);
  nas_status status = nas_tensor_create(&made, NAS_INT32, last ? last : 1, heads.layout.dims, err);
  if (status != NAS_OK) return status;
  int32_t *found = nas_tensor_data(made);
  size_t element = nas_dtype_size(tensor->dtype);
  nas_walk walk = nas_walk_begin(1, (const nas_tensor *[]){&heads});
  while (nas_walk_next(&walk)) {
    const unsigned char *head = nas_walk_data(&walk, 0);
    for (int64_t i = 0; i < walk.length; i++, head += nas_walk_stride(&walk, 0) * (int64_t)element)
      *found++ = (int32_t)index_of_largest(tensor, head, tensor->layout.dims[last],
                                           tensor->layout.strides[last]);
  }
  *out = made;
  return NAS_OK;
}

int nas_tensor_equal(const nas_tensor *a, const nas_tensor *b) {
  double a_row[NAS_WALK_ROW], b_row[NAS_WALK_ROW];
  if (a->dtype != b->dtype || !nas_layout_equal_dims(&a->layout, &b->layout)) return 0;
  nas_walk walk = nas_walk_begin(2, (const nas_tensor *[]){a, b});
  while (nas_walk_next(&walk)) {
    nas_walk_load(&walk, 0, a_row);
    nas_walk_load(&walk, 1, b_row);
    for (int64_t i = 0; i < walk.length; i++)
      if (!(a_row[i] == b_row[i])) return 0;
  }
  return 1;
}
