/* Small data sets for the tests of this module. */
#ifndef TESTS_SETS_H
#define TESTS_SETS_H

#include "../tensor/tensors.h"
#include <nas/dataset.h>
#include <nas/random.h>

/* Takes both tensors. */
static inline nas_dataset *set_of(nas_tensor *inputs, nas_tensor *targets, int classes) {
  nas_dataset *dataset;
  nas_error err = {0};
  const nas_dataset_parts parts = {
      .name = "set", .inputs = inputs, .targets = targets, .classes = classes};
  check_ok(nas_dataset_create(&dataset, &parts, &err), &err);
  nas_tensor_destroy(&inputs);
  nas_tensor_destroy(&targets);
  return dataset;
}

/* Random bytes, or floats from -2 to 2. */
static inline nas_tensor *noise(nas_dtype dtype, uint64_t seed, int rank, const int64_t *dims) {
  nas_tensor *tensor;
  nas_stream dice = nas_stream_open(seed, "noise", NULL, 0);
  check_ok(nas_tensor_create(&tensor, dtype, rank, dims, NULL), NULL);
  void *data = nas_tensor_data(tensor);
  for (int64_t i = 0; i < nas_tensor_size(tensor); i++) {
    if (dtype == NAS_UINT8)
      ((uint8_t *)data)[i] = (uint8_t)nas_stream_below(&dice, 256);
    else
      ((float *)data)[i] = 4 * nas_stream_float(&dice) - 2;
  }
  return tensor;
}

/* Labels i % classes. */
static inline nas_tensor *labels_in_turn(int64_t count, int classes) {
  nas_tensor *labels;
  check_ok(nas_tensor_create(&labels, NAS_INT32, DIMS(count), NULL), NULL);
  for (int64_t i = 0; i < count; i++)
    ((int32_t *)nas_tensor_data(labels))[i] = (int32_t)(i % classes);
  return labels;
}

static inline nas_dataset *split_by(const nas_dataset *dataset, const nas_split *settings) {
  nas_dataset *split;
  nas_error err = {0};
  check_ok(nas_dataset_split(&split, dataset, settings, &err), &err);
  return split;
}

/* The line; valid until the fourth call from now. */
static inline const char *identity_of(const nas_dataset *dataset) {
  static char lines[4][400];
  static int turn;
  nas_text text = {0};
  turn = (turn + 1) % 4;
  nas_dataset_identity(dataset, &text);
  assert_false(text.failed);
  snprintf(lines[turn], sizeof lines[turn], "%s", text.data);
  nas_text_clear(&text);
  return lines[turn];
}

#endif
