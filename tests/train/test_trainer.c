#include "datasets.h"
#include "tensor/tensors.h"
#include <nas/clock.h>
#include <pthread.h>
#include <stdatomic.h>

/* A small network for images of 6x5x2 and 4 classes; test_golden.c trains all kinds of layers. */
static const char small[] = "input size=6,5 channels=2; conv2d kernel=3 filters=5; relu; "
                            "max_pool pool=3,2 stride=1,2 padding=same; conv2d kernel=2 filters=17 "
                            "stride=2; relu; global_avg_pool; dense units=7; relu; dense units=4";

static nas_dataset *small_data(void) {
  return toy_dataset(70, 6, 5, 2, 4, 19, 1);
}

/* -- bits ------------------------------------------------------------------------------------- */

enum { EPOCHS = 2 };

/* What a training gives. */
typedef struct outcome {
  nas_epoch epochs[EPOCHS];
  nas_hash digest;
} outcome;

static outcome train(nas_dataset *data, const nas_recipe *recipe, uint64_t seed, int threads,
                     int micro_batch, const nas_kernels *kernels) {
  outcome o;
  nas_pool *pool = pool_of(threads);
  nas_trainer *trainer = trainer_with((nas_training){.output = stack(NULL, small),
                                                     .data = data,
                                                     .recipe = recipe,
                                                     .seed = seed,
                                                     .pool = pool,
                                                     .micro_batch = micro_batch,
                                                     .kernels = kernels});
  for (int e = 0; e < EPOCHS; e++) o.epochs[e] = epoch_of(trainer);
  o.digest = digest_of(trainer);
  nas_trainer_destroy(&trainer);
  nas_pool_destroy(&pool);
  return o;
}

static void check_same_numbers(const nas_epoch *a, const nas_epoch *b) {
  assert_int_equal(a->epoch, b->epoch);
  assert_memory_equal(&a->training, &b->training, sizeof a->training);
  assert_memory_equal(&a->validation, &b->validation, sizeof a->validation);
}

static void check_same(const outcome *a, const outcome *b) {
  for (int e = 0; e < EPOCHS; e++) check_same_numbers(&a->epochs[e], &b->epochs[e]);
  assert_int_equal(nas_hash_compare(a->digest, b->digest), 0);
}

static void threads_and_micro_batches_change_no_bit(void **state) {
  (void)state;
  static const int threads[] = {1, 2, 3, 5}, micro_batches[] = {1, 3, 8, 16, 0};
  static const int batches[] = {24, 16, 1, 7, 51, 1000}; /* of 51 images that train */
  static const char *const optimizers[] = {"adam", "sgd"};
  nas_dataset *data = small_data();
  for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
    nas_recipe recipe = recipe_of(batches[b], optimizers[b % 2], 0.01);
    outcome expected = train(data, &recipe, 1, 1, 1, NULL);
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++)
      for (size_t m = 0; m < sizeof micro_batches / sizeof *micro_batches; m++) {
        outcome got = train(data, &recipe, 1, threads[t], micro_batches[m], NULL);
        check_same(&got, &expected);
      }
  }
  nas_dataset_release(&data);
}

static void kernels_change_no_bit(void **state) {
  (void)state;
  const nas_kernels *kernels;
  nas_dataset *data = small_data();
  nas_recipe recipe = recipe_of(24, "adam", 0.01);
  outcome expected = train(data, &recipe, 1, 2, 4, nas_kernels_named("scalar"));
  for (int i = 0; (kernels = nas_kernels_numbered(i)) != NULL; i++) {
    outcome got = train(data, &recipe, 1, 2, 5, kernels);
    check_same(&got, &expected);
  }
  nas_dataset_release(&data);
}

/* Seed, batch, rate and optimiser all tell. */
static void what_changes_bits(void **state) {
  (void)state;
  nas_dataset *data = small_data();
  const nas_recipe recipes[] = {recipe_of(24, "adam", 0.01), recipe_of(24, "adam", 0.01),
                                recipe_of(25, "adam", 0.01), recipe_of(24, "adam", 0.02),
                                recipe_of(24, "sgd", 0.01)};
  enum { COUNT = sizeof recipes / sizeof *recipes };
  outcome got[COUNT];
  for (int i = 0; i < COUNT; i++) got[i] = train(data, &recipes[i], i == 1 ? 2 : 1, 2, 0, NULL);
  for (int i = 0; i < COUNT; i++)
    for (int j = 0; j < i; j++)
      assert_int_not_equal(nas_hash_compare(got[i].digest, got[j].digest), 0);
  nas_dataset_release(&data);
}

