#include <nas/dataset.h>
#include "content.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <nas/memory.h>
#include <nas/random.h>

/* What becomes of an image. The identity of a split of lists depends on these numbers. */
enum { TRAINS, VALIDATES, LEFT_OUT };

void nas_split_default(nas_split *split) {
  *split = (nas_split){.validation = NAS_SPLIT_VALIDATION, .seed = NAS_SPLIT_SEED};
}

/* ---- Checks ---- */

static nas_status check_drawn(const nas_split *split, const nas_dataset *dataset, nas_error *err) {
  int64_t count = nas_dataset_count(dataset);
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
  if (split->stratified && nas_dataset_task(dataset) != NAS_TASK_CLASSES)
    return nas_fail(err, NAS_ARGUMENT,
                    "dataset: a stratified split of %s, whose targets are values; expected classes",
                    nas_dataset_name(dataset));
  return NAS_OK;
}

static nas_status check_listed(const nas_split *split, nas_error *err) {
  if (!split->training_list || !split->validation_list)
    return nas_fail(err, NAS_ARGUMENT,
                    "dataset: the list of %s images is not given; expected both "
                    "lists or none",
                    split->training_list ? "validation" : "training");
  if (split->limit || split->stratified)
    return nas_fail(err, NAS_ARGUMENT,
                    "dataset: a split of two lists with %s; expected no more than the lists",
                    split->limit ? "a limit" : "stratified set");
  return NAS_OK;
}

/* ---- Drawing: marks what validates in `fate`, which is all TRAINS ---- */

/* The first `validation` of a random order of members[count] validate. */
static void draw_from(nas_stream stream, const int32_t *members, int64_t count, int64_t validation,
                      int32_t *drawn, unsigned char *fate) {
  nas_stream_permutation(&stream, drawn, (size_t)count);
  for (int64_t i = 0; i < validation; i++) fate[members ? members[drawn[i]] : drawn[i]] = VALIDATES;
}

/* One class of a stratified split. */
typedef struct stratum {
  int64_t first, count; /* its members among all, ordered by class */
  int64_t validation;
  uint64_t remainder; /* of validation * count / all */
} stratum;

/* Counts the classes, and puts the positions into `members` ordered by class, then position. */
static void group(const nas_dataset *dataset, stratum *strata, int32_t *members) {
  int64_t count = nas_dataset_count(dataset), first = 0;
  int classes = nas_dataset_classes(dataset);
  for (int64_t i = 0; i < count; i++) strata[nas_dataset_label(dataset, i)].count++;
  for (int c = 0; c < classes; c++) {
    strata[c].first = first;
    first += strata[c].count;
    strata[c].count = 0;
  }
  for (int64_t i = 0; i < count; i++) {
    stratum *s = &strata[nas_dataset_label(dataset, i)];
    members[s->first + s->count++] = (int32_t)i;
  }
}

/* Larger remainders come first, and of equals the lower class. */
static int compare_remainders(const void *a, const void *b) {
  const stratum *x = *(stratum *const *)a, *y = *(stratum *const *)b;
  if (x->remainder != y->remainder) return x->remainder > y->remainder ? -1 : 1;
  return x < y ? -1 : x > y;
}

/* How many of each class validate: in proportion, rounded by largest remainders. */
static void share_out(stratum *strata, stratum **ranking, int classes, int64_t validation,
                      int64_t count) {
  int64_t left = validation;
  for (int c = 0; c < classes; c++) {
    uint64_t product = (uint64_t)validation * (uint64_t)strata[c].count;
    strata[c].validation = (int64_t)(product / (uint64_t)count);
    strata[c].remainder = product % (uint64_t)count;
    left -= strata[c].validation;
    ranking[c] = &strata[c];
  }
  qsort(ranking, (size_t)classes, sizeof *ranking, compare_remainders);
  for (int64_t r = 0; r < left; r++) ranking[r]->validation++;
}

static nas_status draw_stratified(const nas_dataset *dataset, const nas_split *split,
                                  int32_t *drawn, unsigned char *fate, nas_error *err) {
  int64_t count = nas_dataset_count(dataset);
  int classes = nas_dataset_classes(dataset);
  stratum *strata = nas_alloc_zero((size_t)classes, sizeof *strata);
  stratum **ranking = nas_alloc((size_t)classes, sizeof *ranking);
  int32_t *members = nas_alloc((size_t)count, sizeof *members);
  nas_status status = NAS_OK;
  if (strata && ranking && members) {
    group(dataset, strata, members);
    share_out(strata, ranking, classes, split->validation, count);
    for (int c = 0; c < classes; c++)
      draw_from(nas_stream_open(split->seed, "split", (uint64_t[]){(uint64_t)c}, 1),
                members + strata[c].first, strata[c].count, strata[c].validation, drawn, fate);
  } else {
    status = nas_fail_memory(err, "a stratified split", (size_t)count * sizeof *members);
  }
  nas_free(strata);
  nas_free(ranking);
  nas_free(members);
  return status;
}

