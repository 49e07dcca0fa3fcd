#include "models.h"

static void check_metrics(const nas_metrics *a, const nas_metrics *b) {
  assert_memory_equal(a, b, sizeof *a);
}

static nas_metrics evaluate(const nas_model *model, const nas_dataset *data, nas_part part,
                            nas_pool *pool, int32_t *predicted) {
  nas_metrics metrics;
  nas_error err;
  check_ok(nas_model_evaluate(model, data, part, pool, NULL, NULL, &metrics, predicted, &err),
           &err);
  return metrics;
}

/* Inputs of a data set as tensors of floats, before they are standardised; only for the subjects'
 * data. */
static nas_tensor *inputs_of(const nas_dataset *data) {
  nas_dataset *plain;
  nas_tensor *inputs;
  nas_error err;
  int dims[3], rank = nas_dataset_input_shape(data, dims), row = dims[0];
  int64_t sizes[4] = {nas_dataset_count(data), dims[0], dims[1], dims[2]};
  if (rank == 3) row *= dims[1] * dims[2];
  check_ok(nas_dataset_adopt(&plain, data, 0, NULL, NULL, &err), &err);
  check_ok(nas_tensor_create(&inputs, NAS_FLOAT32, rank + 1, sizes, &err), &err);
  float *to = nas_tensor_data(inputs);
  for (int64_t i = 0; i < sizes[0]; i++)
    nas_dataset_read_input(plain, i, NULL, to + i * row, rank == 3 ? dims[1] * dims[2] : row);
  nas_dataset_release(&plain);
  return inputs;
}

static nas_tensor *outputs_of(const nas_model *model, const nas_tensor *inputs, nas_pool *pool) {
  nas_tensor *outputs;
  nas_error err;
  check_ok(nas_model_outputs(model, inputs, pool, NULL, NULL, &outputs, &err), &err);
  return outputs;
}

/* -- evaluation ------------------------------------------------------------------------------- */

/* A model of the weights that the last epoch was validated with has the same metrics, to the bit,
 * at any number of threads; and the same predictions. */
static void agrees_with_the_last_epoch(void **state) {
  (void)state;
  for (int kind = 0; kind < SUBJECTS; kind++) {
    subject s = subject_of(kind, 2);
    s.recipe.keep = NAS_KEEP_LAST;
    nas_trainer_destroy(&s.trainer);
    s.trainer = trainer_of(stack(NULL, subject_networks[kind]), s.data, &s.recipe, 1, s.pool);
    nas_epoch epoch = {0};
    for (int e = 0; e < 3; e++) epoch = epoch_of(s.trainer);
    nas_model *model = model_of(s.trainer);
    assert_int_equal(nas_model_epoch(model), 3);
    const int32_t *expected = nas_trainer_predicted(s.trainer);
    for (int threads = 1; threads < 4; threads++) {
      nas_pool *pool = pool_of(threads);
      int32_t predicted[40];
      nas_metrics metrics = evaluate(model, s.data, NAS_PART_VALIDATION, pool, predicted);
      check_metrics(&metrics, &epoch.validation);
      int64_t count;
      nas_dataset_validation(s.data, &count);
      if (expected) assert_memory_equal(predicted, expected, (size_t)count * sizeof *predicted);
      nas_pool_destroy(&pool);
    }
    assert_true((expected != NULL) == (kind != VALUES));
    nas_model_destroy(&model);
    subject_free(&s);
  }
}

/* Which algorithm computes its convolutions is part of a model: so it has the bits of its training,
 * with an average of weights, too, and after it was in a file. */
static void keeps_the_algorithm(void **state) {
  (void)state;
  static const char network[] = "input size=6,5 channels=2; zero_pad bottom=2 right=3; conv2d "
                                "kernel=1 filters=16; conv2d kernel=3 filters=17; relu; "
                                "global_avg_pool; dense units=4";
  subject s = subject_of(CLASSES, 2);
  double losses[2];
  for (int winograd = 0; winograd < 2; winograd++) {
    s.recipe.winograd = winograd;
    s.recipe.keep = NAS_KEEP_LAST;
    s.recipe.average = 0.9;
    nas_trainer_destroy(&s.trainer);
    s.trainer = trainer_of(stack(NULL, network), s.data, &s.recipe, 1, s.pool);
    epoch_of(s.trainer);
    nas_epoch epoch = epoch_of(s.trainer);
    nas_model *model = model_of(s.trainer), *loaded;
    nas_archive *archive = archive_of_model(model);
    nas_error err;
    check_ok(nas_model_load(&loaded, archive, &err), &err);
    nas_metrics metrics = evaluate(model, s.data, NAS_PART_VALIDATION, s.pool, NULL);
    check_metrics(&metrics, &epoch.validation);
    metrics = evaluate(loaded, s.data, NAS_PART_VALIDATION, s.pool, NULL);
    check_metrics(&metrics, &epoch.validation);
    losses[winograd] = metrics.loss;
    nas_archive_destroy(&archive);
    nas_model_destroy(&model);
    nas_model_destroy(&loaded);
  }
  assert_true(losses[0] != losses[1]); /* else the test shows nothing */
  check_near(losses[0], losses[1], 1e-2);
  subject_free(&s);
}

