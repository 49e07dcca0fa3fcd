/* Source: bytes from a file, decompressed where needed, or from memory, with their offset and,
 * on request, their SHA-256. */
#ifndef NAS_SOURCE_H
#define NAS_SOURCE_H

#include <stddef.h>
#include <stdint.h>
#include <zlib.h>
#include <nas/hash.h>
#include <nas/status.h>
#include "block.h"

#define NAS_SOURCE_NAME 160 /* bytes of a name in messages, with the NUL */

typedef struct nas_source {
  char name[NAS_SOURCE_NAME];
  gzFile file;                 /* NULL for memory */
  const unsigned char *memory; /* what is left of it */
  size_t memory_left;
  uint64_t offset; /* bytes read so far */
  int hashing;
  nas_sha256 sha;
} nas_source;

/* The path, or its end behind "..." where it would crowd a message out. */
void nas_source_shorten(const char *path, char name[NAS_SOURCE_NAME]);

/* Opens; NAS_IO with the system's reason. Close it in any case. */
nas_status nas_source_open_file(nas_source *source, const char *path, int hashing, nas_error *err);
void nas_source_open_memory(nas_source *source, const void *bytes, size_t size, const char *name,
                            int hashing);
void nas_source_close(nas_source *source);

/* Reads size bytes, or fewer at the end of the content: *count tells. NAS_IO; NAS_FORMAT for
 * damaged or cut-off compressed data; NAS_MEMORY. */
nas_status nas_source_read(nas_source *source, void *bytes, size_t size, size_t *count,
                           nas_error *err);

/* Reads all of size bytes, which are `what`; NAS_FORMAT where the content ends before. */
nas_status nas_source_read_all(nas_source *source, void *bytes, size_t size, const char *what,
                               nas_error *err);

/* Appends size bytes, which are `what`, to a block, which gets only a few times as large as what
 * has been read. NAS_FORMAT where the content ends before; NAS_MEMORY. What was read stays in the
 * block on failure too. */
nas_status nas_source_read_block(nas_source *source, size_t size, const char *what,
                                 nas_block *block, nas_error *err);

/* The same with all bytes to the end, at most `most`; NAS_LIMIT: there are more. */
nas_status nas_source_read_rest(nas_source *source, size_t most, nas_block *block, nas_error *err);

/* NAS_FORMAT unless the content ends here. */
nas_status nas_source_check_end(nas_source *source, nas_error *err);

/* The SHA-256 of all bytes read; once, at the end. */
void nas_source_sha256(nas_source *source, char text[NAS_SHA256_HEX]);

#endif
