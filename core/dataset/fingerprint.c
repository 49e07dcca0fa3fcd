#include "fingerprint.h"
#include <string.h>

#define BYTE_CLASSES 256  /* labels of up to so many classes count as uint8 */
#define PIECE        1024 /* numbers in one go */

#define TYPE_UINT8   0x08
#define TYPE_INT32   0x0C
#define TYPE_FLOAT32 0x0D

static size_t put_big_endian(unsigned char *bytes, uint32_t value) {
  bytes[0] = (unsigned char)(value >> 24);
  bytes[1] = (unsigned char)(value >> 16);
  bytes[2] = (unsigned char)(value >> 8);
  bytes[3] = (unsigned char)value;
  return 4;
}

/* Begins a sum with the header of an IDX file. */
static void add_header(nas_sha256 *sha, unsigned char type, int rank, const int64_t *dims) {
  unsigned char header[4 + 4 * NAS_RANK_MAX] = {0, 0, type, (unsigned char)rank};
  size_t size = 4;
  for (int d = 0; d < rank && d < NAS_RANK_MAX; d++)
    size += put_big_endian(header + size, (uint32_t)dims[d]);
  nas_sha256_begin(sha);
  nas_sha256_add(sha, header, size);
}

static void add_floats(nas_sha256 *sha, const float *values, int64_t count) {
  unsigned char piece[PIECE][4];
  for (int64_t done = 0; done < count; done += PIECE) {
    int size = count - done < PIECE ? (int)(count - done) : PIECE;
    for (int i = 0; i < size; i++) {
      uint32_t bits;
      memcpy(&bits, &values[done + i], sizeof bits);
      put_big_endian(piece[i], bits);
    }
    nas_sha256_add(sha, piece, 4 * (size_t)size);
  }
}

/* A tensor whose last dimension goes unmentioned where it is 1, if `optional` says that it may. */
static void add_tensor(const nas_tensor *tensor, int optional, char sum[NAS_SHA256_HEX]) {
  const int64_t *dims = nas_tensor_dims(tensor);
  int rank = nas_tensor_rank(tensor), floats = nas_tensor_dtype(tensor) == NAS_FLOAT32;
  nas_sha256 sha;
  if (optional && dims[rank - 1] == 1) rank--;
  add_header(&sha, floats ? TYPE_FLOAT32 : TYPE_UINT8, rank, dims);
  if (floats)
    add_floats(&sha, nas_tensor_data(tensor), nas_tensor_size(tensor));
  else
    nas_sha256_add(&sha, nas_tensor_data(tensor), (size_t)nas_tensor_size(tensor));
  nas_sha256_end(&sha, sum);
}

void nas_fingerprint_inputs(const nas_tensor *inputs, char sum[NAS_SHA256_HEX]) {
  add_tensor(inputs, nas_tensor_rank(inputs) == 4, sum);
}

void nas_fingerprint_values(const nas_tensor *values, char sum[NAS_SHA256_HEX]) {
  add_tensor(values, 1, sum);
}

void nas_fingerprint_labels(const nas_tensor *labels, int classes, char sum[NAS_SHA256_HEX]) {
  const int32_t *label = nas_tensor_data(labels);
  int64_t count = nas_tensor_size(labels);
  int bytewise = classes <= BYTE_CLASSES;
  unsigned char piece[PIECE * 4];
  size_t used = 0;
  nas_sha256 sha;
  add_header(&sha, bytewise ? TYPE_UINT8 : TYPE_INT32, 1, nas_tensor_dims(labels));
  for (int64_t i = 0; i < count; i++) {
    if (bytewise)
      piece[used++] = (unsigned char)label[i];
    else
      used += put_big_endian(piece + used, (uint32_t)label[i]);
    if (used + 4 > sizeof piece || i == count - 1) {
      nas_sha256_add(&sha, piece, used);
      used = 0;
    }
  }
  nas_sha256_end(&sha, sum);
}

int nas_fingerprint_images_stored(const nas_tensor *file) {
  int rank = nas_tensor_rank(file);
  return rank == 3 || (rank == 4 && nas_tensor_dims(file)[3] > 1);
}

int nas_fingerprint_labels_stored(const nas_tensor *file, int classes) {
  return nas_tensor_dtype(file) == (classes <= BYTE_CLASSES ? NAS_UINT8 : NAS_INT32);
}