/* Before the first epoch a model has the initial weights; with keep = best, those of the best
 * epoch, whatever came after it. */
static void keeps_the_best(void **state) {
  (void)state;
  subject s = subject_of(CLASSES, 2);
  nas_model *model = model_of(s.trainer), *best = NULL;
  nas_metrics expected = {0};
  assert_int_equal(nas_model_epoch(model), 0);
  evaluate(model, s.data, NAS_PART_VALIDATION, s.pool, NULL);
  nas_model_destroy(&model);
  int best_epoch = 0, later = 0;
  for (int e = 1; e <= 12; e++) {
    nas_epoch epoch = epoch_of(s.trainer);
    if (epoch.best == e) {
      best_epoch = e;
      expected = epoch.validation;
    }
    later += epoch.best < e;
    assert_int_equal(nas_trainer_best_epoch(s.trainer), best_epoch);
  }
  assert_true(later > 0); /* else the test shows nothing */
  best = model_of(s.trainer);
  assert_int_equal(nas_model_epoch(best), best_epoch);
  nas_metrics metrics = evaluate(best, s.data, NAS_PART_VALIDATION, s.pool, NULL);
  check_metrics(&metrics, &expected);
  nas_model_destroy(&best);
  subject_free(&s);
}

/* The parts have the images that they say, and predictions in their order. */
static void parts(void **state) {
  (void)state;
  subject s = subject_of(CLASSES, 2);
  epoch_of(s.trainer);
  nas_model *model = model_of(s.trainer);
  int32_t all[70], some[70];
  double right = 0;
  nas_metrics metrics = evaluate(model, s.data, NAS_PART_ALL, s.pool, all);
  double accuracy = metrics.accuracy;
  for (int part = NAS_PART_TRAINING; part <= NAS_PART_VALIDATION; part++) {
    int64_t count;
    const int32_t *images = nas_part_images(s.data, part, &count);
    assert_int_equal(count, part == NAS_PART_TRAINING ? 51 : 19);
    metrics = evaluate(model, s.data, part, s.pool, some);
    for (int64_t i = 0; i < count; i++) assert_int_equal(some[i], all[images[i]]);
    right += metrics.accuracy * (double)count;
  }
  check_near(accuracy, right / 70, 1e-12);
  nas_model_destroy(&model);
  subject_free(&s);
}

static void confusion(void **state) {
  (void)state;
  subject s = subject_of(CLASSES, 2);
  epoch_of(s.trainer);
  nas_model *model = model_of(s.trainer);
  for (int part = NAS_PART_TRAINING; part <= NAS_PART_ALL; part++) {
    int32_t predicted[70];
    int64_t matrix[16] = {0}, expected[16] = {0}, count, right = 0;
    const int32_t *images = nas_part_images(s.data, part, &count);
    nas_metrics metrics = evaluate(model, s.data, part, s.pool, predicted);
    nas_model_confusion(s.data, part, predicted, matrix);
    for (int64_t i = 0; i < count; i++)
      expected[4 * nas_dataset_label(s.data, images ? images[i] : i) + predicted[i]]++;
    assert_memory_equal(matrix, expected, sizeof matrix);
    for (int c = 0; c < 4; c++) right += matrix[5 * c];
    assert_true(metrics.accuracy == (double)right / (double)count);
  }
  nas_model_destroy(&model);
  subject_free(&s);
}

/* -- outputs ---------------------------------------------------------------------------------- */

