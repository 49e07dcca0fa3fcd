/* Images into arenas, and from what comes out into metrics. */
#ifndef NAS_COUNT_H
#define NAS_COUNT_H

#include <nas/trainer.h>

/* Sums over images, in order. */
typedef struct nas_count {
  double loss, absolute; /* absolute errors of all target values */
  int64_t right, top;
} nas_count;

/* Writes images and their targets into an arena. augment may be NULL; seed and epoch are for it. */
void nas_images_load(const nas_compiled *compiled, const nas_dataset *data, const int32_t *images,
                     int count, const nas_option_value *augment, uint64_t seed, int epoch,
                     nas_arena arena);

/* Adds what an arena gives for the images, with its loss, unless the network has none. predicted,
 * unless NULL, gets the class of each. */
void nas_images_count(const nas_compiled *compiled, const nas_dataset *data, const int32_t *images,
                      int count, int top_k, nas_arena arena, nas_count *sum, int32_t *predicted);

static inline long nas_group_count(int64_t images) {
  return (long)((images + NAS_GROUP - 1) / NAS_GROUP);
}

/* Adds up the counts of `groups` groups in order. */
nas_count nas_count_sum(const nas_count *counts, long groups);

/* The same, divided by the images. */
nas_metrics nas_count_metrics(const nas_count *counts, long groups, int64_t images,
                              const nas_dataset *data);

/* The larger the better: the accuracy, or minus the mean absolute error. */
double nas_metrics_primary(const nas_metrics *metrics, const nas_dataset *data);

#endif
