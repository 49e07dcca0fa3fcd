/* Optimisers: element-wise rules, so that threads may share a step by slices. */
#ifndef NAS_OPTIMIZER_H
#define NAS_OPTIMIZER_H

#include <stddef.h>
#include <stdint.h>
#include <nas/options.h>

typedef struct nas_optimizer_kind {
  const char *name;
  nas_option_table options;
  int moments; /* arrays beside the parameters, at first 0 */

  /* One step, number t (from 1), on elements 0 .. count-1: changes weights against gradient. */
  void (*step)(const nas_option_value *options, uint64_t t, float *weights, const float *gradient,
               float *const *moments, size_t count);
} nas_optimizer_kind;

#define NAS_MOMENTS_MAX 2

/* The optimiser of that name; or NULL and NAS_ARGUMENT in *err with the known names. */
NAS_API const nas_optimizer_kind *nas_optimizer_find(const char *name, nas_error *err);

/* The index-th optimiser; NULL past the end. */
NAS_API const nas_optimizer_kind *nas_optimizer_at(int index);

#endif
