/* IDX files, the format of MNIST and Fashion-MNIST, plain or compressed by gzip.
 *
 *   byte 0      0
 *   byte 1      0
 *   byte 2      type: 0x08 uint8, 0x0C int32, 0x0D float32 (0x09, 0x0B and 0x0E are not supported)
 *   byte 3      rank
 *   byte 4      rank dimensions, unsigned 32 bits, big-endian
 *   then        the elements in index order, big-endian, and nothing behind them
 *
 * A header is believed only as far as bytes follow it: memory grows with what has been read.
 * Messages name the file, the byte offset in the decompressed content, what was expected and what
 * was found. All functions may be called from any thread. */
#ifndef NAS_IDX_H
#define NAS_IDX_H

#include <stddef.h>
#include <stdint.h>
#include <nas/hash.h>
#include <nas/status.h>
#include <nas/tensor.h>

typedef struct nas_idx_settings {
  unsigned dtypes; /* accepted types, a sum of 1u << nas_dtype; default: all three */
  int rank_min;    /* accepted ranks; default: 1 to NAS_RANK_MAX */
  int rank_max;
  int64_t elements_max; /* a file of more elements is refused; default: 2^31 - 1 */
  const char *hint;     /* ends the message about a wrong rank; default: NULL, nothing */
} nas_idx_settings;

NAS_API void nas_idx_settings_default(nas_idx_settings *settings);

/* Reads the file into a new contiguous tensor. settings may be NULL for the defaults. sha256,
 * unless NULL, gets the SHA-256 of the whole decompressed content. On success the caller owns *out;
 * on failure *out is NULL and sha256 unspecified. NAS_IO: the file could not be opened or read.
 * NAS_FORMAT: damaged, cut off, continued, of another format, type or rank. NAS_LIMIT: more than
 * elements_max elements. NAS_MEMORY. NAS_ARGUMENT: unsound settings. */
NAS_API nas_status nas_idx_read(nas_tensor **out, const char *path,
                                const nas_idx_settings *settings, char sha256[NAS_SHA256_HEX],
                                nas_error *err);

/* The same from `size` bytes of decompressed content, with `name` for the messages. bytes may be
 * NULL when size is 0. */
NAS_API nas_status nas_idx_read_memory(nas_tensor **out, const void *bytes, size_t size,
                                       const char *name, const nas_idx_settings *settings,
                                       char sha256[NAS_SHA256_HEX], nas_error *err);

#endif
