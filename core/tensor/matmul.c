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

/* made = a b, of matrices whose shapes fit; all three are borrowed. */
static nas_status multiply(const nas_tensor *made, const nas_tensor *a, const nas_tensor *b,
                           nas_error *err) {
  operand a_use = {0}, b_use = {0};
  int m = (int)a->layout.dims[0], k = (int)a->layout.dims[1], n = (int)b->layout.dims[1];
  nas_status status = prepare(&a_use, a, err);
  if (status == NAS_OK) status = prepare(&b_use, b, err);
  if (status == NAS_OK)
    cblas_sgemm(CblasRowMajor, a_use.transpose, b_use.transpose, m, n, k, 1.0f, a_use.data,
                a_use.leading, b_use.data, b_use.leading, 0.0f, (float *)made->data, n);
  nas_tensor_destroy(&a_use.copy);
  nas_tensor_destroy(&b_use.copy);
  return status;
}

/* ---- Shapes ---- */

/* A vector becomes a matrix: of one row, or of one column. */
static nas_tensor as_matrix(const nas_tensor *tensor, int column) {
  nas_tensor view = *tensor;
  if (view.layout.rank > 1) return view;
  view.layout.rank = 2;
  view.layout.dims[column] = 1;
  view.layout.dims[!column] = tensor->layout.dims[0];
  view.layout.strides[column] = 1;
  view.layout.strides[!column] = tensor->layout.strides[0];
  return view;
}

/* What stands before the last two dimensions; [1] where nothing does. */
static nas_layout batch_of(const nas_tensor *tensor) {
  nas_layout layout = tensor->layout;
  layout.rank -= 2;
  if (layout.rank == 0) layout = (nas_layout){.rank = 1, .dims = {1}, .strides = {1}};
  return layout;
}

/* Matrix `index` of those that stand in a batch of that layout. */
static nas_tensor matrix_at(const nas_tensor *tensor, const nas_layout *batch, int64_t index) {
  nas_tensor view = *tensor;
  int64_t offset = 0, left = index;
  for (int d = batch->rank - 1; d >= 0; d--) {
    offset += left % batch->dims[d] * batch->strides[d];
    left /= batch->dims[d];
  }
  view.data += offset * (int64_t)nas_dtype_size(view.dtype);
  view.layout.rank = 2;
  for (int d = 0; d < 2; d++) {
    view.layout.dims[d] = tensor->layout.dims[tensor->layout.rank - 2 + d];
    view.layout.strides[d] = tensor->layout.strides[tensor->layout.rank - 2 + d];
  }
  return view;
}

static nas_status check_sizes(const nas_tensor *a, const nas_tensor *b, nas_error *err) {
  char text[2][NAS_DIMS_TEXT];
  const int64_t *of_a = a->layout.dims + a->layout.rank - 2;
  const int64_t *of_b = b->layout.dims + b->layout.rank - 2;
  nas_status status = nas_handle_check_float(a, "matmul's first operand", err);
  if (status == NAS_OK) status = nas_handle_check_float(b, "matmul's second operand", err);
  if (status != NAS_OK) return status;
  nas_tensor_dims_text(a, text[0]);
  nas_tensor_dims_text(b, text[1]);
  if (of_a[1] != of_b[0])
    return nas_fail(err, NAS_ARGUMENT,
                    "tensor: matmul of %s and %s: the first has %" PRId64
                    " columns, the second %" PRId64 " rows",
                    text[0], text[1], of_a[1], of_b[0]);
  if (of_a[0] > INT_MAX || of_a[1] > INT_MAX || of_b[1] > INT_MAX)
    return nas_fail(err, NAS_LIMIT, "tensor: matmul of %s and %s: dimensions may be at most %d",
                    text[0], text[1], INT_MAX);
  return NAS_OK;
}

/* Makes *out for matrices a and b, with the layouts of the batches of all three. */
static nas_status make_product(nas_tensor **out, const nas_tensor *a, const nas_tensor *b,
                               nas_layout *of_a, nas_layout *of_b, nas_layout *of_out,
                               nas_error *err) {
  nas_layout from_a = batch_of(a), from_b = batch_of(b), dims;
  nas_status status = nas_layout_broadcast(of_out, &from_a, &from_b, err);
  if (status != NAS_OK) return status;
  *of_a = *of_b = dims = *of_out;
  status = nas_layout_spread(&from_a, of_a, err);
  if (status == NAS_OK) status = nas_layout_spread(&from_b, of_b, err);
  if (status != NAS_OK) return status;
  if (a->layout.rank == 2 && b->layout.rank == 2) dims.rank = 0;
  dims.dims[dims.rank++] = a->layout.dims[a->layout.rank - 2];
  dims.dims[dims.rank++] = b->layout.dims[b->layout.rank - 1];
  status = nas_tensor_create(out, NAS_FLOAT32, dims.rank, dims.dims, err);
  if (status != NAS_OK) return status;
  nas_layout from_out = batch_of(*out);
  return nas_layout_spread(&from_out, of_out, err);
}

/* Takes away the dimensions that vectors got; of two vectors one of them stays. */
static void drop_dims(nas_tensor *product, int of_a, int of_b) {
  nas_layout *layout = &product->layout;
  if (of_b && layout->rank > 1) layout->rank--;
  if (of_a && layout->rank > 1) {
    layout->dims[layout->rank - 2] = layout->dims[layout->rank - 1];
    layout->strides[layout->rank - 2] = layout->strides[layout->rank - 1];
    layout->rank--;
  }
}

nas_status nas_tensor_matmul(nas_tensor **out, const nas_tensor *first, const nas_tensor *second,
                             nas_error *err) {
  nas_tensor a = as_matrix(first, 0), b = as_matrix(second, 1);
  nas_layout of_a, of_b, of_out;
  *out = NULL;
  nas_status status = check_sizes(&a, &b, err);
  if (status == NAS_OK) status = make_product(out, &a, &b, &of_a, &of_b, &of_out, err);
  int64_t count = status == NAS_OK ? nas_layout_size(&of_out) : 0;
  for (int64_t i = 0; i < count && status == NAS_OK; i++) {
    nas_tensor each_a = matrix_at(&a, &of_a, i), each_b = matrix_at(&b, &of_b, i);
    nas_tensor each_out = matrix_at(*out, &of_out, i);
    status = multiply(&each_out, &each_a, &each_b, err);
  }
  if (status == NAS_OK)
    drop_dims(*out, first->layout.rank == 1, second->layout.rank == 1);
  else
    nas_tensor_destroy(out);
  return status;
}
