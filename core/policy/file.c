/* Policies in files: replaced as a whole, read as a whole. */
#include <nas/memory.h>
#include "file.h"
#include "format.h"
#include "policy_state.h"

nas_status nas_policy_save(const nas_policy *policy, const char *path, nas_error *err) {
  nas_text bytes = {0};
  nas_status status = nas_policy_encode(policy, &bytes, err);
  if (status == NAS_OK) status = nas_file_replace(path, bytes.data, bytes.size, err);
  nas_text_clear(&bytes);
  return status;
}

nas_status nas_policy_load(nas_policy **policy, const char *path, nas_error *err) {
  char *bytes;
  size_t size;
  *policy = NULL;
  nas_status status =
      nas_file_read(path, nas_format_magic, NAS_FORMAT_MAGIC_SIZE, &bytes, &size, err);
  if (status != NAS_OK) return status;
  status = nas_policy_decode(policy, bytes, size, err);
  if (status != NAS_OK) nas_file_fail(err, status, path);
  nas_free(bytes);
  return status;
}
