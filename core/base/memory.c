#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/mman.h>
#endif
#include <nas/memory.h>

/* Stands before every block, so that the block itself stays aligned. */
typedef struct header {
  _Alignas(NAS_ALIGN) size_t bytes; /* of the block */
  uint64_t mark;                    /* MARK, or FREED */
} header;

_Static_assert(sizeof(header) == NAS_ALIGN, "a block begins right behind its header");

#define MARK  UINT64_C(0x6E61736C69766521)
#define FREED UINT64_C(0x6E6173646561642E)

static atomic_size_t used_blocks, used_bytes, peak_bytes;
static atomic_long allowed = -1; /* allocations before failures begin; -1: no limit */

int nas_size_add(size_t a, size_t b, size_t *sum) {
  size_t result;
  if (__builtin_add_overflow(a, b, &result)) return -1;
  *sum = result;
  return 0;
}

int nas_size_mul(size_t a, size_t b, size_t *product) {
  size_t result;
  if (__builtin_mul_overflow(a, b, &result)) return -1;
  *product = result;
  return 0;
}

/* Takes one allocation off the limit; false when none is left. */
static int may_allocate(void) {
  long left = atomic_load(&allowed);
  while (left > 0 && !atomic_compare_exchange_weak(&allowed, &left, left - 1)) continue;
  return left != 0;
}

static void count_in(size_t bytes) {
  atomic_fetch_add(&used_blocks, 1);
  size_t now = atomic_fetch_add(&used_bytes, bytes) + bytes;
  size_t peak = atomic_load(&peak_bytes);
  while (now > peak && !atomic_compare_exchange_weak(&peak_bytes, &peak, now)) continue;
}

enum { LARGE_PAGE = 2 << 20 };

/* Large blocks begin at a large page and ask for such pages: what a batch stores is walked from end
 * to end, and the addresses of 4-KiB pages would not be at hand. NULL without memory. */
static void *allocate(size_t bytes) {
  void *memory;
  if (posix_memalign(&memory, bytes < LARGE_PAGE ? NAS_ALIGN : LARGE_PAGE, bytes)) return NULL;
#ifdef MADV_HUGEPAGE
  if (bytes >= LARGE_PAGE) (void)madvise(memory, bytes, MADV_HUGEPAGE);
#endif
  return memory;
}

void *nas_alloc(size_t count, size_t size) {
  size_t bytes, total;
  if (nas_size_mul(count, size, &bytes) || nas_size_add(bytes, sizeof(header), &total)) return NULL;
  header *head = may_allocate() ? allocate(total) : NULL;
  if (!head) return NULL;
  *head = (header){.bytes = bytes, .mark = MARK};
  count_in(bytes);
  return head + 1;
}

void *nas_alloc_zero(size_t count, size_t size) {
  void *block = nas_alloc(count, size);
  if (block) memset(block, 0, count * size);
  return block;
}

void *nas_realloc(void *block, size_t old_count, size_t count, size_t size) {
  void *larger = nas_alloc(count, size);
  if (!larger) return NULL;
  size_t kept = old_count < count ? old_count : count;
  if (block && kept) memcpy(larger, block, kept * size);
  nas_free(block);
  return larger;
}

char *nas_strdup(const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = nas_alloc(size, 1);
  return copy ? memcpy(copy, text, size) : NULL;
}

void nas_free(void *block) {
  if (!block) return;
  header *head = (header *)block - 1;
  assert(head->mark == MARK && "freed twice, overrun from below, or not from nas_alloc");
  head->mark = FREED;
  atomic_fetch_sub(&used_blocks, 1);
  atomic_fetch_sub(&used_bytes, head->bytes);
  free(head);
}

nas_memory_use nas_memory_used(void) {
  return (nas_memory_use){.blocks = atomic_load(&used_blocks),
                          .bytes = atomic_load(&used_bytes),
                          .peak_bytes = atomic_load(&peak_bytes)};
}

void nas_memory_fail_after(long count) {
  atomic_store(&allowed, count);
}
