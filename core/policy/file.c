/* Policies in files: replaced as a whole, read as a whole. */
#include <string.h>
#include <nas/memory.h>
#include "file.h"
#include "format.h"
#include "policy_state.h"

nas_status nas_policy_save(const nas_policy *policy, const char *path, nas_error *err) {
  nas_text bytes = {0};
  nas_replacement file;
  nas_status status = nas_policy_encode(policy, &bytes, err);
  if (status == NAS_OK) status = nas_replacement_begin(&file, path, err);
  if (status == NAS_OK) {
    status = nas_replacement_write(&file, bytes.data, bytes.size, err);
    status = nas_replacement_end(&file, status, err);
  }
  nas_text_clear(&bytes);
  return status;
}

static nas_status fail_with_path(nas_error *err, nas_status status, const char *path) {
  char text[sizeof err->text];
  if (!err) return status;
  memcpy(text, err->text, sizeof text);
  return nas_fail(err, status, "\"%.200s\": %s", path, text);
}

/* The signature comes first, so that a large file of another kind is not read. */
static nas_status read_policy(const nas_file *file, nas_policy **policy, nas_error *err) {
  unsigned char magic[NAS_FORMAT_MAGIC_SIZE] = {0};
  size_t count, size = (size_t)file->size;
  nas_status status = nas_file_read(file, 0, magic, sizeof magic, &count, err);
  if (status != NAS_OK) return status;
  if (memcmp(magic, nas_format_magic, sizeof magic) != 0) size = count;
  char *bytes = nas_alloc(size, 1);
  if (!bytes) return nas_fail_memory(err, "the bytes of a policy", size);
  status = nas_file_read(file, 0, bytes, size, &count, err);
  if (status == NAS_OK) {
    status = nas_policy_decode(policy, bytes, count, err);
    if (status != NAS_OK) fail_with_path(err, status, file->path);
  }
  nas_free(bytes);
  return status;
}

nas_status nas_policy_load(nas_policy **policy, const char *path, nas_error *err) {
  nas_file file;
  *policy = NULL;
  nas_status status = nas_file_open(&file, path, err);
  if (status != NAS_OK) return status;
  status = read_policy(&file, policy, err);
  nas_file_close(&file);
  return status;
}
