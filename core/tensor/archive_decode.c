/* Bytes to an archive. They may be anything: the JSON text is believed when it is there, and
 * a tensor takes memory only when all of them together are known to be as large as the data. */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <nas/memory.h>
#include "file.h"
#include "archive_state.h"
#include "walk.h"
#include "handle.h"

enum { LENGTH_SIZE = 8 };

/* A file or memory. */
typedef struct source {
  const nas_file *file; /* NULL: memory */
  const unsigned char *memory;
  uint64_t size;
} source;

/* What the header says of one tensor. */
typedef struct place {
  const char *name;
  nas_dtype dtype;
  int rank;
  int64_t dims[NAS_RANK_MAX];
  uint64_t begin, end; /* bytes from the start of the data */
} place;

/* ---- Bytes -------------------------------------------------------------------------------- */

/* A file may have become shorter or longer: only what was there at first counts. */
static nas_status read_all(const source *from, uint64_t offset, void *bytes, size_t size,
                           const char *what, nas_error *err) {
  uint64_t left = offset < from->size ? from->size - offset : 0;
  size_t count = left < size ? (size_t)left : size;
  if (from->file) {
    nas_status status = nas_file_read(from->file, offset, bytes, count, &count, err);
    if (status != NAS_OK) return status;
  } else if (count > 0) {
    memcpy(bytes, from->memory + offset, count);
  }
  if (count == size) return NAS_OK;
  return nas_fail(err, NAS_FORMAT,
                  "byte %" PRIu64 ": expected %zu bytes of %s, found the end after %zu", offset,
                  size, what, count);
}

static nas_status read_length(const source *from, size_t *length, nas_error *err) {
  unsigned char bytes[LENGTH_SIZE] = {0};
  nas_status status = read_all(from, 0, bytes, sizeof bytes, "the header's length", err);
  if (status != NAS_OK) return status;
  uint64_t value = 0;
  for (int i = 0; i < LENGTH_SIZE; i++) value |= (uint64_t)bytes[i] << (8 * i);
  if (value > NAS_ARCHIVE_HEADER_MAX)
    return nas_fail(err, NAS_FORMAT,
                    "no safetensors file: it begins with a header of %" PRIu64
                    " bytes; expected at most %d",
                    value, NAS_ARCHIVE_HEADER_MAX);
  if (value > from->size - LENGTH_SIZE)
    return nas_fail(err, NAS_FORMAT,
                    "byte 8: expected %" PRIu64 " bytes of header, found the end after %" PRIu64,
                    value, from->size - LENGTH_SIZE);
  *length = (size_t)value;
  return NAS_OK;
}

/* ---- The JSON text ------------------------------------------------------------------------ */

static nas_status parse_json(json_t **header, const char *text, size_t length, nas_error *err) {
  json_error_t error;
  if (length == 0 || text[0] != '{')
    return nas_fail(err, NAS_FORMAT,
                    "no safetensors file: byte 8: expected a header that begins with {");
  *header = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
  if (*header) return NAS_OK;
  if (json_error_code(&error) == json_error_out_of_memory)
    return nas_fail_memory(err, "the header of a file", length);
  return nas_fail(err, NAS_FORMAT, "byte %d: the header is damaged: %s",
                  LENGTH_SIZE + error.position, error.text);
}

/* On success the caller owns *header, and *data is where the elements begin. */
static nas_status read_header(const source *from, json_t **header, uint64_t *data, nas_error *err) {
  size_t length = 0;
  nas_status status = read_length(from, &length, err);
  if (status != NAS_OK) return status;
  char *text = nas_alloc(length, 1);
  if (!text) return nas_fail_memory(err, "the header of a file", length);
  status = read_all(from, LENGTH_SIZE, text, length, "header", err);
  if (status == NAS_OK) status = parse_json(header, text, length, err);
  nas_free(text);
  *data = LENGTH_SIZE + length;
  return status;
}

/* ---- What the header says ----------------------------------------------------------------- */

static nas_status fail_tensor(const place *at, nas_error *err, const char *problem) {
  return nas_fail(err, NAS_FORMAT, "tensor \"%.80s\": %s", at->name, problem);
}

static nas_status parse_dtype(place *at, const json_t *value, nas_error *err) {
  const char *name = json_string_value(value);
  if (!name) return fail_tensor(at, err, "dtype is missing or no text");
  for (int i = 0; i < NAS_ARCHIVE_TYPES; i++)
    if (strcmp(nas_archive_types[i], name) == 0) {
      at->dtype = (nas_dtype)i;
      return NAS_OK;
    }
  return nas_fail(err, NAS_FORMAT, "tensor \"%.80s\": dtype is \"%.40s\"; expected F32, U8 or I32",
                  at->name, name);
}

