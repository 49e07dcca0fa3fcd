#include <nas/optimizer.h>
#include <string.h>
#include "rules.h"

static const nas_optimizer_kind *const kinds[] = {&nas_sgd_kind, &nas_rmsprop_kind, &nas_adam_kind,
                                                  &nas_adamw_kind};

enum { KIND_COUNT = sizeof kinds / sizeof *kinds };

const nas_optimizer_kind *nas_optimizer_at(int index) {
  return index >= 0 && index < KIND_COUNT ? kinds[index] : NULL;
}

const nas_optimizer_kind *nas_optimizer_find(const char *name, nas_error *err) {
  for (int i = 0; i < KIND_COUNT; i++)
    if (strcmp(kinds[i]->name, name) == 0) return kinds[i];
  nas_fail(err, NAS_ARGUMENT,
           "unknown optimizer \"%s\"; known optimizers: sgd, rmsprop, adam, adamw", name);
  return NULL;
}

/* -- before the rule -------------------------------------------------------------------------- */

nas_preparation nas_prepare(const nas_step *step, double rate, double l2, double weight_decay) {
  nas_preparation p = {.scale = step->gradient_scale};
  if (step->decays) {
    p.l2 = (float)l2;
    p.decay = (float)(rate * weight_decay);
  }
  return p;
}

/* What does nothing is left out, for speed, and because g + 0 * w is not always g. */
const float *nas_prepare_block(const nas_preparation *p, float *weights, const float *gradient,
                               float *room, size_t count) {
  const float *g = gradient;
  if (p->scale != 1 || p->l2 != 0) {
    for (size_t i = 0; i < count; i++) room[i] = p->scale * gradient[i];
    g = room;
  }
  if (p->l2 != 0)
    for (size_t i = 0; i < count; i++) room[i] += p->l2 * weights[i];
  if (p->decay != 0)
    for (size_t i = 0; i < count; i++) weights[i] -= p->decay * weights[i];
  return g;
}
