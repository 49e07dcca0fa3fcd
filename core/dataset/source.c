#include "source.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* One read's worth: the hash then finds the bytes in the cache, and the size is more than twice
 * zlib's buffer, so that zlib decompresses into it without a copy. */
#define PIECE  ((size_t)64 << 10)
#define BUFFER (16 << 10)

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

void nas_source_sha256(nas_source *source, char text[NAS_SHA256_HEX]) {
  nas_sha256_end(&source->sha, text);
}