static nas_status parse_shape(place *at, const json_t *value, nas_error *err) {
  if (!json_is_array(value)) return fail_tensor(at, err, "shape is missing or no list");
  size_t rank = json_array_size(value);
  if (rank < 1 || rank > NAS_RANK_MAX)
    return nas_fail(err, NAS_FORMAT, "tensor \"%.80s\": shape has %zu dimensions; expected 1 to %d",
                    at->name, rank, NAS_RANK_MAX);
  at->rank = (int)rank;
  for (size_t d = 0; d < rank; d++) {
    const json_t *dim = json_array_get(value, d);
    if (!json_is_integer(dim) || json_integer_value(dim) < 1)
      return nas_fail(err, NAS_FORMAT,
                      "tensor \"%.80s\": expected an integer of at least 1 as dimension %zu of "
                      "shape",
                      at->name, d);
    at->dims[d] = json_integer_value(dim);
  }
  return NAS_OK;
}

static nas_status parse_offsets(place *at, const json_t *value, uint64_t size, nas_error *err) {
  uint64_t offsets[2];
  for (size_t i = 0; i < 2; i++) {
    const json_t *offset = json_array_get(value, i);
    if (json_array_size(value) != 2 || !json_is_integer(offset) || json_integer_value(offset) < 0)
      return fail_tensor(at, err, "expected two integers of at least 0 as data_offsets");
    offsets[i] = (uint64_t)json_integer_value(offset);
  }
  if (offsets[0] > offsets[1] || offsets[1] > size)
    return nas_fail(err, NAS_FORMAT,
                    "tensor \"%.80s\": data_offsets are [%" PRIu64 ", %" PRIu64
                    "]; expected numbers in order up to %" PRIu64 ", the bytes behind the header",
                    at->name, offsets[0], offsets[1], size);
  at->begin = offsets[0];
  at->end = offsets[1];
  return NAS_OK;
}

static nas_status check_size(const place *at, nas_error *err) {
  uint64_t bytes = nas_dtype_size(at->dtype);
  int too_large = 0;
  for (int d = 0; d < at->rank; d++)
    too_large |= __builtin_mul_overflow(bytes, (uint64_t)at->dims[d], &bytes);
  if (!too_large && bytes == at->end - at->begin) return NAS_OK;
  char dims[NAS_DIMS_TEXT];
  nas_layout_dims_text(at->rank, at->dims, dims);
  return nas_fail(err, NAS_FORMAT,
                  "tensor \"%.80s\": data_offsets give %" PRIu64 " bytes, which %s of shape %s do "
                  "not take",
                  at->name, at->end - at->begin, nas_archive_types[at->dtype], dims);
}

static nas_status parse_place(place *at, json_t *value, uint64_t size, nas_error *err) {
  if (!json_is_object(value)) return fail_tensor(at, err, "expected an object");
  nas_status status = parse_dtype(at, json_object_get(value, "dtype"), err);
  if (status == NAS_OK) status = parse_shape(at, json_object_get(value, "shape"), err);
  if (status == NAS_OK)
    status = parse_offsets(at, json_object_get(value, "data_offsets"), size, err);
  if (status == NAS_OK) status = check_size(at, err);
  if (status == NAS_OK && json_object_size(value) != 3)
    status = fail_tensor(at, err, "expected nothing but dtype, shape and data_offsets");
  return status;
}

static nas_status parse_metadata(nas_archive *archive, json_t *metadata, nas_error *err) {
  if (!json_is_object(metadata))
    return nas_fail(err, NAS_FORMAT, "%s: expected an object", NAS_ARCHIVE_METADATA);
  for (void *i = json_object_iter(metadata); i; i = json_object_iter_next(metadata, i)) {
    const char *key = json_object_iter_key(i);
    const char *value = json_string_value(json_object_iter_value(i));
    if (!value)
      return nas_fail(err, NAS_FORMAT, "%s: expected a text as value of \"%.80s\"",
                      NAS_ARCHIVE_METADATA, key);
    nas_status status = nas_archive_set(archive, key, value, err);
    if (status != NAS_OK) return status;
  }
  return NAS_OK;
}

/* Fills places, as many as the header has members, in its order; *count tells how many there are.
 * Metadata go into the archive. */
static nas_status parse_header(nas_archive *archive, json_t *header, uint64_t size, place *places,
                               size_t *count, nas_error *err) {
  *count = 0;
  for (void *i = json_object_iter(header); i; i = json_object_iter_next(header, i)) {
    place *at = &places[*count];
    nas_status status;
    at->name = json_object_iter_key(i);
    if (strcmp(at->name, NAS_ARCHIVE_METADATA) == 0) {
      status = parse_metadata(archive, json_object_iter_value(i), err);
    } else {
      status = parse_place(at, json_object_iter_value(i), size, err);
      ++*count;
    }
    if (status != NAS_OK) return status;
  }
  return NAS_OK;
}

/* ---- The layout --------------------------------------------------------------------------- */

