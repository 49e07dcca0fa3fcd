/* Tensors: numbers of one type in up to eight dimensions.
 *
 * A tensor is a handle: a shape, and a reference to storage that it may share with other handles.
 * A view is such a handle. Storage lives until its last handle is destroyed, so destroying one
 * handle never invalidates another. Writing through a view changes what the others see.
 *
 * Shapes are given as dims[rank], outermost dimension first. Dimensions, indices and positions
 * count from 0. Every dimension is at least 1, so no tensor is empty. Strides are in elements.
 * "Index order" is that of nested loops over the dimensions with the last one innermost.
 *
 * Integer types hold whole numbers of their range only: an operation whose result does not fit is
 * refused with NAS_ARGUMENT, the position and the value. Arithmetic is done in double, in which all
 * three types are exact, and rounded once to the type of the result.
 *
 * Ownership: a function with a parameter `nas_tensor **out` makes a new handle. On success the
 * caller owns *out (nas_tensor_destroy); on failure *out is NULL and nothing else has changed. What
 * *out held before is overwritten, not destroyed. Inputs stay the caller's.
 *
 * Threads: one handle may be read by many threads at once, but destroyed or used for writing by one
 * thread only. Different handles of one storage may be made and destroyed in different threads;
 * writing to shared elements is for the callers to order. */
#ifndef NAS_TENSOR_H
#define NAS_TENSOR_H

#include <stddef.h>
#include <stdint.h>
#include <nas/random.h>
#include <nas/status.h>

#define NAS_RANK_MAX 8

typedef enum nas_dtype {
  NAS_FLOAT32, /* numbers */
  NAS_UINT8,   /* images */
  NAS_INT32,   /* labels */
} nas_dtype;

typedef struct nas_tensor nas_tensor;

/* "float32", "uint8", "int32"; "unknown" for another number. Never NULL. */
NAS_API const char *nas_dtype_name(nas_dtype dtype);

/* Bytes of one element: 4, 1, 4; 0 for another number. */
NAS_API size_t nas_dtype_size(nas_dtype dtype);

/* ---- Making and destroying ---- */

/* A contiguous tensor of zeros. NAS_ARGUMENT: unknown dtype, rank outside 1..8, a dimension
 * below 1. NAS_LIMIT: more bytes than can be addressed. NAS_MEMORY. */
NAS_API nas_status nas_tensor_create(nas_tensor **out, nas_dtype dtype, int rank,
                                     const int64_t *dims, nas_error *err);

/* Gives foreign memory back; called once, from the thread that destroys the last handle. */
typedef void nas_tensor_release(void *context, void *data);

/* A contiguous tensor over memory that the caller has: data holds the elements in index order,
 * aligned for the type. On success the memory belongs to the storage, which ends by calling
 * release(context, data); with release NULL the caller keeps it alive longer than all handles. On
 * failure the memory stays the caller's and release is not called. Fails like nas_tensor_create. */
NAS_API nas_status nas_tensor_wrap(nas_tensor **out, nas_dtype dtype, int rank, const int64_t *dims,
                                   void *data, nas_tensor_release *release, void *context,
                                   nas_error *err);

/* Destroys the handle and clears the pointer. Accepts NULL and a pointer to NULL. */
NAS_API void nas_tensor_destroy(nas_tensor **tensor);

/* ---- What it is ---- */

NAS_API nas_dtype nas_tensor_dtype(const nas_tensor *tensor);
NAS_API int nas_tensor_rank(const nas_tensor *tensor);

/* rank numbers each; valid as long as the handle. */
NAS_API const int64_t *nas_tensor_dims(const nas_tensor *tensor);
NAS_API const int64_t *nas_tensor_strides(const nas_tensor *tensor);

/* The number of elements: the product of dims. */
NAS_API int64_t nas_tensor_size(const nas_tensor *tensor);

/* The element at index 0, 0, ...; the others follow by strides. Never NULL; valid as long as any
 * handle of the storage. */
NAS_API void *nas_tensor_data(const nas_tensor *tensor);

/* 1 if the elements lie in index order without gaps, else 0. */
NAS_API int nas_tensor_is_contiguous(const nas_tensor *tensor);

/* 1 if both handles refer to one storage, else 0. */
NAS_API int nas_tensor_shares(const nas_tensor *a, const nas_tensor *b);

