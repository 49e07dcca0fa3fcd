/* What an archive is, for the files that read and write it. */
#ifndef NAS_ARCHIVE_STATE_H
#define NAS_ARCHIVE_STATE_H

#include <nas/archive.h>

/* A named tensor, or a pair of metadata. */
typedef struct nas_named {
  char *name;
  nas_tensor *tensor; /* NULL in metadata */
  char *value;        /* NULL among tensors */
} nas_named;

/* In order, and found by name: a hash table with open addressing. */
typedef struct nas_names {
  nas_named *entries; /* [capacity] */
  size_t *slots;      /* [2 * capacity]: index + 1; 0 is free */
  size_t count;
  size_t capacity; /* 0 or a power of two */
} nas_names;

struct nas_archive {
  nas_names tensors, metadata;
};

/* "F32", "U8", "I32": the format's name of each nas_dtype. */
enum { NAS_ARCHIVE_TYPES = 3 };
extern const char *const nas_archive_types[NAS_ARCHIVE_TYPES];

#define NAS_ARCHIVE_METADATA "__metadata__" /* the name of what is no tensor */

#endif
