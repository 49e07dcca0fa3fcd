/* The parameters of a policy: named blocks that appear when they are first asked for.
 *
 * The set of all blocks that could ever be asked for is fixed by seed, init and the keys; a block's
 * appearance only gives it memory. So blocks that appeared during an operation that then failed can
 * be taken back: mark before, roll back after. */
#ifndef NAS_BLOCKS_H
#define NAS_BLOCKS_H

#include <stdint.h>
#include <nas/status.h>
#include <nas/text.h>
#include "rows.h"

typedef enum nas_part {
  NAS_PART_VALUE,
  NAS_PART_INITIAL,
  NAS_PART_MOMENT1, /* Adam: decayed mean of gradients */
  NAS_PART_MOMENT2, /* Adam: decayed mean of squared gradients */
  NAS_PARTS,
} nas_part;

typedef struct nas_block {
  char *key;
  int number; /* order of appearance, from 0 */
  nas_rows part[NAS_PARTS];
  nas_rows next[NAS_PARTS]; /* what a step makes of the parts, but for the initial one, until all of
                               it is known to be finite */
  nas_rows transposed;      /* of the values, for back-propagation; made when needed */
  uint64_t transposed_at;   /* the policy's version that it is of; 0: none */
} nas_block;

typedef struct nas_blocks {
  nas_block **sorted; /* by key */
  int count;
  int capacity;
  size_t size; /* parameters in all blocks */
  uint64_t seed;
  double init;
} nas_blocks;

void nas_blocks_clear(nas_blocks *blocks);

/* *block receives the block of that key, which appears if need be. NAS_ARGUMENT when it exists with
 * another shape; NAS_MEMORY. */
nas_status nas_blocks_require(nas_blocks *blocks, const char *key, int rows, int width,
                              nas_block **block, nas_error *err);

/* The block of that key; NULL when it has not appeared. */
nas_block *nas_blocks_find(const nas_blocks *blocks, const char *key);

/* Removes the blocks that appeared when there were `count` or more. */
void nas_blocks_roll_back(nas_blocks *blocks, int count);

/* Brings block->transposed up to the values of that version. 0, or -1 without memory. */
int nas_block_transpose(nas_block *block, uint64_t version);

/* What the keys of the value head begin with. Its blocks begin at zero, and have a rate of their
 * own. */
#define NAS_KEY_VALUE "value/"
int nas_key_is_value(const char *key);

/* Appends '/' and the piece, with '%' and '/' in it written %25 and %2F. */
void nas_key_add(nas_text *key, const char *piece);

/* The shape that the key demands in a policy of those layers and units; where it leaves a count of
 * options open, 0 stands for it. -1 for a key of no such policy (grammar: nas/policy.h). */
int nas_key_shape(const char *key, int layers, int units, int *rows, int *width);

#endif
