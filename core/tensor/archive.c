#include <nas/archive.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <nas/memory.h>
#include <string.h>
#include "file.h"

typedef struct entry {
  char *name;
  nas_tensor *tensor;
} entry;

typedef struct pair {
  char *key, *text;
} pair;

struct nas_archive {
  entry *entries;
  size_t entry_count, entry_room;
  pair *pairs;
  size_t pair_count, pair_room;
};

enum { HEADER_MAX = 100000000 }; /* bytes, as in the reference implementation */

static const char metadata[] = "__metadata__";

static const struct {
  const char *name;
  nas_dtype dtype;
} types[] = {{"F32", NAS_FLOAT32}, {"I32", NAS_INT32}, {"U8", NAS_UINT8}};

enum { TYPES = sizeof types / sizeof *types };

static const char *type_name(nas_dtype dtype) {
  int i = 0;
  while (types[i].dtype != dtype) i++;
  return types[i].name;
}

/* -- making ----------------------------------------------------------------------------------- */

nas_status nas_archive_create(nas_archive **archive, nas_error *err) {
  *archive = nas_alloc_zero(1, sizeof **archive);
  return *archive ? NAS_OK : nas_fail_memory(err, "an archive", sizeof **archive);
}

void nas_archive_destroy(nas_archive **handle) {
  if (!handle || !*handle) return;
  nas_archive *a = *handle;
  for (size_t i = 0; i < a->entry_count; i++) {
    nas_free(a->entries[i].name);
    nas_tensor_destroy(&a->entries[i].tensor);
  }
  for (size_t i = 0; i < a->pair_count; i++) {
    nas_free(a->pairs[i].key);
    nas_free(a->pairs[i].text);
  }
  nas_free(a->entries);
  nas_free(a->pairs);
  nas_free(a);
  *handle = NULL;
}

/* UTF-8 as RFC 3629 has it: shortest form, no surrogates. */
static int is_utf8(const char *text) {
  const unsigned char *p = (const unsigned char *)text;
  while (*p) {
    int more = *p < 0x80                 ? 0
               : *p >= 0xC2 && *p < 0xE0 ? 1
               : *p >= 0xE0 && *p < 0xF0 ? 2
               : *p >= 0xF0 && *p < 0xF5 ? 3
                                         : -1;
    if (more < 0) return 0;
    if ((*p == 0xE0 && p[1] < 0xA0) || (*p == 0xED && p[1] > 0x9F) || (*p == 0xF0 && p[1] < 0x90) ||
        (*p == 0xF4 && p[1] > 0x8F))
      return 0;
    for (p++; more > 0; more--, p++)
      if ((*p & 0xC0) != 0x80) return 0;
  }
  return 1;
}

/* Room for one more of `size` bytes each. */
static nas_status grow(void **block, size_t count, size_t *room, size_t size, nas_error *err) {
  if (count < *room) return NAS_OK;
  size_t larger = *room ? 2 * *room : 8;
  void *grown = nas_realloc(*block, count, larger, size);
  if (!grown) return nas_fail_memory(err, "an archive", larger * size);
  *block = grown;
  *room = larger;
  return NAS_OK;
}

/* Takes the tensor on success. */
static nas_status add_own(nas_archive *a, const char *name, nas_tensor *tensor, nas_error *err) {
  if (*name == 0 || strcmp(name, metadata) == 0 || !is_utf8(name))
    return nas_fail(err, NAS_ARGUMENT, "archive: \"%.80s\" can't be the name of a tensor", name);
  if (nas_archive_find(a, name))
    return nas_fail(err, NAS_ARGUMENT, "archive: there is a tensor \"%.80s\" already", name);
  nas_status status =
      grow((void **)&a->entries, a->entry_count, &a->entry_room, sizeof *a->entries, err);
  if (status != NAS_OK) return status;
  char *own = nas_strdup(name);
  if (!own) return nas_fail_memory(err, "an archive", strlen(name));
  a->entries[a->entry_count++] = (entry){own, tensor};
  return NAS_OK;
}

nas_status nas_archive_add(nas_archive *a, const char *name, const nas_tensor *tensor,
                           nas_error *err) {
  nas_tensor *own;
  nas_status status = nas_tensor_clone(&own, tensor, err);
  if (status == NAS_OK) status = add_own(a, name, own, err);
  if (status != NAS_OK) nas_tensor_destroy(&own);
  return status;
}

