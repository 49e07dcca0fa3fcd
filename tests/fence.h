/* Memory that ends right before a page that nobody may touch, or begins right behind one: an access
 * too far ends the test there, whatever instruction it is. Valgrind and emulators don't know all
 * instructions, and sanitizers don't see a read that stays within the rows of a larger block. */
#ifndef TESTS_FENCE_H
#define TESTS_FENCE_H

#include "check.h"
#include <sys/mman.h>
#include <unistd.h>

typedef enum fence_side { FENCE_BEHIND, FENCE_BEFORE } fence_side;

enum { FENCES_MAX = 256 };

/* Pages between two that are closed. They stay when their block is freed, for later ones: mapping
 * takes longer than most tests of a kernel. */
static struct {
  char *begin, *end; /* NULL: none yet */
  int used;
} fences[FENCES_MAX];

/* One side or the other, the same ones in every run, and not by turns: code that allocates an even
 * number of blocks would find each on one side only. */
static inline fence_side fence_any_side(void) {
  static uint32_t state = 1;
  state = state * 1664525u + 1013904223u;
  return state >> 31 ? FENCE_BEFORE : FENCE_BEHIND;
}

static inline int fence_map(size_t bytes) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), size = page;
  int i = 0;
  while (size < bytes) size *= 2;
  while (i < FENCES_MAX && fences[i].begin) i++;
  assert_true(i < FENCES_MAX);
  char *pages = mmap(NULL, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_true(pages != MAP_FAILED);
  assert_int_equal(mprotect(pages + page, size, PROT_READ | PROT_WRITE), 0);
  fences[i].begin = pages + page;
  fences[i].end = pages + page + size;
  return i;
}

/* A block with anything in it; of 0 bytes, one that must not be touched. Of bytes that are no
 * multiple of a type's alignment, FENCE_BEHIND gives one that is not aligned for it. */
static inline void *fence_alloc(size_t bytes, fence_side side) {
  int best = -1;
  for (int i = 0; i < FENCES_MAX && fences[i].begin; i++) {
    size_t size = (size_t)(fences[i].end - fences[i].begin);
    if (fences[i].used || size < bytes) continue;
    if (best < 0 || size < (size_t)(fences[best].end - fences[best].begin)) best = i;
  }
  if (best < 0) best = fence_map(bytes);
  fences[best].used = 1;
  return side == FENCE_BEHIND || bytes == 0 ? fences[best].end - bytes : fences[best].begin;
}

/* Accepts NULL. */
static inline void fence_free(const void *block) {
  const char *at = block;
  for (int i = 0; at && i < FENCES_MAX; i++) {
    if (!fences[i].used || at < fences[i].begin || at > fences[i].end) continue;
    fences[i].used = 0;
    return;
  }
  assert_null(block);
}

/* A copy on any side. */
static inline void *fence_copy(const void *from, size_t bytes) {
  void *block = fence_alloc(bytes, fence_any_side());
  if (bytes) memcpy(block, from, bytes);
  return block;
}

/* A teardown that fails when a block of libnas or a fenced one is left. */
static inline int check_no_fences(void **state) {
  int left = 0;
  for (int i = 0; i < FENCES_MAX; i++) left += fences[i].used;
  if (left) print_error("%d fenced blocks were not freed\n", left);
  return check_no_blocks(state) || left ? -1 : 0;
}

#endif
