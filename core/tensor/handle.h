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

/* The tensor, borrowed, as it is broadcast to the dims of `layout`. */
nas_status nas_handle_spread(nas_tensor *view, const nas_tensor *tensor, const nas_layout *layout,
                             nas_error *err);

/* NAS_ARGUMENT for an expanded tensor. */
nas_status nas_handle_check_writable(const nas_tensor *tensor, nas_error *err);

/* NAS_ARGUMENT unless it is float32. `what` begins the message. */
nas_status nas_handle_check_float(const nas_tensor *tensor, const char *what, nas_error *err);

/* The type that holds the numbers of both: float32, else int32, else uint8. */
nas_dtype nas_dtype_wider(nas_dtype a, nas_dtype b);

/* NAS_ARGUMENT unless a and b have the same dims. */
nas_status nas_handle_check_equal_dims(const nas_tensor *a, const nas_tensor *b, nas_error *err);

#endif
