/* Mutations of model files for libFuzzer, which reach what bytes at random do not: of what an
 * archive holds, with a header that stays whole, and to random networks with all their parameters.
 */
#include <math.h>
#include "small_training.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);

static int below(nas_stream *dice, int64_t bound) {
  return (int)nas_stream_below(dice, (uint32_t)bound);
}

/* -- random networks -------------------------------------------------------------------------- */

/* One option in three is another one than its default, mostly a small one. */
static void choose_options(nas_stream *dice, const nas_option_table *table,
                           nas_option_value *values) {
  nas_options_default(table, values);
  for (int i = 0; i < table->count; i++) {
    const nas_option *o = &table->options[i];
    double reach = o->high - o->low < 4 || below(dice, 16) == 0 ? o->high - o->low : 4;
    double first = o->low + floor(nas_stream_double(dice) * (reach + 1)), second = first;
    if (below(dice, 3)) continue;
    if (o->type == NAS_OPTION_NUMBER) first = o->low + nas_stream_double(dice) * reach;
    if (below(dice, 2)) second = o->low + floor(nas_stream_double(dice) * (reach + 1));
    if (o->type == NAS_OPTION_PAIR)
      nas_options_set_pair(table, values, i, first, second, NULL);
    else if (o->type == NAS_OPTION_CHOICE)
      nas_options_set_word(table, values, i, o->choices[below(dice, 2)], NULL);
    else
      nas_options_set_number(table, values, i, first, NULL);
  }
}

/* A layer of that kind upon x, twice where it takes several; takes the reference, and gives x where
 * the layer does not fit. */
static nas_node *apply(nas_stream *dice, const nas_layer_kind *kind, nas_node *x) {
  nas_option_value values[NAS_OPTIONS_MAX];
  nas_node *inputs[2] = {x, x}, *node;
  choose_options(dice, &kind->options, values);
  if (nas_node_create(&node, kind, values, inputs, kind->max_inputs > 1 ? 2 : 1, NULL) != NAS_OK)
    return x;
  nas_node_release(&x);
  return node;
}

static nas_node *leaf(nas_stream *dice, const char *name) {
  const nas_layer_kind *kind = nas_layer_kind_find(name, NULL);
  nas_option_value values[NAS_OPTIONS_MAX];
  nas_node *node;
  choose_options(dice, &kind->options, values);
  if (nas_node_create(&node, kind, values, NULL, 0, NULL) != NAS_OK) {
    nas_options_default(&kind->options, values);
    require(nas_node_create(&node, kind, values, NULL, 0, NULL) == NAS_OK);
  }
  return node;
}

static int kind_count(void) {
  int count = 0;
  while (nas_layer_kind_at(count)) count++;
  return count;
}

static nas_node *random_output(nas_stream *dice) {
  nas_node *x = leaf(dice, "input");
  for (int layers = below(dice, 6); layers > 0; layers--) {
    const nas_layer_kind *kind = nas_layer_kind_at(below(dice, kind_count()));
    if (kind->max_inputs > 0 && !kind->is_loss) x = apply(dice, kind, x);
  }
  return below(dice, 8) ? apply(dice, nas_layer_kind_find("dense", NULL), x) : x;
}

/* Takes the reference to the output; NULL where the loss does not fit. */
static nas_node *random_loss(nas_stream *dice, nas_node *output) {
  static const char *const losses[] = {"softmax_cross_entropy", "binary_cross_entropy", "huber",
                                       "mean_squared_error"};
  const nas_layer_kind *kind = nas_layer_kind_find("target", NULL);
  nas_option_value values[NAS_OPTIONS_MAX];
  nas_node *target, *loss;
  int which = below(dice, 4);
  values[0].integer = which < 2 ? 0 : nas_node_shape(output).dim[0];
  if (nas_node_create(&target, kind, values, NULL, 0, NULL) != NAS_OK)
    target = leaf(dice, "target");
  kind = nas_layer_kind_find(losses[which], NULL);
  choose_options(dice, &kind->options, values);
  nas_status status = nas_node_create(&loss, kind, values, (nas_node *[]){output, target}, 2, NULL);
  nas_node_release(&target);
  return status == NAS_OK ? loss : NULL;
}

