/* Random numbers: the rounds of base/random.c over 16 blocks side by side, in plain C, which
 * compilers turn into vectors. */
#ifndef NAS_DRAW_KERNEL_H
#define NAS_DRAW_KERNEL_H

#include "kernel.h"

enum { DRAW_BLOCKS = NAS_DRAWN / 4 };

static inline void philox_round(uint32_t c[4][DRAW_BLOCKS], uint32_t k0, uint32_t k1) {
  for (int b = 0; b < DRAW_BLOCKS; b++) {
    uint64_t even = (uint64_t)c[0][b] * 0xD2511F53u, odd = (uint64_t)c[2][b] * 0xCD9E8D57u;
    c[0][b] = (uint32_t)(odd >> 32) ^ c[1][b] ^ k0;
    c[1][b] = (uint32_t)odd;
    c[2][b] = (uint32_t)(even >> 32) ^ c[3][b] ^ k1;
    c[3][b] = (uint32_t)even;
  }
}

static void draw(nas_stream *stream, uint32_t *numbers) {
  uint32_t c[4][DRAW_BLOCKS], k0 = stream->key[0], k1 = stream->key[1];
  uint64_t first = (uint64_t)stream->counter[1] << 32 | stream->counter[0];
  for (uint64_t b = 0; b < DRAW_BLOCKS; b++) {
    c[0][b] = (uint32_t)(first + b);
    c[1][b] = (uint32_t)((first + b) >> 32);
    c[2][b] = stream->counter[2];
    c[3][b] = stream->counter[3];
  }
  for (int round = 0; round < 10; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u)
    philox_round(c, k0, k1);
  for (int b = 0; b < DRAW_BLOCKS; b++)
    for (int i = 0; i < 4; i++) numbers[4 * b + i] = c[i][b];
  first += DRAW_BLOCKS;
  stream->counter[0] = (uint32_t)first;
  stream->counter[1] = (uint32_t)(first >> 32);
}

#endif