#define NAS_DIMS_TEXT 176 /* bytes that always suffice for nas_tensor_dims_text */

/* "[60000, 28, 28]", for messages. */
NAS_API void nas_tensor_dims_text(const nas_tensor *tensor, char text[NAS_DIMS_TEXT]);

/* ---- Views: O(1), no element is copied. All may fail with NAS_MEMORY ---- */

/* A second handle to the same elements. */
NAS_API nas_status nas_tensor_view(nas_tensor **out, const nas_tensor *tensor, nas_error *err);

/* Entries start .. start+count-1 of dimension dim; the rank stays. count is at least 1.
 * NAS_ARGUMENT outside the tensor. */
NAS_API nas_status nas_tensor_narrow(nas_tensor **out, const nas_tensor *tensor, int dim,
                                     int64_t start, int64_t count, nas_error *err);

/* Entry `index` of dimension dim; that dimension goes away, so the rank must be at least 2. */
NAS_API nas_status nas_tensor_select(nas_tensor **out, const nas_tensor *tensor, int dim,
                                     int64_t index, nas_error *err);

/* Every |step|-th entry of dimension dim: from the first on, or with a negative step from the last
 * one back. step is not 0. */
NAS_API nas_status nas_tensor_step(nas_tensor **out, const nas_tensor *tensor, int dim,
                                   int64_t step, nas_error *err);

/* Dimensions first and second exchanged. */
NAS_API nas_status nas_tensor_transpose(nas_tensor **out, const nas_tensor *tensor, int first,
                                        int second, nas_error *err);

/* Dimension d of *out is dimension order[d] of the tensor; each is there once. */
NAS_API nas_status nas_tensor_permute(nas_tensor **out, const nas_tensor *tensor, const int *order,
                                      nas_error *err);

/* A new dimension of one entry before dimension dim, 0 .. rank. */
NAS_API nas_status nas_tensor_unsqueeze(nas_tensor **out, const nas_tensor *tensor, int dim,
                                        nas_error *err);

/* The tensor repeated to those dims without a copy, as the rules of broadcasting say (below).
 * Several indices then lead to one element, so such a tensor can't be written to (NAS_ARGUMENT). */
NAS_API nas_status nas_tensor_expand(nas_tensor **out, const nas_tensor *tensor, int rank,
                                     const int64_t *dims, nas_error *err);

/* The same elements in index order under another shape of equal size. A view if the tensor is
 * contiguous, else a contiguous copy: nas_tensor_shares tells which. */
NAS_API nas_status nas_tensor_reshape(nas_tensor **out, const nas_tensor *tensor, int rank,
                                      const int64_t *dims, nas_error *err);

/* ---- Copies ---- */

/* A contiguous tensor of the same elements with storage of its own. */
NAS_API nas_status nas_tensor_clone(nas_tensor **out, const nas_tensor *tensor, nas_error *err);

/* A contiguous tensor of another type (or the same) with storage of its own. Into an integer type
 * numbers are rounded to the nearest, ties to even; NaN and numbers outside the range are refused.
 */
NAS_API nas_status nas_tensor_convert(nas_tensor **out, const nas_tensor *tensor, nas_dtype dtype,
                                      nas_error *err);

/* Overwrites the elements of `to` by those of `from`, converted like nas_tensor_convert. Equal
 * dims; the two may overlap. On failure `to` is unchanged. */
NAS_API nas_status nas_tensor_copy(nas_tensor *to, const nas_tensor *from, nas_error *err);

/* The same where the mask is not 0: no other element of `to` is written. Mask and `from` are
 * broadcast to the dims of `to` (the rules are below); each may overlap it. */
NAS_API nas_status nas_tensor_put(nas_tensor *to, const nas_tensor *mask, const nas_tensor *from,
                                  nas_error *err);

/* The elements as bytes in index order, little-endian, with no bit changed: size * element size of
 * them. */
NAS_API void nas_tensor_to_bytes(const nas_tensor *tensor, void *bytes);

/* A contiguous tensor of such bytes. NAS_ARGUMENT: of another number of bytes. */
NAS_API nas_status nas_tensor_from_bytes(nas_tensor **out, nas_dtype dtype, int rank,
                                         const int64_t *dims, const void *bytes, size_t size,
                                         nas_error *err);

/* ---- Elements ---- */

/* The element at indices[count]; count must be the rank. On failure *value is unchanged. */
NAS_API nas_status nas_tensor_get(const nas_tensor *tensor, const int64_t *indices, int count,
                                  double *value, nas_error *err);

