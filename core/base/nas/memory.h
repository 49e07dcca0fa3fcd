/* The one seam through which libnas allocates.
 *
 * Every block is aligned to NAS_ALIGN bytes and counted, so that a test can assert that nothing is
 * left, and can make the n-th allocation fail. All functions may be called from any thread. */
#ifndef NAS_MEMORY_H
#define NAS_MEMORY_H

#include <stddef.h>
#include <nas/api.h>

#define NAS_ALIGN 64 /* bytes: a cache line, and the widest vector */

/* Memory for count objects of size bytes; NULL when there is none or count * size overflows.
 * count * size == 0 gives a valid block of no usable bytes. The caller owns it: nas_free. */
NAS_API void *nas_alloc(size_t count, size_t size);

/* The same, all bytes zero. */
NAS_API void *nas_alloc_zero(size_t count, size_t size);

/* A block of count * size bytes that begins with the first of the old_count objects in block, as
 * many as fit; block may be NULL with old_count 0. On success frees the old block and returns the
 * new one, which the caller owns; on failure returns NULL and leaves the old block as it was. */
NAS_API void *nas_realloc(void *block, size_t old_count, size_t count, size_t size);

/* A copy of the string. NULL without memory. The caller owns it: nas_free. */
NAS_API char *nas_strdup(const char *text);

/* Accepts NULL. */
NAS_API void nas_free(void *block);

/* Sum and product that tell when they do not fit: return 0 and store the result, or return -1 and
 * store nothing. */
NAS_API int nas_size_add(size_t a, size_t b, size_t *sum);
NAS_API int nas_size_mul(size_t a, size_t b, size_t *product);

/* How many blocks and bytes (as asked for) are allocated now, and the largest number of bytes so
 * far. */
typedef struct nas_memory_use {
  size_t blocks;
  size_t bytes;
  size_t peak_bytes;
} nas_memory_use;

NAS_API nas_memory_use nas_memory_used(void);

/* For tests: let the next `allowed` allocations succeed and fail every later one; -1 lifts the
 * limit. */
NAS_API void nas_memory_fail_after(long allowed);

#endif
