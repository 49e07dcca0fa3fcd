/* Block: bytes that grow with what has been read, and become a tensor. Zero it to begin. */
#ifndef NAS_BLOCK_H
#define NAS_BLOCK_H

#include <nas/status.h>
#include <nas/tensor.h>

typedef struct nas_block {
  unsigned char *bytes; /* NULL while nothing was reserved */
  size_t size;
  size_t capacity;
} nas_block;

/* Makes room for `more` bytes behind the size, and for several times the bytes that are there, but
 * for no more than `most` bytes in all; size + more is at most that. On failure, NAS_MEMORY, the
 * block is as it was; `what` is for the message. */
nas_status nas_block_reserve(nas_block *block, size_t more, size_t most, const char *what,
                             nas_error *err);

/* Gives back what lies beyond the size. NAS_MEMORY, and then the block is as it was. */
nas_status nas_block_fit(nas_block *block, const char *what, nas_error *err);

/* Makes a contiguous tensor of the bytes, which are its elements in index order. Fails like
 * nas_tensor_create. On success the block is empty. */
nas_status nas_block_to_tensor(nas_block *block, nas_tensor **out, nas_dtype dtype, int rank,
                               const int64_t *dims, nas_error *err);

/* Frees and zeroes. */
void nas_block_clear(nas_block *block);

#endif
