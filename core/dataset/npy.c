#include <nas/npy.h>
#include "source.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <nas/memory.h>
#include "file.h"

#define HEADER_MAX 65536

typedef struct header header;

typedef struct type {
  const char *descr;
  nas_dtype dtype;
  size_t size; /* of an element in the file; in memory it is at most as large */
  nas_status (*convert)(const nas_source *source, const header *head, unsigned char *bytes,
                        nas_error *err); /* the elements, in place */
} type;

struct header {
  const type *type;
  int rank;
  int64_t dims[NAS_RANK_MAX];
  int64_t elements;
  size_t bytes;   /* of all elements, in the file */
  uint64_t first; /* offset of the first element */
};

/* ---- Elements ---- */

/* Fails for element i; `found` and `expected` end the sentence. */
static nas_status refuse(const nas_source *source, const header *head, int64_t i, const char *found,
                         const char *expected, nas_error *err) {
  char index[NAS_DIMS_TEXT] = "";
  size_t used = 0;
  int64_t left = head->elements;
  for (int d = 0; d < head->rank; d++) {
    left /= head->dims[d];
    used += (size_t)snprintf(index + used, sizeof index - used, "%s%" PRId64, d ? ", " : "",
                             i / left % head->dims[d]);
  }
  return nas_fail(err, NAS_FORMAT, "%s, byte %" PRIu64 ": element [%s] is %s; expected %s",
                  source->name, head->first + (uint64_t)i * head->type->size, index, found,
                  expected);
}

static uint32_t little_endian(const unsigned char bytes[4]) {
  return (uint32_t)bytes[3] << 24 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[1] << 8 | bytes[0];
}

static uint64_t little_endian_64(const unsigned char bytes[8]) {
  return (uint64_t)little_endian(bytes + 4) << 32 | little_endian(bytes);
}

static nas_status convert_bytes(const nas_source *source, const header *head, unsigned char *bytes,
                                nas_error *err) {
  (void)source, (void)head, (void)bytes, (void)err;
  return NAS_OK;
}

static nas_status convert_booleans(const nas_source *source, const header *head,
                                   unsigned char *bytes, nas_error *err) {
  char found[8];
  for (int64_t i = 0; i < head->elements; i++) {
    if (bytes[i] <= 1) continue;
    snprintf(found, sizeof found, "0x%02X", bytes[i]);
    return refuse(source, head, i, found, "a byte 0 or 1 for False or True", err);
  }
  return NAS_OK;
}

static nas_status convert_words(const nas_source *source, const header *head, unsigned char *bytes,
                                nas_error *err) {
  (void)source, (void)err;
  for (int64_t i = 0; i < head->elements; i++, bytes += 4) {
    uint32_t value = little_endian(bytes);
    memcpy(bytes, &value, sizeof value);
  }
  return NAS_OK;
}

static nas_status convert_int64(const nas_source *source, const header *head, unsigned char *bytes,
                                nas_error *err) {
  char found[24];
  for (int64_t i = 0; i < head->elements; i++) {
    int64_t value = (int64_t)little_endian_64(bytes + 8 * i);
    int32_t narrow = (int32_t)value;
    if (narrow != value) {
      snprintf(found, sizeof found, "%" PRId64, value);
      return refuse(source, head, i, found, "an integer from -2147483648 to 2147483647", err);
    }
    memcpy(bytes + 4 * i, &narrow, sizeof narrow);
  }
  return NAS_OK;
}

static nas_status convert_float64(const nas_source *source, const header *head,
                                  unsigned char *bytes, nas_error *err) {
  char found[32];
  for (int64_t i = 0; i < head->elements; i++) {
    uint64_t bits = little_endian_64(bytes + 8 * i);
    double value;
    memcpy(&value, &bits, sizeof value);
    float narrow = (float)value;
    if (isinf(narrow) && !isinf(value)) {
      snprintf(found, sizeof found, "%g", value);
      return refuse(source, head, i, found, "a number that float32 can hold", err);
    }
    memcpy(bytes + 4 * i, &narrow, sizeof narrow);
  }
  return NAS_OK;
}

