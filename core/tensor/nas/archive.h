/* Named tensors with descriptions, in memory and in files of the safetensors format: 8 bytes, the
 * length of a header in JSON, little-endian; the header; the numbers, little-endian:
 *   {"__metadata__": {"key": "text", ...},
 *    "name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...}
 * Types are F32, I32 and U8. Equal archives give equal bytes. Everything in a file is checked
 * before it is believed: sizes against what is there, offsets against each other. */
#ifndef NAS_ARCHIVE_H
#define NAS_ARCHIVE_H

#include <nas/status.h>
#include <nas/tensor.h>
#include <nas/text.h>

typedef struct nas_archive nas_archive;

/* An empty archive, which the caller owns. On failure *archive is NULL. */
NAS_API nas_status nas_archive_create(nas_archive **archive, nas_error *err);

/* Frees and clears the pointer. Accepts NULL and a pointer to NULL. */
NAS_API void nas_archive_destroy(nas_archive **archive);

/* Adds a copy of the tensor. NAS_ARGUMENT: the name is there already, empty, not UTF-8 or
 * "__metadata__". */
NAS_API nas_status nas_archive_add(nas_archive *archive, const char *name, const nas_tensor *tensor,
                                   nas_error *err);

/* Adds a description, in UTF-8. NAS_ARGUMENT: the key is there already, or either is not UTF-8. */
NAS_API nas_status nas_archive_set(nas_archive *archive, const char *key, const char *text,
                                   nas_error *err);

/* NULL where there is none. Borrowed. */
NAS_API const nas_tensor *nas_archive_find(const nas_archive *archive, const char *name);
NAS_API const char *nas_archive_get(const nas_archive *archive, const char *key);

/* Tensors in the order in which they were added, or lie in the file. */
NAS_API size_t nas_archive_count(const nas_archive *archive);
NAS_API const char *nas_archive_name(const nas_archive *archive, size_t index);
NAS_API const nas_tensor *nas_archive_tensor(const nas_archive *archive, size_t index);

/* Appends the bytes of the file. */
NAS_API nas_status nas_archive_encode(const nas_archive *archive, nas_text *bytes, nas_error *err);

/* From the bytes of a file. NAS_FORMAT with the place. The caller owns *archive; on failure it is
 * NULL. */
NAS_API nas_status nas_archive_decode(nas_archive **archive, const void *bytes, size_t size,
                                      nas_error *err);

/* To a file, which it replaces as a whole or not at all, and from one. NAS_IO. */
NAS_API nas_status nas_archive_write(const nas_archive *archive, const char *path, nas_error *err);
NAS_API nas_status nas_archive_read(nas_archive **archive, const char *path, nas_error *err);

#endif