/* float32 takes any number, rounded; an integer type whole numbers of its range. */
NAS_API nas_status nas_tensor_set(nas_tensor *tensor, const int64_t *indices, int count,
                                  double value, nas_error *err);

NAS_API nas_status nas_tensor_fill(nas_tensor *tensor, double value, nas_error *err);

/* ---- Random numbers and ramps, in index order, rounded to float32 once ----
 * An integer type takes whole numbers of its range only: NAS_ARGUMENT, and elements and stream may
 * have changed then. */

/* low + (high - low) * u with u = nas_stream_double. */
NAS_API nas_status nas_tensor_uniform(nas_tensor *tensor, nas_stream *stream, double low,
                                      double high, nas_error *err);

/* mean + std * z with z = nas_stream_normal. */
NAS_API nas_status nas_tensor_normal(nas_tensor *tensor, nas_stream *stream, double mean,
                                     double std, nas_error *err);

/* first + i * step for element i. */
NAS_API nas_status nas_tensor_ramp(nas_tensor *tensor, double first, double step, nas_error *err);

/* ---- Choosing and joining: *out is contiguous ---- */

/* Entries indices[0 .. count-1] of dimension dim, in that order; the rank stays. */
NAS_API nas_status nas_tensor_take(nas_tensor **out, const nas_tensor *tensor, int dim,
                                   const int64_t *indices, int64_t count, nas_error *err);

/* The tensors behind one another along dimension dim; the other dims are equal. The type is the
 * wider one: float32, else int32, else uint8. NAS_LIMIT as nas_tensor_create. */
NAS_API nas_status nas_tensor_concat(nas_tensor **out, const nas_tensor *const *tensors,
                                     int64_t count, int dim, nas_error *err);

/* The elements where the mask, of the same dims, is not 0, in index order: [count]. Where there are
 * none, *out is NULL and that is no failure. */
NAS_API nas_status nas_tensor_masked(nas_tensor **out, const nas_tensor *tensor,
                                     const nas_tensor *mask, nas_error *err);

/* The indices of the elements that are not 0, in index order: int32 [count, rank]. Where there are
 * none, *out is NULL. NAS_LIMIT: a dimension above 2^31 - 1. */
NAS_API nas_status nas_tensor_nonzero(nas_tensor **out, const nas_tensor *tensor, nas_error *err);

/* a where the mask is not 0, else b: broadcast, of the wider type. */
NAS_API nas_status nas_tensor_where(nas_tensor **out, const nas_tensor *mask, const nas_tensor *a,
                                    const nas_tensor *b, nas_error *err);

/* ---- Element by element: *out is contiguous ----
 *
 * Broadcasting: shapes are compared from the last dimension on. Dimensions are equal, or one of
 * them has one entry, which is repeated; where one tensor has fewer dimensions, the missing ones
 * count as one entry.
 *
 * Each element is computed in double and rounded once, which is the float32 operation for + - * /
 * and square roots. Integers are exact; what does not fit the result's type is refused with its
 * position. */

typedef enum nas_binary {
  NAS_BINARY_ADD, /* float32 where one of the two is; else int32, so that differences of images and
                     sums of masks are right */
  NAS_BINARY_SUB,
  NAS_BINARY_MUL,
  NAS_BINARY_DIV,     /* float32 */
  NAS_BINARY_POW,     /* float32; nas_pow */
  NAS_BINARY_MAXIMUM, /* the wider type; NaN if one of the two is */
  NAS_BINARY_MINIMUM,
  NAS_BINARY_LT, /* uint8, 0 or 1 */
  NAS_BINARY_LE,
  NAS_BINARY_GT,
  NAS_BINARY_GE,
  NAS_BINARY_EQ,
  NAS_BINARY_NE,
  NAS_BINARY_AND, /* uint8: of numbers that are not 0 */
  NAS_BINARY_OR,
} nas_binary;

NAS_API nas_status nas_tensor_binary(nas_tensor **out, nas_binary operation, const nas_tensor *a,
                                     const nas_tensor *b, nas_error *err);