static const type types[] = {
    {"|u1", NAS_UINT8, 1, convert_bytes},   {"|b1", NAS_UINT8, 1, convert_booleans},
    {"<i4", NAS_INT32, 4, convert_words},   {"<i8", NAS_INT32, 8, convert_int64},
    {"<f4", NAS_FLOAT32, 4, convert_words}, {"<f8", NAS_FLOAT32, 8, convert_float64},
};

#define TYPES (sizeof types / sizeof types[0])

/* ---- The dictionary ---- */

/* What is being parsed: text from at to end; the first byte of the text has this offset. */
typedef struct cursor {
  const nas_source *source;
  const char *text, *at, *end;
  uint64_t first;
} cursor;

static nas_status fail_at(const cursor *c, const char *what, nas_error *err) {
  return nas_fail(err, NAS_FORMAT, "%s, byte %" PRIu64 ": %s", c->source->name,
                  c->first + (uint64_t)(c->at - c->text), what);
}

static void skip_blanks(cursor *c) {
  while (c->at < c->end && strchr(" \t\r\n\f", *c->at) && *c->at) c->at++;
}

/* Steps over the character if it comes next. */
static int took(cursor *c, char character) {
  skip_blanks(c);
  if (c->at == c->end || *c->at != character) return 0;
  c->at++;
  return 1;
}

static int took_word(cursor *c, const char *word) {
  size_t length = strlen(word);
  skip_blanks(c);
  if ((size_t)(c->end - c->at) < length || memcmp(c->at, word, length) != 0) return 0;
  c->at += length;
  return 1;
}

/* A quoted string without escapes, which NumPy does not write here. */
static nas_status parse_string(cursor *c, char *text, size_t size, const char *what,
                               nas_error *err) {
  size_t length = 0;
  char quote = 0;
  if (took(c, '\'')) quote = '\'';
  if (!quote && took(c, '"')) quote = '"';
  if (!quote) return fail_at(c, what, err);
  while (c->at + length < c->end && c->at[length] != quote) length++;
  if (length >= size || c->at + length == c->end || memchr(c->at, '\\', length) ||
      memchr(c->at, 0, length))
    return fail_at(c, what, err);
  memcpy(text, c->at, length);
  text[length] = 0;
  c->at += length + 1;
  return NAS_OK;
}

static nas_status parse_descr(cursor *c, header *head, nas_error *err) {
  char descr[16], message[192];
  skip_blanks(c);
  const cursor start = *c;
  nas_status status =
      parse_string(c, descr, sizeof descr,
                   "expected the name of a type, such as '<f4'; save a plain array", err);
  if (status != NAS_OK) return status;
  for (size_t i = 0; i < TYPES; i++) {
    if (strcmp(descr, types[i].descr) == 0) {
      head->type = &types[i];
      return NAS_OK;
    }
    if (descr[0] == '>' && strcmp(descr + 1, types[i].descr + 1) == 0) {
      snprintf(message, sizeof message, "type '%s' is big-endian; save x.astype('%s')", descr,
               types[i].descr);
      return fail_at(&start, message, err);
    }
  }
  snprintf(message, sizeof message,
           "type '%s'; expected |u1, |b1, <i4, <i8, <f4 or <f8: save x.astype(np.float32), or "
           "another of these types",
           descr);
  return fail_at(&start, message, err);
}

static nas_status parse_order(cursor *c, nas_error *err) {
  skip_blanks(c);
  if (took_word(c, "False")) return NAS_OK;
  if (took_word(c, "True"))
    return fail_at(c, "the array is in Fortran order; save np.ascontiguousarray(x)", err);
  return fail_at(c, "expected True or False", err);
}

static nas_status parse_dim(cursor *c, int64_t *dim, nas_error *err) {
  const cursor start = *c;
  int64_t value = 0;
  if (c->at == c->end || *c->at < '0' || *c->at > '9')
    return fail_at(c, "expected a dimension", err);
  for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++)
    if (__builtin_mul_overflow(value, 10, &value) ||
        __builtin_add_overflow(value, *c->at - '0', &value))
      return fail_at(&start, "the dimension is larger than memory can hold", err);
  if (value == 0) return fail_at(&start, "the dimension is 0; expected at least 1", err);
  *dim = value;
  return NAS_OK;
}

