#include <sha2.h>
#include <stdalign.h>
#include <xxhash.h>
#include <nas/hash.h>

static void write_hex(char *text, const unsigned char *bytes, size_t count) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < count; i++) {
    *text++ = digits[bytes[i] >> 4];
    *text++ = digits[bytes[i] & 15];
  }
  *text = 0;
}

nas_hash nas_hash_bytes(const void *data, size_t size) {
  XXH128_hash_t hash = XXH3_128bits(size ? data : "", size);
  return (nas_hash){.high = hash.high64, .low = hash.low64};
}

void nas_hash_hex(nas_hash hash, char text[NAS_HASH_HEX]) {
  unsigned char bytes[16];
  for (int i = 0; i < 8; i++) {
    bytes[i] = (unsigned char)(hash.high >> (56 - 8 * i));
    bytes[8 + i] = (unsigned char)(hash.low >> (56 - 8 * i));
  }
  write_hex(text, bytes, sizeof bytes);
}

int nas_hash_compare(nas_hash a, nas_hash b) {
  if (a.high != b.high) return a.high < b.high ? -1 : 1;
  return (a.low > b.low) - (a.low < b.low);
}

_Static_assert(sizeof(SHA2_CTX) <= sizeof(nas_sha256), "nas_sha256 has room for libmd's context");
_Static_assert(alignof(SHA2_CTX) <= alignof(nas_sha256), "and aligns it");

static SHA2_CTX *context(nas_sha256 *sha) {
  return (SHA2_CTX *)(void *)sha->state;
}

void nas_sha256_begin(nas_sha256 *sha) {
  SHA256Init(context(sha));
}

void nas_sha256_add(nas_sha256 *sha, const void *data, size_t size) {
  if (size) SHA256Update(context(sha), data, size);
}

void nas_sha256_end(nas_sha256 *sha, char text[NAS_SHA256_HEX]) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256Final(digest, context(sha));
  write_hex(text, digest, sizeof digest);
}
