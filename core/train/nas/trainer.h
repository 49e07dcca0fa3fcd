/* Training one network on one data set.
 *
 * The result is a pure function of (network, loss, data and split, recipe, evaluation seed, numeric
 * version): threads, micro-batch, kernels and interruptions change no bit.
 *
 * A batch is cut into groups of NAS_GROUP images (compiled.h). A thread takes a group through the
 * network, a micro-batch at a time, and sums gradients within the group in image order; the sums of
 * the groups are added in group order. The last batch of an epoch may be smaller; the gradient is
 * that of its mean loss. */
#ifndef NAS_TRAINER_H
#define NAS_TRAINER_H

#include <nas/archive.h>
#include <nas/compiled.h>
#include <nas/pool.h>
#include <nas/recipe.h>

/* What is trained, on what and how. Begin with nas_training_default. */
typedef struct nas_training {
  nas_node *output; /* the network without its loss: one value for each class or target value; one
                       for two classes where the loss takes that */
  nas_node *loss;   /* one number for each image, composed of the output and a node of the kind
                       target; NULL: the recipe's loss */
  nas_dataset *data;
  const nas_recipe *recipe;          /* NULL: nas_recipe_default; copied */
  uint64_t seed;                     /* the evaluation's: initial weights, order of images, dropout,
                                        augmentation */
  nas_pool *pool;                    /* must outlive the trainer */
  int micro_batch;                   /* as in nas_compile_options: changes speed only */
  const struct nas_kernels *kernels; /* likewise */
  double seconds; /* epochs may take so long in all, then training stops; 0: no limit */
  int profile;    /* 1: keep times for nas_trainer_profile; changes no bit */
} nas_training;

NAS_API void nas_training_default(nas_training *training);

typedef struct nas_trainer nas_trainer;

/* Means over images. What the task does not have is 0. */
typedef struct nas_metrics {
  double loss;
  double accuracy;            /* share of the images whose class is predicted right */
  double top_k;               /* share whose class is among the recipe's top_k largest outputs */
  double mean_absolute_error; /* over images and target values */
} nas_metrics;

/* What one epoch gave. */
typedef struct nas_epoch {
  int epoch;              /* from 1 */
  nas_metrics training;   /* of each training image as it was when its batch was due */
  nas_metrics validation; /* after the epoch */
  double train_seconds;   /* measured: the epoch's training alone */
  double seconds;         /* measured: training and validation */
  int best;               /* the epoch with the best primary metric so far, this one included */
  int finished; /* the recipe says that training stops here: no epoch within `patience` was
                   better than the best before by min_delta */
} nas_epoch;

/* Called on the caller's own thread once for every batch, and for every group of validation images
 * that this thread takes; anything but 0 interrupts. */
typedef int nas_poll(void *context);

/* A trainer with the network's initial weights. Keeps references to the network's layers and to
 * data. NAS_ARGUMENT: the network, the loss, the recipe and the data do not fit together;
 * NAS_SHAPE: the loss cannot be applied; NAS_LIMIT: too large; NAS_MEMORY. On failure *trainer is
 * NULL. One caller at a time. */
NAS_API nas_status nas_trainer_create(nas_trainer **trainer, const nas_training *training,
                                      nas_error *err);

/* Frees and clears the pointer. Accepts NULL and a pointer to NULL. */
NAS_API void nas_trainer_destroy(nas_trainer **trainer);

/* Trains one epoch more and evaluates on the validation images; fills *result.
 * NAS_INTERRUPTED: poll said so. NAS_LIMIT: the seconds are over, also for each further call. After
 * either the trainer is as it was after its last whole epoch: after the first it can go on, to the
 * same bits, after the second another one that its state is restored into. NAS_DIVERGED: a loss was
 * not finite (the message names epoch and batch); the trainer keeps its last finite state, and
 * every further epoch is NAS_STATE. NAS_STATE also where the pool can't be used:
 * nas_pool_check_process. poll may be NULL. */
NAS_API nas_status nas_trainer_epoch(nas_trainer *trainer, nas_poll *poll, void *poll_context,
                                     nas_epoch *result, nas_error *err);

/* What it was made with. Borrowed. */
NAS_API const nas_recipe *nas_trainer_recipe(const nas_trainer *trainer);
NAS_API nas_dataset *nas_trainer_data(const nas_trainer *trainer);

/* Whole epochs so far, and the best of them (0 before the first). */
NAS_API int nas_trainer_epochs(const nas_trainer *trainer);
NAS_API int nas_trainer_best_epoch(const nas_trainer *trainer);

/* The network that is trained: the output with its loss. Borrowed. */
NAS_API const nas_network *nas_trainer_network(const nas_trainer *trainer);

/* Where the time of training went. Numbers below `seconds` are sums over the threads; together with
 * those of the layers they are `seconds` times the threads. */
typedef struct nas_profile {
  int64_t images; /* that went through the network forwards and backwards, repeated ones included */
  double seconds; /* that training took, without validation */
  double loading; /* images into arenas, and outputs into metrics */
  double adding;  /* gradients of groups to that of their batch */
  double stepping; /* the optimiser, and what layers derive from its weights */
  double waiting;  /* for other threads, and what is in no other number */
} nas_profile;

/* Fills in what a trainer that was made with `profile` has measured in all its epochs, and the
 * times of each node of nas_trainer_network (layers[] has room for them all; may be NULL); without
 * that option zeros. */
NAS_API void nas_trainer_profile(const nas_trainer *trainer, nas_profile *profile,
                                 nas_layer_seconds *layers);

/* The compiled network, and its parameters: those that training goes on with, and those that the
 * recipe keeps (the average, or those of the best epoch). Borrowed until the next call. */
NAS_API const nas_compiled *nas_trainer_compiled(const nas_trainer *trainer);
NAS_API const float *nas_trainer_params(const nas_trainer *trainer);
NAS_API const float *nas_trainer_kept(const nas_trainer *trainer);

/* The class that was predicted for each validation image in the last epoch (ordered as
 * nas_dataset_validation); NULL for values, before the first epoch, and when a restored state or a
 * validation that was stopped or whose loss was not finite came after it. */
NAS_API const int32_t *nas_trainer_predicted(const nas_trainer *trainer);

/* XXH3-128 of all parameters, moments and averages, in canonical order, padding left out: equal
 * exactly when the bits of the training state are. NAS_MEMORY. */
NAS_API nas_status nas_trainer_digest(const nas_trainer *trainer, nas_hash *digest, nas_error *err);

/* Adds all that training needs to go on to an archive, under names that begin with "training.".
 * NAS_ARGUMENT: the archive holds such a state already; NAS_MEMORY. On failure the archive may hold
 * a part of it. */
NAS_API nas_status nas_trainer_save(const nas_trainer *trainer, nas_archive *archive,
                                    nas_error *err);

/* Sets a trainer to the state of such an archive. NAS_ARGUMENT: it is that of another network,
 * loss, data, recipe, seed or numeric version (the message says which), or holds no training state;
 * NAS_FORMAT: it is incomplete or impossible; NAS_MEMORY. On failure the trainer is as it was. */
NAS_API nas_status nas_trainer_restore(nas_trainer *trainer, const nas_archive *archive,
                                       nas_error *err);

#endif