static nas_status parse_shape(cursor *c, header *head, nas_error *err) {
  if (!took(c, '(')) return fail_at(c, "expected a shape, such as (60000, 28, 28)", err);
  head->rank = 0;
  while (!took(c, ')')) {
    if (head->rank == NAS_RANK_MAX) return fail_at(c, "expected at most 8 dimensions", err);
    nas_status status = parse_dim(c, &head->dims[head->rank], err);
    if (status != NAS_OK) return status;
    head->rank++;
    if (took(c, ',')) continue;
    if (took(c, ')')) break;
    return fail_at(c, "expected ',' or ')'", err);
  }
  if (head->rank == 0)
    return fail_at(c, "the array is a single number without dimensions; save x.reshape(1)", err);
  return NAS_OK;
}

static const char *const keys[] = {"descr", "fortran_order", "shape"};

/* One 'key': value. `seen` has a bit for each key so far. */
static nas_status parse_entry(cursor *c, header *head, unsigned *seen, nas_error *err) {
  char key[16];
  skip_blanks(c);
  const cursor start = *c;
  const char *expected = "expected 'descr', 'fortran_order' and 'shape', each once";
  nas_status status = parse_string(c, key, sizeof key, expected, err);
  if (status != NAS_OK) return status;
  unsigned k = 0;
  while (k < 3 && strcmp(key, keys[k]) != 0) k++;
  if (k == 3 || *seen & 1u << k) return fail_at(&start, expected, err);
  *seen |= 1u << k;
  if (!took(c, ':')) return fail_at(c, "expected ':'", err);
  switch (k) {
  case 0: return parse_descr(c, head, err);
  case 1: return parse_order(c, err);
  default: return parse_shape(c, head, err);
  }
}

static nas_status parse_dictionary(cursor *c, header *head, nas_error *err) {
  unsigned seen = 0;
  if (!took(c, '{')) return fail_at(c, "expected '{', a Python dictionary", err);
  while (!took(c, '}')) {
    nas_status status = parse_entry(c, head, &seen, err);
    if (status != NAS_OK) return status;
    if (took(c, ',')) continue;
    if (took(c, '}')) break;
    return fail_at(c, "expected ',' or '}'", err);
  }
  if (seen != 7) return fail_at(c, "expected 'descr', 'fortran_order' and 'shape', each once", err);
  skip_blanks(c);
  return c->at == c->end ? NAS_OK : fail_at(c, "expected the end of the header", err);
}

/* ---- The file ---- */

static nas_status read_length(nas_source *source, size_t *length, nas_error *err) {
  static const unsigned char magic[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
  unsigned char bytes[8], size[4] = {0};
  nas_status status = nas_source_read_all(source, bytes, sizeof bytes, "magic number", err);
  if (status != NAS_OK) return status;
  if (memcmp(bytes, magic, sizeof magic) != 0)
    return nas_fail(err, NAS_FORMAT,
                    "%s, byte 0: not an NPY file; expected 93 4E 55 4D 50 59, found "
                    "%02X %02X %02X %02X %02X %02X%s",
                    source->name, bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5],
                    memcmp(bytes, "PK", 2) == 0 ? " (an NPZ file? save one array by np.save)" : "");
  if (bytes[6] < 1 || bytes[6] > 3 || bytes[7] != 0)
    return nas_fail(err, NAS_FORMAT, "%s, byte 6: version %d.%d; expected 1.0, 2.0 or 3.0",
                    source->name, bytes[6], bytes[7]);
  status = nas_source_read_all(source, size, bytes[6] == 1 ? 2 : 4, "header length", err);
  if (status != NAS_OK) return status;
  *length = little_endian(size);
  if (*length > HEADER_MAX)
    return nas_fail(err, NAS_LIMIT, "%s, byte 8: a header of %zu bytes; expected at most %d",
                    source->name, *length, HEADER_MAX);
  return NAS_OK;
}

static nas_status read_header(nas_source *source, header *head, nas_error *err) {
  size_t length = 0;
  nas_block block = {0};
  nas_status status = read_length(source, &length, err);
  if (status != NAS_OK) return status;
  uint64_t first = source->offset;
  status = nas_source_read_block(source, length, "header", &block, err);
  if (status == NAS_OK) {
    const char *text = length ? (const char *)block.bytes : "";
    cursor c = {.source = source, .text = text, .at = text, .end = text + length, .first = first};
    status = parse_dictionary(&c, head, err);
  }
  nas_block_clear(&block);
  head->first = source->offset;
  return status;
}