nas_status nas_archive_set(nas_archive *a, const char *key, const char *text, nas_error *err) {
  if (!is_utf8(key) || !is_utf8(text))
    return nas_fail(err, NAS_ARGUMENT, "archive: the description \"%.80s\" is not UTF-8", key);
  if (nas_archive_get(a, key))
    return nas_fail(err, NAS_ARGUMENT, "archive: there is a description \"%.80s\" already", key);
  nas_status status = grow((void **)&a->pairs, a->pair_count, &a->pair_room, sizeof *a->pairs, err);
  if (status != NAS_OK) return status;
  pair own = {nas_strdup(key), nas_strdup(text)};
  if (!own.key || !own.text) {
    nas_free(own.key);
    nas_free(own.text);
    return nas_fail_memory(err, "an archive", strlen(text));
  }
  a->pairs[a->pair_count++] = own;
  return NAS_OK;
}

/* -- looking ---------------------------------------------------------------------------------- */

const nas_tensor *nas_archive_find(const nas_archive *a, const char *name) {
  for (size_t i = 0; i < a->entry_count; i++)
    if (strcmp(a->entries[i].name, name) == 0) return a->entries[i].tensor;
  return NULL;
}

const char *nas_archive_get(const nas_archive *a, const char *key) {
  for (size_t i = 0; i < a->pair_count; i++)
    if (strcmp(a->pairs[i].key, key) == 0) return a->pairs[i].text;
  return NULL;
}

size_t nas_archive_count(const nas_archive *a) {
  return a->entry_count;
}
const char *nas_archive_name(const nas_archive *a, size_t index) {
  return a->entries[index].name;
}
const nas_tensor *nas_archive_tensor(const nas_archive *a, size_t index) {
  return a->entries[index].tensor;
}

/* -- writing ---------------------------------------------------------------------------------- */

static void add_string(nas_text *text, const char *value) {
  static const char digits[] = "0123456789abcdef";
  nas_text_add(text, "\"");
  for (const char *p = value; *p; p++) {
    unsigned char byte = (unsigned char)*p;
    char escaped[7] = {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15], 0};
    if (byte == '"' || byte == '\\') nas_text_add(text, "\\");
    if (byte < 0x20)
      nas_text_add(text, escaped);
    else
      nas_text_add_bytes(text, p, 1);
  }
  nas_text_add(text, "\"");
}

static size_t bytes_of(const nas_tensor *tensor) {
  return (size_t)nas_tensor_size(tensor) * nas_dtype_size(nas_tensor_dtype(tensor));
}

static void add_entry(nas_text *text, const entry *e, size_t offset) {
  add_string(text, e->name);
  nas_text_add(text, ":{\"dtype\":\"");
  nas_text_add(text, type_name(nas_tensor_dtype(e->tensor)));
  nas_text_add(text, "\",\"shape\":[");
  for (int d = 0; d < nas_tensor_rank(e->tensor); d++) {
    if (d) nas_text_add(text, ",");
    nas_text_add_integer(text, nas_tensor_dims(e->tensor)[d]);
  }
  nas_text_add(text, "],\"data_offsets\":[");
  nas_text_add_integer(text, (int64_t)offset);
  nas_text_add(text, ",");
  nas_text_add_integer(text, (int64_t)(offset + bytes_of(e->tensor)));
  nas_text_add(text, "]}");
}

static void add_header(nas_text *text, const nas_archive *a) {
  size_t offset = 0;
  nas_text_add(text, "{");
  if (a->pair_count) {
    nas_text_add(text, "\"__metadata__\":{");
    for (size_t i = 0; i < a->pair_count; i++) {
      if (i) nas_text_add(text, ",");
      add_string(text, a->pairs[i].key);
      nas_text_add(text, ":");
      add_string(text, a->pairs[i].text);
    }
    nas_text_add(text, "}");
  }
  for (size_t i = 0; i < a->entry_count; i++) {
    if (i || a->pair_count) nas_text_add(text, ",");
    add_entry(text, &a->entries[i], offset);
    offset += bytes_of(a->entries[i].tensor);
  }
  nas_text_add(text, "}");
  while (!text->failed && text->size % 8 != 0) nas_text_add(text, " ");
}

static void add_numbers(nas_text *bytes, const nas_tensor *tensor) {
  const unsigned char *data = nas_tensor_data(tensor);
  size_t size = nas_dtype_size(nas_tensor_dtype(tensor));
  int64_t count = nas_tensor_size(tensor);
  for (int64_t i = 0; i < count; i++, data += size) {
    unsigned char little[4] = {data[0]};
    if (size == 4) {
      uint32_t bits;
      memcpy(&bits, data, sizeof bits);
      for (int b = 0; b < 4; b++) little[b] = (unsigned char)(bits >> (8 * b));
    }
    nas_text_add_bytes(bytes, little, size);
  }
}

nas_status nas_archive_encode(const nas_archive *a, nas_text *bytes, nas_error *err) {
  nas_text header = {0};
  add_header(&header, a);
  unsigned char length[8];
  for (int b = 0; b < 8; b++) length[b] = (unsigned char)((uint64_t)header.size >> (8 * b));
  nas_text_add_bytes(bytes, length, sizeof length);
  nas_text_add_bytes(bytes, header.data, header.size);
  for (size_t i = 0; i < a->entry_count; i++) add_numbers(bytes, a->entries[i].tensor);
  int failed = header.failed || bytes->failed;
  nas_text_clear(&header);
  return failed ? nas_fail_memory(err, "an archive", bytes->size) : NAS_OK;
}

