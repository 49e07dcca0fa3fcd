/* How many floats a network takes, by formulas over its canonical form. */
#ifndef NAS_FLOATS_H
#define NAS_FLOATS_H

#include <nas/network.h>

/* Rows are padded, and borders counted. */
typedef struct nas_floats {
  int64_t params;      /* all parameter sets */
  int64_t derived;     /* what layers derive from them */
  int64_t kept, room;  /* what a thread has besides activations */
  int64_t activations; /* of one image; gradients take as much again at most */
  int64_t stored;      /* of each image of a batch; 0 where no layer couples them */
} nas_floats;

nas_status nas_floats_count(const nas_network *network, nas_floats *floats, nas_error *err);

/* Bytes that training takes with this batch. */
int64_t nas_floats_bytes(const nas_floats *floats, int batch);

#endif
