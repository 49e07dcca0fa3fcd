/* Bytes to a policy (FORMAT.md). The bytes may be anything: every field is checked before it is
 * used, and sizes are held against the bytes that are there before memory is taken. */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <nas/hash.h>
#include <nas/memory.h>
#include "format.h"
#include "policy_state.h"

enum { HEADER_SIZE = 148, CHECKSUM_SIZE = 16 }; /* of version 1: the least */

typedef struct reader {
  const unsigned char *bytes;
  size_t size; /* without the checksum */
  size_t at;
  uint64_t version;
  nas_error *err;
} reader;

/* ---- Fields ------------------------------------------------------------------------------- */

/* The next `size` bytes; NULL, with NAS_FORMAT in r->err, when there are fewer. */
static const unsigned char *take(reader *r, size_t size, const char *what) {
  const unsigned char *bytes = r->bytes + r->at;
  if (size > r->size - r->at) {
    nas_fail(r->err, NAS_FORMAT, "offset %zu: expected %zu bytes of %s, found the end after %zu",
             r->at, size, what, r->size - r->at);
    return NULL;
  }
  r->at += size;
  return bytes;
}

static uint64_t integer_at(const unsigned char *bytes, int size) {
  uint64_t value = 0;
  for (int i = 0; i < size; i++) value |= (uint64_t)bytes[i] << (8 * i);
  return value;
}

static nas_status take_integer(reader *r, int size, uint64_t low, uint64_t high, const char *what,
                               uint64_t *value) {
  const unsigned char *bytes = take(r, (size_t)size, what);
  if (!bytes) return NAS_FORMAT;
  *value = integer_at(bytes, size);
  if (*value >= low && *value <= high) return NAS_OK;
  return nas_fail(r->err, NAS_FORMAT,
                  "offset %zu: expected %s from %" PRIu64 " to %" PRIu64 ", found %" PRIu64,
                  r->at - (size_t)size, what, low, high, *value);
}

static nas_status take_f64(reader *r, double low, double high, const char *what, double *value) {
  const unsigned char *bytes = take(r, 8, what);
  if (!bytes) return NAS_FORMAT;
  uint64_t bits = integer_at(bytes, 8);
  memcpy(value, &bits, sizeof *value);
  if (*value >= low && *value <= high) return NAS_OK;
  return nas_fail(r->err, NAS_FORMAT, "offset %zu: expected %s from %g to %g, found %g", r->at - 8,
                  what, low, high, *value);
}

/* The values of a block's part; all finite, and not below `low`. */
static nas_status take_rows(reader *r, nas_rows *rows, float low, const char *what) {
  const unsigned char *bytes = take(r, 4 * (size_t)rows->rows * (size_t)rows->width, what);
  if (!bytes) return NAS_FORMAT;
  for (int row = 0; row < rows->rows; row++)
    for (int c = 0; c < rows->width; c++, bytes += 4) {
      uint32_t bits = (uint32_t)integer_at(bytes, 4);
      float value;
      memcpy(&value, &bits, sizeof value);
      if (!isfinite(value) || value < low)
        return nas_fail(r->err, NAS_FORMAT, "offset %zu: expected %s that is finite%s, found %g",
                        (size_t)(bytes - r->bytes), what, low == 0 ? " and not negative" : "",
                        (double)value);
      nas_rows_at(rows, row)[c] = value;
    }
  return NAS_OK;
}

/* ---- The frame ---------------------------------------------------------------------------- */

