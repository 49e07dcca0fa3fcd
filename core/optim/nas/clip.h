/* Clipping a gradient by its norm. */
#ifndef NAS_CLIP_H
#define NAS_CLIP_H

#include <nas/api.h>

/* The factor that brings a gradient whose sum of squares is `square` to the norm `norm`, at least
 * 0: 1 if its norm, the root, is not above that, else norm / root, rounded once. 0 for an infinite
 * square; NaN for one that is NaN, so that a gradient that is not a number shows in all weights. */
NAS_API float nas_clip_scale(double square, double norm);

#endif