/* Times account for all that the threads did, and change no bit. */
static void check_profile(const char *network, int threads) {
  nas_dataset *data = small_data();
  nas_pool *pool = pool_of(threads);
  nas_recipe recipe = recipe_of(24, "adam", 0.01);
  nas_profile profile;
  nas_layer_seconds layers[16];
  nas_hash digests[2];
  for (int on = 0; on <= 1; on++) {
    nas_trainer *trainer = trainer_with((nas_training){.output = stack(NULL, network),
                                                       .data = data,
                                                       .recipe = &recipe,
                                                       .seed = 1,
                                                       .pool = pool,
                                                       .profile = on});
    double seconds = 0, known, of_layers = 0;
    for (int e = 0; e < EPOCHS; e++) seconds += epoch_of(trainer).train_seconds;
    digests[on] = digest_of(trainer);
    int size = nas_network_size(nas_trainer_network(trainer));
    assert_in_range(size, 1, 16);
    memset(layers, 0xff, sizeof layers);
    nas_trainer_profile(trainer, &profile, NULL);
    nas_trainer_profile(trainer, &profile, layers);
    for (int i = 0; i < size; i++) of_layers += layers[i].forward + layers[i].backward;
    known = of_layers + profile.loading + profile.adding + profile.stepping + profile.waiting;
    assert_int_equal(profile.images, on ? EPOCHS * 51 : 0);
    check_near(profile.seconds, on ? seconds : 0, 1e-9);
    check_near(known, threads * profile.seconds, 1e-9);
    assert_true((of_layers > 0) == on && (layers[1].backward > 0) == on);
    assert_true((profile.loading > 0) == on && (profile.adding > 0) == on);
    assert_true((profile.stepping > 0) == on);
    nas_trainer_destroy(&trainer);
  }
  assert_int_equal(nas_hash_compare(digests[0], digests[1]), 0);
  nas_pool_destroy(&pool);
  nas_dataset_release(&data);
}

static int always(void *context) {
  (void)context;
  return 1;
}

/* What layers derive before the first batch is time of steps, too: here none is taken. */
static void profile_without_a_step(void **state) {
  (void)state;
  nas_dataset *data = small_data();
  nas_pool *pool = pool_of(2);
  nas_recipe recipe = recipe_of(24, "adam", 0.01);
  nas_epoch epoch;
  nas_profile profile;
  nas_trainer *trainer = trainer_with((nas_training){
      .output = stack(NULL, small), .data = data, .recipe = &recipe, .pool = pool, .profile = 1});
  assert_int_equal(nas_trainer_epoch(trainer, always, NULL, &epoch, NULL), NAS_INTERRUPTED);
  nas_trainer_profile(trainer, &profile, NULL);
  assert_true(profile.stepping > 0);
  nas_trainer_destroy(&trainer);
  nas_pool_destroy(&pool);
  nas_dataset_release(&data);
}

static void profiles(void **state) {
  (void)state;
  check_profile(small, 1);
  check_profile(small, 3);
  check_profile("input size=6,5 channels=2; conv2d kernel=3 filters=5; batch_norm; relu; "
                "dense units=4",
                2);
}

/* Three epochs and seven more are ten, whatever else ran on the pool in between. */
static void extension(void **state) {
  (void)state;
  nas_dataset *data = small_data();
  nas_pool *pool = pool_of(2);
  nas_recipe recipe = recipe_of(20, "adam", 0.01);
  nas_trainer *ten = trainer_of(stack(NULL, small), data, &recipe, 1, pool);
  nas_epoch epochs[10];
  for (int e = 0; e < 10; e++) epochs[e] = epoch_of(ten);
  nas_trainer *three = trainer_of(stack(NULL, small), data, &recipe, 1, pool);
  for (int e = 0; e < 10; e++) {
    if (e == 3) {
      nas_trainer *other = trainer_of(stack(NULL, small), data, &recipe, 2, pool);
      epoch_of(other);
      nas_trainer_destroy(&other);
    }
    nas_epoch epoch = epoch_of(three);
    assert_int_equal(epoch.epoch, e + 1);
    check_same_numbers(&epoch, &epochs[e]);
  }
  assert_int_equal(nas_hash_compare(digest_of(three), digest_of(ten)), 0);
  nas_trainer_destroy(&three);
  nas_trainer_destroy(&ten);
  nas_trainer_destroy(&ten);
  nas_trainer_destroy(NULL);
  nas_pool_destroy(&pool);
  nas_dataset_release(&data);
}

/* -- what an epoch does ----------------------------------------------------------------------- */