static nas_status check_frame(reader *r, size_t size) {
  const unsigned char *bytes = r->bytes;
  if (size < NAS_FORMAT_MAGIC_SIZE || memcmp(bytes, nas_format_magic, NAS_FORMAT_MAGIC_SIZE) != 0)
    return nas_fail(r->err, NAS_FORMAT,
                    "offset 0: expected the signature of a policy, found "
                    "something else");
  if (size < HEADER_SIZE + CHECKSUM_SIZE)
    return nas_fail(r->err, NAS_FORMAT, "offset %zu: expected at least %d bytes, found the end",
                    size, HEADER_SIZE + CHECKSUM_SIZE);
  uint64_t reserved = integer_at(bytes + 12, 4);
  r->version = integer_at(bytes + 8, 4);
  if (r->version < 1 || r->version > NAS_FORMAT_VERSION)
    return nas_fail(r->err, NAS_FORMAT, "offset 8: expected format version 1 to %d, found %" PRIu64,
                    (int)NAS_FORMAT_VERSION, r->version);
  if (reserved != 0)
    return nas_fail(r->err, NAS_FORMAT, "offset 12: expected 0, found %" PRIu64, reserved);
  uint64_t stated = integer_at(bytes + 16, 8);
  if (stated != size)
    return nas_fail(r->err, NAS_FORMAT,
                    "offset 16: expected the size %zu of what there is, found %" PRIu64
                    " (cut off, or with something behind)",
                    size, stated);
  size_t end = size - CHECKSUM_SIZE;
  nas_hash checksum = nas_hash_bytes(bytes, end);
  nas_hash found = {.low = integer_at(bytes + end, 8), .high = integer_at(bytes + end + 8, 8)};
  if (nas_hash_compare(checksum, found) != 0) {
    char expected_text[NAS_HASH_HEX], found_text[NAS_HASH_HEX];
    nas_hash_hex(checksum, expected_text);
    nas_hash_hex(found, found_text);
    return nas_fail(r->err, NAS_FORMAT, "offset %zu: expected checksum %s, found %s", end,
                    expected_text, found_text);
  }
  r->size = end;
  r->at = 24;
  return NAS_OK;
}

/* ---- The header --------------------------------------------------------------------------- */

/* Version 1 ends before value_rate, the last: what there was to learn had one rate. */
static nas_status take_options(reader *r, nas_policy_options *options) {
  const nas_option_table *table = &nas_policy_option_table;
  nas_option_value values[NAS_POLICY_OPTIONS] = {{0}};
  int count = r->version == 1 ? table->count - 1 : table->count;
  for (int i = 0; i < count; i++) {
    const nas_option *option = &table->options[i];
    uint64_t integer = 0;
    nas_status status;
    if (option->type == NAS_OPTION_INTEGER)
      status =
          take_integer(r, 4, (uint64_t)option->low, (uint64_t)option->high, option->name, &integer);
    else
      status = take_f64(r, option->low, option->high, option->name, &values[i].number);
    if (status) return status;
    if (option->type == NAS_OPTION_INTEGER) values[i].integer = (int)integer;
  }
  nas_policy_options_from_values(options, values);
  if (r->version == 1) options->value_rate = options->rate;
  return NAS_OK;
}

/* The blocks of a new policy take memory before the first is read: they have to be in the bytes. */
static nas_status check_room(const reader *r, const nas_policy_options *options) {
  uint64_t u = (uint64_t)options->units;
  uint64_t values = (uint64_t)options->layers * (2 * u * 4 * u + 4 * u) + u;
  if (12 * values <= r->size - r->at) return NAS_OK;
  return nas_fail(r->err, NAS_FORMAT,
                  "offset 32: expected at least %" PRIu64
                  " bytes for %d layers of %d units, found %zu",
                  12 * values, options->layers, options->units, r->size - r->at);
}

static nas_status take_progress(reader *r, nas_policy *policy) {
  nas_status status = take_integer(r, 8, 0, UINT64_MAX, "steps", &policy->steps);
  if (status) return status;
  status = take_f64(r, 0, 1, "the power of beta1", &policy->beta1_power);
  if (status) return status;
  return take_f64(r, 0, 1, "the power of beta2", &policy->beta2_power);
}

/* ---- Blocks ------------------------------------------------------------------------------- */

/* *key becomes a string of the caller's, to be freed. */
static nas_status take_key(reader *r, const char *before, char **key) {
  uint64_t size = 0;
  size_t start = r->at;
  nas_status status = take_integer(r, 4, 1, UINT32_MAX, "the size of a key", &size);
  if (status) return status;
  const unsigned char *bytes = take(r, (size_t)size, "a key");
  if (!bytes) return NAS_FORMAT;
  if (memchr(bytes, 0, (size_t)size))
    return nas_fail(r->err, NAS_FORMAT, "offset %zu: expected a key without zero bytes, found one",
                    start + 4);
  char *copy = nas_alloc((size_t)size + 1, 1);
  if (!copy) return nas_fail_memory(r->err, "a key", size + 1);
  memcpy(copy, bytes, (size_t)size);
  copy[size] = '\0';
  *key = copy;
  if (before && strcmp(before, copy) >= 0)
    return nas_fail(r->err, NAS_FORMAT,
                    "offset %zu: expected a key after \"%.100s\", found \"%.100s\"", start + 4,
                    before, copy);
  return NAS_OK;
}

