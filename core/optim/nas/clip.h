/* Clipping a gradient by its norm. */
#ifndef NAS_CLIP_H
#define NAS_CLIP_H

#include <stddef.h>
#include <nas/api.h>

/* The sum of squares, in double: chain k of 16 takes the elements k, k + 16, k + 32, ... in this
 * order, beginning at 0; then chain k takes chain k + 8, for k below 8; the same with 4, 2 and 1.
 * The squares are exact. Zeros at the end change no bit. */
NAS_API double nas_gradient_square(const float *gradient, size_t count);

/* The factor that brings a gradient whose sum of squares is `square` to the norm `norm`, at least
 * 0: 1 if its norm, the root, is not above that, else norm / root, rounded once. 0 for an infinite
 * square; NaN for one that is NaN, so that a gradient that is not a number shows in all weights. */
NAS_API float nas_clip_scale(double square, double norm);

#endif
