/* How functions of libnas fail: a negative status, and a message in a buffer of the caller.
 *
 * The core never exits, aborts, jumps or prints. Failing never allocates. A function that takes a
 * `nas_error *` accepts NULL there and then only returns the code; on success it leaves the buffer
 * alone. */
#ifndef NAS_STATUS_H
#define NAS_STATUS_H

#include <nas/api.h>

/* X(name, value, short description). One table: the enumeration, nas_status_name and
 * nas_status_text all come from it. Values are stable. */
#define NAS_STATUS_MAP(X)                                                                          \
  X(OK, 0, "success")                                                                              \
  X(ARGUMENT, -1, "argument of the wrong type, shape or range")                                    \
  X(MEMORY, -2, "out of memory")                                                                   \
  X(IO, -3, "file could not be read or written")                                                   \
  X(FORMAT, -4, "file content is damaged or of another format")                                    \
  X(LIMIT, -5, "a limit would be exceeded")                                                        \
  X(DIVERGED, -6, "loss is not finite")                                                            \
  X(INTERRUPTED, -7, "interrupted")                                                                \
  X(STATE, -8, "object is not in a state that allows this")                                        \
  X(SYSTEM, -9, "the operating system refused a resource")                                         \
  X(SHAPE, -10, "layers whose shapes do not fit together")                                         \
  X(BUSY, -11, "in use by another process")

typedef enum nas_status {
#define X(name, value, text) NAS_##name = value,
  NAS_STATUS_MAP(X)
#undef X
} nas_status;

typedef struct nas_error {
  nas_status code;
  char text[512]; /* a sentence without a final full stop; names argument, value and range */
} nas_error;

/* "NAS_OK", "NAS_ARGUMENT", ...; "NAS_UNKNOWN" for another number. Never NULL. */
NAS_API const char *nas_status_name(nas_status status);

/* The short description of the table above. Never NULL. */
NAS_API const char *nas_status_text(nas_status status);

/* Fills *err (unless NULL) with code and formatted text, cut to fit at a whole UTF-8 character, and
 * returns code, so that a check is one line: return nas_fail(err, NAS_ARGUMENT, "...", ...);
 * err->text may be among the arguments, so that a caller can put words around a message. */
NAS_API nas_status nas_fail(nas_error *err, nas_status code, const char *format, ...)
    NAS_PRINTF(3, 4);

/* The same for a failed allocation of `bytes` bytes for `what`. Returns NAS_MEMORY. */
NAS_API nas_status nas_fail_memory(nas_error *err, const char *what, unsigned long long bytes);

#endif
