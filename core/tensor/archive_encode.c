/* An archive to bytes, and to a file. */
#include <string.h>
#include <nas/memory.h>
#include "file.h"
#include "archive_state.h"
#include "walk.h"

enum { LENGTH_SIZE = 8, ALIGNMENT = 8 };

/* Takes the content piece by piece. */
typedef nas_status sink(void *context, const void *bytes, size_t size, nas_error *err);

/* ---- The header --------------------------------------------------------------------------- */

static void put_string(nas_text *json, const char *text) {
  static const char escaped[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt",
                    hex[] = "0123456789abcdef";
  nas_text_add(json, "\"");
  while (*text) {
    size_t plain = 0;
    while ((unsigned char)text[plain] >= 0x20 && text[plain] != '"' && text[plain] != '\\') plain++;
    nas_text_add_bytes(json, text, plain);
    text += plain;
    if (!*text) break;
    const char *known = strchr(escaped, *text);
    if (known) {
      nas_text_add_bytes(json, (char[]){'\\', letters[known - escaped]}, 2);
    } else {
      nas_text_add(json, "\\u00");
      nas_text_add_bytes(json, (char[]){hex[*text >> 4], hex[*text & 15]}, 2);
    }
    text++;
  }
  nas_text_add(json, "\"");
}

static void put_metadata(nas_text *json, const nas_names *metadata) {
  put_string(json, NAS_ARCHIVE_METADATA);
  nas_text_add(json, ":{");
  for (size_t i = 0; i < metadata->count; i++) {
    if (i) nas_text_add(json, ",");
    put_string(json, metadata->entries[i].name);
    nas_text_add(json, ":");
    put_string(json, metadata->entries[i].value);
  }
  nas_text_add(json, "}");
}

static void put_tensor(nas_text *json, const nas_named *entry, uint64_t begin, uint64_t end) {
  const nas_tensor *tensor = entry->tensor;
  put_string(json, entry->name);
  nas_text_add(json, ":{\"dtype\":");
  put_string(json, nas_archive_types[tensor->dtype]);
  nas_text_add(json, ",\"shape\":[");
  for (int d = 0; d < tensor->layout.rank; d++) {
    if (d) nas_text_add(json, ",");
    nas_text_add_integer(json, tensor->layout.dims[d]);
  }
  nas_text_add(json, "],\"data_offsets\":[");
  nas_text_add_integer(json, (int64_t)begin);
  nas_text_add(json, ",");
  nas_text_add_integer(json, (int64_t)end);
  nas_text_add(json, "]}");
}

/* It fits in 63 bits: so nas_layout_make has checked. */
static uint64_t bytes_of(const nas_tensor *tensor) {
  return (uint64_t)nas_tensor_size(tensor) * nas_dtype_size(tensor->dtype);
}

/* Elements of 4 bytes lie before the others. */
static int is_wide(const nas_tensor *tensor) {
  return nas_dtype_size(tensor->dtype) == 4;
}

/* Bytes of all tensors, and of the wide ones. */
static nas_status count_bytes(const nas_names *tensors, uint64_t *all, uint64_t *wide,
                              nas_error *err) {
  *all = *wide = 0;
  for (size_t i = 0; i < tensors->count; i++) {
    const nas_tensor *tensor = tensors->entries[i].tensor;
    *all += bytes_of(tensor);
    if (is_wide(tensor)) *wide += bytes_of(tensor);
    if (*all > INT64_MAX)
      return nas_fail(err, NAS_LIMIT, "archive: the elements would take more than 2^63 bytes");
  }
  return NAS_OK;
}

static void put_tensors(nas_text *json, const nas_archive *archive, uint64_t wide) {
  const nas_names *tensors = &archive->tensors;
  uint64_t next_wide = 0, next_byte = wide;
  for (size_t i = 0; i < tensors->count; i++) {
    const nas_tensor *tensor = tensors->entries[i].tensor;
    uint64_t *next = is_wide(tensor) ? &next_wide : &next_byte;
    if (i || archive->metadata.count) nas_text_add(json, ",");
    put_tensor(json, &tensors->entries[i], *next, *next + bytes_of(tensor));
    *next += bytes_of(tensor);
  }
}

/* The length, and the JSON text with blanks up to where the elements lie aligned. */
static nas_status make_header(const nas_archive *archive, nas_text *header, nas_error *err) {
  uint64_t all, wide;
  nas_status status = count_bytes(&archive->tensors, &all, &wide, err);
  if (status != NAS_OK) return status;
  nas_text_add_bytes(header, (char[LENGTH_SIZE]){0}, LENGTH_SIZE);
  nas_text_add(header, "{");
  if (archive->metadata.count) put_metadata(header, &archive->metadata);
  put_tensors(header, archive, wide);
  nas_text_add(header, "}");
  while (header->size % ALIGNMENT && !header->failed) nas_text_add(header, " ");
  if (header->failed) return nas_fail_memory(err, "the header of a file", header->size);
  uint64_t length = header->size - LENGTH_SIZE;
  if (length > NAS_ARCHIVE_HEADER_MAX)
    return nas_fail(err, NAS_LIMIT, "archive: the header would take %llu bytes; at most %d",
                    (unsigned long long)length, NAS_ARCHIVE_HEADER_MAX);
  for (int i = 0; i < LENGTH_SIZE; i++) header->data[i] = (char)(length >> (8 * i));
  return NAS_OK;
}

/* ---- The elements ------------------------------------------------------------------------- */

static nas_status put_elements(const nas_tensor *tensor, sink *put, void *context, nas_error *err) {
  size_t size = (size_t)bytes_of(tensor);
  if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && nas_tensor_is_contiguous(tensor))
    return put(context, tensor->data, size, err);
  unsigned char *copy = nas_alloc(size, 1);
  if (!copy) return nas_fail_memory(err, "the elements of a tensor in order", size);
  nas_tensor_to_bytes(tensor, copy);
  nas_status status = put(context, copy, size, err);
  nas_free(copy);
  return status;
}

