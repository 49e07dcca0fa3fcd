/* Feeds arbitrary bytes to the PNG reader: as they are, they are a PNG file's content. Checksums
 * are made right first: a fuzzer would not get past them. An odd size asks for a background and for
 * colours. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <nas/memory.h>
#include <nas/png.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(int truth) {
  if (!truth) abort();
}

static uint32_t big_endian(const uint8_t *bytes) {
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Chunks are: length, 4 letters, content, checksum of letters and content. */
static void correct_checksums(uint8_t *bytes, size_t size) {
  size_t at = 8;
  while (at + 12 <= size) {
    size_t length = big_endian(bytes + at);
    if (length > size - at - 12) return;
    uint32_t sum = (uint32_t)crc32(crc32(0, NULL, 0), bytes + at + 4, (unsigned)length + 4);
    at += 8 + length;
    for (int shift = 24; shift >= 0; shift -= 8) bytes[at++] = (uint8_t)(sum >> shift);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  nas_tensor *tensor = NULL;
  nas_error err = {0};
  uint8_t *content = malloc(size ? size : 1);
  require(content != NULL);
  if (size) memcpy(content, bytes, size);
  correct_checksums(content, size);
  nas_png_settings settings = {.background = size % 2 ? 200 : -1, .rgb = (int)(size % 2)};
  nas_status status = nas_png_read_memory(&tensor, content, size, "input", &settings, &err);
  if (status == NAS_OK) {
    int64_t channels = nas_tensor_dims(tensor)[2];
    require(nas_tensor_rank(tensor) == 3 && (channels == 3 || (channels == 1 && !settings.rgb)));
    require((size_t)nas_tensor_size(tensor) <= (size_t)1 << 28);
    require(nas_tensor_total(tensor, NAS_REDUCE_SUM) >= 0); /* reads every byte */
  } else {
    require(!tensor && err.code == status && err.text[0]);
  }
  nas_tensor_destroy(&tensor);
  free(content);
  require(nas_memory_used().blocks == 0);
  return 0;
}
