#include <nas/clip.h>
#include <math.h>

enum { CHAINS = 16 };

double nas_gradient_square(const float *gradient, size_t count) {
  double chains[CHAINS] = {0};
  size_t whole = count - count % CHAINS;
  for (size_t i = 0; i < whole; i += CHAINS)
    for (size_t k = 0; k < CHAINS; k++) {
      double g = (double)gradient[i + k];
      chains[k] += g * g;
    }
  for (size_t i = whole; i < count; i++) {
    double g = (double)gradient[i];
    chains[i - whole] += g * g;
  }
  for (int half = CHAINS / 2; half; half /= 2)
    for (int k = 0; k < half; k++) chains[k] += chains[k + half];
  return chains[0];
}

float nas_clip_scale(double square, double norm) {
  double root = sqrt(square);
  return root <= norm ? 1 : (float)(norm / root);
}