/* Mean loss, accuracy and absolute error of outputs, computed here. */
static nas_metrics naive_metrics(subject_kind kind, const nas_dataset *data, const float *z) {
  int64_t count = nas_dataset_count(data);
  nas_metrics m = {0};
  for (int64_t n = 0; n < count; n++) {
    int32_t label = nas_dataset_label(data, n);
    if (kind == CLASSES) {
      double sum = 0;
      int best = 0;
      for (int k = 0; k < 4; k++) sum += exp((double)z[4 * n + k]);
      for (int k = 1; k < 4; k++)
        if (z[4 * n + k] > z[4 * n + best]) best = k;
      m.loss += log(sum) - (double)z[4 * n + label];
      m.accuracy += best == label;
    } else if (kind == PAIR) {
      double p = 1 / (1 + exp(-(double)z[n]));
      m.loss -= label ? log(p) : log(1 - p);
      m.accuracy += (p > 0.5) == label;
    } else {
      float y[3];
      nas_dataset_read_target(data, n, y);
      for (int k = 0; k < 3; k++) {
        double e = fabs((double)z[3 * n + k] - (double)y[k]);
        m.loss += (e > 1 ? e - 0.5 : e * e / 2) / 3;
        m.mean_absolute_error += e / 3;
      }
    }
  }
  m.loss /= (double)count;
  m.accuracy /= (double)count;
  m.mean_absolute_error /= (double)count;
  return m;
}

/* Outputs for the inputs of a data set, not standardised, are those that its metrics come from. */
static void outputs(void **state) {
  (void)state;
  static const int units[SUBJECTS] = {4, 3, 1};
  for (int kind = 0; kind < SUBJECTS; kind++) {
    subject s = subject_of(kind, 2);
    epoch_of(s.trainer);
    nas_model *model = model_of(s.trainer);
    nas_tensor *inputs = inputs_of(s.data), *first = outputs_of(model, inputs, s.pool);
    assert_int_equal(nas_tensor_rank(first), 2);
    assert_int_equal(nas_tensor_dims(first)[0], nas_dataset_count(s.data));
    assert_int_equal(nas_tensor_dims(first)[1], units[kind]);
    nas_metrics expected = naive_metrics(kind, s.data, nas_tensor_data(first));
    nas_metrics metrics = evaluate(model, s.data, NAS_PART_ALL, s.pool, NULL);
    check_near(metrics.loss, expected.loss, 1e-6);
    check_near(metrics.accuracy, expected.accuracy, 1e-12);
    check_near(metrics.mean_absolute_error, expected.mean_absolute_error, 1e-12);
    nas_pool *alone = pool_of(1);
    nas_tensor *second = outputs_of(model, inputs, alone);
    assert_memory_equal(nas_tensor_data(first), nas_tensor_data(second),
                        (size_t)nas_tensor_size(first) * sizeof(float));
    nas_tensor_destroy(&inputs);
    nas_tensor_destroy(&first);
    nas_tensor_destroy(&second);
    nas_pool_destroy(&alone);
    nas_model_destroy(&model);
    subject_free(&s);
  }
}

static void probabilities(void **state) {
  (void)state;
  for (int kind = 0; kind < SUBJECTS; kind++) {
    if (kind == VALUES) continue;
    subject s = subject_of(kind, 2);
    nas_model *model = model_of(s.trainer);
    int units = kind == CLASSES ? 4 : 1;
    static const double logits[] = {-1000, 3, 2.5, 1000, 0, 0, 0, 0, -1, 0.5, 7, -3};
    nas_tensor *z = tensor_of(NAS_FLOAT32, logits, DIMS(12 / units, units));
    nas_model_probabilities(model, z);
    for (int n = 0; n < 12 / units; n++) {
      const double *row = logits + n * units;
      double sum = 0, max = row[0];
      for (int k = 1; k < units; k++) max = fmax(max, row[k]);
      for (int k = 0; k < units; k++) sum += exp(row[k] - max);
      for (int k = 0; k < units; k++)
        check_near(element_at(z, n * units + k),
                   units == 1 ? 1 / (1 + exp(-row[0])) : exp(row[k] - max) / sum, 1e-7);
    }
    nas_tensor_destroy(&z);
    nas_model_destroy(&model);
    subject_free(&s);
  }
}

/* -- what it is ------------------------------------------------------------------------------- */

static void looking(void **state) {
  (void)state;
  subject s = subject_of(CLASSES, 1);
  nas_model *model = model_of(s.trainer);
  nas_text recipe = {0};
  nas_recipe_text(&s.recipe, &recipe);
  assert_string_equal(nas_model_recipe(model), recipe.data);
  nas_text_clear(&recipe);
  assert_string_equal(nas_model_data(model), "toy");
  assert_int_equal(nas_model_task(model), NAS_TASK_CLASSES);
  assert_int_equal(nas_model_classes(model), 4);
  assert_string_equal(nas_model_class_name(model, 2), "Mütze");
  check_contains(nas_network_text(nas_model_network(model)), "softmax_cross_entropy(");
  assert_string_equal(nas_node_kind(nas_model_output(model))->name, "dense");
  nas_model_destroy(&model);
  nas_model_destroy(&model);
  nas_model_destroy(NULL);
  subject_free(&s);
  s = subject_of(VALUES, 1);
  model = model_of(s.trainer);
  assert_int_equal(nas_model_task(model), NAS_TASK_VALUES);
  assert_int_equal(nas_model_classes(model), 0);
  assert_null(nas_model_class_name(model, 0));
  nas_model_destroy(&model);
  subject_free(&s);
}

