/* How a network is trained. */
#ifndef NAS_RECIPE_H
#define NAS_RECIPE_H

#include <nas/dataset.h>
#include <nas/layer.h>
#include <nas/optimizer.h>
#include <nas/schedule.h>

/* Which weights a training gives, when its last epoch is done. */
typedef enum nas_keep {
  NAS_KEEP_LAST, /* those that the last epoch was validated with */
  NAS_KEEP_BEST, /* those of the epoch whose primary metric on the validation images was best */
} nas_keep;

/* The primary metric is the accuracy for classes and the mean absolute error for values. */
typedef struct nas_recipe {
  int batch;        /* images in a step, 1 to 65536 */
  double clip_norm; /* the gradient of a batch is scaled down to this norm, over all weights; 0: it
                       is left as it is */
  double average;   /* decay of an exponential average of the weights, which then is validated and
                       kept; 0: none */
  int winograd;     /* 1: Winograd's algorithm computes convolutions where it is faster, by a fixed
                       rule of their shapes; 0: nowhere. Changes bits */
  int top_k;        /* also count images whose class is among so many largest outputs; 0: don't */
  nas_keep keep;
  int patience;     /* epochs without a better primary metric after which training is finished; 0:
                       no early stopping */
  double min_delta; /* by how much it must be better */

  const nas_optimizer_kind *optimizer;
  nas_option_value optimizer_options[NAS_OPTIONS_MAX];
  const nas_schedule_kind *schedule;
  nas_option_value schedule_options[NAS_OPTIONS_MAX];
  const nas_layer_kind *loss; /* a kind with is_loss; NULL: who trains brings the loss */
  nas_option_value loss_options[NAS_OPTIONS_MAX];
  nas_option_value augment[NAS_OPTIONS_MAX]; /* nas_augment_table */
} nas_recipe;

/* Batch 250, Adam with its defaults and a constant rate, softmax cross-entropy, no augmentation,
 * the last weights. */
NAS_API void nas_recipe_default(nas_recipe *recipe);

/* The plain numbers above as options, with their ranges: batch, clip_norm, ..., min_delta. */
#define NAS_RECIPE_OPTIONS 8
NAS_API extern const nas_option_table nas_recipe_table;
NAS_API void nas_recipe_to_values(const nas_recipe *recipe, nas_option_value *values);
NAS_API void nas_recipe_from_values(nas_recipe *recipe, const nas_option_value *values);

/* Everything within its range, and the kinds there. NAS_ARGUMENT. */
NAS_API nas_status nas_recipe_check(const nas_recipe *recipe, nas_error *err);

/* Appends the canonical text of what an epoch depends on: "batch=250 clip_norm=0 ...
 * loss=softmax_cross_entropy ... optimizer=adam rate=0.001 ...". The number of epochs is not in it,
 * as no schedule looks at it; nor what decides which weights are kept and when training stops,
 * which changes no epoch. */
NAS_API void nas_recipe_text(const nas_recipe *recipe, nas_text *text);

#endif
