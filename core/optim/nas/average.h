/* Exponential averages of weights, for evaluation. */
#ifndef NAS_AVERAGE_H
#define NAS_AVERAGE_H

#include <stddef.h>
#include <stdint.h>
#include <nas/api.h>

/* Takes the weights after step `number`, from 1, into their average:
 *   average = average + (1 - d) * (weights - average)
 *   d = min(decay, (1 + number) / (10 + number))
 *
 * as TensorFlow's ExponentialMovingAverage with num_updates does: early averages forget
 * faster. 1 - d is computed in double and rounded to float once; then each operation is rounded to
 * float alone. decay is from 0 to 1; average begins as a copy of the initial weights. */
NAS_API void nas_average_step(float *average, const float *weights, size_t count, double decay,
                              uint64_t number);

#endif
