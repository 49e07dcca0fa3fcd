/* Trainings of each task, and archives that tests change. Included by one program each. */
#ifndef TESTS_MODELS_H
#define TESTS_MODELS_H

#include "datasets.h"
#include "tensor/tensors.h"
#include <nas/augment.h>
#include <nas/model.h>

/* -- settings --------------------------------------------------------------------------------- */

static inline void set_number(const nas_option_table *table, nas_option_value *values,
                              const char *name, double number) {
  nas_error err;
  check_ok(nas_options_set_number(table, values, nas_options_find(table, name, &err), number, &err),
           &err);
}

static inline void set_loss(nas_recipe *recipe, const char *loss) {
  recipe->loss = nas_layer_kind_find(loss, NULL);
  assert_non_null(recipe->loss);
  nas_options_default(&recipe->loss->options, recipe->loss_options);
}

/* A recipe with all that a state has to hold: two moments, an average, the best weights, a rate
 * that changes from step to step, random numbers of each epoch. */
static inline nas_recipe rich_recipe(void) {
  nas_recipe recipe = recipe_of(20, "adam", 0.02);
  recipe.clip_norm = 1;
  recipe.average = 0.9;
  recipe.top_k = 2;
  recipe.keep = NAS_KEEP_BEST;
  recipe.schedule = nas_schedule_find("cosine", NULL);
  assert_non_null(recipe.schedule);
  nas_options_default(&recipe.schedule->options, recipe.schedule_options);
  set_number(&recipe.schedule->options, recipe.schedule_options, "epochs", 10);
  set_number(&recipe.schedule->options, recipe.schedule_options, "warmup", 1);
  set_number(&nas_augment_table, recipe.augment, "flip", 0.5);
  return recipe;
}

/* -- data ------------------------------------------------------------------------------------- */

/* Takes the reference to all. */
static inline nas_dataset *split_of(nas_dataset *all, int64_t validation, int standardize) {
  nas_dataset *data;
  nas_split split;
  nas_error err;
  nas_split_default(&split);
  split.validation = validation;
  split.standardize = standardize;
  check_ok(nas_dataset_split(&data, all, &split, &err), &err);
  nas_dataset_release(&all);
  return data;
}

/* From parts whose tensors it takes. */
static inline nas_dataset *dataset_from(nas_dataset_parts parts, nas_tensor *inputs,
                                        nas_tensor *targets) {
  nas_dataset *data;
  nas_error err;
  parts.inputs = inputs;
  parts.targets = targets;
  check_ok(nas_dataset_create(&data, &parts, &err), &err);
  nas_tensor_destroy(&inputs);
  nas_tensor_destroy(&targets);
  return data;
}

static inline nas_tensor *uniform_tensor(nas_stream *dice, int rank, const int64_t *dims) {
  nas_tensor *tensor;
  nas_error err;
  check_ok(nas_tensor_create(&tensor, NAS_FLOAT32, rank, dims, &err), &err);
  fill_uniform(dice, nas_tensor_data(tensor), (size_t)nas_tensor_size(tensor));
  return tensor;
}

/* Rows of 5 features; targets are 3 values that depend on them. 60 train, 20 validate. */
static inline nas_dataset *values_data(int standardize) {
  nas_stream dice = nas_stream_open(2, "toy data", NULL, 0);
  nas_tensor *inputs = uniform_tensor(&dice, DIMS(80, 5)), *targets;
  nas_error err;
  check_ok(nas_tensor_create(&targets, NAS_FLOAT32, DIMS(80, 3), &err), &err);
  const float *x = nas_tensor_data(inputs);
  float *y = nas_tensor_data(targets);
  for (int n = 0; n < 80; n++)
    for (int k = 0; k < 3; k++) y[3 * n + k] = x[5 * n + k] - 2 * x[5 * n + k + 2];
  return split_of(dataset_from((nas_dataset_parts){.name = "toy values"}, inputs, targets), 20,
                  standardize);
}

/* Images of 6x5x2 of 4 classes with names, 51 of which train and 19 validate. */
static inline nas_dataset *classes_data(int standardize) {
  static const char *const names[] = {"Hut", "Schuh", "Mütze", "Weste"};
  nas_dataset *plain = toy_dataset(70, 6, 5, 2, 4, 19, 1);
  nas_tensor *inputs, *targets;
  nas_error err;
  check_ok(nas_tensor_create(&inputs, NAS_UINT8, DIMS(70, 6, 5, 2), &err), &err);
  check_ok(nas_tensor_create(&targets, NAS_INT32, DIMS(70), &err), &err);
  for (int n = 0; n < 70; n++) {
    memcpy((uint8_t *)nas_tensor_data(inputs) + n * 60, nas_dataset_pixels(plain, n), 60);
    ((int32_t *)nas_tensor_data(targets))[n] = nas_dataset_label(plain, n);
  }
  nas_dataset_release(&plain);
  nas_dataset_parts parts = {.name = "toy", .classes = 4, .class_names = names};
  return split_of(dataset_from(parts, inputs, targets), 19, standardize);
}

/* Rows of 3 features of two classes: whether their sum is above 0. */
static inline nas_dataset *pair_data(void) {
  nas_stream dice = nas_stream_open(3, "toy data", NULL, 0);
  nas_tensor *inputs = uniform_tensor(&dice, DIMS(90, 3)), *targets;
  nas_error err;
  check_ok(nas_tensor_create(&targets, NAS_INT32, DIMS(90), &err), &err);
  const float *x = nas_tensor_data(inputs);
  for (int n = 0; n < 90; n++)
    ((int32_t *)nas_tensor_data(targets))[n] = x[3 * n] + x[3 * n + 1] + x[3 * n + 2] > 0;
  return split_of(
      dataset_from((nas_dataset_parts){.name = "toy pair", .classes = 2}, inputs, targets), 33, 0);
}

