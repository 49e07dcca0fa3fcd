/* Schedules: by what factor the optimiser's rate is multiplied in each step of a training. */
#ifndef NAS_SCHEDULE_H
#define NAS_SCHEDULE_H

#include <stdint.h>
#include <nas/options.h>

/* The last option of each kind is "warmup": epochs, 0 for none. */
typedef struct nas_schedule_kind {
  const char *name;
  nas_option_table options;

  /* The factor without warm-up when so many epochs have passed, a whole number or not. */
  double (*factor)(const nas_option_value *options, double epochs);
} nas_schedule_kind;

/* The schedule of that name; or NULL and NAS_ARGUMENT in *err with the known names. */
NAS_API const nas_schedule_kind *nas_schedule_find(const char *name, nas_error *err);

/* The index-th schedule; NULL past the end. */
NAS_API const nas_schedule_kind *nas_schedule_at(int index);

/* The factor of the rate in step `step`, from 0, where an epoch has `steps_per_epoch` steps, at
 * least 1. In double from the formulas in schedule.c: the kind's factor after
 * step / steps_per_epoch epochs, times (step + 1) / (warmup * steps_per_epoch) while that is below
 * 1. A warm-up delays nothing: it multiplies the beginning of the kind's curve. */
NAS_API double nas_schedule_factor(const nas_schedule_kind *kind, const nas_option_value *options,
                                   uint64_t step, int64_t steps_per_epoch);

#endif