static void add_params(nas_stream *dice, const nas_network *network, int node,
                       nas_archive *archive) {
  const nas_node *of = nas_network_node(network, node);
  const nas_layer_kind *kind = nas_node_kind(of);
  nas_shape shapes[NAS_INPUTS_MAX];
  nas_param sets[NAS_PARAMS_MAX];
  for (int k = 0; k < nas_node_input_count(of); k++)
    shapes[k] = nas_node_shape(nas_node_input(of, k));
  int count = kind->params ? kind->params(nas_node_options(of), shapes, sets) : 0;
  for (int s = 0; s < count; s++) {
    int64_t dims[4], numbers = 1;
    char name[100];
    for (int d = 0; d < sets[s].rank; d++) numbers *= dims[d] = sets[s].dim[d];
    if (numbers > 1000) continue;
    nas_tensor *tensor = small_tensor(NAS_FLOAT32, sets[s].rank, dims);
    float *to = nas_tensor_data(tensor);
    for (int64_t i = 0; i < numbers; i++) to[i] = 2 * nas_stream_float(dice) - 1;
    snprintf(name, sizeof name, "%d.%s.%s", node + 1, kind->name, sets[s].role);
    require(nas_archive_add(archive, name, tensor, NULL) == NAS_OK);
    nas_tensor_destroy(&tensor);
  }
}

static int index_of(const nas_network *network, const nas_node *node) {
  int i = 0;
  while (nas_network_node(network, i) != node) i++;
  return i;
}

static void set(nas_archive *archive, const char *key, const char *value) {
  require(nas_archive_set(archive, key, value, NULL) == NAS_OK);
}

static void describe(const nas_network *network, const nas_node *output, int values,
                     nas_archive *archive) {
  int units = nas_node_shape(output).dim[0];
  char number[40];
  set(archive, "luanas.format", "model 1");
  set(archive, "luanas.network", nas_network_text(network));
  snprintf(number, sizeof number, "%d", index_of(network, output) + 1);
  set(archive, "luanas.output", number);
  snprintf(number, sizeof number, values ? "values %d" : "classes %d",
           units == 1 ? 2 - values : units);
  set(archive, "luanas.task", number);
  set(archive, "luanas.top_k", "1");
  set(archive, "luanas.winograd", "1");
  set(archive, "luanas.epoch", "1");
  set(archive, "luanas.recipe", "recipe");
  set(archive, "luanas.data", "random");
}

/* NULL where it came to nothing. */
static nas_archive *random_model(nas_stream *dice) {
  nas_archive *archive = NULL;
  nas_network *network = NULL;
  nas_node *output = random_output(dice), *loss = random_loss(dice, output);
  if (loss && nas_network_create(&network, loss, NULL) == NAS_OK) {
    int values = nas_node_shape(nas_node_input(loss, 1)).rank > 0;
    require(nas_archive_create(&archive, NULL) == NAS_OK);
    describe(network, output, values, archive);
    for (int i = 0; i < nas_network_size(network); i++) add_params(dice, network, i, archive);
  }
  nas_network_destroy(&network);
  nas_node_release(&loss);
  nas_node_release(&output);
  return archive;
}

/* -- changes of an archive -------------------------------------------------------------------- */

/* A number in the text becomes another one. */
static void change_number(nas_stream *dice, const char *value, char *to, size_t size) {
  static const char *const numbers[] = {"0",  "1",   "2",     "3",     "4",          "5",
                                        "8",  "16",  "255",   "256",   "65535",      "65536",
                                        "-1", "0.5", "1e-07", "65537", "2147483647", "4294967296"};
  size_t length = strlen(value), at = (size_t)below(dice, (int64_t)length + 1), digits;
  at += strcspn(value + at, "0123456789");
  digits = strspn(value + at, "0123456789");
  snprintf(to, size, "%.*s%s%s", (int)at, value, numbers[below(dice, 18)], value + at + digits);
}

