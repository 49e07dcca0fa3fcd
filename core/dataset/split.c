#include <nas/dataset.h>
#include "content.h"
#include <inttypes.h>
#include <nas/memory.h>
#include <nas/random.h>

void nas_split_default(nas_split *split) {
  *split = (nas_split){.validation = NAS_SPLIT_VALIDATION, .seed = NAS_SPLIT_SEED};
}

static nas_status check_split(const nas_split *split, int64_t count, nas_error *err) {
  if (split->validation < 1 || split->validation >= count)
    return nas_fail(err, NAS_ARGUMENT,
                    "dataset: %" PRId64 " images for validation; expected 1 to %" PRId64
                    " of the %" PRId64 " images",
                    split->validation, count - 1, count);
  if (split->limit < 0 || split->limit > count - split->validation)
    return nas_fail(err, NAS_ARGUMENT,
                    "dataset: a limit of %" PRId64 " training images; expected 1 to %" PRId64
                    ", or 0 for all",
                    split->limit, count - split->validation);
  return NAS_OK;
}

/* Puts those that train to the front of order and those that validate to its back. The images whose
 * numbers come first in a random order validate. */
static nas_status draw(int32_t *order, int64_t count, const nas_split *split, nas_error *err) {
  size_t size = (size_t)count;
  int32_t *drawn = nas_alloc(size, sizeof *drawn);
  unsigned char *validates = nas_alloc_zero(size, 1);
  nas_status status = NAS_OK;
  if (!drawn || !validates) {
    status = nas_fail_memory(err, "a split", size * (sizeof *drawn + 1));
    goto done;
  }
  nas_stream stream = nas_stream_open(split->seed, "split", NULL, 0);
  nas_stream_permutation(&stream, drawn, size);
  for (int64_t i = 0; i < split->validation; i++) validates[drawn[i]] = 1;
  int32_t *training = order, *validation = order + count - split->validation;
  for (int32_t i = 0; i < count; i++) {
    if (validates[i])
      *validation++ = i;
    else
      *training++ = i;
  }

done:
  nas_free(drawn);
  nas_free(validates);
  return status;
}

nas_status nas_dataset_split(nas_dataset **out, const nas_dataset *dataset, const nas_split *split,
                             nas_error *err) {
  nas_split preset;
  nas_tensor *images = NULL, *labels = NULL;
  nas_dataset *made = NULL;
  int64_t count = nas_dataset_count(dataset);
  *out = NULL;
  nas_split_default(&preset);
  if (!split) split = &preset;
  nas_status status = check_split(split, count, err);
  if (status != NAS_OK) return status;
  status = nas_tensor_view(&images, dataset->images, err);
  if (status != NAS_OK) goto done;
  status = nas_tensor_view(&labels, dataset->labels, err);
  if (status != NAS_OK) goto done;
  status = nas_content_create(&made, dataset->name, &images, &labels, dataset->classes,
                              dataset->fingerprint, err);
  if (status != NAS_OK) goto done;
  status = draw(made->order, count, split, err);
  if (status != NAS_OK) goto done;
  made->split_seed = split->seed;
  made->validation = split->validation;
  made->training = split->limit ? split->limit : count - split->validation;
  *out = made;
  made = NULL;

done:
  nas_tensor_destroy(&images);
  nas_tensor_destroy(&labels);
  nas_dataset_release(&made);
  return status;
}