static nas_status put_all(const nas_archive *archive, const nas_text *header, sink *put,
                          void *context, nas_error *err) {
  const nas_names *tensors = &archive->tensors;
  nas_status status = put(context, header->data, header->size, err);
  for (int wide = 1; wide >= 0; wide--)
    for (size_t i = 0; i < tensors->count && status == NAS_OK; i++) {
      const nas_tensor *tensor = tensors->entries[i].tensor;
      if (is_wide(tensor) == wide) status = put_elements(tensor, put, context, err);
    }
  return status;
}

/* ---- Where they go ------------------------------------------------------------------------ */

static nas_status put_in_text(void *context, const void *bytes, size_t size, nas_error *err) {
  nas_text *text = context;
  nas_text_add_bytes(text, bytes, size);
  return text->failed ? nas_fail_memory(err, "the bytes of tensors", text->size + size) : NAS_OK;
}

static nas_status put_in_file(void *context, const void *bytes, size_t size, nas_error *err) {
  return nas_replacement_write(context, bytes, size, err);
}

nas_status nas_archive_encode(const nas_archive *archive, nas_text *bytes, nas_error *err) {
  nas_text header = {0};
  size_t before = bytes->size;
  nas_status status = make_header(archive, &header, err);
  if (status == NAS_OK) status = put_all(archive, &header, put_in_text, bytes, err);
  nas_text_clear(&header);
  if (status != NAS_OK && bytes->data) {
    bytes->size = before;
    bytes->data[before] = 0;
  }
  return status;
}

nas_status nas_archive_write(const nas_archive *archive, const char *path, nas_error *err) {
  nas_text header = {0};
  nas_replacement file;
  nas_status status = make_header(archive, &header, err);
  if (status == NAS_OK) status = nas_replacement_begin(&file, path, err);
  if (status == NAS_OK) {
    status = put_all(archive, &header, put_in_file, &file, err);
    status = nas_replacement_end(&file, status, err);
  }
  nas_text_clear(&header);
  return status;
}
