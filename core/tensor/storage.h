/* Storage: a block of memory with a count of the handles that refer to it. */
#ifndef NAS_STORAGE_H
#define NAS_STORAGE_H

#include <nas/tensor.h>

typedef struct nas_storage nas_storage;

/* Zeroed memory with one reference, the caller's. NAS_MEMORY: *storage is NULL. */
nas_status nas_storage_create(nas_storage **storage, size_t bytes, nas_error *err);

/* The same with foreign memory. NAS_MEMORY: *storage is NULL and release is not called. */
nas_status nas_storage_wrap(nas_storage **storage, void *data, nas_tensor_release *release,
                            void *context, nas_error *err);

void *nas_storage_data(const nas_storage *storage);

/* From any thread. Returns its argument. */
nas_storage *nas_storage_retain(nas_storage *storage);

/* From any thread: gives up one reference and clears the pointer; the last one frees. Accepts a
 * pointer to NULL. */
void nas_storage_release(nas_storage **storage);

#endif
