#include <nas/tensor.h>
#include "handle.h"
#include <cblas.h>
#include <inttypes.h>
#include <limits.h>

/* A matrix as sgemm wants it: rows, or columns (transpose), that lie without gaps, `leading`
 * elements apart. */
typedef struct operand {
  const float *data;
  enum CBLAS_TRANSPOSE transpose;
  int leading;
  nas_tensor *copy; /* owned; NULL where the tensor could be used as it is */
} operand;

/* Whether `lines` lines of `length` elements have those strides; sets the distance of lines. */
static int has_lines(int64_t lines, int64_t length, int64_t line_stride, int64_t stride,
                     int *leading) {
  if (length > 1 && stride != 1) return 0;
  /* The stride of a single line is never followed, but sgemm insists on a sound one. */
  int64_t distance = lines > 1 ? line_stride : length;
  if (distance < length || distance > INT_MAX) return 0;
  *leading = (int)distance;
  return 1;
}

static int use_directly(operand *use, const nas_tensor *matrix) {
  const int64_t *dims = matrix->layout.dims, *strides = matrix->layout.strides;
  use->data = (const float *)matrix->data;
  use->transpose = CblasNoTrans;
  if (has_lines(dims[0], dims[1], strides[0], strides[1], &use->leading)) return 1;
  use->transpose = CblasTrans;
  return has_lines(dims[1], dims[0], strides[1], strides[0], &use->leading);
}

static nas_status prepare(operand *use, const nas_tensor *matrix, nas_error *err) {
  if (use_directly(use, matrix)) return NAS_OK;
  nas_status status = nas_tensor_clone(&use->copy, matrix, err);
  if (status != NAS_OK) return status;
  use_directly(use, use->copy);
  return NAS_OK;
}

static nas_status check_matrix(const nas_tensor *matrix, const char *which, nas_error *err) {
  const int64_t *dims = matrix->layout.dims;
  if (matrix->dtype != NAS_FLOAT32)
    return nas_fail(err, NAS_ARGUMENT, "tensor: matmul's %s matrix is %s; expected float32", which,
                    nas_dtype_name(matrix->dtype));
  if (matrix->layout.rank != 2)
    return nas_fail(err, NAS_ARGUMENT, "tensor: matmul's %s matrix has %d dimension%s; expected 2",
                    which, matrix->layout.rank, matrix->layout.rank == 1 ? "" : "s");
  if (dims[0] > INT_MAX || dims[1] > INT_MAX)
    return nas_fail(err, NAS_LIMIT,
                    "tensor: matmul's %s matrix is %" PRId64 " by %" PRId64 "; at most %d", which,
                    dims[0], dims[1], INT_MAX);
  return NAS_OK;
}

static nas_status check_matrices(const nas_tensor *a, const nas_tensor *b, nas_error *err) {
  nas_status status = check_matrix(a, "first", err);
  if (status != NAS_OK) return status;
  status = check_matrix(b, "second", err);
  if (status != NAS_OK) return status;
  if (a->layout.dims[1] == b->layout.dims[0]) return NAS_OK;
  return nas_fail(err, NAS_ARGUMENT,
                  "tensor: matmul of [%" PRId64 ", %" PRId64 "] and [%" PRId64 ", %" PRId64
                  "]: the first has %" PRId64 " columns, the second %" PRId64 " rows",
                  a->layout.dims[0], a->layout.dims[1], b->layout.dims[0], b->layout.dims[1],
                  a->layout.dims[1], b->layout.dims[0]);
}

nas_status nas_tensor_matmul(nas_tensor **out, const nas_tensor *a, const nas_tensor *b,
                             nas_error *err) {
  operand a_use = {0}, b_use = {0};
  nas_tensor *made = NULL;
  *out = NULL;
  nas_status status = check_matrices(a, b, err);
  if (status != NAS_OK) return status;
  int64_t m = a->layout.dims[0], k = a->layout.dims[1], n = b->layout.dims[1];
  status = nas_tensor_create(&made, NAS_FLOAT32, 2, (int64_t[]){m, n}, err);
  if (status != NAS_OK) goto done;
  status = prepare(&a_use, a, err);
  if (status != NAS_OK) goto done;
  status = prepare(&b_use, b, err);
  if (status != NAS_OK) goto done;
  cblas_sgemm(CblasRowMajor, a_use.transpose, b_use.transpose, (int)m, (int)n, (int)k, 1.0f,
              a_use.data, a_use.leading, b_use.data, b_use.leading, 0.0f, nas_tensor_data(made),
              (int)n);
  *out = made;
  made = NULL;

done:
  nas_tensor_destroy(&a_use.copy);
  nas_tensor_destroy(&b_use.copy);
  nas_tensor_destroy(&made);
  return status;
}