static float *floats_of(const nas_dataset *data, int64_t image, float *to) {
  int dims[3];
  nas_dataset_input_shape(data, dims);
  const uint8_t *bytes = nas_dataset_pixels(data, image);
  for (int i = 0; i < dims[0] * dims[1] * dims[2]; i++) *to++ = (float)bytes[i] / 255.0f;
  return to;
}

/* All images of a split as floats, and their labels. */
static int images_of(const nas_dataset *data, int validation, float *pixels, int32_t *labels) {
  int64_t count;
  const int32_t *images =
      validation ? nas_dataset_validation(data, &count) : nas_dataset_training(data, &count);
  for (int64_t i = 0; i < count; i++) {
    pixels = floats_of(data, images[i], pixels);
    labels[i] = nas_dataset_label(data, images[i]);
  }
  return (int)count;
}

static double share_right(const int32_t *predicted, const int32_t *labels, int count) {
  int right = 0;
  for (int i = 0; i < count; i++) right += predicted[i] == labels[i];
  return (double)right / count;
}

/* One step of SGD with rate 1 moves every weight by the mean of the images' gradients, each of
 * which has been computed alone; a sum of `count` numbers in another order differs by at most
 * about count * 2^-24 times the sum of their sizes. Metrics are means, too. */
static void a_batch_is_the_mean_of_its_images(void **state) {
  (void)state;
  enum { MOST = 70 };
  nas_dataset *data = small_data();
  nas_pool *pool = pool_of(2);
  nas_recipe recipe = recipe_of(MOST, "sgd", 1);
  nas_trainer *trainer = trainer_of(stack(NULL, small), data, &recipe, 1, pool);
  machine m = machine_of(stack(stack(NULL, small), "softmax_cross_entropy"));
  float *pixels = floats((size_t)MOST * 6 * 5 * 2), *sizes = floats(m.count);
  double *mean = nas_alloc_zero(m.count, sizeof *mean);
  int32_t labels[MOST], predicted[MOST];
  assert_non_null(mean);
  assert_memory_equal(nas_compiled_input(m.compiled),
                      nas_compiled_input(nas_trainer_compiled(trainer)), 3 * sizeof(int));
  memcpy(m.params, nas_trainer_params(trainer), m.floats * sizeof(float));

  int count = images_of(data, 0, pixels, labels);
  m.predicted = predicted;
  m.labels = labels;
  double loss = machine_run(&m, pixels, count, 0) / count;
  double accuracy = share_right(predicted, labels, count);
  for (int n = 0; n < count; n++) {
    machine_clear_gradient(&m);
    m.labels = labels + n;
    machine_run(&m, pixels + (size_t)n * 60, 1, 1);
    for (size_t i = 0; i < m.count; i++) {
      double g = (double)m.d_params[m.numbers[i]] / count;
      mean[i] += g;
      sizes[i] += (float)fabs(g);
    }
  }
  nas_epoch epoch = epoch_of(trainer);
  check_near(epoch.training.loss, loss, 1e-12);
  check_near(epoch.training.accuracy, accuracy, 1e-12);
  const float *after = nas_trainer_params(trainer);
  for (size_t i = 0; i < m.count; i++) {
    double moved = (double)m.params[m.numbers[i]] - (double)after[m.numbers[i]];
    double bound = 0x1p-24 * (2 * count * (double)sizes[i] + fabs((double)after[m.numbers[i]]));
    /* a gradient sums over pixels, too */
    check_near(moved, mean[i], 30 * bound);
  }

  memcpy(m.params, after, m.floats * sizeof(float)); /* validation sees the weights after it */
  count = images_of(data, 1, pixels, labels);
  m.labels = labels;
  m.predicted = predicted;
  check_near(epoch.validation.loss, machine_run(&m, pixels, count, 0) / count, 1e-12);
  check_near(epoch.validation.accuracy, share_right(predicted, labels, count), 1e-12);
  assert_true(epoch.train_seconds > 0 && epoch.seconds >= epoch.train_seconds);
  nas_free(pixels);
  nas_free(sizes);
  nas_free(mean);
  machine_free(&m);
  nas_trainer_destroy(&trainer);
  nas_pool_destroy(&pool);
  nas_dataset_release(&data);
}

/* -- a loss that looks ------------------------------------------------------------------------ */

enum { CENSUS = 64 };
static atomic_int visits[CENSUS]; /* how often an image of each label came */
static int32_t visited[8 * CENSUS];
static atomic_int visited_count;
static atomic_int wrong_pixels;