/* Rows and width as the key demands. */
static nas_status take_shape(reader *r, const nas_policy *policy, const char *key, size_t key_at,
                             int *rows, int *width) {
  const nas_policy_options *options = &policy->options;
  uint64_t found_rows, found_width;
  if (nas_key_shape(key, options->layers, options->units, rows, width))
    return nas_fail(r->err, NAS_FORMAT,
                    "offset %zu: expected a key of %d layers of %d units, found \"%.100s\"", key_at,
                    options->layers, options->units, key);
  uint64_t low = *rows ? (uint64_t)*rows : 1;
  uint64_t high = *rows ? (uint64_t)*rows : NAS_DECISION_COUNT_MAX;
  nas_status status = take_integer(r, 4, low, high, "rows", &found_rows);
  if (status) return status;
  low = *width ? (uint64_t)*width : 1;
  high = *width ? (uint64_t)*width : NAS_DECISION_COUNT_MAX;
  if ((status = take_integer(r, 4, low, high, "width", &found_width))) return status;
  *rows = (int)found_rows;
  *width = (int)found_width;
  uint64_t size = 12 * found_rows * found_width;
  if (size <= r->size - r->at) return NAS_OK;
  return nas_fail(r->err, NAS_FORMAT,
                  "offset %zu: expected %" PRIu64 " bytes of \"%.100s\", found %zu", r->at, size,
                  key, r->size - r->at);
}

/* Reads one block; *key is that of the block before, and then this one's. */
static nas_status take_block(reader *r, nas_policy *policy, char **key) {
  int rows, width;
  char *fresh = NULL;
  nas_block *block;
  nas_status status = take_key(r, *key, &fresh);
  nas_free(*key);
  *key = fresh;
  if (status) return status;
  if ((status = take_shape(r, policy, fresh, r->at - strlen(fresh), &rows, &width))) return status;
  status = nas_blocks_require(&policy->blocks, fresh, rows, width, &block, r->err);
  if (status) return status;
  status = take_rows(r, &block->part[NAS_PART_VALUE], -INFINITY, "a value");
  if (status) return status;
  status = take_rows(r, &block->part[NAS_PART_MOMENT1], -INFINITY, "a mean of gradients");
  if (status) return status;
  return take_rows(r, &block->part[NAS_PART_MOMENT2], 0, "a mean of squared gradients");
}

static nas_status take_blocks(reader *r, nas_policy *policy) {
  uint64_t count;
  char *key = NULL;
  size_t count_at = r->at;
  nas_status status = take_integer(r, 4, 0, INT32_MAX, "the number of blocks", &count);
  for (uint64_t i = 0; status == NAS_OK && i < count; i++) status = take_block(r, policy, &key);
  nas_free(key);
  if (status) return status;
  if (r->at != r->size)
    return nas_fail(r->err, NAS_FORMAT, "offset %zu: expected the checksum, found %zu more bytes",
                    r->at, r->size - r->at);
  /* Keys are distinct, so a block too many in memory is one that a new policy has and the bytes
   * lack. */
  if ((uint64_t)policy->blocks.count != count)
    return nas_fail(r->err, NAS_FORMAT,
                    "offset %zu: expected all blocks of the LSTM and the start vector, found %d "
                    "missing",
                    count_at, (int)((uint64_t)policy->blocks.count - count));
  return NAS_OK;
}

nas_status nas_policy_decode(nas_policy **policy, const void *bytes, size_t size, nas_error *err) {
  reader r = {.bytes = bytes, .size = size, .err = err};
  nas_policy_options options;
  nas_policy *p = NULL;
  uint64_t seed;
  *policy = NULL;
  nas_status status = check_frame(&r, size);
  if (status) return status;
  if ((status = take_integer(&r, 8, 0, UINT64_MAX, "the seed", &seed))) return status;
  if ((status = take_options(&r, &options))) return status;
  if ((status = check_room(&r, &options))) return status;
  if ((status = nas_policy_create(&p, &options, seed, err))) return status;
  if ((status = take_progress(&r, p))) goto fail;
  if ((status = take_blocks(&r, p))) goto fail;
  *policy = p;
  return NAS_OK;
fail:
  nas_policy_destroy(&p);
  return status;
}
