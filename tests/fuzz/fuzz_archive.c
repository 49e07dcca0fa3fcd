/* Feeds arbitrary bytes to the reader of archives: as they are, and with the header's length mended
 * to end at the last brace, so that mutations reach what is behind. What is accepted must be
 * written and read back the same, to the byte; what is refused says where. */
#include <stdlib.h>
#include <string.h>
#include <nas/archive.h>
#include <nas/memory.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(int truth) {
  if (!truth) abort();
}

static nas_text encode(const nas_archive *archive) {
  nas_text bytes = {0};
  nas_error err;
  require(nas_archive_encode(archive, &bytes, &err) == NAS_OK);
  return bytes;
}

static void use(const nas_archive *archive, size_t size) {
  nas_archive *after;
  nas_error err;
  nas_text once = encode(archive);
  require(nas_archive_read_memory(&after, once.data, once.size, "once", &err) == NAS_OK);
  nas_text twice = encode(after);
  require(once.size == twice.size && memcmp(once.data, twice.data, once.size) == 0);
  size_t elements = 0;
  for (int64_t i = 0; i < nas_archive_count(archive); i++) {
    const nas_tensor *tensor = nas_archive_tensor_at(archive, i);
    require(nas_archive_find(archive, nas_archive_name_at(archive, i)) == tensor);
    elements += (size_t)nas_tensor_size(tensor) * nas_dtype_size(nas_tensor_dtype(tensor));
  }
  require(elements < size);
  for (int64_t i = 0; i < nas_archive_key_count(archive); i++)
    require(nas_archive_get(archive, nas_archive_key_at(archive, i)) != NULL);
  nas_text_clear(&once);
  nas_text_clear(&twice);
  nas_archive_destroy(&after);
}

static void read_back(const uint8_t *bytes, size_t size) {
  nas_archive *archive;
  nas_error err = {0};
  nas_status status = nas_archive_read_memory(&archive, bytes, size, "fuzz", &err);
  if (status == NAS_OK)
    use(archive, size);
  else
    require(status == NAS_FORMAT && !archive && err.code == status &&
            strncmp(err.text, "\"fuzz\": ", 8) == 0);
  nas_archive_destroy(&archive);
  require(nas_memory_used().blocks == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  read_back(bytes, size);
  size_t end = size;
  while (end > 8 && bytes[end - 1] != '}') end--;
  if (end <= 8) return 0;
  uint8_t *mended = malloc(size);
  if (!mended) return 0;
  memcpy(mended, bytes, size);
  for (int i = 0; i < 8; i++) mended[i] = (uint8_t)((uint64_t)(end - 8) >> (8 * i));
  read_back(mended, size);
  free(mended);
  return 0;
}
