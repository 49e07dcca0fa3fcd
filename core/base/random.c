/* The address hash runs over a state on the stack. Its layout is not part of the shared library's
 * ABI, so the functions are compiled in here. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <assert.h>
#include <math.h>
#include <string.h>
#include <nas/elementary.h>
#include <nas/random.h>
#include "philox.h"

void nas_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
  uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
  uint32_t k0 = key[0], k1 = key[1];
  for (int round = 0; round < 10; round++) {
    uint64_t even = (uint64_t)c0 * 0xD2511F53u;
    uint64_t odd = (uint64_t)c2 * 0xCD9E8D57u;
    c0 = (uint32_t)(odd >> 32) ^ c1 ^ k0;
    c1 = (uint32_t)odd;
    c2 = (uint32_t)(even >> 32) ^ c3 ^ k1;
    c3 = (uint32_t)even;
    k0 += 0x9E3779B9u; /* 2^32 times the golden ratio's and sqrt 3's fractions */
    k1 += 0xBB67AE85u;
  }
  out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

static void hash_u64(XXH3_state_t *state, uint64_t value) {
  unsigned char bytes[8];
  for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)(value >> (8 * i));
  XXH3_128bits_update(state, bytes, sizeof bytes);
}

nas_stream nas_stream_open(uint64_t seed, const char *purpose, const uint64_t *indices,
                           size_t count) {
  XXH3_state_t state;
  XXH3_128bits_reset(&state);
  hash_u64(&state, seed);
  XXH3_128bits_update(&state, purpose, strlen(purpose) + 1);
  hash_u64(&state, count);
  for (size_t i = 0; i < count; i++) hash_u64(&state, indices[i]);
  XXH128_hash_t hash = XXH3_128bits_digest(&state);
  return (nas_stream){.key = {(uint32_t)hash.low64, (uint32_t)(hash.low64 >> 32)},
                      .counter = {0, 0, (uint32_t)hash.high64, (uint32_t)(hash.high64 >> 32)},
                      .used = 4};
}

static void set_block(nas_stream *stream, uint64_t block) {
  stream->counter[0] = (uint32_t)block;
  stream->counter[1] = (uint32_t)(block >> 32);
}

/* Fills the block that the counter names and moves the counter to the next. */
static void next_block(nas_stream *stream) {
  nas_philox(stream->counter, stream->key, stream->block);
  set_block(stream, ((uint64_t)stream->counter[1] << 32 | stream->counter[0]) + 1);
  stream->used = 0;
}

void nas_stream_seek(nas_stream *stream, uint64_t position) {
  set_block(stream, position / 4);
  stream->used = 4;
  if (position % 4 == 0) return;
  next_block(stream);
  stream->used = (uint32_t)(position % 4);
}

uint32_t nas_stream_u32(nas_stream *stream) {
  if (stream->used == 4) next_block(stream);
  return stream->block[stream->used++];
}

float nas_stream_float(nas_stream *stream) {
  return (float)(nas_stream_u32(stream) >> 8) * 0x1p-24f;
}

double nas_stream_double(nas_stream *stream) {
  uint64_t high = nas_stream_u32(stream);
  uint64_t low = nas_stream_u32(stream);
  return (double)((high << 32 | low) >> 11) * 0x1p-53;
}

double nas_stream_normal(nas_stream *stream) {
  double radius = sqrt(-2 * nas_log(1 - nas_stream_double(stream)));
  double turn = 2 * nas_stream_double(stream); /* in [0, 2), of pi */
  return radius * nas_cospi(turn <= 1 ? turn : 2 - turn);
}

uint32_t nas_stream_below(nas_stream *stream, uint32_t bound) {
  assert(bound >= 1);
  uint64_t product = (uint64_t)nas_stream_u32(stream) * bound;
  if ((uint32_t)product < bound) {
    uint32_t excess =
        -bound % bound; /* 2^32 mod bound low halves would be counted once too often */
    while ((uint32_t)product < excess) product = (uint64_t)nas_stream_u32(stream) * bound;
  }
  return (uint32_t)(product >> 32);
}

void nas_stream_permutation(nas_stream *stream, int32_t *order, size_t count) {
  assert(count <= (size_t)INT32_MAX + 1);
  for (size_t i = 0; i < count; i++) order[i] = (int32_t)i;
  for (size_t i = count; i > 1; i--) {
    size_t other = nas_stream_below(stream, (uint32_t)i);
    int32_t last = order[i - 1];
    order[i - 1] = order[other];
    order[other] = last;
  }
}
