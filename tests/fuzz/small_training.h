/* The training whose states fuzz_model.c restores, and whose files make_models.c writes. */
#ifndef TESTS_SMALL_TRAINING_H
#define TESTS_SMALL_TRAINING_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <nas/model.h>
#include <nas/random.h>

static inline void require(int truth) {
  if (!truth) abort();
}

static inline nas_tensor *small_tensor(nas_dtype dtype, int rank, const int64_t *dims) {
  nas_tensor *tensor;
  require(nas_tensor_create(&tensor, dtype, rank, dims, NULL) == NAS_OK);
  return tensor;
}

/* `count` images of h x w x c, floats from 0 to 1, of `classes` classes by turns; or, with 0
 * classes, with `values` values that are zeros. */
static inline nas_dataset *small_images(int count, int h, int w, int c, int classes, int values) {
  static const char *const names[] = {"even", "odd"};
  nas_dataset *data;
  nas_tensor *inputs = small_tensor(NAS_FLOAT32, 4, (int64_t[]){count, h, w, c});
  nas_tensor *targets = classes ? small_tensor(NAS_INT32, 1, (int64_t[]){count})
                                : small_tensor(NAS_FLOAT32, 2, (int64_t[]){count, values});
  nas_stream dice = nas_stream_open(1, "small training", NULL, 0);
  float *pixels = nas_tensor_data(inputs);
  for (int64_t i = 0; i < nas_tensor_size(inputs); i++) pixels[i] = nas_stream_float(&dice);
  for (int n = 0; classes && n < count; n++) ((int32_t *)nas_tensor_data(targets))[n] = n % 2;
  nas_dataset_parts parts = {.name = "small",
                             .inputs = inputs,
                             .targets = targets,
                             .classes = classes,
                             .class_names = classes == 2 ? names : NULL};
  require(nas_dataset_create(&data, &parts, NULL) == NAS_OK);
  nas_tensor_destroy(&inputs);
  nas_tensor_destroy(&targets);
  return data;
}

/* 10 images train, 4 validate; takes the reference. */
static inline nas_dataset *small_split(nas_dataset *all) {
  nas_dataset *data;
  nas_split split;
  nas_split_default(&split);
  split.validation = 4;
  split.standardize = 1;
  require(nas_dataset_split(&data, all, &split, NULL) == NAS_OK);
  nas_dataset_release(&all);
  return data;
}

/* Of the text of a network. */
static inline nas_node *small_network(const char *text) {
  nas_node *node;
  nas_error err;
  if (nas_network_parse(&node, text, &err) != NAS_OK) {
    fprintf(stderr, "%s\n", err.text);
    abort();
  }
  return node;
}

#define SMALL_CLASSES                                                                              \
  "1 input size=2,2 channels=1\n"                                                                  \
  "2 batch_norm(1) momentum=0.9 epsilon=0.001\n"                                                   \
  "3 dense(2) units=2 bias=0 init=glorot_uniform init_range=0.05\n"

static inline nas_trainer *small_trainer(const char *network, nas_dataset *data, const char *loss,
                                         nas_pool *pool) {
  nas_trainer *trainer;
  nas_recipe recipe;
  nas_recipe_default(&recipe);
  recipe.batch = 4;
  recipe.average = 0.5;
  recipe.top_k = 1;
  recipe.keep = NAS_KEEP_BEST;
  recipe.loss = nas_layer_kind_find(loss, NULL);
  nas_options_default(&recipe.loss->options, recipe.loss_options);
  nas_training training = {
      .output = small_network(network), .data = data, .recipe = &recipe, .seed = 1, .pool = pool};
  require(nas_trainer_create(&trainer, &training, NULL) == NAS_OK);
  nas_node_release(&training.output);
  return trainer;
}

#endif
