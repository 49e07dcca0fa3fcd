#include "block.h"
#include <nas/memory.h>

#define GROWTH 4

nas_status nas_block_reserve(nas_block *block, size_t more, size_t most, const char *what,
                             nas_error *err) {
  if (more <= block->capacity - block->size) return NAS_OK;
  size_t capacity = most / GROWTH > block->capacity ? block->capacity * GROWTH : most;
  if (capacity < block->size + more) capacity = block->size + more;
  unsigned char *bytes = nas_realloc(block->bytes, block->size, capacity, 1);
  if (!bytes) return nas_fail_memory(err, what, capacity);
  block->bytes = bytes;
  block->capacity = capacity;
  return NAS_OK;
}

nas_status nas_block_fit(nas_block *block, const char *what, nas_error *err) {
  if (block->capacity == block->size) return NAS_OK;
  unsigned char *bytes = nas_realloc(block->bytes, block->size, block->size, 1);
  if (!bytes) return nas_fail_memory(err, what, block->size);
  block->bytes = bytes;
  block->capacity = block->size;
  return NAS_OK;
}

static void free_bytes(void *context, void *data) {
  (void)context;
  nas_free(data);
}

nas_status nas_block_to_tensor(nas_block *block, nas_tensor **out, nas_dtype dtype, int rank,
                               const int64_t *dims, nas_error *err) {
  nas_status status = nas_block_fit(block, "the elements of a tensor", err);
  if (status != NAS_OK) return status;
  status = nas_tensor_wrap(out, dtype, rank, dims, block->bytes, free_bytes, NULL, err);
  if (status == NAS_OK) *block = (nas_block){0};
  return status;
}

void nas_block_clear(nas_block *block) {
  nas_free(block->bytes);
  *block = (nas_block){0};
}
