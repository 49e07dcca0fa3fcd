/* A clock for measuring how long something takes. */
#ifndef NAS_CLOCK_H
#define NAS_CLOCK_H

#include <nas/api.h>

/* Seconds since some moment in the past, by a clock that never goes back. From any thread. */
NAS_API double nas_clock(void);

#endif
