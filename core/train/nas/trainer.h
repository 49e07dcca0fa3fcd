/* Training one network on one data set.
 *
 * The result is a pure function of (network, data and split, recipe, evaluation seed, numeric
 * version): threads, micro-batch, kernels and interruptions between epochs change no bit.
 *
 * A batch is cut into groups of NAS_GROUP images. A thread takes a group through the network, a
 * micro-batch at a time, and sums gradients within the group in image order; the sums of the groups
 * are added in group order. The last batch of an epoch may be smaller; the gradient is that of its
 * mean loss. */
#ifndef NAS_TRAINER_H
#define NAS_TRAINER_H

#include <nas/compiled.h>
#include <nas/dataset.h>
#include <nas/optimizer.h>
#include <nas/pool.h>

#define NAS_GROUP 16 /* images: the unit of determinism */

/* How a network is trained. */
typedef struct nas_recipe {
  int batch; /* images in a step, 1 to 65536 */
  const nas_optimizer_kind *optimizer;
  nas_option_value optimizer_options[NAS_OPTIONS_MAX];
  const nas_layer_kind *loss; /* a layer kind with is_loss */
} nas_recipe;

/* Batch 250, Adam with its defaults, softmax cross-entropy. */
NAS_API void nas_recipe_default(nas_recipe *recipe);

/* Appends the canonical text: "batch=250 loss=softmax_cross_entropy optimizer=adam rate=0.001 ..."
 * The number of epochs is not in it: no optimiser here looks ahead, so ten epochs contain three. */
NAS_API void nas_recipe_text(const nas_recipe *recipe, nas_text *text);

/* What changes speed only. */
typedef struct nas_trainer_options {
  int micro_batch;                   /* as in nas_compile_options */
  const struct nas_kernels *kernels; /* as in nas_compile_options */
} nas_trainer_options;

typedef struct nas_trainer nas_trainer;

/* What one epoch gave. */
typedef struct nas_epoch {
  int epoch;             /* from 1 */
  double train_loss;     /* mean over the training images, each as it was when its batch was due */
  double train_accuracy; /* share of them that was predicted right */
  double loss;           /* mean over the validation images, after the epoch */
  double accuracy;       /* share of them that is predicted right, after the epoch */
  double train_seconds;  /* measured: the epoch's training alone */
  double seconds;        /* measured: training and validation */
} nas_epoch;

/* Called on the caller's own thread once for every batch; anything but 0 interrupts. */
typedef int nas_poll(void *context);

/* A trainer with the network's initial weights. `output` is the network without its loss. Keeps
 * references to the network's layers and to data; `pool` must outlive the trainer.
 * NAS_ARGUMENT: the network's input is not of the data's shape, or its output not one logit for
 * each class. On failure *trainer is NULL. One caller at a time. */
NAS_API nas_status nas_trainer_create(nas_trainer **trainer, nas_node *output, nas_dataset *data,
                                      const nas_recipe *recipe, uint64_t seed, nas_pool *pool,
                                      const nas_trainer_options *options, nas_error *err);

/* Frees and clears the pointer. Accepts NULL and a pointer to NULL. */
NAS_API void nas_trainer_destroy(nas_trainer **trainer);

/* Trains one epoch more and evaluates on the validation images; fills *result.
 * NAS_DIVERGED: a loss was not finite (the message names epoch and batch). NAS_INTERRUPTED: poll
 * said so. After either, the trainer can only be destroyed (NAS_STATE). poll may be NULL. */
NAS_API nas_status nas_trainer_epoch(nas_trainer *trainer, nas_poll *poll, void *poll_context,
                                     nas_epoch *result, nas_error *err);

/* The compiled network and its current parameters, borrowed until the next call. */
NAS_API const nas_compiled *nas_trainer_compiled(const nas_trainer *trainer);
NAS_API const float *nas_trainer_params(const nas_trainer *trainer);

/* XXH3-128 of all parameters and moments, in canonical order, padding left out: equal exactly when
 * the bits of the training state are. NAS_MEMORY. */
NAS_API nas_status nas_trainer_digest(const nas_trainer *trainer, nas_hash *digest, nas_error *err);

#endif
