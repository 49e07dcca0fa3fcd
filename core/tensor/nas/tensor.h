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

/* Dimensions first and second exchanged. */
NAS_API nas_status nas_tensor_transpose(nas_tensor **out, const nas_tensor *tensor, int first,
                                        int second, nas_error *err);

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

/* ---- Elements ---- */

/* The element at indices[count]; count must be the rank. On failure *value is unchanged. */
NAS_API nas_status nas_tensor_get(const nas_tensor *tensor, const int64_t *indices, int count,
                                  double *value, nas_error *err);

/* float32 takes any number, rounded; an integer type whole numbers of its range. */
NAS_API nas_status nas_tensor_set(nas_tensor *tensor, const int64_t *indices, int count,
                                  double value, nas_error *err);

NAS_API nas_status nas_tensor_fill(nas_tensor *tensor, double value, nas_error *err);

/* ---- Arithmetic, element by element: *out is contiguous ---- */

/* a and b have the same dtype and dims, which *out gets. */
NAS_API nas_status nas_tensor_add(nas_tensor **out, const nas_tensor *a, const nas_tensor *b,
                                  nas_error *err);
NAS_API nas_status nas_tensor_sub(nas_tensor **out, const nas_tensor *a, const nas_tensor *b,
                                  nas_error *err);
NAS_API nas_status nas_tensor_mul(nas_tensor **out, const nas_tensor *a, const nas_tensor *b,
                                  nas_error *err);

/* a + b, a - b, a * b for every element of a; *out has the dtype and dims of a. */
NAS_API nas_status nas_tensor_add_scalar(nas_tensor **out, const nas_tensor *a, double b,
                                         nas_error *err);
NAS_API nas_status nas_tensor_sub_scalar(nas_tensor **out, const nas_tensor *a, double b,
                                         nas_error *err);
NAS_API nas_status nas_tensor_mul_scalar(nas_tensor **out, const nas_tensor *a, double b,
                                         nas_error *err);

/* ---- Reductions over all elements ---- */

/* One chain of additions in double, in index order, so that the bits are the same on every machine
 * and for every memory layout. */
NAS_API double nas_tensor_sum(const nas_tensor *tensor);

/* The sum divided by the size. */
NAS_API double nas_tensor_mean(const nas_tensor *tensor);

/* The smallest and the largest element; NaN if any element is NaN. */
NAS_API double nas_tensor_min(const nas_tensor *tensor);
NAS_API double nas_tensor_max(const nas_tensor *tensor);

/* Where the largest entry of the last dimension is: int32 of the other dims ([1] for rank 1). The
 * first of equals; the first NaN if there is one, so that it is noticed. */
NAS_API nas_status nas_tensor_argmax(nas_tensor **out, const nas_tensor *tensor, nas_error *err);

/* 1 if dtype, dims and all elements are equal (-0 equals 0, NaN equals nothing), else 0. */
NAS_API int nas_tensor_equal(const nas_tensor *a, const nas_tensor *b);

/* ---- Matrix product ---- */

/* a [m, k] times b [k, n] gives *out [m, n], all float32, by OpenBLAS, which uses its own threads.
 * Fast, but its bits depend on machine and thread count: training and policy do not use it. Views
 * of transposed matrices are passed on as they are; a view with a stride in both dimensions is
 * copied first. NAS_ARGUMENT: another dtype or rank, or inner dimensions that differ. NAS_LIMIT: a
 * dimension above 2^31 - 1. */
NAS_API nas_status nas_tensor_matmul(nas_tensor **out, const nas_tensor *a, const nas_tensor *b,
                                     nas_error *err);

#endif
