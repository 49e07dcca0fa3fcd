#include <nas/tensor.h>
#include "walk.h"
#include <math.h>

/* A chain for each of the outputs that are under way: one, or a row of them. */
typedef struct chains {
  nas_reduction reduction;
  double value[NAS_WALK_ROW]; /* of the chain, or the best element so far */
  double mean[NAS_WALK_ROW];  /* of the output's elements; for variances */
  double at[NAS_WALK_ROW];    /* where the best one was */
} chains;

/* Means are 0 until the caller sets them. */
static void begin(chains *c, nas_reduction reduction, int64_t outputs) {
  double first = 0;
  if (reduction == NAS_REDUCE_MIN || reduction == NAS_REDUCE_ARGMIN) first = HUGE_VAL;
  if (reduction == NAS_REDUCE_MAX || reduction == NAS_REDUCE_ARGMAX) first = -HUGE_VAL;
  if (reduction == NAS_REDUCE_ALL) first = 1;
  c->reduction = reduction;
  for (int64_t i = 0; i < outputs; i++) {
    c->value[i] = first;
    c->at[i] = 0;
    c->mean[i] = 0;
  }
}

/* sign 1: whether x is larger than the best, -1: smaller; or the first NaN. */
static int is_better(double x, double best, double sign) {
  return !isnan(best) && (isnan(x) || sign * x > sign * best);
}

#define EACH(statement)                                                                            \
  for (int64_t i = 0; i < length; i++) {                                                           \
    double *value = &c->value[i * across];                                                         \
    statement;                                                                                     \
  }                                                                                                \
  break

/* With `across` 0, the next `length` elements of the one chain, of which the first has that index;
 * with 1, element `index` of so many chains. */
static void add(chains *c, const double *x, int64_t length, int across, int64_t index) {
  double sign = c->reduction == NAS_REDUCE_MAX || c->reduction == NAS_REDUCE_ARGMAX ? 1 : -1;
  switch (c->reduction) {
  case NAS_REDUCE_SUM:
  case NAS_REDUCE_MEAN: EACH(*value += x[i]);
  case NAS_REDUCE_VARIANCE:
  case NAS_REDUCE_STD: EACH(double d = x[i] - c->mean[i * across]; *value += d * d);
  case NAS_REDUCE_NORM: EACH(*value += x[i] * x[i]);
  case NAS_REDUCE_ANY: EACH(*value = *value != 0 || x[i] != 0);
  case NAS_REDUCE_ALL: EACH(*value = *value != 0 && x[i] != 0);
  case NAS_REDUCE_MIN:
  case NAS_REDUCE_MAX: EACH(if (is_better(x[i], *value, sign)) *value = x[i]);
  case NAS_REDUCE_ARGMIN:
  case NAS_REDUCE_ARGMAX:
    EACH(if (is_better(x[i], *value, sign)) {
      *value = x[i];
      c->at[i * across] = (double)(index + (across ? 0 : i));
    });
  }
}

/* What output i is, of `count` elements. */
static double end(const chains *c, int64_t i, int64_t count) {
  switch (c->reduction) {
  case NAS_REDUCE_MEAN:
  case NAS_REDUCE_VARIANCE: return c->value[i] / (double)count;
  case NAS_REDUCE_STD: return sqrt(c->value[i] / (double)count);
  case NAS_REDUCE_NORM: return sqrt(c->value[i]);
  case NAS_REDUCE_ARGMIN:
  case NAS_REDUCE_ARGMAX: return c->at[i];
  default: return c->value[i];
  }
}

static int needs_mean(nas_reduction reduction) {
  return reduction == NAS_REDUCE_VARIANCE || reduction == NAS_REDUCE_STD;
}

/* ---- Over all elements ---- */

double nas_tensor_total(const nas_tensor *tensor, nas_reduction reduction) {
  double row[NAS_WALK_ROW];
  chains c;
  begin(&c, reduction, 1);
  if (needs_mean(reduction)) c.mean[0] = nas_tensor_total(tensor, NAS_REDUCE_MEAN);
  nas_walk walk = nas_walk_begin(1, &tensor);
  while (nas_walk_next(&walk)) {
    nas_walk_load(&walk, 0, row);
    add(&c, row, walk.length, 0, walk.position);
  }
  return end(&c, 0, nas_tensor_size(tensor));
}

/* ---- Along a dimension ---- */

static nas_dtype dtype_of(nas_reduction reduction, nas_dtype dtype) {
  switch (reduction) {
  case NAS_REDUCE_MIN:
  case NAS_REDUCE_MAX: return dtype;
  case NAS_REDUCE_SUM: return dtype == NAS_FLOAT32 ? NAS_FLOAT32 : NAS_INT32;
  case NAS_REDUCE_ANY:
  case NAS_REDUCE_ALL: return NAS_UINT8;
  case NAS_REDUCE_ARGMIN:
  case NAS_REDUCE_ARGMAX: return NAS_INT32;
  default: return NAS_FLOAT32;
  }
}

/* The outputs of the walk's piece. Operand 1 is *heads, the tensor with the dimension narrowed to
 * one entry, which is moved along it. */
static void reduce_piece(const nas_walk *walk, chains *c, nas_reduction reduction,
                         const nas_tensor *tensor, nas_tensor *heads, int dim) {
  double row[NAS_WALK_ROW];
  int64_t step = tensor->layout.strides[dim] * (int64_t)nas_dtype_size(tensor->dtype);
  int64_t count = tensor->layout.dims[dim];
  if (needs_mean(reduction)) {
    reduce_piece(walk, c, NAS_REDUCE_MEAN, tensor, heads, dim);
    for (int64_t i = 0; i < walk->length; i++) row[i] = end(c, i, count);
  }
  begin(c, reduction, walk->length);
  for (int64_t i = 0; i < walk->length && needs_mean(reduction); i++) c->mean[i] = row[i];
  for (int64_t k = 0; k < count; k++) {
    heads->data = tensor->data + k * step;
    nas_walk_load(walk, 1, row);
    add(c, row, walk->length, 1, k);
  }
  heads->data = tensor->data;
}

nas_status nas_tensor_reduce(nas_tensor **out, const nas_tensor *tensor, nas_reduction reduction,
                             int dim, nas_error *err) {
  double row[NAS_WALK_ROW];
  chains c;
  nas_tensor *made = NULL, heads = *tensor;
  *out = NULL;
  nas_status status = nas_layout_check_dim(&tensor->layout, dim, err);
  if (status != NAS_OK) return status;
  int64_t count = tensor->layout.dims[dim];
  nas_dtype dtype = dtype_of(reduction, tensor->dtype);
  if (count > INT32_MAX && (reduction == NAS_REDUCE_ARGMIN || reduction == NAS_REDUCE_ARGMAX))
    return nas_fail(err, NAS_LIMIT, "tensor: positions among more than %d entries", INT32_MAX);
  heads.layout.dims[dim] = 1;
  status = nas_tensor_create(&made, dtype, heads.layout.rank, heads.layout.dims, err);
  if (status != NAS_OK) return status;
  nas_walk walk = nas_walk_begin(2, (const nas_tensor *[]){made, &heads});
  while (nas_walk_next(&walk)) {
    reduce_piece(&walk, &c, reduction, tensor, &heads, dim);
    for (int64_t i = 0; i < walk.length; i++) row[i] = end(&c, i, count);
    status = nas_walk_store(&walk, 0, row, err);
    if (status != NAS_OK) goto fail;
  }
  *out = made;
  return NAS_OK;

fail:
  nas_tensor_destroy(&made);
  return status;
}

/* ---- Equality ---- */

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
