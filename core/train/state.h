/* What a trainer is, for the files of this module. */
#ifndef NAS_TRAINER_STATE_H
#define NAS_TRAINER_STATE_H

#include <nas/trainer.h>
#include <stdatomic.h>
#include "count.h"

/* What a group gave for the parameters of a segment. */
typedef struct nas_share {
  float *d_params;
  int segment;
  unsigned long turn; /* when all earlier groups were added */
  int set;            /* the first group of a batch sets, the others add */
  int waits;          /* it is still to be added */
} nas_share;

/* What one thread has to itself. */
typedef struct nas_worker {
  float *d_params; /* gradient of the group under way */
  nas_share aside; /* and of one before it */
  float *kept;     /* what layers gather of it elsewhere */
  float *room;
  float *scratch; /* its part of arenas */
  double *totals; /* what layers that couple images collected, of the whole batch */

  nas_layer_seconds *seconds; /* of each node of the network; NULL: no times are kept */
  double loading, adding, stepping;
} nas_worker;

/* A run of trained weights that all decay, or all do not. */
typedef struct nas_decay_run {
  size_t from, end;
  int decays;
} nas_decay_run;

/* All that the next epoch depends on. */
typedef struct nas_state {
  int epoch;     /* whole epochs */
  uint64_t step; /* steps of the optimiser */
  float *params;
  float *moments[NAS_MOMENTS_MAX];
  float *average; /* of params; NULL when the recipe has none */
} nas_state;

struct nas_trainer {
  nas_node *output;
  nas_network *network; /* the loss of the output */
  nas_compiled *compiled;
  nas_dataset *data;
  nas_recipe recipe;
  int augments; /* whether the recipe changes images */
  nas_pool *pool;
  uint64_t seed;
  double seconds_limit, seconds; /* 0: none; what epochs took so far */
  int profiles;                  /* whether workers keep times */
  int64_t trained_images;        /* by all epochs of this trainer */
  double trained_seconds;
  int diverged;

  size_t floats;  /* of params */
  size_t trained; /* of the part of them that is trained, of gradient and moments */
  nas_state now;
  nas_state whole; /* a copy from the end of the last epoch, to go back to */
  float *derived;  /* what compiled layers derive from the params */
  float *gradient; /* of the batch: the groups' sums, added in group order */
  double *squares; /* of the blocks of the gradient, for clipping */
  nas_decay_run *runs;
  int run_count;
  nas_worker *workers;
  int worker_count;

  /* The best epoch so far: whose weights are kept, if the recipe asks for that; and the one that a
   * later one must beat by min_delta. */
  int best_epoch, counted_epoch;
  double best, counted;
  float *best_params;

  /* Parts of arenas of the micro-batches of a batch, where layers couple images, one after the
   * other; at least one for each worker, for validation. */
  float *stored;
  double *sums; /* of each group of a batch */

  int32_t *order; /* positions of the images of the epoch, as they are visited */
  int64_t order_size;
  nas_count *counts;   /* of each group of a batch, or of the whole validation */
  int32_t *predicted;  /* classes of the validation images; NULL for values */
  int predicted_epoch; /* after which epoch; 0: none that counts */

  /* The epoch under way: worker 0 writes between barriers, all read. */
  nas_poll *poll;
  void *poll_context;
  double started; /* seconds of the clock */
  nas_status stop;
  atomic_long *next_group; /* of each phase of a batch */
  nas_turn turn;           /* groups of this epoch that were added */
};

/* The index of the network's one target; -1 without one. */
int nas_target_node(const nas_network *network);

/* The network's one target must be that of data with so many values (0: a class). NAS_ARGUMENT. */
nas_status nas_target_check(const nas_network *network, int values, nas_error *err);

/* The weights that validation looks at: the average, or the params. */
const float *nas_state_weights(const nas_state *state);

/* Copies all that a state is into another one of the same trainer. */
void nas_state_copy(const nas_trainer *trainer, nas_state *to, const nas_state *from);

/* Worker `id` of `workers`: its share of a step of the optimiser. All call it at once; the gradient
 * is complete, and now.step counts this step already. */
void nas_step_take(nas_trainer *trainer, int id, int workers);

/* The runs of the trained weights, and room for squares. NAS_MEMORY. */
nas_status nas_step_prepare(nas_trainer *trainer, nas_error *err);

#endif
