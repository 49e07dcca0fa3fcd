#include "blocks.h"
#include <stdlib.h>
#include <string.h>
#include <nas/hash.h>
#include <nas/memory.h>
#include <nas/random.h>

/* ---- One block ---------------------------------------------------------------------------- */

static void block_destroy(nas_block **block) {
  nas_block *b = *block;
  *block = NULL;
  if (!b) return;
  for (int i = 0; i < NAS_PARTS; i++) {
    nas_rows_free(&b->part[i]);
    nas_rows_free(&b->next[i]);
  }
  nas_rows_free(&b->transposed);
  nas_free(b->key);
  nas_free(b);
}

/* Uniform in [-init, init), row by row. The stream belongs to the key, so nothing that appeared
 * earlier shifts it. The value head stays zero: a random one would add noise of the size of its
 * weights to advantages, where rewards differ by hundredths. */
static void block_initialise(nas_block *block, uint64_t seed, double init) {
  if (nas_key_is_value(block->key)) return;
  nas_hash hash = nas_hash_bytes(block->key, strlen(block->key));
  nas_stream stream = nas_stream_open(seed, "policy", (uint64_t[]){hash.high, hash.low}, 2);
  nas_rows *initial = &block->part[NAS_PART_INITIAL];
  nas_rows *value = &block->part[NAS_PART_VALUE];
  for (int r = 0; r < initial->rows; r++)
    for (int c = 0; c < initial->width; c++)
      nas_rows_at(initial, r)[c] = (float)(init * (2 * nas_stream_double(&stream) - 1));
  memcpy(value->data, initial->data,
         (size_t)value->rows * (size_t)value->stride * sizeof *value->data);
}

static nas_block *block_create(const nas_blocks *blocks, const char *key, int rows, int width) {
  nas_block *block = nas_alloc_zero(1, sizeof *block);
  if (!block) return NULL;
  block->key = nas_strdup(key);
  if (!block->key) goto fail;
  for (int i = 0; i < NAS_PARTS; i++) {
    if (nas_rows_create(&block->part[i], rows, width)) goto fail;
    if (i != NAS_PART_INITIAL && nas_rows_create(&block->next[i], rows, width)) goto fail;
  }
  block->number = blocks->count;
  block_initialise(block, blocks->seed, blocks->init);
  return block;
fail:
  block_destroy(&block);
  return NULL;
}

int nas_block_transpose(nas_block *block, uint64_t version) {
  const nas_rows *value = &block->part[NAS_PART_VALUE];
  if (block->transposed_at == version) return 0;
  if (!block->transposed.data && nas_rows_create(&block->transposed, value->width, value->rows))
    return -1;
  nas_rows_transpose(value, &block->transposed);
  block->transposed_at = version;
  return 0;
}

/* ---- All blocks --------------------------------------------------------------------------- */