/* A model keeps what it needs of trainer and data, and stays as it is when training goes on. */
static void stands_alone(void **state) {
  (void)state;
  subject s = subject_of(CLASSES, 2);
  epoch_of(s.trainer);
  nas_model *model = model_of(s.trainer);
  nas_tensor *inputs = inputs_of(s.data), *before = outputs_of(model, inputs, s.pool);
  epoch_of(s.trainer);
  nas_trainer_destroy(&s.trainer);
  nas_dataset_release(&s.data);
  nas_tensor *after = outputs_of(model, inputs, s.pool);
  assert_memory_equal(nas_tensor_data(before), nas_tensor_data(after),
                      (size_t)nas_tensor_size(before) * sizeof(float));
  nas_tensor_destroy(&inputs);
  nas_tensor_destroy(&before);
  nas_tensor_destroy(&after);
  nas_model_destroy(&model);
  subject_free(&s);
}

/* -- refusals --------------------------------------------------------------------------------- */

static void check_refused_data(const nas_model *model, const nas_dataset *data, nas_part part,
                               nas_pool *pool, const char *message) {
  nas_metrics metrics = {.loss = 7};
  nas_error err = {0};
  assert_int_equal(nas_model_evaluate(model, data, part, pool, NULL, NULL, &metrics, NULL, &err),
                   NAS_ARGUMENT);
  assert_int_equal(err.code, NAS_ARGUMENT);
  assert_string_equal(err.text, message);
  assert_true(metrics.loss == 7);
}

static void refused_data(void **state) {
  (void)state;
  subject classes = subject_of(CLASSES, 1), values = subject_of(VALUES, 1);
  nas_model *of_classes = model_of(classes.trainer), *of_values = model_of(values.trainer);
  nas_dataset *larger = toy_dataset(20, 6, 5, 3, 4, 5, 0),
              *more = toy_dataset(20, 6, 5, 2, 5, 5, 0);
  nas_dataset *unsplit;
  check_refused_data(of_classes, values.data, NAS_PART_ALL, classes.pool,
                     "the model was trained for classes; toy values has values");
  check_refused_data(of_values, classes.data, NAS_PART_ALL, classes.pool,
                     "the model was trained for values; toy has classes");
  check_refused_data(of_classes, larger, NAS_PART_ALL, classes.pool,
                     "the model takes inputs of 6x5x2; those of toy have 6x5x3");
  check_refused_data(of_classes, more, NAS_PART_ALL, classes.pool,
                     "the model was trained for 4 classes; toy has 5");
  nas_tensor *inputs = counting(NAS_FLOAT32, DIMS(4, 5)),
             *targets = counting(NAS_FLOAT32, DIMS(4, 2));
  unsplit = dataset_from((nas_dataset_parts){.name = "others"}, inputs, targets);
  check_refused_data(of_values, unsplit, NAS_PART_ALL, classes.pool,
                     "the model was trained for 3 target values; others has 2");
  nas_dataset_release(&unsplit);
  inputs = counting(NAS_FLOAT32, DIMS(4, 6)), targets = counting(NAS_FLOAT32, DIMS(4, 3));
  unsplit = dataset_from((nas_dataset_parts){.name = "others"}, inputs, targets);
  check_refused_data(of_values, unsplit, NAS_PART_ALL, classes.pool,
                     "the model takes inputs of 5; those of others have 6");
  check_refused_data(of_values, unsplit, NAS_PART_VALIDATION, classes.pool,
                     "others has no images in that part; split it first");
  nas_dataset_release(&unsplit);
  inputs = counting(NAS_FLOAT32, DIMS(4, 6, 5, 1));
  nas_tensor *out = inputs;
  check_refused(nas_model_outputs(of_classes, inputs, classes.pool, NULL, NULL, &out, &err),
                NAS_ARGUMENT, out,
                "the model takes inputs of 6x5x2; those of the inputs have 6x5x1");
  nas_tensor_destroy(&inputs);
  inputs = counting(NAS_INT32, DIMS(4, 5));
  check_refused(nas_model_outputs(of_values, inputs, classes.pool, NULL, NULL, &out, &err),
                NAS_ARGUMENT, out, "is int32 [4, 5]; expected uint8 or float32");
  nas_tensor_destroy(&inputs);
  nas_dataset_release(&larger);
  nas_dataset_release(&more);
  nas_model_destroy(&of_classes);
  nas_model_destroy(&of_values);
  subject_free(&classes);
  subject_free(&values);
}