/* The name of a layer becomes another kind's. */
static void change_kind(nas_stream *dice, const char *value, char *to, size_t size) {
  size_t length = strlen(value), at = (size_t)below(dice, (int64_t)length + 1), word;
  at += strcspn(value + at, " ");
  at += value[at] == ' ';
  word = strcspn(value + at, "( \n");
  snprintf(to, size, "%.*s%s%s", (int)at, value, nas_layer_kind_at(below(dice, kind_count()))->name,
           value + at + word);
}

static void change_value(nas_stream *dice, const char *value, char *to, size_t size) {
  switch (below(dice, 4)) {
  case 0: change_kind(dice, value, to, size); break;
  case 1:
    snprintf(to, size, "%s", value);
    to[LLVMFuzzerMutate((uint8_t *)to, strlen(to), size - 1)] = 0;
    break;
  default: change_number(dice, value, to, size);
  }
}

/* Another dimension, or other bytes; NULL where it came to nothing. */
static nas_tensor *change_tensor(nas_stream *dice, const nas_tensor *tensor) {
  int64_t dims[NAS_RANK_MAX];
  int rank = nas_tensor_rank(tensor), resize = below(dice, 3) == 0;
  nas_tensor *changed;
  memcpy(dims, nas_tensor_dims(tensor), (size_t)rank * sizeof *dims);
  if (resize) dims[below(dice, rank)] = 1 + below(dice, 8);
  if (nas_tensor_create(&changed, nas_tensor_dtype(tensor), rank, dims, NULL) != NAS_OK)
    return NULL;
  size_t size = nas_dtype_size(nas_tensor_dtype(changed)) * (size_t)nas_tensor_size(changed);
  if (!resize) {
    memcpy(nas_tensor_data(changed), nas_tensor_data(tensor), size);
    LLVMFuzzerMutate(nas_tensor_data(changed), size, size);
  }
  return changed;
}

static void copy_keys(nas_stream *dice, const nas_archive *from, int64_t chosen, nas_archive *to) {
  static char value[1 << 14];
  for (int64_t i = 0; i < nas_archive_key_count(from); i++) {
    const char *key = nas_archive_key_at(from, i), *old = nas_archive_get(from, key);
    if (i != chosen) {
      set(to, key, old);
    } else if (below(dice, 8)) {
      change_value(dice, old, value, sizeof value);
      if (nas_archive_set(to, key, value, NULL) != NAS_OK) set(to, key, old);
    }
  }
}

static void copy_tensors(nas_stream *dice, const nas_archive *from, int64_t chosen,
                         nas_archive *to) {
  for (int64_t i = 0; i < nas_archive_count(from); i++) {
    const nas_tensor *old = nas_archive_tensor_at(from, i);
    const char *name = nas_archive_name_at(from, i);
    if (i != chosen) {
      require(nas_archive_add(to, name, old, NULL) == NAS_OK);
    } else if (below(dice, 8)) {
      nas_tensor *changed = change_tensor(dice, old);
      require(nas_archive_add(to, name, changed ? changed : old, NULL) == NAS_OK);
      nas_tensor_destroy(&changed);
    }
  }
}

/* One key or tensor is changed or left out. */
static nas_archive *change(nas_stream *dice, const nas_archive *from) {
  int64_t keys = nas_archive_key_count(from), all = keys + nas_archive_count(from);
  int64_t chosen = all ? below(dice, all) : 0;
  nas_archive *to;
  require(nas_archive_create(&to, NULL) == NAS_OK);
  copy_keys(dice, from, chosen, to);
  copy_tensors(dice, from, chosen - keys, to);
  return to;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
  nas_stream dice = nas_stream_open(seed, "mutations", NULL, 0);
  nas_archive *before = NULL, *after = NULL;
  nas_text bytes = {0};
  int way = below(&dice, 8);
  if (way > 1 && nas_archive_read_memory(&before, data, size, "data", NULL) == NAS_OK)
    after = change(&dice, before);
  else if (way == 1)
    after = random_model(&dice);
  if (after) require(nas_archive_encode(after, &bytes, NULL) == NAS_OK);
  if (after && bytes.size <= max_size) {
    size = bytes.size;
    memcpy(data, bytes.data, size);
  } else {
    size = LLVMFuzzerMutate(data, size, max_size);
  }
  nas_text_clear(&bytes);
  nas_archive_destroy(&before);
  nas_archive_destroy(&after);
  return size;
}
