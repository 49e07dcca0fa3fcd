/* Linear systems and singular values, by LAPACK, in double. */
#include <nas/tensor.h>
#include "walk.h"
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <nas/memory.h>

/* LAPACK in Fortran's calling convention: matrices by columns, lengths of texts behind all else. */
void dgesv_(const int *n, const int *columns, double *a, const int *a_leading, int *pivots,
            double *b, const int *b_leading, int *info);
void dgesdd_(const char *job, const int *m, const int *n, double *a, const int *a_leading,
             double *s, double *u, const int *u_leading, double *vt, const int *vt_leading,
             double *work, const int *work_size, int *integers, int *info, size_t job_length);

/* ---- Matrices by columns ---- */

/* The matrix with its dimensions exchanged, borrowed: its index order is that of columns. */
static nas_tensor turned(const nas_tensor *matrix) {
  nas_tensor view = *matrix;
  for (int d = 0; d < 2; d++) {
    view.layout.dims[d] = matrix->layout.dims[!d];
    view.layout.strides[d] = matrix->layout.strides[!d];
  }
  return view;
}

/* Copies the elements in index order. NAS_ARGUMENT: one is not finite. */
static nas_status load(double *to, const nas_tensor *tensor, const char *what, nas_error *err) {
  nas_walk walk = nas_walk_begin(1, &tensor);
  double row[NAS_WALK_ROW];
  while (nas_walk_next(&walk)) {
    nas_walk_load(&walk, 0, row);
    for (int64_t i = 0; i < walk.length; i++) {
      if (!isfinite(row[i]))
        return nas_fail(err, NAS_ARGUMENT, "tensor: %s holds %g; expected finite numbers", what,
                        row[i]);
      to[walk.position + i] = row[i];
    }
  }
  return NAS_OK;
}

/* Stores numbers in index order. */
static void store(const nas_tensor *tensor, const double *from) {
  nas_walk walk = nas_walk_begin(1, &tensor);
  double row[NAS_WALK_ROW];
  while (nas_walk_next(&walk)) {
    for (int64_t i = 0; i < walk.length; i++) row[i] = from[walk.position + i];
    nas_walk_store(&walk, 0, row, NULL); /* float32 holds any number */
  }
}

static nas_status check_matrix(const nas_tensor *matrix, const char *what, nas_error *err) {
  char text[NAS_DIMS_TEXT];
  nas_status status = nas_handle_check_float(matrix, what, err);
  if (status != NAS_OK) return status;
  nas_tensor_dims_text(matrix, text);
  if (matrix->layout.rank != 2)
    return nas_fail(err, NAS_ARGUMENT, "tensor: %s is %s; expected a matrix", what, text);
  if (matrix->layout.dims[0] > INT_MAX || matrix->layout.dims[1] > INT_MAX)
    return nas_fail(err, NAS_LIMIT, "tensor: %s is %s; dimensions may be at most %d", what, text,
                    INT_MAX);
  return NAS_OK;
}

/* ---- Systems ---- */

static nas_status check_system(const nas_tensor *a, const nas_tensor *b, nas_error *err) {
  char text[2][NAS_DIMS_TEXT];
  nas_status status = check_matrix(a, "solve's matrix", err);
  if (status == NAS_OK) status = nas_handle_check_float(b, "solve's right side", err);
  if (status != NAS_OK) return status;
  int64_t n = a->layout.dims[0];
  nas_tensor_dims_text(a, text[0]);
  nas_tensor_dims_text(b, text[1]);
  if (a->layout.dims[1] != n)
    return nas_fail(err, NAS_ARGUMENT, "tensor: solve's matrix is %s; expected a square one",
                    text[0]);
  if (b->layout.rank > 2 || b->layout.dims[0] != n || nas_tensor_size(b) / n > INT_MAX)
    return nas_fail(err, NAS_ARGUMENT,
                    "tensor: solve's right side is %s; expected [%" PRId64 "] or [%" PRId64
                    ", columns] for the matrix %s",
                    text[1], n, n, text[0]);
  return NAS_OK;
}

static nas_tensor columns_of(const nas_tensor *b) {
  return b->layout.rank == 2 ? turned(b) : *b;
}

nas_status nas_tensor_solve(nas_tensor **out, const nas_tensor *a, const nas_tensor *b,
                            nas_error *err) {
  *out = NULL;
  nas_status status = check_system(a, b, err);
  if (status != NAS_OK) return status;
  int n = (int)a->layout.dims[0], count = (int)(nas_tensor_size(b) / n), info = 0;
  size_t numbers = (size_t)nas_tensor_size(a);
  nas_tensor by_columns = turned(a), right = columns_of(b);
  double *matrix = nas_alloc(numbers, sizeof *matrix);
  double *sides = nas_alloc((size_t)nas_tensor_size(b), sizeof *sides);
  int *pivots = nas_alloc((size_t)n, sizeof *pivots);
  if (!matrix || !sides || !pivots) status = nas_fail_memory(err, "a linear system", numbers * 8);
  if (status == NAS_OK) status = load(matrix, &by_columns, "solve's matrix", err);
  if (status == NAS_OK) status = load(sides, &right, "solve's right side", err);
  if (status == NAS_OK)
    status = nas_tensor_create(out, NAS_FLOAT32, b->layout.rank, b->layout.dims, err);
  if (status == NAS_OK) dgesv_(&n, &count, matrix, &n, pivots, sides, &n, &info);
  if (info > 0) status = nas_fail(err, NAS_ARGUMENT, "tensor: solve's matrix is singular");
  if (status == NAS_OK) {
    nas_tensor made = columns_of(*out);
    store(&made, sides);
  } else {
    nas_tensor_destroy(out);
  }
  nas_free(matrix);
  nas_free(sides);
  nas_free(pivots);
  return status;
}