static void census_forward(const nas_layer *layer, const nas_pass *pass) {
  const nas_map *in = layer->inputs[0], *target = layer->inputs[1], *out = layer->output;
  for (int n = 0; n < pass->images; n++) {
    int label = (int)nas_map_data(target, pass->arena)[nas_map_at(target, n, 0, 0)];
    atomic_fetch_add(&visits[label], 1);
    visited[atomic_fetch_add(&visited_count, 1) % (8 * CENSUS)] = label;
    const float *z = nas_map_data(in, pass->arena) + nas_map_at(in, n, 0, 0);
    for (int k = 0; k < in->channels; k++)
      if (z[k] != (float)((k * 4 + label) % 256) / 255.0f) atomic_fetch_add(&wrong_pixels, 1);
    nas_map_data(out, pass->arena)[nas_map_at(out, n, 0, 0)] = 1;
  }
}

static void census_backward(const nas_layer *layer, const nas_pass *pass) {
  (void)layer, (void)pass;
}

static const nas_layer_kind census = {
    .name = "test_census",
    .options = {"test_census", NULL, 0},
    .min_inputs = 2,
    .max_inputs = 2,
    .is_loss = 1,
    .shape = probe_shape,
    .forward = census_forward,
    .backward = census_backward,
};

/* Each image has a label of its own, and comes once an epoch: in another order in each epoch and
 * for each seed, the same for every number of threads. The network hands on its pixels, which are
 * x / 255 to the bit. */
static void every_image_once_an_epoch(void **state) {
  (void)state;
  uint8_t pixels[CENSUS][CENSUS];
  int32_t labels[CENSUS], orders[4][CENSUS];
  for (int n = 0; n < CENSUS; n++) {
    labels[n] = n;
    for (int k = 0; k < CENSUS; k++) pixels[n][k] = (uint8_t)(k * 4 + n);
  }
  nas_dataset *data = dataset_of(pixels[0], labels, CENSUS, 1, 1, CENSUS, CENSUS, 10);
  nas_recipe recipe = recipe_of(20, "sgd", 0.1);
  recipe.loss = &census;
  char network[80];
  snprintf(network, sizeof network, "input size=1 channels=%d; global_avg_pool", CENSUS);
  for (int run = 0; run < 4; run++) {
    nas_pool *pool = pool_of(run == 3 ? 5 : 1);
    nas_trainer *trainer = trainer_of(stack(NULL, network), data, &recipe, run == 2 ? 9 : 1, pool);
    if (run == 1) epoch_of(trainer);
    for (int n = 0; n < CENSUS; n++) atomic_store(&visits[n], 0);
    atomic_store(&visited_count, 0);
    nas_epoch epoch = epoch_of(trainer);
    check_near(epoch.training.loss, 1, 0);
    assert_int_equal(atomic_load(&visited_count), CENSUS);
    for (int n = 0; n < CENSUS; n++) assert_int_equal(atomic_load(&visits[n]), 1);
    if (run < 3) memcpy(orders[run], visited, sizeof orders[run]);
    nas_trainer_destroy(&trainer);
    nas_pool_destroy(&pool);
  }
  size_t training = (CENSUS - 10) * sizeof(int32_t);
  assert_int_equal(atomic_load(&wrong_pixels), 0);
  assert_memory_not_equal(orders[0], orders[1], training);
  assert_memory_not_equal(orders[0], orders[2], training);
  assert_memory_equal(orders[0] + CENSUS - 10, orders[1] + CENSUS - 10, 10 * sizeof(int32_t));
  nas_dataset_release(&data);
}

/* -- learning --------------------------------------------------------------------------------- */

static void learns(void **state) {
  (void)state;
  static const struct {
    const char *network, *optimizer;
    double rate;
  } cases[] = {
      {"input size=8,6 channels=1; conv2d kernel=3 filters=16 stride=2,1; relu; "
       "conv2d kernel=3 filters=16; relu; dense units=4",
       "adam", 0.003},
      {"input size=8,6 channels=1; dense units=4", "adam", 0.02},
      {"input size=8,6 channels=1; max_pool pool=1,2 stride=1,2; dense units=12 init=he_uniform; "
       "relu; dense units=4",
       "sgd", 0.1},
  };
  nas_dataset *data = toy_dataset(700, 8, 6, 1, 4, 200, 1);
  nas_pool *pool = pool_of(2);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    nas_recipe recipe = recipe_of(32, cases[i].optimizer, cases[i].rate);
    nas_trainer *trainer = trainer_of(stack(NULL, cases[i].network), data, &recipe, 1, pool);
    nas_epoch first = epoch_of(trainer), last = first;
    for (int e = 1; e < 15; e++) last = epoch_of(trainer);
    print_message("# %s: loss %.3f to %.3f, accuracy %.3f\n", cases[i].network, first.training.loss,
                  last.training.loss, last.validation.accuracy);
    assert_true(first.training.loss < 1.6);
    assert_true(last.training.loss < first.training.loss / 3);
    assert_true(last.validation.loss < first.validation.loss);
    assert_true(last.training.accuracy > 0.95 && last.validation.accuracy > 0.95);
    nas_trainer_destroy(&trainer);
  }
  nas_pool_destroy(&pool);
  nas_dataset_release(&data);
}

