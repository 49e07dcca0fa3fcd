/* Feeds arbitrary bytes to the CIFAR reader: the first chooses the kind; the others, repeated to
 * make some records, are the file's content. */
#include <stdlib.h>
#include <string.h>
#include <nas/cifar.h>
#include <nas/memory.h>

#define CONTENT_MAX (3 * 3074 + 1)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(int truth) {
  if (!truth) abort();
}

/* A record is longer than what a fuzzer likes: the second and third byte give the length. */
static size_t make_content(uint8_t *content, const uint8_t *bytes, size_t size) {
  size_t length = ((size_t)bytes[0] << 8 | bytes[1]) % (CONTENT_MAX + 1);
  bytes += 2;
  size -= 2;
  for (size_t i = 0; i < length; i++) content[i] = size ? bytes[i % size] : 0;
  return length;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  nas_tensor *images = NULL, *labels = NULL;
  nas_error err = {0};
  if (size < 3) return 0;
  nas_cifar_kind kind = bytes[0] % 3;
  uint8_t *content = malloc(CONTENT_MAX);
  require(content != NULL);
  size_t length = make_content(content, bytes + 1, size - 1);
  uint8_t *exact = malloc(length ? length : 1); /* so that sanitizers notice a read beyond it */
  require(exact != NULL);
  memcpy(exact, content, length);
  nas_status status = nas_cifar_read_memory(&images, &labels, exact, length, "input", kind, &err);
  if (status == NAS_OK) {
    size_t record = kind == NAS_CIFAR_10 ? 3073 : 3074;
    require((size_t)nas_tensor_size(labels) * record == length);
    require((size_t)nas_tensor_size(images) == (size_t)nas_tensor_size(labels) * 3072);
    require(nas_tensor_total(labels, NAS_REDUCE_MAX) < nas_cifar_classes(kind));
    require(nas_tensor_total(images, NAS_REDUCE_SUM) >= 0);
  } else {
    require(!images && !labels && err.code == status && err.text[0]);
  }
  nas_tensor_destroy(&images);
  nas_tensor_destroy(&labels);
  free(content);
  free(exact);
  require(nas_memory_used().blocks == 0);
  return 0;
}
