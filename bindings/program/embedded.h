/* The scripts of the package and its stubs, inside the program. The tables are generated
 * (embed.lua). */
#ifndef NAS_PROGRAM_EMBEDDED_H
#define NAS_PROGRAM_EMBEDDED_H

#include <stddef.h>

typedef struct nas_embedded {
  const char *name;  /* "luanas.study"; of a stub "study" */
  const char *chunk; /* "@luanas/study.lua" */
  size_t size;       /* bytes of text */
  const char *text;
} nas_embedded;

/* They end with a name of NULL. */
extern const nas_embedded nas_embedded_scripts[], nas_embedded_stubs[];

#endif