/* -- subjects --------------------------------------------------------------------------------- */

typedef enum subject_kind { CLASSES, VALUES, PAIR, SUBJECTS } subject_kind;

static const char *const subject_networks[SUBJECTS] = {
    [CLASSES] = ("input size=6,5 channels=2; conv2d kernel=3 filters=5 bias=0; batch_norm; relu; "
                 "max_pool; dropout rate=0.2; dense units=4"),
    [VALUES] = "input size=0,0 channels=5; dense units=17; tanh; dense units=3",
    [PAIR] = "input size=0,0 channels=3; dense units=1",
};

/* A training. */
typedef struct subject {
  nas_pool *pool;
  nas_dataset *data;
  nas_recipe recipe;
  nas_trainer *trainer;
} subject;

static inline subject subject_of(subject_kind kind, int threads) {
  subject s = {.pool = pool_of(threads), .recipe = rich_recipe()};
  switch (kind) {
  case CLASSES: s.data = classes_data(1); break;
  case VALUES:
    s.data = values_data(1);
    s.recipe = recipe_of(16, "sgd", 0.1);
    set_loss(&s.recipe, "huber");
    break;
  default:
    s.data = pair_data();
    s.recipe = recipe_of(16, "adam", 0.05);
    set_loss(&s.recipe, "binary_cross_entropy");
  }
  s.trainer = trainer_of(stack(NULL, subject_networks[kind]), s.data, &s.recipe, 1, s.pool);
  return s;
}

static inline void subject_free(subject *s) {
  nas_trainer_destroy(&s->trainer);
  nas_dataset_release(&s->data);
  nas_pool_destroy(&s->pool);
}

static inline nas_model *model_of(const nas_trainer *trainer) {
  nas_model *model;
  nas_error err;
  check_ok(nas_model_create(&model, trainer, &err), &err);
  return model;
}

/* -- archives --------------------------------------------------------------------------------- */

static inline nas_archive *new_archive(void) {
  nas_archive *archive;
  nas_error err;
  check_ok(nas_archive_create(&archive, &err), &err);
  return archive;
}

static inline nas_archive *archive_of_model(const nas_model *model) {
  nas_archive *archive = new_archive();
  nas_error err;
  check_ok(nas_model_save(model, archive, &err), &err);
  return archive;
}

static inline nas_archive *archive_of_state(const nas_trainer *trainer) {
  nas_archive *archive = new_archive();
  nas_error err;
  check_ok(nas_trainer_save(trainer, archive, &err), &err);
  return archive;
}

/* The same without the key or tensor of that name. */
static inline nas_archive *archive_without(const nas_archive *from, const char *name) {
  nas_archive *archive = new_archive();
  nas_error err;
  for (int64_t i = 0; i < nas_archive_key_count(from); i++) {
    const char *key = nas_archive_key_at(from, i);
    if (strcmp(key, name) != 0)
      check_ok(nas_archive_set(archive, key, nas_archive_get(from, key), &err), &err);
  }
  for (int64_t i = 0; i < nas_archive_count(from); i++)
    if (strcmp(nas_archive_name_at(from, i), name) != 0)
      check_ok(nas_archive_add(archive, nas_archive_name_at(from, i),
                               nas_archive_tensor_at(from, i), &err),
               &err);
  return archive;
}

/* The same with another value of the key. */
static inline nas_archive *archive_with(const nas_archive *from, const char *key,
                                        const char *value) {
  nas_archive *archive = archive_without(from, "");
  nas_error err;
  check_ok(nas_archive_set(archive, key, value, &err), &err);
  return archive;
}

/* The same with another tensor of that name, behind the others; takes the tensor. */
static inline nas_archive *archive_with_tensor(const nas_archive *from, const char *name,
                                               nas_tensor *tensor) {
  nas_archive *archive = archive_without(from, name);
  nas_error err;
  check_ok(nas_archive_add(archive, name, tensor, &err), &err);
  nas_tensor_destroy(&tensor);
  return archive;
}

/* The caller clears. */
static inline nas_text bytes_of(const nas_archive *archive) {
  nas_text bytes = {0};
  nas_error err;
  check_ok(nas_archive_encode(archive, &bytes, &err), &err);
  return bytes;
}

static inline void check_same_bytes(const nas_archive *a, const nas_archive *b) {
  nas_text first = bytes_of(a), second = bytes_of(b);
  assert_int_equal(first.size, second.size);
  assert_memory_equal(first.data, second.data, first.size);
  nas_text_clear(&first);
  nas_text_clear(&second);
}

/* What a program would read from the file: takes the archive. */
static inline nas_archive *read_back(nas_archive *archive) {
  nas_text bytes = bytes_of(archive);
  nas_archive *back;
  nas_error err;
  check_ok(nas_archive_read_memory(&back, bytes.data, bytes.size, "file", &err), &err);
  nas_text_clear(&bytes);
  nas_archive_destroy(&archive);
  return back;
}

/* -- interrupts ------------------------------------------------------------------------------- */

/* A poll that interrupts at its stop_at-th call. */
typedef struct countdown {
  int calls, stop_at;
} countdown;

static inline int count_down(void *context) {
  countdown *c = context;
  return ++c->calls == c->stop_at;
}

#endif