static nas_status count_elements(const nas_source *source, header *head, nas_error *err) {
  head->elements = 1;
  for (int d = 0; d < head->rank; d++)
    if (__builtin_mul_overflow(head->elements, head->dims[d], &head->elements)) goto fail;
  if (nas_size_mul((size_t)head->elements, head->type->size, &head->bytes)) goto fail;
  return NAS_OK;

fail:
  return nas_fail(err, NAS_LIMIT, "%s, byte 10: more elements than memory can hold", source->name);
}

static nas_status read_source(nas_tensor **out, nas_source *source, nas_error *err) {
  header head = {0};
  nas_block block = {0};
  nas_status status = read_header(source, &head, err);
  if (status == NAS_OK) status = count_elements(source, &head, err);
  if (status == NAS_OK) status = nas_source_read_block(source, head.bytes, "elements", &block, err);
  if (status == NAS_OK) status = nas_source_check_end(source, err);
  if (status == NAS_OK) status = head.type->convert(source, &head, block.bytes, err);
  if (status == NAS_OK) {
    block.size = (size_t)head.elements * nas_dtype_size(head.type->dtype);
    status = nas_block_to_tensor(&block, out, head.type->dtype, head.rank, head.dims, err);
  }
  nas_block_clear(&block);
  return status;
}

nas_status nas_npy_read(nas_tensor **out, const char *path, nas_error *err) {
  nas_source source;
  *out = NULL;
  nas_status status = nas_source_open_file(&source, path, 0, err);
  if (status == NAS_OK) status = read_source(out, &source, err);
  nas_source_close(&source);
  return status;
}

nas_status nas_npy_read_memory(nas_tensor **out, const void *bytes, size_t size, const char *name,
                               nas_error *err) {
  nas_source source;
  *out = NULL;
  nas_source_open_memory(&source, bytes, size, name, 0);
  return read_source(out, &source, err);
}

/* ---- Writing ---- */

/* Magic number, version 1.0, length and dictionary, in a multiple of 64 bytes. */
static void put_header(nas_text *text, const nas_tensor *tensor) {
  enum { LENGTH_AT = 8, BEFORE = 10, ALIGNMENT = 64 };
  static const char *const descr[] = {
      [NAS_FLOAT32] = "<f4", [NAS_UINT8] = "|u1", [NAS_INT32] = "<i4"};
  nas_text_add_bytes(text, "\x93NUMPY\x01\0\0\0", BEFORE);
  nas_text_add(text, "{'descr': '");
  nas_text_add(text, descr[nas_tensor_dtype(tensor)]);
  nas_text_add(text, "', 'fortran_order': False, 'shape': (");
  for (int d = 0; d < nas_tensor_rank(tensor); d++) {
    nas_text_add_integer(text, nas_tensor_dims(tensor)[d]);
    nas_text_add(text, ",");
  }
  nas_text_add(text, ")}");
  while ((text->size + 1) % ALIGNMENT && !text->failed) nas_text_add(text, " ");
  nas_text_add(text, "\n");
  if (text->failed) return;
  text->data[LENGTH_AT] = (char)((text->size - BEFORE) & 0xFF);
  text->data[LENGTH_AT + 1] = (char)((text->size - BEFORE) >> 8);
}

nas_status nas_npy_write(const nas_tensor *tensor, const char *path, nas_error *err) {
  nas_text head = {0};
  nas_replacement file;
  nas_status status = NAS_OK;
  size_t size = (size_t)nas_tensor_size(tensor) * nas_dtype_size(nas_tensor_dtype(tensor));
  void *bytes = nas_alloc(size, 1);
  put_header(&head, tensor);
  if (!bytes || head.failed) status = nas_fail_memory(err, "the bytes of a file", size);
  if (status == NAS_OK) {
    nas_tensor_to_bytes(tensor, bytes);
    status = nas_replacement_begin(&file, path, err);
  }
  if (status == NAS_OK) {
    status = nas_replacement_write(&file, head.data, head.size, err);
    if (status == NAS_OK) status = nas_replacement_write(&file, bytes, size, err);
    status = nas_replacement_end(&file, status, err);
  }
  nas_text_clear(&head);
  nas_free(bytes);
  return status;
}