/* Padding of parameters is never touched by a training. */
static void padding_stays_zero(void **state) {
  (void)state;
  nas_dataset *data = small_data();
  nas_pool *pool = pool_of(3);
  nas_recipe recipe = recipe_of(24, "adam", 0.01);
  nas_trainer *trainer = trainer_of(stack(NULL, small), data, &recipe, 1, pool);
  machine m = machine_of(stack(stack(NULL, small), "softmax_cross_entropy"));
  for (int e = 0; e < 3; e++) epoch_of(trainer);
  check_padding(&m, nas_trainer_params(trainer));
  machine_free(&m);
  nas_trainer_destroy(&trainer);
  nas_pool_destroy(&pool);
  nas_dataset_release(&data);
}

/* -- endings ---------------------------------------------------------------------------------- */

static void check_ended(nas_trainer *trainer, const char *message) {
  nas_epoch epoch;
  nas_error err;
  for (int i = 0; i < 2; i++) {
    assert_int_equal(nas_trainer_epoch(trainer, NULL, NULL, &epoch, &err), NAS_STATE);
    assert_string_equal(err.text, message);
  }
}

static void divergence(void **state) {
  (void)state;
  nas_dataset *data = small_data();
  nas_pool *pool = pool_of(2);
  nas_epoch epoch;
  nas_error err = {0};
  nas_recipe recipe = recipe_of(20, "sgd", 1e6);
  static const char deep[] = "input size=6,5 channels=2; conv2d kernel=3 filters=9; "
                             "conv2d kernel=3 filters=9; dense units=9; dense units=4";
  nas_trainer *trainer = trainer_of(stack(NULL, deep), data, &recipe, 1, pool);
  nas_status status = NAS_OK;
  for (int e = 0; e < 20 && status == NAS_OK; e++)
    status = nas_trainer_epoch(trainer, NULL, NULL, &epoch, &err);
  assert_int_equal(status, NAS_DIVERGED);
  assert_int_equal(err.code, NAS_DIVERGED);
  print_message("# %s\n", err.text);
  int at, batch;
  assert_int_equal(sscanf(err.text, "the loss is not finite in epoch %d, batch %d", &at, &batch),
                   2);
  assert_in_range(at, 1, 2);
  assert_in_range(batch, 1, 3);
  assert_int_equal(epoch.epoch, at);
  check_ended(trainer, "this trainer ended: loss is not finite");
  digest_of(trainer);
  nas_trainer_destroy(&trainer);

  /* a single batch: the training loss is that of the initial weights, the next one not finite */
  recipe = recipe_of(1000, "sgd", 1e6);
  trainer = trainer_of(stack(NULL, "input size=6,5 channels=2; dense units=9 init=uniform "
                                   "init_range=1000; dense units=9; dense units=9; dense units=9; "
                                   "dense units=9; dense units=9; dense units=4"),
                       data, &recipe, 1, pool);
  assert_int_equal(nas_trainer_epoch(trainer, NULL, NULL, &epoch, &err), NAS_DIVERGED);
  assert_string_equal(err.text, "the validation loss is not finite after epoch 1");
  assert_true(isfinite(epoch.training.loss));
  check_ended(trainer, "this trainer ended: loss is not finite");
  nas_trainer_destroy(&trainer);
  nas_pool_destroy(&pool);
  nas_dataset_release(&data);
}

/* An epoch that failed while it was validated has written predictions over those of the last whole
 * one: there are none then, rather than those of an epoch that is not counted. */
