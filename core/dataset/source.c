#include "source.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <nas/memory.h>

/* One read's worth: the hash then finds the bytes in the cache, and the size is more than twice
 * zlib's buffer, so that zlib decompresses into it without a copy. */
#define PIECE  ((size_t)64 << 10)
#define BUFFER (16 << 10)

#define FIRST_BYTES ((size_t)1 << 20) /* the first allocation for content */

void nas_source_shorten(const char *path, char name[NAS_SOURCE_NAME]) {
  size_t length = strlen(path);
  if (length < NAS_SOURCE_NAME) {
    memcpy(name, path, length + 1);
    return;
  }
  const char *end = path + length - (NAS_SOURCE_NAME - 4);
  while (((unsigned char)*end & 0xC0) == 0x80) end++; /* not inside a UTF-8 character */
  snprintf(name, NAS_SOURCE_NAME, "...%s", end);
}

static void begin(nas_source *source, const char *name, int hashing) {
  *source = (nas_source){.hashing = hashing};
  nas_source_shorten(name, source->name);
  if (hashing) nas_sha256_begin(&source->sha);
}

nas_status nas_source_open_file(nas_source *source, const char *path, int hashing, nas_error *err) {
  begin(source, path, hashing);
  errno = 0;
  source->file = gzopen(path, "rbe");
  if (!source->file)
    return nas_fail(err, errno && errno != ENOMEM ? NAS_IO : NAS_MEMORY, "%s cannot be opened: %s",
                    source->name, strerror(errno ? errno : ENOMEM));
  gzbuffer(source->file, BUFFER);
  return NAS_OK;
}

void nas_source_open_memory(nas_source *source, const void *bytes, size_t size, const char *name,
                            int hashing) {
  begin(source, name, hashing);
  source->memory = bytes;
  source->memory_left = size;
}

void nas_source_close(nas_source *source) {
  if (source->file) gzclose_r(source->file);
  source->file = NULL;
}

/* What zlib says about a failed read that began at the source's offset and gave `got` bytes. */
static nas_status fail_file(const nas_source *source, size_t got, int system, nas_error *err) {
  int code;
  const char *reason = gzerror(source->file, &code);
  uint64_t offset = source->offset + got;
  switch (code) {
  case Z_ERRNO:
    return nas_fail(err, NAS_IO, "%s, byte %" PRIu64 ": cannot be read: %s", source->name, offset,
                    strerror(system));
  case Z_MEM_ERROR: return nas_fail(err, NAS_MEMORY, "%s: no memory to decompress", source->name);
  case Z_BUF_ERROR:
    return nas_fail(err, NAS_FORMAT,
                    "%s, byte %" PRIu64
                    ": the compressed data is cut off; expected the end of a gzip stream",
                    source->name, offset);
  default: /* zlib begins its message with the path and ": " */
    reason = strrchr(reason, ':') ? strrchr(reason, ':') + 2 : reason;
    return nas_fail(err, NAS_FORMAT,
                    "%s, at or after byte %" PRIu64
                    ": the compressed data is damaged; expected a sound gzip stream, found: %s",
                    source->name, offset, reason);
  }
}

static nas_status read_file(nas_source *source, unsigned char *bytes, size_t size, size_t *count,
                            nas_error *err) {
  int code;
  errno = 0;
  int got = gzread(source->file, bytes, (unsigned)size);
  int system = errno;
  if (got < 0) return fail_file(source, 0, system, err);
  *count = (size_t)got;
  if (*count == size) return NAS_OK;
  gzerror(source->file, &code); /* tells a stream without its end */
  return code == Z_OK ? NAS_OK : fail_file(source, *count, system, err);
}

static void read_memory(nas_source *source, unsigned char *bytes, size_t size, size_t *count) {
  *count = size < source->memory_left ? size : source->memory_left;
  if (*count == 0) return;
  memcpy(bytes, source->memory, *count);
  source->memory += *count;
  source->memory_left -= *count;
}

nas_status nas_source_read(nas_source *source, void *bytes, size_t size, size_t *count,
                           nas_error *err) {
  size_t done = 0, got = 0;
  while (done < size) {
    unsigned char *piece = (unsigned char *)bytes + done;
    size_t want = size - done < PIECE ? size - done : PIECE;
    if (source->file) {
      nas_status status = read_file(source, piece, want, &got, err);
      if (status != NAS_OK) return status;
    } else {
      read_memory(source, piece, want, &got);
    }
    if (source->hashing) nas_sha256_add(&source->sha, piece, got);
    source->offset += got;
    done += got;
    if (got < want) break;
  }
  *count = done;
  return NAS_OK;
}

nas_status nas_source_read_all(nas_source *source, void *bytes, size_t size, const char *what,
                               nas_error *err) {
  size_t count;
  nas_status status = nas_source_read(source, bytes, size, &count, err);
  if (status != NAS_OK || count == size) return status;
  return nas_fail(err, NAS_FORMAT,
                  "%s, byte %" PRIu64 ": the content ends; expected %zu more bytes of %s",
                  source->name, source->offset, size - count, what);
}

/* Appends size bytes, or fewer at the end: *count tells. */
static nas_status read_growing(nas_source *source, size_t size, const char *what, nas_block *block,
                               size_t *count, nas_error *err) {
  size_t most, got = 0, want = 0;
  *count = 0;
  if (nas_size_add(block->size, size, &most)) return nas_fail_memory(err, what, size);
  while (*count < size && got == want) {
    want = size - *count;
    nas_status status =
        nas_block_reserve(block, want < FIRST_BYTES ? want : FIRST_BYTES, most, what, err);
    if (status != NAS_OK) return status;
    if (want > block->capacity - block->size) want = block->capacity - block->size;
    status = nas_source_read(source, block->bytes + block->size, want, &got, err);
    if (status != NAS_OK) return status;
    block->size += got;
    *count += got;
  }
  return NAS_OK;
}

nas_status nas_source_read_block(nas_source *source, size_t size, const char *what,
                                 nas_block *block, nas_error *err) {
  size_t count;
  nas_status status = read_growing(source, size, what, block, &count, err);
  if (status != NAS_OK || count == size) return status;
  return nas_fail(err, NAS_FORMAT,
                  "%s, byte %" PRIu64 ": the content ends after %zu of %zu bytes of %s",
                  source->name, source->offset, count, size, what);
}

nas_status nas_source_read_rest(nas_source *source, size_t most, nas_block *block, nas_error *err) {
  size_t count;
  nas_status status = read_growing(source, most + 1, "the content of a file", block, &count, err);
  if (status != NAS_OK || count <= most) return status;
  return nas_fail(err, NAS_LIMIT, "%s has more than the allowed %zu bytes", source->name, most);
}

/* Reading on at the end is also what makes zlib check the sum behind the compressed data. */
nas_status nas_source_check_end(nas_source *source, nas_error *err) {
  unsigned char byte;
  size_t count;
  uint64_t offset = source->offset;
  nas_status status = nas_source_read(source, &byte, 1, &count, err);
  if (status != NAS_OK || count == 0) return status;
  return nas_fail(err, NAS_FORMAT,
                  "%s, byte %" PRIu64 ": expected the end of the content, found a byte %02X",
                  source->name, offset, byte);
}

void nas_source_sha256(nas_source *source, char text[NAS_SHA256_HEX]) {
  nas_sha256_end(&source->sha, text);
}
