#include <nas/cifar.h>
#include "source.h"
#include <inttypes.h>
#include <string.h>

#define SIDE     32
#define PIXELS   (SIDE * SIDE)
#define CHANNELS 3
#define IMAGE    (CHANNELS * PIXELS)

static const struct format {
  const char *name;
  int classes;    /* of the labels that are wanted */
  size_t labels;  /* bytes of labels in a record */
  size_t label;   /* which of them is wanted */
  int highest[2]; /* of each */
} formats[] = {
    [NAS_CIFAR_10] = {"CIFAR-10", 10, 1, 0, {9}},
    [NAS_CIFAR_100] = {"CIFAR-100", 100, 2, 1, {19, 99}},
    [NAS_CIFAR_100_COARSE] = {"CIFAR-100", 20, 2, 0, {19, 99}},
};

int nas_cifar_classes(nas_cifar_kind kind) {
  return formats[kind].classes;
}

/* What has been read so far. */
typedef struct reader {
  const struct format *format;
  nas_block images;
  nas_block labels; /* int32_t */
} reader;

static nas_status check_labels(const reader *r, const nas_source *source,
                               const unsigned char *record, uint64_t number, nas_error *err) {
  for (size_t i = 0; i < r->format->labels; i++)
    if (record[i] > r->format->highest[i])
      return nas_fail(err, NAS_FORMAT,
                      "%s, byte %" PRIu64 ": record %" PRIu64
                      " has class %d; expected 0 to %d (%s)",
                      source->name, number * (r->format->labels + IMAGE) + i, number, record[i],
                      r->format->highest[i], r->format->name);
  return NAS_OK;
}

static nas_status add_record(reader *r, const unsigned char *record, nas_error *err) {
  const char *what = "the images of CIFAR files";
  int32_t label = record[r->format->label];
  const unsigned char *planes = record + r->format->labels;
  nas_status status = nas_block_reserve(&r->images, IMAGE, SIZE_MAX, what, err);
  if (status == NAS_OK) status = nas_block_reserve(&r->labels, sizeof label, SIZE_MAX, what, err);
  if (status != NAS_OK) return status;
  unsigned char *image = r->images.bytes + r->images.size;
  for (int p = 0; p < PIXELS; p++)
    for (int c = 0; c < CHANNELS; c++) image[CHANNELS * p + c] = planes[PIXELS * c + p];
  r->images.size += IMAGE;
  memcpy(r->labels.bytes + r->labels.size, &label, sizeof label);
  r->labels.size += sizeof label;
  return NAS_OK;
}

static nas_status fail_length(const nas_source *source, const struct format *format,
                              nas_error *err) {
  const struct format *other = &formats[format->labels == 1 ? NAS_CIFAR_100 : NAS_CIFAR_10];
  int fits = source->offset > 0 && source->offset % (other->labels + IMAGE) == 0;
  return nas_fail(err, NAS_FORMAT,
                  "%s: the length is %" PRIu64
                  " bytes; expected records of %zu bytes each (%s)%s%s",
                  source->name, source->offset, format->labels + IMAGE, format->name,
                  fits ? "; the length is that of " : "", fits ? other->name : "");
}

/* Fails because of a class, or rather because of the length where that is wrong, too: then the file
 * is of another format. */
static nas_status fail_class(nas_source *source, const struct format *format, nas_error *err) {
  unsigned char record[2 + IMAGE];
  size_t size = format->labels + IMAGE, count = size;
  while (count == size) {
    nas_status status = nas_source_read(source, record, size, &count, err);
    if (status != NAS_OK) return status;
  }
  return count == 0 ? NAS_FORMAT : fail_length(source, format, err);
}

static nas_status read_source(reader *r, nas_source *source, nas_error *err) {
  unsigned char record[2 + IMAGE];
  size_t size = r->format->labels + IMAGE, count;
  for (uint64_t number = 0;; number++) {
    nas_status status = nas_source_read(source, record, size, &count, err);
    if (status != NAS_OK) return status;
    if (count == 0 && number > 0) return NAS_OK;
    if (count < size) return fail_length(source, r->format, err);
    status = check_labels(r, source, record, number, err);
    if (status != NAS_OK) return fail_class(source, r->format, err);
    status = add_record(r, record, err);
    if (status != NAS_OK) return status;
  }
}

static nas_status make_tensors(reader *r, nas_tensor **images, nas_tensor **labels,
                               nas_error *err) {
  const int64_t dims[4] = {(int64_t)(r->images.size / IMAGE), SIDE, SIDE, CHANNELS};
  nas_status status = nas_block_to_tensor(&r->images, images, NAS_UINT8, 4, dims, err);
  if (status != NAS_OK) return status;
  status = nas_block_to_tensor(&r->labels, labels, NAS_INT32, 1, dims, err);
  if (status != NAS_OK) nas_tensor_destroy(images);
  return status;
}

static nas_status finish(reader *r, nas_status status, nas_tensor **images, nas_tensor **labels,
                         nas_error *err) {
  if (status == NAS_OK) status = make_tensors(r, images, labels, err);
  nas_block_clear(&r->images);
  nas_block_clear(&r->labels);
  return status;
}

static nas_status begin(reader *r, nas_tensor **images, nas_tensor **labels, nas_cifar_kind kind,
                        nas_error *err) {
  *images = *labels = NULL;
  if ((int)kind < NAS_CIFAR_10 || kind > NAS_CIFAR_100_COARSE)
    return nas_fail(err, NAS_ARGUMENT, "cifar: kind is %d; expected 0 to 2", (int)kind);
  *r = (reader){.format = &formats[kind]};
  return NAS_OK;
}

nas_status nas_cifar_read(nas_tensor **images, nas_tensor **labels, const char *const *paths,
                          int count, nas_cifar_kind kind, nas_error *err) {
  reader r;
  nas_status status = begin(&r, images, labels, kind, err);
  if (status != NAS_OK) return status;
  if (count < 1) return nas_fail(err, NAS_ARGUMENT, "cifar: %d files; expected at least 1", count);
  for (int i = 0; i < count && status == NAS_OK; i++) {
    nas_source source;
    status = nas_source_open_file(&source, paths[i], 0, err);
    if (status == NAS_OK) status = read_source(&r, &source, err);
    nas_source_close(&source);
  }
  return finish(&r, status, images, labels, err);
}

nas_status nas_cifar_read_memory(nas_tensor **images, nas_tensor **labels, const void *bytes,
                                 size_t size, const char *name, nas_cifar_kind kind,
                                 nas_error *err) {
  reader r;
  nas_source source;
  nas_status status = begin(&r, images, labels, kind, err);
  if (status != NAS_OK) return status;
  nas_source_open_memory(&source, bytes, size, name, 0);
  return finish(&r, read_source(&r, &source, err), images, labels, err);
}