/* -- interrupts ------------------------------------------------------------------------------- */

/* One thread polls after each of the groups; what is interrupted leaves nothing behind, and the
 * model as it was. */
static void interruption(void **state) {
  (void)state;
  subject s = subject_of(CLASSES, 1);
  nas_model *model = model_of(s.trainer);
  nas_tensor *inputs = inputs_of(s.data), *out = inputs;
  nas_metrics metrics = {.loss = 7};
  nas_error error;
  countdown c = {.stop_at = 2};
  assert_int_equal(nas_model_evaluate(model, s.data, NAS_PART_ALL, s.pool, count_down, &c, &metrics,
                                      NULL, &error),
                   NAS_INTERRUPTED);
  assert_string_equal(error.text, "evaluation was interrupted");
  assert_int_equal(c.calls, 2);
  assert_true(metrics.loss == 7);
  c = (countdown){.stop_at = 3};
  check_refused(nas_model_outputs(model, inputs, s.pool, count_down, &c, &out, &err),
                NAS_INTERRUPTED, out, "evaluation was interrupted");
  assert_int_equal(c.calls, 3);
  c = (countdown){.stop_at = 6}; /* 70 images are 5 groups */
  check_ok(nas_model_evaluate(model, s.data, NAS_PART_ALL, s.pool, count_down, &c, &metrics, NULL,
                              &error),
           &error);
  assert_int_equal(c.calls, 5);
  nas_metrics again = evaluate(model, s.data, NAS_PART_ALL, s.pool, NULL);
  check_metrics(&again, &metrics);
  nas_tensor_destroy(&inputs);
  nas_model_destroy(&model);
  subject_free(&s);
}

/* -- memory ----------------------------------------------------------------------------------- */

/* NULL unless it is complete. */
static nas_status save(nas_archive **archive, const nas_model *model) {
  nas_status status = nas_archive_create(archive, NULL);
  if (status == NAS_OK) status = nas_model_save(model, *archive, NULL);
  if (status != NAS_OK) nas_archive_destroy(archive);
  return status;
}

/* NULL unless it is there. */
static nas_status measure(const nas_metrics **done, const nas_model *model, const subject *s) {
  static nas_metrics metrics;
  nas_status status =
      nas_model_evaluate(model, s->data, NAS_PART_ALL, s->pool, NULL, NULL, &metrics, NULL, NULL);
  *done = status == NAS_OK ? &metrics : NULL;
  return status;
}

/* From the trainer to the file and back. */
static void without_memory(void **state) {
  (void)state;
  for (int kind = 0; kind < SUBJECTS; kind++) {
    subject s = subject_of(kind, 2);
    nas_model *model, *loaded;
    nas_archive *archive;
    const nas_metrics *done;
    nas_tensor *inputs = inputs_of(s.data), *out;
    nas_node *output = stack(NULL, subject_networks[kind]);
    nas_training training = {
        .output = output, .data = s.data, .recipe = &s.recipe, .seed = 1, .pool = s.pool};
    nas_trainer_destroy(&s.trainer);
    check_starved(nas_trainer_create(&s.trainer, &training, NULL), s.trainer);
    nas_node_release(&output);
    check_starved(nas_model_create(&model, s.trainer, NULL), model);
    check_starved(measure(&done, model, &s), done);
    check_starved(nas_model_outputs(model, inputs, s.pool, NULL, NULL, &out, NULL), out);
    check_starved(save(&archive, model), archive);
    check_starved(nas_model_load(&loaded, archive, NULL), loaded);
    nas_tensor_destroy(&inputs);
    nas_tensor_destroy(&out);
    nas_archive_destroy(&archive);
    nas_model_destroy(&model);
    nas_model_destroy(&loaded);
    subject_free(&s);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(agrees_with_the_last_epoch),
      TEST(keeps_the_algorithm),
      TEST(keeps_the_best),
      TEST(parts),
      TEST(confusion),
      TEST(outputs),
      TEST(probabilities),
      TEST(looking),
      TEST(stands_alone),
      TEST(refused_data),
      TEST(interruption),
      TEST(without_memory),
  };
  return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
