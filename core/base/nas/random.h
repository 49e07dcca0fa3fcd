/* Counter-based random streams: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as
 * easy as 1, 2, 3").
 *
 * A stream is addressed by (seed, purpose, indices) and by nothing else, so no stream depends on
 * how often another one was used: "weights" of node hash h, "shuffle" of epoch 7, "sample" 15. The
 * address is hashed (XXH3, 128 bits): the low half is the Philox key, the high half the upper half
 * of the counter, whose lower half counts blocks of four 32-bit numbers. What is hashed: the seed,
 * the purpose with its NUL, the count, the indices, each number as 8 bytes with the lowest first.
 * The numbers are the same on every machine. A stream is a plain value; copying it forks it. Not
 * for use from two threads at once. */
#ifndef NAS_RANDOM_H
#define NAS_RANDOM_H

#include <stddef.h>
#include <stdint.h>
#include <nas/api.h>

typedef struct nas_stream {
  uint32_t key[2];
  uint32_t counter[4];
  uint32_t block[4];
  uint32_t used; /* numbers of block already handed out: 0 to 4 */
} nas_stream;

/* The stream of (seed, purpose, indices[0..count)), at its first number. indices may be NULL when
 * count is 0. */
NAS_API nas_stream nas_stream_open(uint64_t seed, const char *purpose, const uint64_t *indices,
                                   size_t count);

/* Moves to the position-th 32-bit number of the stream, counted from 0, in constant time. */
NAS_API void nas_stream_seek(nas_stream *stream, uint64_t position);

/* Uniform over all 32-bit numbers. */
NAS_API uint32_t nas_stream_u32(nas_stream *stream);

/* Uniform over multiples of 2^-24 in [0, 1). Uses one 32-bit number. */
NAS_API float nas_stream_float(nas_stream *stream);

/* Uniform over multiples of 2^-53 in [0, 1). Uses two 32-bit numbers, high bits first. */
NAS_API double nas_stream_double(nas_stream *stream);

/* From the standard normal distribution: sqrt(-2 log(1 - u)) * cos(2 pi v) with two doubles u and v
 * (Box & Muller 1958) and our own elementary functions. Uses four 32-bit numbers. */
NAS_API double nas_stream_normal(nas_stream *stream);

/* Uniform over 0 .. bound-1, without bias (Lemire 2019, "Fast random integer generation in an
 * interval"); bound >= 1. Uses one 32-bit number, sometimes more. */
NAS_API uint32_t nas_stream_below(nas_stream *stream, uint32_t bound);

/* Puts a uniformly random order of 0 .. count-1 into order (Fisher-Yates from the end); count is at
 * most 2^31. */
NAS_API void nas_stream_permutation(nas_stream *stream, int32_t *order, size_t count);

#endif