nas_status nas_archive_write(const nas_archive *a, const char *path, nas_error *err) {
  nas_text bytes = {0};
  nas_status status = nas_archive_encode(a, &bytes, err);
  if (status == NAS_OK) status = nas_file_replace(path, bytes.data, bytes.size, err);
  nas_text_clear(&bytes);
  return status;
}

/* -- reading ---------------------------------------------------------------------------------- */

/* What a header says of a tensor. */
typedef struct plan {
  const char *name;
  nas_dtype dtype;
  int rank;
  int64_t dims[NAS_RANK_MAX];
  uint64_t begin, end;
} plan;

static nas_status read_type(const json_t *is, plan *p, nas_error *err) {
  const char *type = json_string_value(json_object_get(is, "dtype"));
  for (int i = 0; type && i < TYPES; i++)
    if (strcmp(types[i].name, type) == 0) {
      p->dtype = types[i].dtype;
      return NAS_OK;
    }
  return nas_fail(err, NAS_FORMAT, "tensor \"%.80s\" has dtype %.20s; expected F32, I32 or U8",
                  p->name, type ? type : "missing");
}

/* *bytes is what the shape takes. */
static nas_status read_shape(const json_t *is, plan *p, uint64_t *bytes, nas_error *err) {
  const json_t *shape = json_object_get(is, "shape");
  size_t rank = json_array_size(shape);
  if (!json_is_array(shape) || rank > NAS_RANK_MAX)
    return nas_fail(err, NAS_FORMAT, "tensor \"%.80s\" has no shape of up to %d dimensions",
                    p->name, NAS_RANK_MAX);
  p->rank = (int)rank;
  *bytes = nas_dtype_size(p->dtype);
  for (size_t d = 0; d < rank; d++) {
    const json_t *dim = json_array_get(shape, d);
    p->dims[d] = json_integer_value(dim);
    if (!json_is_integer(dim) || p->dims[d] < 0 ||
        __builtin_mul_overflow(*bytes, (uint64_t)p->dims[d], bytes))
      return nas_fail(err, NAS_FORMAT, "tensor \"%.80s\": dimension %zu is impossible", p->name, d);
  }
  return NAS_OK;
}

static nas_status read_offsets(const json_t *is, plan *p, uint64_t bytes, uint64_t data,
                               nas_error *err) {
  const json_t *offsets = json_object_get(is, "data_offsets");
  const json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
  if (json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end) ||
      json_integer_value(begin) < 0 || json_integer_value(end) < json_integer_value(begin))
    return nas_fail(err, NAS_FORMAT, "tensor \"%.80s\" has no data_offsets of two whole numbers",
                    p->name);
  p->begin = (uint64_t)json_integer_value(begin);
  p->end = (uint64_t)json_integer_value(end);
  if (p->end > data)
    return nas_fail(err, NAS_FORMAT,
                    "tensor \"%.80s\" ends at byte %" PRIu64 " of %" PRIu64 " bytes of data",
                    p->name, p->end, data);
  if (p->end - p->begin != bytes)
    return nas_fail(err, NAS_FORMAT,
                    "tensor \"%.80s\" has %" PRIu64 " bytes of data; its shape takes %" PRIu64,
                    p->name, p->end - p->begin, bytes);
  return NAS_OK;
}

static nas_status read_plan(const char *name, const json_t *is, uint64_t data, plan *p,
                            nas_error *err) {
  uint64_t bytes = 0;
  *p = (plan){.name = name};
  if (!json_is_object(is) || json_object_size(is) != 3)
    return nas_fail(err, NAS_FORMAT,
                    "tensor \"%.80s\" is not described by dtype, shape and data_offsets", name);
  nas_status status = read_type(is, p, err);
  if (status == NAS_OK) status = read_shape(is, p, &bytes, err);
  if (status == NAS_OK) status = read_offsets(is, p, bytes, data, err);
  return status;
}

static nas_status read_tensor(nas_archive *a, const plan *p, const unsigned char *data,
                              nas_error *err) {
  nas_tensor *tensor;
  nas_status status = nas_tensor_create(&tensor, p->dtype, p->rank, p->dims, err);
  if (status != NAS_OK) return status;
  const unsigned char *from = data + p->begin;
  unsigned char *to = nas_tensor_data(tensor);
  for (uint64_t i = 0; i < p->end - p->begin; i += nas_dtype_size(p->dtype)) {
    if (nas_dtype_size(p->dtype) == 1) {
      to[i] = from[i];
      continue;
    }
    uint32_t bits = 0;
    for (int b = 0; b < 4; b++) bits |= (uint32_t)from[i + (uint64_t)b] << (8 * b);
    memcpy(to + i, &bits, sizeof bits);
  }
  status = add_own(a, p->name, tensor, err);
  if (status != NAS_OK) nas_tensor_destroy(&tensor);
  return status == NAS_ARGUMENT ? NAS_FORMAT : status;
}

