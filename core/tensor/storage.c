#include "storage.h"
#include <assert.h>
#include <stdatomic.h>
#include <nas/memory.h>

struct nas_storage {
  atomic_size_t references;
  void *data;
  nas_tensor_release *release; /* NULL: memory that nobody gives back */
  void *context;
};

static void free_block(void *context, void *data) {
  (void)context;
  nas_free(data);
}

nas_status nas_storage_create(nas_storage **storage, size_t bytes, nas_error *err) {
  *storage = NULL;
  void *data = nas_alloc_zero(bytes, 1);
  if (!data) return nas_fail_memory(err, "the elements of a tensor", bytes);
  nas_status status = nas_storage_wrap(storage, data, free_block, NULL, err);
  if (status != NAS_OK) nas_free(data);
  return status;
}

nas_status nas_storage_wrap(nas_storage **storage, void *data, nas_tensor_release *release,
                            void *context, nas_error *err) {
  nas_storage *made = nas_alloc(1, sizeof *made);
  *storage = made;
  if (!made) return nas_fail_memory(err, "the storage of a tensor", sizeof *made);
  atomic_init(&made->references, 1);
  made->data = data;
  made->release = release;
  made->context = context;
  return NAS_OK;
}

void *nas_storage_data(const nas_storage *storage) {
  return storage->data;
}

nas_storage *nas_storage_retain(nas_storage *storage) {
  size_t before = atomic_fetch_add_explicit(&storage->references, 1, memory_order_relaxed);
  assert(before > 0);
  (void)before;
  return storage;
}

void nas_storage_release(nas_storage **reference) {
  nas_storage *storage = *reference;
  *reference = NULL;
  if (!storage) return;
  /* Release orders this handle's writes before the count; acquire, in the thread that frees, orders
   * the free after everybody's. */
  size_t before = atomic_fetch_sub_explicit(&storage->references, 1, memory_order_acq_rel);
  assert(before > 0);
  if (before != 1) return;
  if (storage->release) storage->release(storage->context, storage->data);
  nas_free(storage);
}
