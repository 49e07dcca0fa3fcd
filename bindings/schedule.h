/* Schedules as scripts describe them: { name = "cosine", its options }. */
#ifndef NAS_BINDINGS_SCHEDULE_H
#define NAS_BINDINGS_SCHEDULE_H

#include <nas/schedule.h>
#include "settings.h"

/* The kind that a description names, "constant" if none; fills values[NAS_OPTIONS_MAX] with its
 * options. Raises for names and values that are not allowed and for options that are missing. */
const nas_schedule_kind *nas_settings_schedule(const nas_settings *settings,
                                               nas_option_value *values);

#endif
