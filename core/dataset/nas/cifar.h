/* CIFAR-10 and CIFAR-100 (Krizhevsky 2009), binary version: images of 32x32 in three colours. Plain
 * or compressed by gzip.
 *
 * A file is a sequence of records:
 *
 *   CIFAR-10    class, 0 to 9;  then 3072 bytes of pixels
 *   CIFAR-100   coarse class, 0 to 19;  fine class, 0 to 99;  then 3072 bytes of pixels
 *
 * The pixels are a red, a green and a blue plane, each row by row.
 *
 * Memory grows with what has been read. Messages name the file and the record, which counts from 0.
 * All functions may be called from any thread. */
#ifndef NAS_CIFAR_H
#define NAS_CIFAR_H

#include <stddef.h>
#include <nas/status.h>
#include <nas/tensor.h>

typedef enum nas_cifar_kind {
  NAS_CIFAR_10,
  NAS_CIFAR_100,        /* the fine classes are the labels */
  NAS_CIFAR_100_COARSE, /* the coarse classes are the labels */
} nas_cifar_kind;

/* 10, 100 or 20. */
NAS_API int nas_cifar_classes(nas_cifar_kind kind);

/* Reads the records of `count` files, one file after the other: *images uint8 [n, 32, 32, 3],
 * *labels int32 [n], which count from 0 as in the files. On success the caller owns both; on
 * failure both are NULL. NAS_IO: a file could not be opened or read. NAS_FORMAT: a file is empty,
 * its length is no multiple of a record's, a class is out of range, compressed data is damaged.
 * NAS_MEMORY. NAS_ARGUMENT: count is below 1. */
NAS_API nas_status nas_cifar_read(nas_tensor **images, nas_tensor **labels,
                                  const char *const *paths, int count, nas_cifar_kind kind,
                                  nas_error *err);

/* The same from `size` bytes of one file's decompressed content, with `name` for the messages.
 * bytes may be NULL when size is 0. */
NAS_API nas_status nas_cifar_read_memory(nas_tensor **images, nas_tensor **labels,
                                         const void *bytes, size_t size, const char *name,
                                         nas_cifar_kind kind, nas_error *err);

#endif
