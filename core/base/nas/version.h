/* Which engine this is. */
#ifndef NAS_VERSION_H
#define NAS_VERSION_H

#include <nas/api.h>

/* Raised whenever a training, an evaluation or a policy gives other bits than before. The golden
 * digest in tests/train/test_golden.c fails when bits change without it. */
#define NAS_NUMERIC_VERSION 4

/* The semantic version of the library, such as "0.1.0". */
NAS_API const char *nas_version(void);

/* NAS_NUMERIC_VERSION of the library that is loaded. */
NAS_API int nas_numeric_version(void);

#endif
