#include "fingerprint.h"
#include <string.h>

#define BYTE_CLASSES 256  /* labels of up to so many classes count as uint8 */
#define PIECE        1024 /* labels in one go */

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
  for (int d = 0; d < rank; d++) size += put_big_endian(header + size, (uint32_t)dims[d]);
  nas_sha256_begin(sha);
  nas_sha256_add(sha, header, size);
}

static void add_floats(nas_sha256 *sha, const float *values, int64_t count) {
  unsigned char piece[PIECE * 4];
  for (int64_t from = 0; from < count; from += PIECE) {
    int64_t size = count - from < PIECE ? count - from : PIECE;
    for (int64_t i = 0; i < size; i++) {
      uint32_t bits;
      memcpy(&bits, &values[from + i], sizeof bits);
      put_big_endian(piece + 4 * i, bits);
    }
    nas_sha256_add(sha, piece, 4 * (size_t)size);
  }
}

void nas_fingerprint_numbers(const nas_tensor *numbers, char sum[NAS_SHA256_HEX]) {
  const int64_t *dims = nas_tensor_dims(numbers);
  int rank = nas_tensor_rank(numbers), is_bytes = nas_tensor_dtype(numbers) == NAS_UINT8;
  int64_t size = nas_tensor_size(numbers);
  nas_sha256 sha;
  add_header(&sha, is_bytes ? 0x08 : 0x0D, dims[rank - 1] == 1 ? rank - 1 : rank, dims);
  if (is_bytes)
    nas_sha256_add(&sha, nas_tensor_data(numbers), (size_t)size);
  else
    add_floats(&sha, nas_tensor_data(numbers), size);
  nas_sha256_end(&sha, sum);
}

void nas_fingerprint_labels(const nas_tensor *labels, int classes, char sum[NAS_SHA256_HEX]) {
  const int32_t *label = nas_tensor_data(labels);
  int64_t count = nas_tensor_size(labels);
  int bytewise = classes <= BYTE_CLASSES;
  unsigned char piece[PIECE * 4];
  size_t used = 0;
  nas_sha256 sha;
  add_header(&sha, bytewise ? 0x08 : 0x0C, 1, nas_tensor_dims(labels));
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