/* Where key is, or would be. */
static int blocks_place(const nas_blocks *blocks, const char *key, int *found) {
  int low = 0, high = blocks->count;
  *found = 0;
  while (low < high) {
    int middle = low + (high - low) / 2;
    int order = strcmp(blocks->sorted[middle]->key, key);
    if (order == 0) {
      *found = 1;
      return middle;
    }
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static int blocks_reserve(nas_blocks *blocks) {
  if (blocks->count < blocks->capacity) return 0;
  int capacity = blocks->capacity ? 2 * blocks->capacity : 32;
  nas_block **sorted =
      nas_realloc(blocks->sorted, (size_t)blocks->count, (size_t)capacity, sizeof *sorted);
  if (!sorted) return -1;
  blocks->sorted = sorted;
  blocks->capacity = capacity;
  return 0;
}

nas_status nas_blocks_require(nas_blocks *blocks, const char *key, int rows, int width,
                              nas_block **block, nas_error *err) {
  int found, place = blocks_place(blocks, key, &found);
  if (found) {
    const nas_rows *value = &blocks->sorted[place]->part[NAS_PART_VALUE];
    if (value->rows != rows || value->width != width)
      return nas_fail(err, NAS_ARGUMENT,
                      "parameters \"%.200s\" have %d rows of %d values; %d rows of %d are asked "
                      "for",
                      key, value->rows, value->width, rows, width);
    *block = blocks->sorted[place];
    return NAS_OK;
  }
  nas_block *fresh = NULL;
  if (blocks_reserve(blocks) || !(fresh = block_create(blocks, key, rows, width)))
    return nas_fail_memory(err, "parameters of a policy",
                           (unsigned long long)rows * (unsigned)width * NAS_PARTS * sizeof(float));
  memmove(&blocks->sorted[place + 1], &blocks->sorted[place],
          (size_t)(blocks->count - place) * sizeof *blocks->sorted);
  blocks->sorted[place] = fresh;
  blocks->count++;
  blocks->size += (size_t)rows * (size_t)width;
  *block = fresh;
  return NAS_OK;
}

nas_block *nas_blocks_find(const nas_blocks *blocks, const char *key) {
  int found, place = blocks_place(blocks, key, &found);
  return found ? blocks->sorted[place] : NULL;
}

void nas_blocks_roll_back(nas_blocks *blocks, int count) {
  int kept = 0;
  for (int i = 0; i < blocks->count; i++) {
    nas_block *block = blocks->sorted[i];
    const nas_rows *value = &block->part[NAS_PART_VALUE];
    if (block->number < count) {
      blocks->sorted[kept++] = block;
      continue;
    }
    blocks->size -= (size_t)value->rows * (size_t)value->width;
    block_destroy(&block);
  }
  blocks->count = kept;
}

void nas_blocks_clear(nas_blocks *blocks) {
  nas_blocks_roll_back(blocks, 0);
  nas_free(blocks->sorted);
  *blocks = (nas_blocks){0};
}

/* ---- Keys --------------------------------------------------------------------------------- */

void nas_key_add(nas_text *key, const char *piece) {
  nas_text_add(key, "/");
  while (*piece) {
    size_t plain = strcspn(piece, "%/");
    nas_text_add_bytes(key, piece, plain);
    piece += plain;
    if (!*piece) break;
    nas_text_add(key, *piece == '%' ? "%25" : "%2F");
    piece++;
  }
}

/* A decimal number without sign or leading zero, up to 99999; -1 for anything else. */
static int key_number(const char *text) {
  size_t digits = strspn(text, "0123456789");
  if (digits == 0 || digits > 5 || text[digits]) return -1;
  return text[0] == '0' && digits > 1 ? -1 : atoi(text);
}

/* text has `pieces` pieces between slashes, none of them empty. */
static int key_pieces(const char *text, int pieces) {
  for (int i = 0; i < pieces; i++) {
    size_t size = strcspn(text, "/");
    if (size == 0) return 0;
    text += size;
    if (i + 1 < pieces && *text++ != '/') return 0;
  }
  return *text == '\0';
}

static int key_shape_lstm(const char *rest, int layers, int units, int *rows, int *width) {
  char number[8];
  size_t size = strcspn(rest, "/");
  if (size >= sizeof number) return -1;
  memcpy(number, rest, size);
  number[size] = '\0';
  int layer = key_number(number);
  if (layer < 1 || layer > layers) return -1;
  const char *what = rest + size;
  if (strcmp(what, "/input") == 0 || strcmp(what, "/hidden") == 0)
    *rows = units;
  else if (strcmp(what, "/bias") == 0)
    *rows = 1;
  else
    return -1;
  *width = 4 * units;
  return 0;
}

static int key_shape_head(const char *rest, int units, int *rows, int *width) {
  if (!key_pieces(rest, 3)) return -1;
  const char *what = strrchr(rest, '/');
  *width = 0;
  *rows = strcmp(what, "/weight") == 0 ? units : strcmp(what, "/bias") == 0 ? 1 : -1;
  return *rows < 0 ? -1 : 0;
}

static int key_shape_anchor(const char *rest, int units, int *rows, int *width) {
  if (!key_pieces(rest, 2)) return -1;
  const char *what = strrchr(rest, '/');
  *rows = units;
  *width = 1;
  if (strcmp(what, "/vector") == 0) return 0;
  *width = units;
  return strcmp(what, "/previous") == 0 || strcmp(what, "/current") == 0 ? 0 : -1;
}

static int key_shape_value(const char *rest, int units, int *rows, int *width) {
  *width = 1;
  *rows = strcmp(rest, "weight") == 0 ? units : strcmp(rest, "bias") == 0 ? 1 : -1;
  return *rows < 0 ? -1 : 0;
}

/* What follows prefix, if key begins with it. */
static const char *key_after(const char *key, const char *prefix) {
  size_t size = strlen(prefix);
  return strncmp(key, prefix, size) == 0 ? key + size : NULL;
}

int nas_key_is_value(const char *key) {
  return key_after(key, NAS_KEY_VALUE) != NULL;
}

int nas_key_shape(const char *key, int layers, int units, int *rows, int *width) {
  const char *rest;
  *rows = 1;
  *width = units;
  if (strcmp(key, "start") == 0) return 0;
  if ((rest = key_after(key, "lstm/"))) return key_shape_lstm(rest, layers, units, rows, width);
  if ((rest = key_after(key, "head/"))) return key_shape_head(rest, units, rows, width);
  if ((rest = key_after(key, "anchor/"))) return key_shape_anchor(rest, units, rows, width);
  if ((rest = key_after(key, NAS_KEY_VALUE))) return key_shape_value(rest, units, rows, width);
  if ((rest = key_after(key, "name/"))) return key_pieces(rest, 1) ? 0 : -1;
  if ((rest = key_after(key, "occurrence/"))) return key_number(rest) < 0 ? -1 : 0;
  if ((rest = key_after(key, "option/"))) {
    *rows = 0;
    return key_pieces(rest, 2) ? 0 : -1;
  }
  return -1;
}
