/* What the files of the optimisers share. */
#ifndef NAS_OPTIM_RULES_H
#define NAS_OPTIM_RULES_H

#include <nas/optimizer.h>

extern const nas_optimizer_kind nas_sgd_kind, nas_rmsprop_kind, nas_adam_kind, nas_adamw_kind;

/* Options that all kinds have. */
#define NAS_RATE_OPTION(preset)                                                                    \
  { "rate", NAS_OPTION_NUMBER, 0, (preset), 0, 1e6, NULL, "Learning rate." }
#define NAS_L2_OPTION                                                                              \
  {                                                                                                \
    "l2", NAS_OPTION_NUMBER, 0, 0, 0, 1e6, NULL,                                                   \
        "This times the weight is added to the gradient of weights that decay."                    \
  }
#define NAS_WEIGHT_DECAY_OPTION(preset)                                                            \
  {                                                                                                \
    "weight_decay", NAS_OPTION_NUMBER, 0, (preset), 0, 1e6, NULL,                                  \
        "Rate times this is the share that weights that decay lose in a step."                     \
  }

/* Decay rates of averages: with one nearer to 1, a float would hold too little of 1 - beta. */
#define NAS_BETA_MAX 0.999999

/* Floats keep it, and zero divided by it is zero. */
#define NAS_EPSILON_MIN 1e-30

/* A step takes so many elements at a time, so that what it prepares stays in the cache. */
#define NAS_STEP_BLOCK 1024

/* What comes before a kind's own rule. */
typedef struct nas_preparation {
  float scale, l2, decay;
} nas_preparation;

nas_preparation nas_prepare(const nas_step *step, double rate, double l2, double weight_decay);

/* Does it to a block, at most NAS_STEP_BLOCK elements. Returns the gradient that the rule sees:
 * `gradient` itself or `room`. */
const float *nas_prepare_block(const nas_preparation *p, float *weights, const float *gradient,
                               float *room, size_t count);

#endif
