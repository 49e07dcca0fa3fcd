#include <nas/clip.h>
#include <math.h>

float nas_clip_scale(double square, double norm) {
  double root = sqrt(square);
  return root <= norm ? 1 : (float)(norm / root);
}
