/* LuaNAS from C: trains one network, then searches, with the public headers alone.
 *
 *   cc -std=c17 embed.c $(pkg-config --cflags --libs libnas) -o embed
 *   ./embed                                          made-up images
 *   ./embed train-images-idx3-ubyte.gz train-labels-idx1-ubyte.gz
 *
 * The search runs twice over the same space, with a random chooser and with a policy that learns by
 * REINFORCE with a baseline. A network that comes up again is not trained again. */
#include <nas/cpu.h>
#include <nas/network.h>
#include <nas/policy.h>
#include <nas/trainer.h>
#include <stdio.h>

/* Every call returns a status; the message for people is in an nas_error. */
#define TRY(call)                                                                                  \
  do {                                                                                             \
    nas_status status_ = (call);                                                                   \
    if (status_ != NAS_OK) return status_;                                                         \
  } while (0)

enum { TRIALS = 30, EPOCHS = 2, CLASSES = 4, SIDE = 10, IMAGES = 1500, VALIDATION = 500 };

/* ---- Data ---- */

/* Stripes that lie, stand or lean to either side, in noise. */
static unsigned char stripe(int class, int i, int j, int phase, nas_stream *noise) {
  const int along[CLASSES] = {i, j, i + j, i - j + SIDE};
  int bright = (along[class] + phase) % 4 < 2;
  return (unsigned char)(90 * bright + (int)nas_stream_below(noise, 166));
}

static nas_status make_images(nas_tensor *images, nas_tensor *labels, nas_dataset **data,
                              nas_error *err) {
  unsigned char *pixels = nas_tensor_data(images);
  unsigned char *classes = nas_tensor_data(labels);
  nas_stream stream = nas_stream_open(1, "stripes", NULL, 0);
  for (int n = 0; n < IMAGES; n++) {
    classes[n] = (unsigned char)(n % CLASSES);
    int phase = (int)nas_stream_below(&stream, 4);
    for (int i = 0; i < SIDE; i++)
      for (int j = 0; j < SIDE; j++) *pixels++ = stripe(classes[n], i, j, phase, &stream);
  }
  return nas_dataset_create(
      data,
      &(nas_dataset_parts){
          .name = "stripes", .inputs = images, .targets = labels, .classes = CLASSES},
      err);
}

static nas_status stripes(nas_dataset **data, nas_error *err) {
  nas_tensor *images, *labels;
  TRY(nas_tensor_create(&images, NAS_UINT8, 3, (int64_t[]){IMAGES, SIDE, SIDE}, err));
  nas_status status = nas_tensor_create(&labels, NAS_UINT8, 1, (int64_t[]){IMAGES}, err);
  if (status == NAS_OK) status = make_images(images, labels, data, err);
  nas_tensor_destroy(&labels);
  nas_tensor_destroy(&images);
  return status;
}

/* The data set with its split; the caller owns it. */
static nas_status open_data(nas_dataset **data, const char *images, const char *labels,
                            nas_error *err) {
  nas_dataset *whole;
  nas_dataset_files files;
  nas_dataset_files_default(&files);
  files.images = images;
  files.labels = labels;
  TRY(images ? nas_dataset_from_idx(&whole, "files", &files, err) : stripes(&whole, err));
  nas_split split;
  nas_split_default(&split);
  if (!images) split.validation = VALIDATION;
  nas_status status = nas_dataset_split(data, whole, &split, err);
  nas_dataset_release(&whole);
  return status;
}

/* ---- Networks ---- */

typedef struct setting {
  const char *name; /* NULL: the list ends */
  double value;
} setting;

#define WITH(...) ((const setting[]){__VA_ARGS__, {NULL, 0}})

/* Puts a layer upon *x, which then is that layer. */
static nas_status put(nas_node **x, const char *name, const setting *settings, nas_error *err) {
  const nas_layer_kind *kind = nas_layer_kind_find(name, err);
  if (!kind) return NAS_ARGUMENT;
  nas_option_value values[NAS_OPTIONS_MAX];
  nas_options_default(&kind->options, values);
  for (const setting *s = settings; s && s->name; s++) {
    int option = nas_options_find(&kind->options, s->name, err);
    if (option < 0) return NAS_ARGUMENT;
    TRY(nas_options_set_number(&kind->options, values, option, s->value, err));
  }
  nas_node *node;
  TRY(nas_node_create(&node, kind, values, x, 1, err));
  nas_node_release(x);
  *x = node;
  return NAS_OK;
}

