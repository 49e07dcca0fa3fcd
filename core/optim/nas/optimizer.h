/* Optimisers: element-wise rules, so that threads may share a step by slices. */
#ifndef NAS_OPTIMIZER_H
#define NAS_OPTIMIZER_H

#include <stddef.h>
#include <stdint.h>
#include <nas/options.h>

/* What a step needs beside options, weights and gradient. */
typedef struct nas_step {
  uint64_t number;      /* from 1 */
  double rate;          /* factor of the optimiser's rate, from the schedule: >= 0 */
  float gradient_scale; /* factor of the gradient, from clipping; 1: none */
  int decays;           /* whether these weights decay: kernels do, biases and the like do not */
  const struct nas_kernels *kernels; /* NULL: the best of this processor. Changes no bit. */
} nas_step;

/* All kinds have the options rate, l2 and weight_decay. A step does this to each element, w its
 * weight and g its gradient; every operation is rounded to float alone, and every factor once:
 *
 *   g = gradient_scale * g              unless the factor is 1
 *   g = g + l2 * w                      if the weights decay, unless l2 is 0
 *   w = w - (rate * weight_decay) * w   if the weights decay, unless weight_decay is 0
 *   the kind's own rule, written above it in its file
 *
 * where rate is the option times the step's factor. So l2 is the gradient of l2/2 * w^2, which the
 * rule sees, and weight_decay is decoupled from the rule (Loshchilov & Hutter 2019). */
typedef struct nas_optimizer_kind {
  const char *name;
  nas_option_table options;
  int moments; /* arrays beside the parameters, at first 0 */

  /* One step on elements 0 .. count-1: changes weights against gradient. */
  void (*step)(const nas_option_value *options, const nas_step *step, float *weights,
               const float *gradient, float *const *moments, size_t count);
} nas_optimizer_kind;

#define NAS_MOMENTS_MAX 2

/* The optimiser of that name; or NULL and NAS_ARGUMENT in *err with the known names. */
NAS_API const nas_optimizer_kind *nas_optimizer_find(const char *name, nas_error *err);

/* The index-th optimiser; NULL past the end. */
NAS_API const nas_optimizer_kind *nas_optimizer_at(int index);

#endif
