/* The block function of the random streams, apart from them for its known-answer test. */
#ifndef NAS_PHILOX_H
#define NAS_PHILOX_H

#include <stdint.h>

/* Philox4x32 with 10 rounds: out = the block of four numbers that (counter, key) names. out may be
 * counter itself. */
void nas_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

#endif