static nas_status read_metadata(nas_archive *a, json_t *pairs, nas_error *err) {
  const char *key;
  json_t *value;
  if (!json_is_object(pairs))
    return nas_fail(err, NAS_FORMAT, "__metadata__ is not an object of strings");
  json_object_foreach(pairs, key, value) {
    const char *text = json_string_value(value);
    if (!text) return nas_fail(err, NAS_FORMAT, "__metadata__: \"%.80s\" is not a string", key);
    nas_status status = nas_archive_set(a, key, text, err);
    if (status != NAS_OK) return status == NAS_ARGUMENT ? NAS_FORMAT : status;
  }
  return NAS_OK;
}

static int by_offset(const void *a, const void *b) {
  const plan *p = a, *q = b;
  if (p->begin != q->begin) return p->begin < q->begin ? -1 : 1;
  return p->end < q->end ? -1 : p->end > q->end;
}

/* Tensors must follow each other without holes to the end of the data. */
static nas_status check_holes(const plan *plans, size_t count, uint64_t data, nas_error *err) {
  uint64_t at = 0;
  for (size_t i = 0; i < count; i++) {
    if (plans[i].begin != at)
      return nas_fail(err, NAS_FORMAT,
                      "tensor \"%.80s\" begins at byte %" PRIu64 " of the data; expected %" PRIu64,
                      plans[i].name, plans[i].begin, at);
    at = plans[i].end;
  }
  if (at == data) return NAS_OK;
  return nas_fail(err, NAS_FORMAT, "there are %" PRIu64 " bytes of data; the tensors have %" PRIu64,
                  data, at);
}

static nas_status read_header(nas_archive *a, json_t *header, const unsigned char *data,
                              uint64_t data_size, nas_error *err) {
  const char *name;
  json_t *value;
  size_t count = 0, most = json_object_size(header);
  plan *plans = nas_alloc(most, sizeof *plans);
  if (!plans) return nas_fail_memory(err, "an archive", most * sizeof *plans);
  nas_status status = NAS_OK;
  json_object_foreach(header, name, value) {
    if (strcmp(name, metadata) == 0)
      status = read_metadata(a, value, err);
    else
      status = read_plan(name, value, data_size, &plans[count++], err);
    if (status != NAS_OK) break;
  }
  if (status == NAS_OK) {
    qsort(plans, count, sizeof *plans, by_offset);
    status = check_holes(plans, count, data_size, err);
  }
  for (size_t i = 0; i < count && status == NAS_OK; i++)
    status = read_tensor(a, &plans[i], data, err);
  nas_free(plans);
  return status;
}

nas_status nas_archive_decode(nas_archive **out, const void *bytes, size_t size, nas_error *err) {
  const unsigned char *file = bytes;
  uint64_t length = 0;
  json_error_t problem;
  *out = NULL;
  if (size < 8)
    return nas_fail(err, NAS_FORMAT,
                    "%zu bytes are no archive, which begins with 8 bytes of length", size);
  for (int b = 0; b < 8; b++) length |= (uint64_t)file[b] << (8 * b);
  if (length > HEADER_MAX || length > size - 8)
    return nas_fail(err, NAS_FORMAT,
                    "the header would have %" PRIu64 " bytes; %zu follow, and at most %d may be",
                    length, size - 8, HEADER_MAX);
  json_t *header =
      json_loadb((const char *)file + 8, (size_t)length, JSON_REJECT_DUPLICATES, &problem);
  if (!json_is_object(header)) {
    json_decref(header);
    return nas_fail(err, NAS_FORMAT, "the header is no JSON object, byte %d: %s",
                    header ? 8 : 8 + problem.position, header ? "something else" : problem.text);
  }
  nas_status status = nas_archive_create(out, err);
  if (status == NAS_OK)
    status = read_header(*out, header, file + 8 + length, size - 8 - length, err);
  json_decref(header);
  if (status != NAS_OK) nas_archive_destroy(out);
  return status;
}

nas_status nas_archive_read(nas_archive **out, const char *path, nas_error *err) {
  char *bytes;
  size_t size;
  *out = NULL;
  nas_status status = nas_file_read(path, NULL, 0, &bytes, &size, err);
  if (status != NAS_OK) return status;
  status = nas_archive_decode(out, bytes, size, err);
  if (status != NAS_OK) nas_file_fail(err, status, path);
  nas_free(bytes);
  return status;
}
