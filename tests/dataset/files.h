/* Small IDX files that the tests make for themselves in a folder of their own. */
#ifndef TESTS_FILES_H
#define TESTS_FILES_H

#include "../tensor/tensors.h"
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

static char folder[128];

/* Group setup and teardown. */
static inline int make_folder(void **state) {
  (void)state;
  const char *base = getenv("TMPDIR");
  snprintf(folder, sizeof folder, "%s/luanas-test-XXXXXX", base && *base ? base : "/tmp");
  return mkdtemp(folder) ? 0 : -1;
}

static inline int remove_folder(void **state) {
  (void)state;
  char path[512];
  DIR *dir = opendir(folder);
  if (!dir) return -1;
  for (struct dirent *entry; (entry = readdir(dir));) {
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    if (entry->d_name[0] != '.') unlink(path);
  }
  closedir(dir);
  return rmdir(folder);
}

/* The path of a file in the folder; valid until the fourth call from now. */
static inline const char *path_of(const char *name) {
  static char paths[4][256];
  static int turn;
  turn = (turn + 1) % 4;
  snprintf(paths[turn], sizeof paths[turn], "%s/%s", folder, name);
  return paths[turn];
}

static inline const char *write_plain(const char *name, const void *bytes, size_t size) {
  const char *path = path_of(name);
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, size, file), size);
  assert_int_equal(fclose(file), 0);
  return path;
}

static inline const char *write_gzip(const char *name, const void *bytes, size_t size) {
  const char *path = path_of(name);
  gzFile file = gzopen(path, "wb");
  assert_non_null(file);
  if (size) assert_int_equal(gzwrite(file, bytes, (unsigned)size), size);
  assert_int_equal(gzclose(file), Z_OK);
  return path;
}

/* The file's bytes; returns their number. */
static inline size_t read_back(const char *path, unsigned char *bytes, size_t size) {
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  size_t count = fread(bytes, 1, size, file);
  fclose(file);
  return count;
}

/* The content of an IDX file being put together. */
typedef struct idx {
  unsigned char bytes[1 << 16];
  size_t size;
} idx;

static inline void put_u32(idx *content, uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8)
    content->bytes[content->size++] = (unsigned char)(value >> shift);
}

static inline idx idx_header(unsigned type, int rank, const int64_t *dims) {
  idx content = {.bytes = {0, 0, (unsigned char)type, (unsigned char)rank}, .size = 4};
  for (int d = 0; d < rank; d++) put_u32(&content, (uint32_t)dims[d]);
  return content;
}

/* Images whose pixel k is 7 * k + 1 modulo 256. */
static inline idx idx_images(int rank, const int64_t *dims) {
  idx content = idx_header(0x08, rank, dims);
  size_t size = 1;
  for (int d = 0; d < rank; d++) size *= (size_t)dims[d];
  for (size_t k = 0; k < size; k++) content.bytes[content.size++] = (unsigned char)(7 * k + 1);
  return content;
}

/* Labels i % classes as bytes. */
static inline idx idx_labels(int64_t count, int classes) {
  idx content = idx_header(0x08, DIMS(count));
  for (int64_t i = 0; i < count; i++) content.bytes[content.size++] = (unsigned char)(i % classes);
  return content;
}

#endif