/* ---- Singular values ---- */

/* What dgesdd reads and writes. */
typedef struct decomposition {
  int m, n, k; /* k = min(m, n) */
  double *a, *left, *values, *right;
  double *work;
  int work_size, *integers;
} decomposition;

static void clear(decomposition *d) {
  nas_free(d->a);
  nas_free(d->left);
  nas_free(d->values);
  nas_free(d->right);
  nas_free(d->work);
  nas_free(d->integers);
}

static int run(decomposition *d) {
  int info = 0;
  dgesdd_("S", &d->m, &d->n, d->a, &d->m, d->values, d->left, &d->m, d->right, &d->k, d->work,
          &d->work_size, d->integers, &info, 1);
  return info;
}

/* dgesdd counts its workspace, of at least 4k^2 + 7k numbers for job "S", in int, and does so
 * before it can tell that it is too large. Elements are counted in int by what it calls. */
static nas_status check_size(const nas_tensor *matrix, nas_error *err) {
  char text[NAS_DIMS_TEXT];
  int64_t m = matrix->layout.dims[0], n = matrix->layout.dims[1];
  int64_t k = m < n ? m : n, longer = m < n ? n : m;
  if (longer <= INT_MAX / k && (4 * k + 7) * k <= INT_MAX - longer) return NAS_OK;
  nas_tensor_dims_text(matrix, text);
  return nas_fail(err, NAS_LIMIT,
                  "tensor: svd's matrix is %s, for which LAPACK's integers are too small", text);
}

static nas_status check_info(int info, nas_error *err) {
  if (info > 0) return nas_fail(err, NAS_ARGUMENT, "tensor: svd did not converge");
  if (info < 0)
    return nas_fail(err, NAS_ARGUMENT, "tensor: svd: LAPACK refused argument %d of dgesdd", -info);
  return NAS_OK;
}

static nas_status prepare(decomposition *d, const nas_tensor *matrix, nas_error *err) {
  double size = 0;
  d->m = (int)matrix->layout.dims[0];
  d->n = (int)matrix->layout.dims[1];
  d->k = d->m < d->n ? d->m : d->n;
  size_t m = (size_t)d->m, n = (size_t)d->n, k = (size_t)d->k;
  d->a = nas_alloc(m * n, sizeof *d->a);
  d->left = nas_alloc(m * k, sizeof *d->left);
  d->values = nas_alloc(k, sizeof *d->values);
  d->right = nas_alloc(k * n, sizeof *d->right);
  d->integers = nas_alloc(8 * k, sizeof *d->integers);
  if (!d->a || !d->left || !d->values || !d->right || !d->integers)
    return nas_fail_memory(err, "singular values", m * n * 8);
  d->work = &size;
  d->work_size = -1; /* asks for the best size */
  nas_status status = check_info(run(d), err);
  d->work = NULL;
  if (status != NAS_OK) return status;
  if (!(size >= 1 && size <= INT_MAX))
    return nas_fail(err, NAS_LIMIT, "tensor: svd: LAPACK asks for %g numbers of workspace", size);
  d->work_size = (int)size;
  d->work = nas_alloc((size_t)d->work_size, sizeof *d->work);
  return d->work ? NAS_OK : nas_fail_memory(err, "singular values", (size_t)d->work_size * 8);
}

static nas_status make(nas_tensor **left, nas_tensor **values, nas_tensor **right,
                       const decomposition *d, nas_error *err) {
  const int64_t m = d->m, n = d->n, k = d->k;
  nas_status status = nas_tensor_create(left, NAS_FLOAT32, 2, (int64_t[]){m, k}, err);
  if (status == NAS_OK) status = nas_tensor_create(values, NAS_FLOAT32, 1, &k, err);
  if (status == NAS_OK) status = nas_tensor_create(right, NAS_FLOAT32, 2, (int64_t[]){n, k}, err);
  return status;
}

nas_status nas_tensor_svd(nas_tensor **left, nas_tensor **values, nas_tensor **right,
                          const nas_tensor *matrix, nas_error *err) {
  decomposition d = {0};
  *left = *values = *right = NULL;
  nas_status status = check_matrix(matrix, "svd's matrix", err);
  if (status == NAS_OK) status = check_size(matrix, err);
  if (status != NAS_OK) return status;
  nas_tensor by_columns = turned(matrix);
  status = prepare(&d, matrix, err);
  if (status == NAS_OK) status = load(d.a, &by_columns, "svd's matrix", err);
  if (status == NAS_OK) status = make(left, values, right, &d, err);
  if (status == NAS_OK) status = check_info(run(&d), err);
  if (status == NAS_OK) {
    nas_tensor columns = turned(*left);
    store(&columns, d.left);
    store(*values, d.values);
    store(*right, d.right); /* the columns of right transposed are the rows of right */
  } else {
    nas_tensor_destroy(left);
    nas_tensor_destroy(values);
    nas_tensor_destroy(right);
  }
  clear(&d);
  return status;
}
