/* Hashes. XXH3 with 128 bits identifies canonical texts (which are stored and compared beside it);
 * SHA-256 identifies the content of data sets. Both give the same bytes on every machine. */
#ifndef NAS_HASH_H
#define NAS_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <nas/api.h>

typedef struct nas_hash {
  uint64_t high, low;
} nas_hash;

#define NAS_HASH_HEX   33 /* bytes for the text form, with the final NUL */
#define NAS_SHA256_HEX 65

/* XXH3-128 of size bytes; data may be NULL when size is 0. */
NAS_API nas_hash nas_hash_bytes(const void *data, size_t size);

/* 32 lower-case hexadecimal digits, high half first, and a NUL. */
NAS_API void nas_hash_hex(nas_hash hash, char text[NAS_HASH_HEX]);

/* Negative, zero or positive: a total order, the same on every machine. */
NAS_API int nas_hash_compare(nas_hash a, nas_hash b);

/* SHA-256, fed piece by piece: begin, add any number of times, end, which leaves 64 lower-case
 * hexadecimal digits and a NUL. Then begin again, or drop it: it holds no resources. */
typedef struct nas_sha256 {
  uint64_t state[32]; /* room for the library's context */
} nas_sha256;

NAS_API void nas_sha256_begin(nas_sha256 *sha);

/* data may be NULL when size is 0. */
NAS_API void nas_sha256_add(nas_sha256 *sha, const void *data, size_t size);

NAS_API void nas_sha256_end(nas_sha256 *sha, char text[NAS_SHA256_HEX]);

#endif
