/* Elementary functions with the same bits on every machine, because those of libm differ.
 *
 * All are computed in double from +, -, *, / and integer operations on the representation, each
 * correctly rounded and none contracted, so compiler, ISA and maker do not matter. The float
 * versions round a result in double once. Errors are in units in the last place (ulp), of subnormal
 * results too; tests/base/test_elementary.c asserts them against libm in long double over the whole
 * range. In brackets the largest that 10^8 and more random arguments gave.
 *
 * NaN in gives NaN out. No function sets errno. Rounding to nearest is assumed. The root needs no
 * function here: sqrt of math.h is rounded correctly everywhere. */
#ifndef NAS_ELEMENTARY_H
#define NAS_ELEMENTARY_H

#include <nas/api.h>

/* e^x; 0 below -745.2, +inf above 709.8. Error < 0.8 ulp (0.65; 0.77 for subnormal results). */
NAS_API double nas_exp(double x);

/* Natural logarithm; -inf for 0, NaN for x < 0. Error < 0.8 ulp (0.75). */
NAS_API double nas_log(double x);

/* Error < 0.85 ulp (0.79); odd, so that -0 gives -0. */
NAS_API double nas_tanh(double x);

/* 1 / (1 + e^-x), in both tails too. Error < 0.8 ulp (0.65; 0.78 for subnormal results). */
NAS_API double nas_sigmoid(double x);

/* x^y with the special cases of C's pow. An integer y with |y| <= 64 is computed by repeated
 * multiplication (binary, lowest bit first), so that x^3 is x * (x * x) exactly as written; a
 * negative one divides 1 by the product, if that is a normal number. Everything else is
 * exp(y log |x|) with the logarithm in twice the precision. Error < max(1, |y|) ulp by
 * multiplication (0.5 for y = 2, 50 for y = -64), < 0.85 ulp (0.81) by logarithm. */
NAS_API double nas_pow(double x, double y);

/* cos(pi x) for 0 <= x <= 1, NaN for other x; 1, 0 and -1 for 0, 0.5 and 1. Error < 0.85 ulp
 * (0.79). */
NAS_API double nas_cospi(double x);

/* Error < 0.5001 ulp. The first two are the double versions, rounded; the others make do with fewer
 * steps in double. */
NAS_API float nas_expf(float x);
NAS_API float nas_logf(float x);
NAS_API float nas_tanhf(float x);
NAS_API float nas_sigmoidf(float x);

/* a * b + c rounded once, also on processors without the instruction. Equals the hardware's fma for
 * every input, but for the sign and payload of a NaN. */
NAS_API float nas_fmaf(float a, float b, float c);

#endif
