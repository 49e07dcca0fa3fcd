#include "softmax.h"
#include <nas/elementary.h>

double nas_softmax_logit(const nas_policy_options *options, float z) {
  double s = (double)z / options->temperature;
  return options->tanh_constant > 0 ? options->tanh_constant * nas_tanh(s) : s;
}

double nas_softmax_logit_gradient(const nas_policy_options *options, double s) {
  double C = options->tanh_constant;
  if (C <= 0) return 1 / options->temperature;
  double tanh_z = s / C;
  return C * (1 - tanh_z * tanh_z) / options->temperature;
}

double nas_softmax(const double *s, int count, double *log_p, double *p) {
  double largest = s[0], sum = 0, entropy = 0;
  for (int k = 1; k < count; k++)
    if (s[k] > largest) largest = s[k];
  for (int k = 0; k < count; k++) {
    p[k] = nas_exp(s[k] - largest);
    sum = sum + p[k];
  }
  double log_sum = nas_log(sum);
  for (int k = 0; k < count; k++) {
    log_p[k] = s[k] - largest - log_sum;
    p[k] = p[k] / sum;
    entropy = entropy - p[k] * log_p[k];
  }
  return entropy;
}