static nas_status draw(const nas_dataset *dataset, const nas_split *split, unsigned char *fate,
                       nas_error *err) {
  int64_t count = nas_dataset_count(dataset);
  int32_t *drawn = nas_alloc((size_t)count, sizeof *drawn);
  nas_status status = NAS_OK;
  if (!drawn) return nas_fail_memory(err, "a split", (size_t)count * sizeof *drawn);
  if (split->stratified)
    status = draw_stratified(dataset, split, drawn, fate, err);
  else
    draw_from(nas_stream_open(split->seed, "split", NULL, 0), NULL, count, split->validation, drawn,
              fate);
  nas_free(drawn);
  return status;
}

/* ---- Lists: mark what trains and validates in `fate`, which is all LEFT_OUT ---- */

static nas_status mark(const int32_t *list, int64_t listed, const char *name, int mark_as,
                       unsigned char *fate, int64_t count, nas_error *err) {
  if (listed < 1)
    return nas_fail(err, NAS_ARGUMENT, "dataset: the list of %s images is empty", name);
  for (int64_t i = 0; i < listed; i++) {
    int32_t position = list[i];
    if (position < 0 || position >= count)
      return nas_fail(err, NAS_ARGUMENT,
                      "dataset: entry %" PRId64 " of the %s images is position %" PRId32
                      "; expected 0 to %" PRId64,
                      i, name, position, count - 1);
    if (fate[position] != LEFT_OUT)
      return nas_fail(err, NAS_ARGUMENT,
                      "dataset: entry %" PRId64 " of the %s images is position %" PRId32
                      ", which is listed twice; expected every image once",
                      i, name, position);
    fate[position] = (unsigned char)mark_as;
  }
  return NAS_OK;
}

static nas_status mark_lists(const nas_split *split, unsigned char *fate, int64_t count,
                             nas_error *err) {
  memset(fate, LEFT_OUT, (size_t)count);
  nas_status status =
      mark(split->training_list, split->training_count, "training", TRAINS, fate, count, err);
  if (status != NAS_OK) return status;
  return mark(split->validation_list, split->validation_count, "validation", VALIDATES, fate, count,
              err);
}

/* ---- Splitting ---- */

/* Puts the positions in their order; a limit leaves out the last ones that train. */
static void arrange(nas_dataset *dataset, const unsigned char *fate, int64_t limit) {
  int64_t count = nas_dataset_count(dataset), parts[3] = {0}, first[3];
  for (int64_t i = 0; i < count; i++) parts[fate[i]]++;
  first[TRAINS] = 0;
  first[LEFT_OUT] = parts[TRAINS];
  first[VALIDATES] = count - parts[VALIDATES];
  dataset->training = limit ? limit : parts[TRAINS];
  dataset->validation = parts[VALIDATES];
  for (int32_t i = 0; i < count; i++) dataset->order[first[fate[i]]++] = i;
}

/* Of the fates as they are, with one byte for each image, so that the order of a list and the way
 * it was given do not matter. */
static nas_drawn drawn_of(const nas_split *split, const unsigned char *fate, int64_t count) {
  if (!split->training_list)
    return (nas_drawn){.seed = split->seed, .stratified = split->stratified != 0};
  return (nas_drawn){.listed = 1, .lists = nas_hash_bytes(fate, (size_t)count)};
}

static nas_status standardize(nas_dataset *dataset, nas_error *err) {
  int dims[3];
  nas_content_dims(dataset->content, dims);
  double *mean = nas_alloc((size_t)dims[2], sizeof *mean);
  double *std = nas_alloc((size_t)dims[2], sizeof *std);
  nas_status status = NAS_OK;
  if (!mean || !std)
    status = nas_fail_memory(err, "a standardisation", (size_t)dims[2] * 2 * sizeof *mean);
  if (status == NAS_OK) status = nas_scaling_fit(dataset, mean, std, err);
  if (status == NAS_OK) status = nas_scaling_set(dataset, mean, std, err);
  nas_free(mean);
  nas_free(std);
  return status;
}

nas_status nas_dataset_split(nas_dataset **out, const nas_dataset *dataset, const nas_split *split,
                             nas_error *err) {
  nas_split preset;
  nas_dataset *made = NULL;
  unsigned char *fate = NULL;
  int64_t count = nas_dataset_count(dataset);
  *out = NULL;
  nas_split_default(&preset);
  if (!split) split = &preset;
  int listed = split->training_list || split->validation_list;
  nas_status status = listed ? check_listed(split, err) : check_drawn(split, dataset, err);
  if (status != NAS_OK) return status;
  fate = nas_alloc_zero((size_t)count, 1);
  if (!fate) return nas_fail_memory(err, "a split", (size_t)count);
  status = listed ? mark_lists(split, fate, count, err) : draw(dataset, split, fate, err);
  if (status != NAS_OK) goto done;
  status = nas_dataset_make(&made, dataset->content, err);
  if (status != NAS_OK) goto done;
  arrange(made, fate, listed ? 0 : split->limit);
  made->drawn = drawn_of(split, fate, count);
  status = split->standardize ? standardize(made, err) : nas_scaling_set(made, NULL, NULL, err);
  if (status != NAS_OK) goto done;
  *out = made;
  made = NULL;

done:
  nas_free(fate);
  nas_dataset_release(&made);
  return status;
}