/* The layer where the images enter. Its options are a pair, height and width, and the channels. */
static nas_status put_input(nas_node **x, const nas_dataset *data, nas_error *err) {
  const nas_layer_kind *kind = nas_layer_kind_find("input", err);
  if (!kind) return NAS_ARGUMENT;
  int dims[3];
  nas_dataset_input_shape(data, dims);
  nas_option_value values[NAS_OPTIONS_MAX];
  nas_options_default(&kind->options, values);
  TRY(nas_options_set_pair(&kind->options, values, nas_options_find(&kind->options, "size", NULL),
                           dims[0], dims[1], err));
  TRY(nas_options_set_number(&kind->options, values,
                             nas_options_find(&kind->options, "channels", NULL), dims[2], err));
  return nas_node_create(x, kind, values, NULL, 0, err);
}

/* ---- Choosers ---- */

/* Who decides: the policy, or chance where there is none. */
typedef struct chooser {
  nas_policy *policy;
  nas_tape *tape;
  nas_policy_gradient *gradient;
  nas_stream stream;
} chooser;

static void chooser_close(chooser *c) {
  nas_policy_gradient_destroy(&c->gradient);
  nas_tape_destroy(&c->tape);
  nas_policy_destroy(&c->policy);
}

static nas_status chooser_open(chooser *c, int learns, nas_error *err) {
  *c = (chooser){.stream = nas_stream_open(1, "sample", NULL, 0)};
  if (!learns) return NAS_OK;
  nas_policy_options options;
  TRY(nas_policy_options_preset(&options, "small", err));
  TRY(nas_policy_create(&c->policy, &options, 1, err));
  TRY(nas_tape_create(&c->tape, c->policy, err));
  return nas_policy_gradient_create(&c->gradient, c->policy, err);
}

/* options is the text that tells the list from others, and what is printed. */
static nas_status choose(chooser *c, const char *name, const char *options, int count, int *chosen,
                         nas_error *err) {
  if (c->policy)
    return nas_policy_choose(c->policy, c->tape, name, options, count, &c->stream, chosen, NULL,
                             err);
  *chosen = (int)nas_stream_below(&c->stream, (uint32_t)count);
  return NAS_OK;
}

/* One step of REINFORCE on the episode that was just sampled. */
static nas_status learn(chooser *c, double advantage, nas_error *err) {
  if (!c->policy) return NAS_OK;
  nas_policy_gradient_clear(c->gradient);
  const nas_coefficients coefficients = {.log_prob = advantage};
  TRY(nas_policy_accumulate(c->policy, c->tape, &coefficients, c->gradient, err));
  return nas_policy_apply(c->policy, c->gradient, NULL, err);
}

/* ---- The search ---- */

/* The search space: two convolutions whose settings the chooser decides. */
static nas_status space(chooser *c, nas_node **x, const nas_dataset *data, nas_error *err) {
  static const int kernels[] = {1, 3, 5}, filters[] = {4, 8, 16};
  if (c->policy) TRY(nas_policy_begin(c->policy, c->tape, NAS_POLICY_CURRENT, err));
  TRY(put_input(x, data, err));
  for (int layer = 0; layer < 2; layer++) {
    int kernel, filter, pool;
    TRY(choose(c, "kernel", "1,3,5", 3, &kernel, err));
    TRY(choose(c, "filters", "4,8,16", 3, &filter, err));
    TRY(choose(c, "pool", "no,yes", 2, &pool, err));
    TRY(put(x, "conv2d", WITH({"kernel", kernels[kernel]}, {"filters", filters[filter]}), err));
    TRY(put(x, "relu", NULL, err));
    if (pool) TRY(put(x, "max_pool", WITH({"pool", 2}), err));
  }
  TRY(put(x, "global_avg_pool", NULL, err));
  return put(x, "dense", WITH({"units", nas_dataset_classes(data)}), err);
}

/* The validation accuracy of the network after some epochs. */
static nas_status train(nas_node *output, nas_dataset *data, nas_pool *pool, int epochs,
                        double *accuracy, nas_error *err) {
  nas_recipe recipe;
  nas_recipe_default(&recipe);
  recipe.batch = 25;
  const nas_option_table *options = &recipe.optimizer->options;
  TRY(nas_options_set_number(options, recipe.optimizer_options,
                             nas_options_find(options, "rate", NULL), 0.01, err));
  nas_training training;
  nas_training_default(&training);
  training.output = output;
  training.data = data;
  training.recipe = &recipe;
  training.pool = pool;
  nas_trainer *trainer;
  TRY(nas_trainer_create(&trainer, &training, err));
  nas_status status = NAS_OK;
  for (int e = 0; status == NAS_OK && e < epochs; e++) {
    nas_epoch epoch;
    status = nas_trainer_epoch(trainer, NULL, NULL, &epoch, err);
    if (status == NAS_OK) *accuracy = epoch.validation.accuracy;
  }
  nas_trainer_destroy(&trainer);
  return status;
}