static void predictions_of_a_failed_epoch(void **state) {
  (void)state;
  static const char deep[] = "input size=6,5 channels=2; dense units=9; dense units=9; "
                             "dense units=9; dense units=9; dense units=4";
  nas_dataset *data = small_data();
  nas_pool *pool = pool_of(2);
  int found = 0; /* failures of a later epoch, in its validation */
  for (double rate = 1; rate < 1e6; rate *= 2) {
    nas_recipe recipe = recipe_of(1000, "sgd", rate);
    nas_trainer *trainer = trainer_of(stack(NULL, deep), data, &recipe, 1, pool);
    nas_epoch epoch;
    nas_error err = {0};
    assert_null(nas_trainer_predicted(trainer));
    nas_status status = NAS_OK;
    for (int e = 0; e < 20 && status == NAS_OK; e++) {
      status = nas_trainer_epoch(trainer, NULL, NULL, &epoch, &err);
      if (status == NAS_OK) assert_non_null(nas_trainer_predicted(trainer));
    }
    if (nas_trainer_epochs(trainer) > 0 && strstr(err.text, "validation loss")) {
      assert_null(nas_trainer_predicted(trainer));
      found++;
    }
    nas_trainer_destroy(&trainer);
  }
  assert_true(found > 0);
  nas_pool_destroy(&pool);
  nas_dataset_release(&data);
}

typedef struct interrupter {
  int calls, stop_at;
  pthread_t thread;
} interrupter;

static int interrupt(void *context) {
  interrupter *i = context;
  if (!pthread_equal(i->thread, pthread_self())) return 1;
  return ++i->calls == i->stop_at;
}

static void interruption(void **state) {
  (void)state;
  nas_dataset *data = small_data();
  nas_recipe recipe = recipe_of(20, "adam", 0.01); /* 51 images: 3 batches */
  for (int threads = 1; threads < 4; threads++) {
    nas_pool *pool = pool_of(threads);
    nas_trainer *trainer = trainer_of(stack(NULL, small), data, &recipe, 1, pool);
    nas_trainer *other = trainer_of(stack(NULL, small), data, &recipe, 1, pool);
    interrupter i = {.stop_at = 2, .thread = pthread_self()};
    nas_epoch epoch;
    nas_error err = {0};
    epoch_of(trainer);
    assert_int_equal(nas_trainer_epoch(trainer, interrupt, &i, &epoch, &err), NAS_INTERRUPTED);
    assert_int_equal(i.calls, 2);
    assert_string_equal(err.text, "training was interrupted in epoch 2");
    epoch_of(other); /* the pool still works */
    nas_epoch again = epoch_of(trainer), expected = epoch_of(other);
    check_same_numbers(&again, &expected);
    assert_int_equal(nas_hash_compare(digest_of(trainer), digest_of(other)), 0);
    nas_trainer_destroy(&trainer);
    nas_trainer_destroy(&other);
    nas_pool_destroy(&pool);
  }
  nas_dataset_release(&data);
}

/* Of 3 batches and 4 groups that are validated; none of these may be the caller's own. */
static void interrupted_validation(void **state) {
  (void)state;
  nas_dataset *data = toy_dataset(111, 6, 5, 2, 4, 60, 1);
  nas_recipe recipe = recipe_of(20, "adam", 0.01);
  for (int threads = 1; threads < 4; threads++) {
    nas_pool *pool = pool_of(threads);
    nas_trainer *trainer = trainer_of(stack(NULL, small), data, &recipe, 1, pool);
    nas_trainer *other = trainer_of(stack(NULL, small), data, &recipe, 1, pool);
    nas_epoch epoch = {0};
    nas_error err = {0};
    nas_status status = NAS_OK;
    for (int e = 0; e < 100 && status == NAS_OK; e++) {
      interrupter i = {.stop_at = e ? 4 : 0, .thread = pthread_self()};
      if (e) epoch_of(other);
      status = nas_trainer_epoch(trainer, interrupt, &i, &epoch, &err);
      assert_in_range(i.calls, 3, e ? 4 : 7);
      if (threads == 1) assert_int_equal(i.calls, e ? 4 : 7);
    }
    char message[80];
    snprintf(message, sizeof message, "training was interrupted in epoch %d", epoch.epoch);
    assert_int_equal(status, NAS_INTERRUPTED);
    assert_string_equal(err.text, message);
    assert_null(nas_trainer_predicted(trainer));
    assert_int_equal(nas_trainer_epochs(trainer), epoch.epoch - 1);
    assert_int_equal(nas_hash_compare(digest_of(trainer), digest_of(other)), 0);
    nas_epoch again = epoch_of(trainer), expected = epoch_of(other);
    check_same_numbers(&again, &expected);
    assert_non_null(nas_trainer_predicted(trainer));
    assert_int_equal(nas_hash_compare(digest_of(trainer), digest_of(other)), 0);
    nas_trainer_destroy(&trainer);
    nas_trainer_destroy(&other);
    nas_pool_destroy(&pool);
  }
  nas_dataset_release(&data);
}

enum { LIMIT_MS = 200 };

