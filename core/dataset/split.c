#include <nas/dataset.h>
#include "content.h"
#include <inttypes.h>
#include <nas/memory.h>
#include <nas/random.h>
#include <string.h>

/* What an image is for. */
enum { TRAINS, VALIDATES, LEFT_OUT };

void nas_split_default(nas_split *split) {
  *split = (nas_split){.validation = NAS_SPLIT_VALIDATION, .seed = NAS_SPLIT_SEED};
}

static nas_status check_counts(const nas_split *split, int64_t count, nas_error *err) {
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

/* ---- Drawn ---- */

/* The images whose numbers come first in a random order validate. */
static void draw_all(int64_t count, const nas_split *split, int32_t *drawn, unsigned char *use) {
  nas_stream stream = nas_stream_open(split->seed, "split", NULL, 0);
  nas_stream_permutation(&stream, drawn, (size_t)count);
  for (int64_t i = 0; i < split->validation; i++) use[drawn[i]] = VALIDATES;
}

/* How many images of each class validate: floor(validation * size / count), and one more where the
 * remainder of that division is among the largest. */
static void share_out(const int64_t *sizes, int classes, int64_t validation, int64_t count,
                      int64_t *shares) {
  int64_t left = validation;
  for (int c = 0; c < classes; c++) {
    shares[c] = validation * sizes[c] / count;
    left -= shares[c];
  }
  for (; left > 0; left--) {
    int best = -1;
    int64_t best_rest = -1;
    for (int c = 0; c < classes; c++) {
      int64_t rest = validation * sizes[c] - shares[c] * count;
      if (rest > best_rest && shares[c] < sizes[c]) best = c, best_rest = rest;
    }
    shares[best]++;
  }
}

/* members and drawn are scratch for `count` images. */
static void draw_class(const nas_dataset *d, const nas_split *split, int class, int64_t share,
                       int32_t *members, int32_t *drawn, unsigned char *use) {
  const uint64_t address[] = {(uint64_t) class};
  int64_t size = 0;
  for (int64_t i = 0; i < nas_dataset_count(d); i++)
    if (nas_dataset_label(d, i) == class) members[size++] = (int32_t)i;
  nas_stream stream = nas_stream_open(split->seed, "split", address, 1);
  nas_stream_permutation(&stream, drawn, (size_t)size);
  for (int64_t i = 0; i < share; i++) use[members[drawn[i]]] = VALIDATES;
}

static nas_status draw_stratified(const nas_dataset *d, const nas_split *split, int32_t *drawn,
                                  unsigned char *use, nas_error *err) {
  int64_t count = nas_dataset_count(d);
  size_t classes = (size_t)d->classes;
  int64_t *sizes = nas_alloc_zero(classes, sizeof *sizes);
  int64_t *shares = nas_alloc_zero(classes, sizeof *shares);
  int32_t *members = nas_alloc((size_t)count, sizeof *members);
  int missing = !sizes || !shares || !members;
  if (!missing) {
    for (int64_t i = 0; i < count; i++) sizes[nas_dataset_label(d, i)]++;
    share_out(sizes, d->classes, split->validation, count, shares);
    for (int c = 0; c < d->classes; c++) draw_class(d, split, c, shares[c], members, drawn, use);
  }
  nas_free(sizes);
  nas_free(shares);
  nas_free(members);
  return missing ? nas_fail_memory(err, "a split", (size_t)count * 4) : NAS_OK;
}

static nas_status draw(nas_dataset *made, const nas_split *split, unsigned char *use,
                       nas_error *err) {
  int64_t count = nas_dataset_count(made);
  nas_status status = check_counts(split, count, err);
  if (status != NAS_OK) return status;
  if (split->stratified && !made->classes)
    return nas_fail(err, NAS_ARGUMENT,
                    "dataset: stratified, but the targets are values; only classes can be");
  int32_t *drawn = nas_alloc((size_t)count, sizeof *drawn);
  if (!drawn) return nas_fail_memory(err, "a split", (size_t)count * sizeof *drawn);
  if (split->stratified)
    status = draw_stratified(made, split, drawn, use, err);
  else
    draw_all(count, split, drawn, use);
  nas_free(drawn);
  made->split_seed = split->seed;
  made->stratified = split->stratified;
  return status;
}

/* ---- Listed ---- */

static nas_status take_list(const char *name, const int64_t *list, int64_t size, int64_t count,
                            unsigned char mark, unsigned char *use, nas_error *err) {
  if (size < 1 || !list)
    return nas_fail(err, NAS_ARGUMENT, "dataset: the list of images for %s is empty", name);
  for (int64_t i = 0; i < size; i++) {
    if (list[i] < 0 || list[i] >= count)
      return nas_fail(err, NAS_ARGUMENT,
                      "dataset: entry %" PRId64 " of the images for %s is position %" PRId64
                      "; expected 0 to %" PRId64,
                      i, name, list[i], count - 1);
    if (use[list[i]] != LEFT_OUT)
      return nas_fail(err, NAS_ARGUMENT,
                      "dataset: entry %" PRId64 " of the images for %s, position %" PRId64
                      ", is listed already",
                      i, name, list[i]);
    use[list[i]] = mark;
  }
  return NAS_OK;
}

static nas_status take_lists(nas_dataset *made, const nas_split *split, unsigned char *use,
                             nas_error *err) {
  int64_t count = nas_dataset_count(made);
  memset(use, LEFT_OUT, (size_t)count);
  nas_status status =
      take_list("training", split->training_list, split->training_count, count, TRAINS, use, err);
  if (status == NAS_OK)
    status = take_list("validation", split->validation_list, split->validation_count, count,
                       VALIDATES, use, err);
  made->listed = 1;
  made->lists = nas_hash_bytes(use, (size_t)count);
  return status;
}

/* ---- Both ---- */

/* Those that train to the front of order, those that validate to its back. A limit leaves out the
 * last of those that train. */
static void arrange(nas_dataset *made, const unsigned char *use, int64_t limit) {
  int64_t count = nas_dataset_count(made), at = 0;
  made->training = made->validation = 0;
  for (int mark = 0; mark < 3; mark++) {
    static const unsigned char marks[] = {TRAINS, LEFT_OUT, VALIDATES};
    for (int64_t i = 0; i < count; i++) {
      if (use[i] != marks[mark]) continue;
      made->order[at++] = (int32_t)i;
      made->training += use[i] == TRAINS;
      made->validation += use[i] == VALIDATES;
    }
  }
  if (limit) made->training = limit;
}

nas_status nas_dataset_split(nas_dataset **out, const nas_dataset *dataset, const nas_split *split,
                             nas_error *err) {
  nas_split preset;
  nas_dataset *made = NULL;
  size_t count = (size_t)nas_dataset_count(dataset);
  nas_split_default(&preset);
  if (!split) split = &preset;
  *out = NULL;
  int listed = split->training_list || split->validation_list;
  unsigned char *use = nas_alloc_zero(count, 1);
  nas_status status =
      use ? nas_content_share(&made, dataset, err) : nas_fail_memory(err, "a split", count);
  if (status == NAS_OK)
    status = listed ? take_lists(made, split, use, err) : draw(made, split, use, err);
  if (status == NAS_OK) {
    arrange(made, use, listed ? 0 : split->limit);
    status = split->standardize ? nas_content_standardize(made, err)
                                : nas_content_adopt(made, 0, NULL, NULL, err);
  }
  nas_free(use);
  if (status == NAS_OK)
    *out = made;
  else
    nas_dataset_release(&made);
  return status;
}

nas_status nas_dataset_adopt(nas_dataset **out, const nas_dataset *dataset, int count,
                             const double *mean, const double *std, nas_error *err) {
  nas_dataset *made;
  *out = NULL;
  nas_status status = nas_content_share(&made, dataset, err);
  if (status != NAS_OK) return status;
  memcpy(made->order, dataset->order, (size_t)nas_dataset_count(dataset) * sizeof *made->order);
  made->training = dataset->training;
  made->validation = dataset->validation;
  made->split_seed = dataset->split_seed;
  made->stratified = dataset->stratified;
  made->listed = dataset->listed;
  made->lists = dataset->lists;
  status = nas_content_adopt(made, count, mean, std, err);
  if (status == NAS_OK)
    *out = made;
  else
    nas_dataset_release(&made);
  return status;
}
