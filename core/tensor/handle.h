/* What a handle is, for the files of this module. */
#ifndef NAS_HANDLE_H
#define NAS_HANDLE_H

#include "layout.h"
#include "storage.h"

struct nas_tensor {
  nas_dtype dtype;
  nas_layout layout;
  nas_storage *storage; /* one reference */
  unsigned char *data;  /* the first element, somewhere in the storage */
};

/* A handle of that shape to the storage of `tensor`, `offset` elements behind its first. */
nas_status nas_handle_share(nas_tensor **out, const nas_tensor *tensor, const nas_layout *layout,
                            int64_t offset, nas_error *err);

/* NAS_ARGUMENT unless a and b have the same dims. */
nas_status nas_handle_check_equal_dims(const nas_tensor *a, const nas_tensor *b, nas_error *err);

#endif
