/* Named tensors in a file: the safetensors format, which libraries of other languages read and
 * write too (https://github.com/huggingface/safetensors).
 *
 * An archive is a list of tensors with names, and a list of metadata: keys with texts as values.
 * Both keep the order in which they were added or read. Equal archives make files of equal bytes.
 * The format's types F32, U8 and I32 are float32, uint8 and int32; a file with another type, or
 * with a tensor that nas_tensor_create does not make (without dimensions, or without elements), is
 * refused.
 *
 * Names, keys and values are UTF-8 and end at the first NUL. Messages about a file name it, and the
 * byte, the tensor or the key.
 *
 * Threads: functions that take an archive as const may run at once; others need it alone. */
#ifndef NAS_ARCHIVE_H
#define NAS_ARCHIVE_H

#include <nas/tensor.h>
#include <nas/text.h>

typedef struct nas_archive nas_archive;

#define NAS_ARCHIVE_HEADER_MAX 100000000 /* bytes of the header, which lists all tensors */

/* An empty archive. On success the caller owns *archive; on failure (NAS_MEMORY) it is NULL. */
NAS_API nas_status nas_archive_create(nas_archive **archive, nas_error *err);

/* Frees and clears the pointer. Accepts NULL and a pointer to NULL. */
NAS_API void nas_archive_destroy(nas_archive **archive);

/* ---- Tensors ---- */

/* Appends a tensor under a name. The archive makes a view of its own: the tensor stays the
 * caller's, and what is written to its elements later is seen here. NAS_ARGUMENT: the name is
 * taken, is not UTF-8, or is "__metadata__", which the format keeps for itself. NAS_MEMORY. On
 * failure the archive is as it was. */
NAS_API nas_status nas_archive_add(nas_archive *archive, const char *name, const nas_tensor *tensor,
                                   nas_error *err);

/* The tensor of that name, or NULL. It belongs to the archive, as do those below: who needs it
 * longer takes a view. */
NAS_API const nas_tensor *nas_archive_find(const nas_archive *archive, const char *name);

NAS_API int64_t nas_archive_count(const nas_archive *archive);

/* For index 0 .. count-1. */
NAS_API const char *nas_archive_name_at(const nas_archive *archive, int64_t index);
NAS_API const nas_tensor *nas_archive_tensor_at(const nas_archive *archive, int64_t index);

/* ---- Metadata ---- */

/* Gives a key its value: appends the pair, or replaces the value where the key is. Takes copies.
 * NAS_ARGUMENT: key or value is not UTF-8. NAS_MEMORY. On failure the archive is as it was. */
NAS_API nas_status nas_archive_set(nas_archive *archive, const char *key, const char *value,
                                   nas_error *err);

/* The value of a key, or NULL; belongs to the archive, until the key gets another. */
NAS_API const char *nas_archive_get(const nas_archive *archive, const char *key);

NAS_API int64_t nas_archive_key_count(const nas_archive *archive);

/* For index 0 .. count-1; belongs to the archive. */
NAS_API const char *nas_archive_key_at(const nas_archive *archive, int64_t index);

/* ---- Bytes and files ---- */

/* Appends the content of a file to bytes. The header has the metadata and then the names, in order.
 * The elements of the 4-byte types lie before those of uint8, so that all are aligned; else in
 * order. NAS_LIMIT: a header above NAS_ARCHIVE_HEADER_MAX. NAS_MEMORY. On failure bytes has the
 * size that it had. */
NAS_API nas_status nas_archive_encode(const nas_archive *archive, nas_text *bytes, nas_error *err);

/* Writes a file in one piece: a temporary file in the same folder, synchronised, renamed over path,
 * the folder synchronised. At any instant path is the old file or the new one, and on failure
 * nothing else is left. NAS_IO with path and the system's reason; NAS_LIMIT and NAS_MEMORY as
 * above. */
NAS_API nas_status nas_archive_write(const nas_archive *archive, const char *path, nas_error *err);

/* Reads a file. Tensors and metadata come in the order of the header, whatever the order of the
 * elements. NAS_IO when it can't be read. NAS_FORMAT when it is damaged or has what is refused
 * here: a header that is cut off, too long, no JSON object or with a key twice; tensors that
 * overlap, leave holes or do not end where the file ends; texts with NUL. NAS_MEMORY. No more
 * memory is taken for elements than the file has bytes. On success the caller owns *archive; on
 * failure it is NULL. */
NAS_API nas_status nas_archive_read(nas_archive **archive, const char *path, nas_error *err);

/* The same from memory; name stands for the path in messages. The tensors have copies of their
 * elements. */
NAS_API nas_status nas_archive_read_memory(nas_archive **archive, const void *bytes, size_t size,
                                           const char *name, nas_error *err);

#endif