/* What has been trained. */
typedef struct memory {
  nas_hash network[TRIALS];
  double accuracy[TRIALS];
  int count;
} memory;

static nas_status evaluate(memory *known, nas_node *output, nas_dataset *data, nas_pool *pool,
                           double *accuracy, nas_error *err) {
  nas_network *network;
  TRY(nas_network_create(&network, output, err));
  nas_hash hash = nas_network_hash(network);
  nas_network_destroy(&network);
  for (int k = 0; k < known->count; k++)
    if (nas_hash_compare(known->network[k], hash) == 0) {
      *accuracy = known->accuracy[k];
      return NAS_OK;
    }
  TRY(train(output, data, pool, EPOCHS, accuracy, err));
  known->network[known->count] = hash;
  known->accuracy[known->count++] = *accuracy;
  return NAS_OK;
}

/* Samples a network, evaluates it and learns from it. baseline is the average of earlier rewards.
 */
static nas_status step(chooser *c, memory *known, nas_dataset *data, nas_pool *pool,
                       double *baseline, double *accuracy, nas_error *err) {
  nas_node *x = NULL;
  nas_status status = space(c, &x, data, err);
  if (status == NAS_OK) status = evaluate(known, x, data, pool, accuracy, err);
  nas_node_release(&x);
  if (status != NAS_OK) return status;
  if (*baseline < 0) *baseline = *accuracy;
  TRY(learn(c, *accuracy - *baseline, err));
  *baseline = 0.8 * *baseline + 0.2 * *accuracy;
  return NAS_OK;
}

static nas_status search(const char *name, chooser *c, nas_dataset *data, nas_pool *pool,
                         nas_error *err) {
  memory known = {.count = 0};
  double baseline = -1, sum = 0, best = 0;
  for (int trial = 1; trial <= TRIALS; trial++) {
    double accuracy;
    TRY(step(c, &known, data, pool, &baseline, &accuracy, err));
    sum += accuracy;
    if (accuracy > best) best = accuracy;
  }
  printf("%s: %d trials, %d trained; accuracy %.4f on average, best %.4f\n", name, TRIALS,
         known.count, sum / TRIALS, best);
  return NAS_OK;
}

/* ---- The program ---- */

static nas_status one_network(nas_node **x, const nas_dataset *data, nas_error *err) {
  TRY(put_input(x, data, err));
  TRY(put(x, "conv2d", WITH({"filters", 16}, {"kernel", 3}), err));
  TRY(put(x, "batch_norm", NULL, err));
  TRY(put(x, "relu", NULL, err));
  TRY(put(x, "global_avg_pool", NULL, err));
  return put(x, "dense", WITH({"units", nas_dataset_classes(data)}), err);
}

static nas_status train_one(nas_dataset *data, nas_pool *pool, nas_error *err) {
  nas_node *x = NULL;
  double accuracy = 0;
  nas_status status = one_network(&x, data, err);
  if (status == NAS_OK) status = train(x, data, pool, 2 * EPOCHS, &accuracy, err);
  nas_node_release(&x);
  if (status == NAS_OK) printf("one network, %d epochs: accuracy %.4f\n", 2 * EPOCHS, accuracy);
  return status;
}

static nas_status run(nas_dataset *data, nas_pool *pool, nas_error *err) {
  static const char *const names[] = {"random", "policy"};
  TRY(train_one(data, pool, err));
  for (int learns = 0; learns < 2; learns++) {
    chooser c;
    nas_status status = chooser_open(&c, learns, err);
    if (status == NAS_OK) status = search(names[learns], &c, data, pool, err);
    chooser_close(&c);
    if (status != NAS_OK) return status;
  }
  return NAS_OK;
}

int main(int argc, char **argv) {
  if (argc != 1 && argc != 3) {
    fprintf(stderr, "usage: %s [IMAGES LABELS], IDX files\n", argv[0]);
    return 2;
  }
  nas_error err;
  nas_dataset *data = NULL;
  nas_pool *pool = NULL;
  nas_status status = open_data(&data, argc == 3 ? argv[1] : NULL, argv[argc - 1], &err);
  if (status == NAS_OK) status = nas_pool_create(&pool, nas_cpu_count(), &err);
  if (status == NAS_OK) status = run(data, pool, &err);
  if (status != NAS_OK) fprintf(stderr, "%s: %s\n", argv[0], err.text);
  nas_pool_destroy(&pool);
  nas_dataset_release(&data);
  return status == NAS_OK ? 0 : 1;
}