typedef enum nas_unary {
  NAS_UNARY_ABS, /* float32 of float32, else int32 */
  NAS_UNARY_SIGN,
  NAS_UNARY_FLOOR,
  NAS_UNARY_CEIL,
  NAS_UNARY_ROUND, /* to the nearest, ties to even */
  NAS_UNARY_EXP,   /* float32; nas_exp and so on */
  NAS_UNARY_LOG,
  NAS_UNARY_SQRT,
  NAS_UNARY_TANH,
  NAS_UNARY_SIGMOID,
  NAS_UNARY_IS_NAN, /* uint8, 0 or 1 */
  NAS_UNARY_IS_FINITE,
  NAS_UNARY_NOT,
} nas_unary;

NAS_API nas_status nas_tensor_unary(nas_tensor **out, nas_unary operation, const nas_tensor *tensor,
                                    nas_error *err);

/* ---- Reductions ----
 *
 * Each result is one chain in double, 0 -> for each element in index order, whatever the memory
 * layout: the bits are the same on every machine. */

typedef enum nas_reduction {
  NAS_REDUCE_SUM,      /* acc + x; float32 of float32, else int32 */
  NAS_REDUCE_MEAN,     /* the sum / n; float32 */
  NAS_REDUCE_MIN,      /* the tensor's type; NaN if any element is */
  NAS_REDUCE_MAX,      /* likewise */
  NAS_REDUCE_VARIANCE, /* acc + (x - mean)^2, then / n; float32 */
  NAS_REDUCE_STD,      /* its root */
  NAS_REDUCE_NORM,     /* acc + x^2, then the root; float32 */
  NAS_REDUCE_ANY,      /* uint8: 1 if one is not 0 */
  NAS_REDUCE_ALL,      /* uint8: 1 if none is 0 */
  NAS_REDUCE_ARGMIN,   /* int32: where the smallest is, the first of equals, or the first NaN */
  NAS_REDUCE_ARGMAX,   /* likewise the largest */
} nas_reduction;

/* Over all elements; positions count in index order. */
NAS_API double nas_tensor_total(const nas_tensor *tensor, nas_reduction reduction);

/* Along dimension dim, which has one entry in *out; rounded once. NAS_ARGUMENT: a sum that int32
 * can't hold. NAS_LIMIT: a position above 2^31 - 1. */
NAS_API nas_status nas_tensor_reduce(nas_tensor **out, const nas_tensor *tensor,
                                     nas_reduction reduction, int dim, nas_error *err);

/* 1 if dtype, dims and all elements are equal (-0 equals 0, NaN equals nothing), else 0. */
NAS_API int nas_tensor_equal(const nas_tensor *a, const nas_tensor *b);

/* ---- Linear algebra, by OpenBLAS, which uses its own threads. Fast, but its bits depend on
 * machine and thread count: training and policy do not use it. float32 only ---- */

/* a [..., m, k] times b [..., k, n] gives *out [..., m, n]; the dimensions before the last two are
 * broadcast. A vector a [k] is a row and b [k] a column, whose dimension *out does not have; of two
 * vectors *out is [1]. Matrices whose rows or columns lie without gaps are passed on as they are,
 * others are copied first. NAS_ARGUMENT: another dtype, or dimensions that do not fit. NAS_LIMIT: a
 * dimension of a matrix above 2^31 - 1. */
NAS_API nas_status nas_tensor_matmul(nas_tensor **out, const nas_tensor *a, const nas_tensor *b,
                                     nas_error *err);

/* *out with a * out = b: a [n, n], b and *out [n] or [n, m]. LAPACK's dgesv (LU decomposition with
 * pivots) in double, rounded once. NAS_ARGUMENT: dimensions that do not fit, numbers that are not
 * finite, or a singular matrix. */
NAS_API nas_status nas_tensor_solve(nas_tensor **out, const nas_tensor *a, const nas_tensor *b,
                                    nas_error *err);

/* The singular value decomposition of matrix [m, n]: left [m, k], values [k] in descending order
 * and right [n, k], k the smaller of m and n; matrix = left * diagonal of values * transposed
 * right. LAPACK's dgesdd in double, rounded once. The signs of the columns are LAPACK's choice.
 * NAS_ARGUMENT: another rank, or numbers that are not finite. NAS_LIMIT: m * n or 4k^2 + 7k + the
 * larger of m and n above 2^31 - 1. On failure all three are NULL. */
NAS_API nas_status nas_tensor_svd(nas_tensor **left, nas_tensor **values, nas_tensor **right,
                                  const nas_tensor *matrix, nas_error *err);

#endif