/* Takes longer than the limit, once three batches are trained. */
static int dawdle(void *context) {
  int *calls = context;
  double end = nas_clock() + 1.1e-3 * LIMIT_MS;
  if (++*calls > 3)
    while (nas_clock() < end) continue;
  return 0;
}

static void limit_in_validation(void **state) {
  (void)state;
  nas_dataset *data = toy_dataset(111, 6, 5, 2, 4, 60, 1);
  nas_recipe recipe = recipe_of(20, "adam", 0.01);
  nas_pool *pool = pool_of(1);
  nas_trainer *trainer = trainer_with((nas_training){.output = stack(NULL, small),
                                                     .data = data,
                                                     .recipe = &recipe,
                                                     .pool = pool,
                                                     .seconds = 1e-3 * LIMIT_MS});
  nas_epoch epoch;
  nas_error err = {0};
  int calls = 0;
  assert_int_equal(nas_trainer_epoch(trainer, dawdle, &calls, &epoch, &err), NAS_LIMIT);
  assert_string_equal(err.text, "training stopped in epoch 1, after 0.2 seconds");
  /* unless training alone was slower than that */
  if (epoch.train_seconds < 1e-3 * LIMIT_MS) assert_int_equal(calls, 4);
  assert_int_equal(nas_trainer_epochs(trainer), 0);
  nas_trainer_destroy(&trainer);
  nas_pool_destroy(&pool);
  nas_dataset_release(&data);
}

/* -- misuse ----------------------------------------------------------------------------------- */

static void check_refusal(const char *network, nas_dataset *data, const nas_recipe *recipe,
                          nas_status status, const char *message) {
  nas_pool *pool = pool_of(1);
  nas_trainer *trainer = (nas_trainer *)16;
  nas_node *output = stack(NULL, network);
  nas_training training = {.output = output, .data = data, .recipe = recipe, .pool = pool};
  check_refused(nas_trainer_create(&trainer, &training, &err), status, trainer, message);
  nas_node_release(&output);
  nas_pool_destroy(&pool);
}

static void wrong_networks(void **state) {
  (void)state;
  nas_dataset *data = small_data();
  nas_recipe recipe = recipe_of(20, "adam", 0.01);
  check_refusal("input size=5,6 channels=2; dense units=4", data, &recipe, NAS_ARGUMENT,
                "the network's input has shape 5x6x2; the inputs of toy have 6x5x2");
  check_refusal("input size=6,5 channels=1; dense units=4", data, &recipe, NAS_ARGUMENT,
                "the network's input has shape 6x5x1; the inputs of toy have 6x5x2");
  check_refusal("input size=6,5 channels=2; dense units=5", data, &recipe, NAS_ARGUMENT,
                "the network's output has shape 5; toy has 4 classes, so expected 4 units");
  check_refusal("input size=6,5 channels=2", data, &recipe, NAS_ARGUMENT,
                "the network's output has shape 6x5x2; toy has 4 classes, so expected 4 units");
  check_refusal("input size=6,5 channels=2; dense units=4; softmax_cross_entropy", data, &recipe,
                NAS_ARGUMENT, "the network's output depends on the target");
  nas_dataset_release(&data);
}

static void wrong_recipes(void **state) {
  (void)state;
  static const int batches[] = {0, -1, 65537, 1000000};
  nas_dataset *data = small_data();
  for (int i = 0; i < 4; i++) {
    nas_recipe recipe = recipe_of(20, "adam", 0.01);
    char message[100];
    recipe.batch = batches[i];
    snprintf(message, sizeof message, "recipe: batch is %d; expected an integer from 1 to 65536",
             batches[i]);
    check_refusal(small, data, &recipe, NAS_ARGUMENT, message);
  }
  nas_recipe recipe = recipe_of(20, "adam", 0.01);
  recipe.optimizer = NULL;
  check_refusal(small, data, &recipe, NAS_ARGUMENT,
                "recipe: an optimizer, a schedule and a loss are needed");
  recipe = recipe_of(20, "adam", 0.01);
  recipe.loss = NULL;
  check_refusal(small, data, &recipe, NAS_ARGUMENT, "the recipe names no loss; training needs one");
  recipe.loss = nas_layer_kind_find("relu", NULL);
  check_refusal(small, data, &recipe, NAS_ARGUMENT,
                "recipe: an optimizer, a schedule and a loss are needed");
  recipe = recipe_of(65536, "adam", 0.01);
  nas_pool *pool = pool_of(1);
  nas_trainer *trainer = trainer_of(stack(NULL, small), data, &recipe, 1, pool);
  epoch_of(trainer);
  nas_trainer_destroy(&trainer);
  nas_pool_destroy(&pool);
  nas_dataset_release(&data);
}