/* None is empty, so sound places all begin elsewhere; the others come in the header's order. */
static int compare_places(const void *a, const void *b) {
  const place *p = *(const place *const *)a, *q = *(const place *const *)b;
  if (p->begin != q->begin) return p->begin < q->begin ? -1 : 1;
  return (p > q) - (p < q);
}

/* One behind the other, from the first byte of the data to the last. */
static nas_status check_sorted(const place *const *sorted, size_t count, uint64_t size,
                               nas_error *err) {
  uint64_t end = 0;
  for (size_t i = 0; i < count; end = sorted[i++]->end) {
    if (sorted[i]->begin == end) continue;
    if (sorted[i]->begin > end)
      return nas_fail(err, NAS_FORMAT,
                      "tensor \"%.80s\": data_offsets begin at %" PRIu64 "; expected %" PRIu64
                      ", as nothing else is there",
                      sorted[i]->name, sorted[i]->begin, end);
    return nas_fail(err, NAS_FORMAT, "tensor \"%.80s\" overlaps tensor \"%.80s\"", sorted[i]->name,
                    sorted[i - 1]->name);
  }
  if (end == size) return NAS_OK;
  return nas_fail(err, NAS_FORMAT,
                  "expected the end %" PRIu64 " bytes behind the header, as no tensor goes on; "
                  "found %" PRIu64 " bytes",
                  end, size);
}

static nas_status check_layout(const place *places, size_t count, uint64_t size, nas_error *err) {
  const place **sorted = nas_alloc(count, sizeof *sorted);
  if (!sorted) return nas_fail_memory(err, "the order of tensors", count * sizeof *sorted);
  for (size_t i = 0; i < count; i++) sorted[i] = &places[i];
  qsort(sorted, count, sizeof *sorted, compare_places);
  nas_status status = check_sorted(sorted, count, size, err);
  nas_free(sorted);
  return status;
}

/* ---- All of it ---------------------------------------------------------------------------- */

static nas_status read_tensor(nas_archive *archive, const source *from, const place *at,
                              uint64_t data, nas_error *err) {
  nas_tensor *tensor;
  size_t size = (size_t)(at->end - at->begin);
  nas_status status = nas_tensor_create(&tensor, at->dtype, at->rank, at->dims, err);
  if (status != NAS_OK) return status;
  status = read_all(from, data + at->begin, tensor->data, size, "elements", err);
  nas_dtype_swap(tensor->data, (size_t)nas_tensor_size(tensor), nas_dtype_size(at->dtype));
  if (status == NAS_OK) status = nas_archive_add(archive, at->name, tensor, err);
  nas_tensor_destroy(&tensor);
  return status;
}

static nas_status fill(nas_archive *archive, const source *from, json_t *header, uint64_t data,
                       nas_error *err) {
  size_t count, members = json_object_size(header);
  place *places = nas_alloc(members, sizeof *places);
  if (!places) return nas_fail_memory(err, "the places of tensors", members * sizeof *places);
  uint64_t size = from->size - data;
  nas_status status = parse_header(archive, header, size, places, &count, err);
  if (status == NAS_OK) status = check_layout(places, count, size, err);
  for (size_t i = 0; status == NAS_OK && i < count; i++)
    status = read_tensor(archive, from, &places[i], data, err);
  nas_free(places);
  return status;
}

static nas_status decode(nas_archive **archive, const source *from, nas_error *err) {
  json_t *header = NULL;
  uint64_t data = 0;
  nas_status status = read_header(from, &header, &data, err);
  if (status != NAS_OK) return status;
  status = nas_archive_create(archive, err);
  if (status == NAS_OK) status = fill(*archive, from, header, data, err);
  json_decref(header);
  if (status != NAS_OK) nas_archive_destroy(archive);
  return status;
}

/* Says of which file a message about the content is. */
static nas_status decode_named(nas_archive **archive, const source *from, const char *name,
                               nas_error *err) {
  nas_error own;
  nas_status status = decode(archive, from, &own);
  if (status == NAS_OK) return status;
  if (status == NAS_IO) return nas_fail(err, status, "%s", own.text);
  return nas_fail(err, status, "\"%.200s\": %s", name, own.text);
}

nas_status nas_archive_read(nas_archive **archive, const char *path, nas_error *err) {
  nas_file file;
  *archive = NULL;
  nas_status status = nas_file_open(&file, path, err);
  if (status != NAS_OK) return status;
  source from = {.file = &file, .size = file.size};
  status = decode_named(archive, &from, path, err);
  nas_file_close(&file);
  return status;
}

nas_status nas_archive_read_memory(nas_archive **archive, const void *bytes, size_t size,
                                   const char *name, nas_error *err) {
  source from = {.memory = bytes, .size = size};
  *archive = NULL;
  return decode_named(archive, &from, name, err);
}
