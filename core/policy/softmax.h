/* From the sums of a head to probabilities; double, but for the sums.
 *
 *   s = z / temperature
 *   s = C tanh(z / temperature)        with a tanh constant C (Bello et al. 2016, "Neural
 *                                      combinatorial optimization with reinforcement learning")
 *   log p_k = (s_k - max s) - log(sum_j exp(s_j - max s)),  the sum in the order of outcomes
 *   p_k = exp(s_k - max s) / (the same sum)
 *   H = -(sum_k p_k log p_k),  in the order of outcomes */
#ifndef NAS_SOFTMAX_H
#define NAS_SOFTMAX_H

#include <nas/policy.h>

/* s of z. */
double nas_softmax_logit(const nas_policy_options *options, float z);

/* d s / d z */
double nas_softmax_logit_gradient(const nas_policy_options *options, double s);

/* Fills log_p[count] and p[count] from s[count]; returns the entropy. count is at least 1. */
double nas_softmax(const double *s, int count, double *log_p, double *p);

#endif