static void data_without_a_split(void **state) {
  (void)state;
  nas_tensor *images, *labels;
  nas_dataset *data;
  nas_error err;
  const int64_t dims[] = {3, 6, 5, 2};
  check_ok(nas_tensor_create(&images, NAS_UINT8, 4, dims, &err), &err);
  check_ok(nas_tensor_create(&labels, NAS_INT32, 1, dims, &err), &err);
  ((int32_t *)nas_tensor_data(labels))[1] = 3;
  nas_dataset_parts parts = {.name = "toy", .inputs = images, .targets = labels, .classes = 4};
  check_ok(nas_dataset_create(&data, &parts, &err), &err);
  nas_recipe recipe = recipe_of(20, "adam", 0.01);
  check_refusal(small, data, &recipe, NAS_ARGUMENT,
                "toy has 3 training and 0 validation images; split it first");
  nas_dataset_release(&data);
  nas_tensor_destroy(&images);
  nas_tensor_destroy(&labels);
}

static void wrong_options(void **state) {
  (void)state;
  nas_dataset *data = small_data();
  nas_pool *pool = pool_of(1);
  nas_recipe recipe = recipe_of(20, "adam", 0.01);
  nas_node *output = stack(NULL, small);
  nas_trainer *trainer;
  nas_training training = {
      .output = output, .data = data, .recipe = &recipe, .pool = pool, .micro_batch = 17};
  check_refused(nas_trainer_create(&trainer, &training, &err), NAS_ARGUMENT, trainer,
                "micro_batch is 17; expected 1 to 16, or 0 to choose");
  nas_node_release(&output);
  nas_pool_destroy(&pool);
  nas_dataset_release(&data);
}

/* A trainer keeps what it needs of network and data. */
static void references(void **state) {
  (void)state;
  nas_dataset *data = small_data();
  nas_pool *pool = pool_of(2);
  nas_recipe recipe = recipe_of(20, "adam", 0.01);
  nas_trainer *trainer = trainer_of(stack(NULL, small), data, &recipe, 1, pool);
  nas_dataset_release(&data);
  memset(&recipe, 0, sizeof recipe);
  nas_hash before = digest_of(trainer);
  epoch_of(trainer);
  assert_int_not_equal(nas_hash_compare(before, digest_of(trainer)), 0);
  nas_trainer_destroy(&trainer);
  nas_pool_destroy(&pool);
}

static void without_memory(void **state) {
  (void)state;
  nas_dataset *data = small_data();
  nas_pool *pool = pool_of(2);
  nas_recipe recipe = recipe_of(20, "adam", 0.01);
  nas_node *output = stack(NULL, small);
  nas_trainer *trainer;
  nas_hash digest, expected;
  nas_error err = {0};
  nas_training training = {
      .output = output, .data = data, .recipe = &recipe, .seed = 1, .pool = pool};
  check_starved(nas_trainer_create(&trainer, &training, NULL), trainer);
  nas_memory_fail_after(0); /* a step allocates nothing; other layers: test_golden.c */
  epoch_of(trainer);
  for (long allowed = 0; allowed < 3; allowed++) {
    nas_memory_fail_after(allowed);
    assert_int_equal(nas_trainer_digest(trainer, &digest, &err), NAS_MEMORY);
    assert_int_equal(err.code, NAS_MEMORY);
  }
  nas_memory_fail_after(-1);
  expected = digest_of(trainer);
  check_ok(nas_trainer_digest(trainer, &digest, &err), &err);
  assert_int_equal(nas_hash_compare(digest, expected), 0);
  nas_trainer_destroy(&trainer);
  nas_node_release(&output);
  nas_pool_destroy(&pool);
  nas_dataset_release(&data);
}

static int set_up(void **state) {
  return register_test_layers(state) || nas_layer_kind_register(&census, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(threads_and_micro_batches_change_no_bit),
      TEST(kernels_change_no_bit),
      TEST(what_changes_bits),
      TEST(profiles),
      TEST(profile_without_a_step),
      TEST(extension),
      TEST(a_batch_is_the_mean_of_its_images),
      TEST(every_image_once_an_epoch),
      TEST(learns),
      TEST(padding_stays_zero),
      TEST(divergence),
      TEST(predictions_of_a_failed_epoch),
      TEST(interruption),
      TEST(interrupted_validation),
      TEST(limit_in_validation),
      TEST(wrong_networks),
      TEST(wrong_recipes),
      TEST(data_without_a_split),
      TEST(wrong_options),
      TEST(references),
      TEST(without_memory),
  };
  return cmocka_run_group_tests_name("trainer", tests, set_up, NULL);
}
