/* Small data sets and trainers. Included by one program each. */
#ifndef TESTS_DATASETS_H
#define TESTS_DATASETS_H

#include "nn/networks.h"
#include <nas/trainer.h>

/* From bytes [count][height][width][channels] and labels, the last `validation` of a random order
 * to validate. */
static inline nas_dataset *dataset_of(const uint8_t *pixels, const int32_t *labels, int count,
                                      int height, int width, int channels, int classes,
                                      int validation) {
  nas_tensor *images, *classes_of;
  nas_dataset *all, *data;
  nas_error err;
  nas_split split;
  const int64_t dims[] = {count, height, width, channels};
  check_ok(nas_tensor_create(&images, NAS_UINT8, 4, dims, &err), &err);
  check_ok(nas_tensor_create(&classes_of, NAS_INT32, 1, dims, &err), &err);
  memcpy(nas_tensor_data(images), pixels, (size_t)nas_tensor_size(images));
  memcpy(nas_tensor_data(classes_of), labels, (size_t)count * sizeof *labels);
  nas_dataset_parts parts = {
      .name = "toy", .inputs = images, .targets = classes_of, .classes = classes};
  check_ok(nas_dataset_create(&all, &parts, &err), &err);
  nas_split_default(&split);
  split.validation = validation;
  check_ok(nas_dataset_split(&data, all, &split, &err), &err);
  nas_dataset_release(&all);
  nas_tensor_destroy(&images);
  nas_tensor_destroy(&classes_of);
  return data;
}

/* Noise, with one bright row of pixels for each class when `separable`. */
static inline nas_dataset *toy_dataset(int count, int height, int width, int channels, int classes,
                                       int validation, int separable) {
  size_t row = (size_t)width * (size_t)channels, size = (size_t)height * row;
  uint8_t *pixels = nas_alloc((size_t)count * size, 1);
  int32_t *labels = nas_alloc((size_t)count, sizeof *labels);
  assert_true(pixels && labels);
  nas_stream dice = nas_stream_open(1, "toy data", NULL, 0);
  for (int n = 0; n < count; n++) {
    labels[n] = between(&dice, 0, classes - 1);
    for (size_t i = 0; i < size; i++) {
      int bright = separable && (int)(i / row) == labels[n] % height;
      pixels[(size_t)n * size + i] = (uint8_t)(between(&dice, 0, 150) + (bright ? 105 : 0));
    }
  }
  nas_dataset *data =
      dataset_of(pixels, labels, count, height, width, channels, classes, validation);
  nas_free(pixels);
  nas_free(labels);
  return data;
}

static inline nas_recipe recipe_of(int batch, const char *optimizer, double rate) {
  nas_recipe recipe;
  nas_error err;
  nas_recipe_default(&recipe);
  recipe.batch = batch;
  recipe.optimizer = nas_optimizer_find(optimizer, &err);
  assert_non_null(recipe.optimizer);
  const nas_option_table *table = &recipe.optimizer->options;
  nas_options_default(table, recipe.optimizer_options);
  check_ok(nas_options_set_number(table, recipe.optimizer_options,
                                  nas_options_find(table, "rate", &err), rate, &err),
           &err);
  return recipe;
}

static inline nas_pool *pool_of(int threads) {
  nas_pool *pool;
  nas_error err;
  check_ok(nas_pool_create(&pool, threads, &err), &err);
  return pool;
}

/* Takes the reference to the output. */
static inline nas_trainer *trainer_with(nas_training training) {
  nas_trainer *trainer;
  nas_error err;
  check_ok(nas_trainer_create(&trainer, &training, &err), &err);
  nas_node_release(&training.output);
  return trainer;
}

/* Takes the reference to output. */
static inline nas_trainer *trainer_of(nas_node *output, nas_dataset *data, const nas_recipe *recipe,
                                      uint64_t seed, nas_pool *pool) {
  return trainer_with(
      (nas_training){.output = output, .data = data, .recipe = recipe, .seed = seed, .pool = pool});
}

static inline nas_epoch epoch_of(nas_trainer *trainer) {
  nas_epoch epoch;
  nas_error err;
  check_ok(nas_trainer_epoch(trainer, NULL, NULL, &epoch, &err), &err);
  return epoch;
}

static inline nas_hash digest_of(const nas_trainer *trainer) {
  nas_hash digest;
  nas_error err;
  check_ok(nas_trainer_digest(trainer, &digest, &err), &err);
  return digest;
}

#endif
