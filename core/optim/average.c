#include <nas/average.h>

void nas_average_step(float *average, const float *weights, size_t count, double decay,
                      uint64_t number) {
  double early = (1 + (double)number) / (10 + (double)number);
  float share = (float)(1 - (decay < early ? decay : early));
  for (size_t i = 0; i < count; i++) average[i] += share * (weights[i] - average[i]);
}
