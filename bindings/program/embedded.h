/* The scripts of the package, inside the program. The table is generated (embed.lua). */
#ifndef NAS_PROGRAM_EMBEDDED_H
#define NAS_PROGRAM_EMBEDDED_H

#include <stddef.h>

typedef struct nas_embedded {
  const char *module; /* "luanas.study" */
  const char *chunk;  /* "@luanas/study.lua" */
  size_t size;        /* bytes of text */
  const char *text;
} nas_embedded;

/* Ends with a module of NULL. */
extern const nas_embedded nas_embedded_scripts[];

#endif
