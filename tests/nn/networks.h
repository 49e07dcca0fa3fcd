/* Networks in a line of text, a machine that runs them, and layers that look at what passes:
 *   test_sum    adds its inputs, so that one output may feed several consumers
 *   test_watch  hands its input on, and the gradient back, which it also keeps in `watched.d_y`
 *   test_probe  a loss: the sum of its input times `probe.weights`, linear so that differences of
 * it have no truncation error; keeps its input in `probe.y` Included by one program each. */
#ifndef TESTS_NETWORKS_H
#define TESTS_NETWORKS_H

#include "fence.h"
#include <math.h>
#include <stdlib.h>
#include <nas/compiled.h>
#include <nas/random.h>
#include "kernel.h"

/* A test that must leave no block behind. */
#define TEST(function) cmocka_unit_test_teardown(function, check_no_blocks)

/* -- describing ------------------------------------------------------------------------------- */

/* One layer from text such as "conv2d kernel=3,5 filters=7 padding=valid"; inputs are borrowed. */
static inline nas_status node_try(nas_node **node, const char *text, nas_node *const *inputs,
                                  int count, nas_error *err) {
  char copy[256], *rest, *word;
  nas_option_value values[NAS_OPTIONS_MAX];
  assert_true(strlen(text) < sizeof copy);
  strcpy(copy, text);
  word = strtok_r(copy, " ", &rest);
  const nas_layer_kind *kind = nas_layer_kind_find(word, err);
  assert_non_null(kind);
  nas_options_default(&kind->options, values);
  while ((word = strtok_r(NULL, " ", &rest))) {
    char *value = strchr(word, '='), *end, *second;
    assert_non_null(value);
    *value++ = 0;
    int at = nas_options_find(&kind->options, word, err);
    if (at < 0) return NAS_ARGUMENT;
    double number = strtod(value, &end);
    nas_status status;
    if (end == value)
      status = nas_options_set_word(&kind->options, values, at, value, err);
    else if (*end == ',')
      status =
          nas_options_set_pair(&kind->options, values, at, number, strtod(end + 1, &second), err);
    else
      status = nas_options_set_number(&kind->options, values, at, number, err);
    if (status != NAS_OK) return status;
  }
  return nas_node_create(node, kind, values, inputs, count, err);
}

/* The same; must succeed, and takes the references to the inputs. */
static inline nas_node *node_take(const char *text, nas_node **inputs, int count) {
  nas_node *node = NULL;
  nas_error err;
  check_ok(node_try(&node, text, inputs, count, &err), &err);
  for (int i = 0; i < count; i++) nas_node_release(&inputs[i]);
  return node;
}

/* A layer with several inputs, whose references it takes. */
#define JOIN(text, ...)                                                                            \
  node_take((text), (nas_node *[]){__VA_ARGS__},                                                   \
            (int)(sizeof((nas_node *[]){__VA_ARGS__}) / sizeof(nas_node *)))

/* Layers one after the other upon x (NULL: the first has no input), whose reference it takes:
 * "input size=6,5 channels=3; conv2d kernel=3 filters=4; relu; dense units=2;
 * softmax_cross_entropy". A loss of two inputs gets a target: a class after softmax, else values.
 */
static inline nas_node *stack(nas_node *x, const char *text) {
  char copy[1024], *rest;
  assert_true(strlen(text) < sizeof copy);
  strcpy(copy, text);
  for (char *one = strtok_r(copy, ";", &rest); one; one = strtok_r(NULL, ";", &rest)) {
    one += strspn(one, " ");
    char name[64] = {0}, target[64] = "target";
    memcpy(name, one, strcspn(one, " "));
    const nas_layer_kind *kind = nas_layer_kind_find(name, NULL);
    if (kind && kind->is_loss && kind->min_inputs == 2) {
      if (strcmp(name, "softmax_cross_entropy") != 0)
        snprintf(target, sizeof target, "target values=%d", nas_node_shape(x).dim[0]);
      x = JOIN(one, x, node_take(target, NULL, 0));
    } else {
      x = node_take(one, &x, x ? 1 : 0);
    }
  }
  return x;
}

enum { LINES_MAX = 128 };

/* Takes a layer's inputs "(2,3)" off the text, which then reads "add ..."; returns how many, or -1
 * without such a list. */
static inline int take_inputs(char *text, nas_node **lines, int so_far, nas_node **inputs) {
  char *list = strchr(text, '('), *end = list;
  int count = 0;
  if (!list) return -1;
  do {
    long line = strtol(end + 1, &end, 10);
    assert_true(line >= 1 && line <= so_far && count < NAS_INPUTS_MAX);
    inputs[count++] = lines[line - 1];
  } while (*end == ',');
  assert_int_equal(*end, ')');
  memmove(list, end + 1, strlen(end + 1) + 1);
  return count;
}

/* Layers in the form of nas_network_text, of which *node is the last one. Lines may be separated by
 * semicolons; their numbers may be left out, and the inputs of a layer upon the line before:
 * "input size=4 channels=2; conv2d kernel=3 filters=2; relu; add(1,3)". */
static inline nas_status graph_try(nas_node **node, const char *text, nas_error *err) {
  nas_node *lines[LINES_MAX], *inputs[NAS_INPUTS_MAX];
  nas_status status = NAS_OK;
  int count = 0;
  *node = NULL;
  for (size_t length; *text && status == NAS_OK; text += length + (text[length] != 0)) {
    char line[256] = {0};
    length = strcspn(text, ";\n");
    const char *from = text + strspn(text, " 0123456789");
    if (from >= text + length) continue;
    size_t size = (size_t)(text + length - from);
    assert_true(size < sizeof line && count < LINES_MAX);
    memcpy(line, from, size);
    int given = take_inputs(line, lines, count, inputs);
    if (given < 0) {
      given = strncmp(line, "input", 5) != 0 && strncmp(line, "target", 6) != 0;
      if (given) inputs[0] = lines[count - 1];
    }
    status = node_try(&lines[count], line, inputs, given, err);
    count += status == NAS_OK;
  }
  if (status == NAS_OK) *node = nas_node_retain(lines[count - 1]);
  for (int i = 0; i < count; i++) nas_node_release(&lines[i]);
  return status;
}

/* The same; must succeed. */
static inline nas_node *graph(const char *text) {
  nas_node *node;
  nas_error err;
  check_ok(graph_try(&node, text, &err), &err);
  return node;
}

static inline nas_network *network_of(nas_node *output) {
  nas_network *network;
  nas_error err;
  check_ok(nas_network_create(&network, output, &err), &err);
  nas_node_release(&output);
  return network;
}

/* -- layers that look ------------------------------------------------------------------------- */

/* Arrays [image][y][x][channel] without padding, or NULL. */
static struct {
  const float *weights;
  float *y;
  double loss; /* added to, over the images */
  int first;   /* image that the pass begins with */
} probe;

static struct { float *d_y; } watched;

static inline size_t map_size(const nas_map *map) {
  return (size_t)map->height * (size_t)map->width * (size_t)map->channels;
}

/* Floats to channel c of pixel (y, x) of image n, by a running index in raster order. */
static inline ptrdiff_t map_index(const nas_map *map, int n, size_t i) {
  size_t c = i % (size_t)map->channels, pixel = i / (size_t)map->channels;
  return nas_map_at(map, n, (int)(pixel / (size_t)map->width), (int)(pixel % (size_t)map->width)) +
         (ptrdiff_t)c;
}

static inline nas_status same_shape(const nas_option_value *values, const nas_shape *inputs,
                                    int count, nas_shape *output, nas_error *err) {
  (void)values, (void)err;
  for (int i = 1; i < count; i++)
    if (memcmp(&inputs[i], &inputs[0], sizeof *inputs) != 0)
      return nas_fail(err, NAS_ARGUMENT, "inputs of different shapes");
  *output = inputs[0];
  return NAS_OK;
}

static inline void give_gradient(const nas_layer *layer, const nas_pass *pass, int input, int n,
                                 size_t i, float g) {
  const nas_map *map = layer->d_inputs[input];
  if (!map) return;
  float *at = nas_map_data(map, pass->arena) + map_index(map, n, i);
  *at = layer->accumulate[input] ? *at + g : g;
}

static inline void sum_forward(const nas_layer *layer, const nas_pass *pass) {
  for (int n = 0; n < pass->images; n++)
    for (size_t i = 0; i < map_size(layer->output); i++) {
      float sum = 0;
      for (int k = 0; k < layer->input_count; k++)
        sum += nas_map_data(layer->inputs[k], pass->arena)[map_index(layer->inputs[k], n, i)];
      nas_map_data(layer->output, pass->arena)[map_index(layer->output, n, i)] = sum;
    }
}

static inline void sum_backward(const nas_layer *layer, const nas_pass *pass) {
  for (int k = 0; k < layer->input_count; k++)
    for (int n = 0; n < pass->images; n++)
      for (size_t i = 0; i < map_size(layer->output); i++)
        give_gradient(layer, pass, k, n, i,
                      nas_map_data(layer->d_output, pass->arena)[map_index(layer->d_output, n, i)]);
}

static const nas_layer_kind test_sum = {
    .name = "test_sum",
    .options = {"test_sum", NULL, 0},
    .min_inputs = 1,
    .max_inputs = NAS_INPUTS_MAX,
    .shape = same_shape,
    .forward = sum_forward,
    .backward = sum_backward,
};

/* A parameter makes the gradient come here. */
static inline int watch_params(const nas_option_value *values, const nas_shape *inputs,
                               nas_param *sets) {
  (void)values, (void)inputs;
  sets[0] = (nas_param){.role = "unused", .rank = 1, .dim = {1}, .init = NAS_INIT_ONE};
  return 1;
}

static inline void watch_backward(const nas_layer *layer, const nas_pass *pass) {
  sum_backward(layer, pass);
  const float *d_y = nas_map_data(layer->d_output, pass->arena);
  size_t size = map_size(layer->d_output);
  for (int n = 0; n < pass->images; n++)
    for (size_t i = 0; i < size && watched.d_y; i++)
      watched.d_y[(size_t)(probe.first + n) * size + i] = d_y[map_index(layer->d_output, n, i)];
}

static const nas_layer_kind test_watch = {
    .name = "test_watch",
    .options = {"test_watch", NULL, 0},
    .min_inputs = 1,
    .max_inputs = 1,
    .shape = same_shape,
    .params = watch_params,
    .forward = sum_forward,
    .backward = watch_backward,
};

static inline nas_status probe_shape(const nas_option_value *values, const nas_shape *inputs,
                                     int count, nas_shape *output, nas_error *err) {
  (void)values, (void)inputs, (void)count, (void)err;
  *output = (nas_shape){0};
  return NAS_OK;
}

static inline void probe_forward(const nas_layer *layer, const nas_pass *pass) {
  const nas_map *in = layer->inputs[0];
  size_t size = map_size(in);
  for (int n = 0; n < pass->images; n++) {
    double loss = 0;
    for (size_t i = 0; i < size; i++) {
      size_t at = (size_t)(probe.first + n) * size + i;
      float y = nas_map_data(in, pass->arena)[map_index(in, n, i)];
      if (probe.y) probe.y[at] = y;
      if (probe.weights) loss += (double)probe.weights[at] * (double)y;
    }
    probe.loss += loss;
    nas_map_data(layer->output, pass->arena)[nas_map_at(layer->output, n, 0, 0)] = (float)loss;
  }
}

static inline void probe_backward(const nas_layer *layer, const nas_pass *pass) {
  size_t size = map_size(layer->inputs[0]);
  for (int n = 0; n < pass->images; n++)
    for (size_t i = 0; i < size; i++)
      give_gradient(
          layer, pass, 0, n, i,
          probe.weights[(size_t)(probe.first + n) * size + i] *
              nas_map_data(layer->d_output, pass->arena)[nas_map_at(layer->d_output, n, 0, 0)]);
}

static const nas_layer_kind test_probe = {
    .name = "test_probe",
    .options = {"test_probe", NULL, 0},
    .min_inputs = 1,
    .max_inputs = 1,
    .is_loss = 1,
    .shape = probe_shape,
    .forward = probe_forward,
    .backward = probe_backward,
};

/* A group setup. */
static inline int register_test_layers(void **state) {
  (void)state;
  return nas_layer_kind_register(&test_sum, NULL) || nas_layer_kind_register(&test_watch, NULL) ||
         nas_layer_kind_register(&test_probe, NULL);
}

/* -- running ---------------------------------------------------------------------------------- */

/* Each array of a machine lies at a closed page (fence.h); on its other side are floats that must
 * stay as they are. */
enum { ZONE = 64 };

typedef struct machine {
  fence_side side; /* of all its arrays */
  nas_network *network;
  nas_compiled *compiled;
  float *params, *derived, *d_params;
  float *stored[16], *scratch; /* parts of arenas: the first of each micro-batch */
  float *room, *kept;
  size_t floats, derived_floats, stored_floats, scratch_floats;
  size_t *numbers; /* where every trainable number lies in params and d_params */
  size_t count;
  const int32_t *labels; /* of all images; NULL: all 0 */
  const float *targets;  /* or values [images][units] */
  int batch;             /* gradients are those of the losses / batch; 0: 1, or all images of a run
                            where layers couple them */
  float *loss;           /* [images] of a run, or NULL */
  int32_t *predicted;    /* [images], the largest unit of the loss's input, or NULL */
  nas_layer_seconds *seconds; /* of each node, added to, or NULL */
} machine;

/* The zone of an array. */
static inline float *zone_of(float *array, size_t floats, fence_side side) {
  return side == FENCE_BEHIND ? array - ZONE : array + floats;
}

static inline float *zoned(size_t floats, fence_side side) {
  float *block = fence_alloc((floats + ZONE) * sizeof *block, side);
  float *array = side == FENCE_BEHIND ? block + ZONE : block;
  memset(block, 0, (floats + ZONE) * sizeof *block);
  for (int i = 0; i < ZONE; i++) zone_of(array, floats, side)[i] = (float)(1000 + i);
  return array;
}

static inline void zoned_free(float *array, size_t floats, fence_side side) {
  for (int i = 0; i < ZONE; i++)
    check_float_bits(zone_of(array, floats, side)[i], (float)(1000 + i));
  fence_free(array);
}

/* Where element (r, o) of a parameter set lies in params and d_params. */
static inline size_t param_at(const nas_param_place *set, size_t r, int o) {
  return set->at + r * (size_t)nas_row(set->width) + (size_t)o;
}

static inline void list_numbers(machine *m) {
  m->numbers = nas_alloc((size_t)nas_network_params(m->network), sizeof *m->numbers);
  assert_non_null(m->numbers);
  for (int s = 0; s < nas_compiled_param_count(m->compiled); s++) {
    nas_param_place set = nas_compiled_param(m->compiled, s);
    if (set.is.use == NAS_PARAM_STATE) continue;
    for (size_t r = 0; r < set.rows; r++)
      for (int o = 0; o < set.width; o++) m->numbers[m->count++] = param_at(&set, r, o);
  }
  assert_int_equal(m->count, nas_network_params(m->network));
}

/* Compiles the network that ends in the loss, whose reference it takes. All parameters are 0. */
static inline machine machine_how(nas_node *loss, int micro_batch, const nas_kernels *kernels,
                                  nas_winograd winograd) {
  const nas_node *output = nas_node_input(loss, 0);
  machine m = {.side = fence_any_side(), .network = network_of(loss)};
  nas_compile_options options = {
      .micro_batch = micro_batch, .kernels = kernels, .output = output, .winograd = winograd};
  nas_error err;
  check_ok(nas_compiled_create(&m.compiled, m.network, &options, &err), &err);
  m.floats = nas_compiled_param_floats(m.compiled);
  m.derived_floats = nas_compiled_derived_floats(m.compiled);
  m.stored_floats = nas_compiled_stored_floats(m.compiled);
  m.scratch_floats = nas_compiled_scratch_floats(m.compiled);
  m.params = zoned(m.floats, m.side);
  m.d_params = zoned(m.floats, m.side);
  m.derived = zoned(m.derived_floats, m.side);
  m.room = zoned(nas_compiled_room_floats(m.compiled), m.side);
  m.kept = zoned(nas_compiled_kept_floats(m.compiled), m.side);
  m.scratch = zoned(m.scratch_floats, m.side);
  for (int i = 0; i < 16 && m.stored_floats; i++) m.stored[i] = zoned(m.stored_floats, m.side);
  list_numbers(&m);
  return m;
}

static inline machine machine_with(nas_node *loss, int micro_batch, const nas_kernels *kernels) {
  return machine_how(loss, micro_batch, kernels, NAS_WINOGRAD_AUTO);
}

static inline machine machine_of(nas_node *loss) {
  return machine_with(loss, 0, NULL);
}

static inline void machine_free(machine *m) {
  zoned_free(m->params, m->floats, m->side);
  zoned_free(m->d_params, m->floats, m->side);
  zoned_free(m->derived, m->derived_floats, m->side);
  zoned_free(m->room, nas_compiled_room_floats(m->compiled), m->side);
  zoned_free(m->kept, nas_compiled_kept_floats(m->compiled), m->side);
  zoned_free(m->scratch, m->scratch_floats, m->side);
  for (int i = 0; i < 16 && m->stored[i]; i++) zoned_free(m->stored[i], m->stored_floats, m->side);
  nas_free(m->numbers);
  nas_compiled_destroy(&m->compiled);
  nas_network_destroy(&m->network);
}

/* The arena of micro-batch `index`. */
static inline nas_arena machine_arena(const machine *m, int index) {
  return (nas_arena){m->stored_floats ? m->stored[index] : NULL, m->scratch};
}

static inline void machine_load(const machine *m, const float *images, int first, int count,
                                nas_arena arena) {
  const nas_map *input = nas_compiled_input(m->compiled),
                *target = nas_compiled_target(m->compiled);
  size_t size = map_size(input);
  for (int i = 0; i < count; i++) {
    for (size_t k = 0; k < size; k++)
      nas_map_data(input, arena)[map_index(input, i, k)] = images[(size_t)(first + i) * size + k];
    for (int k = 0; target && k < target->channels; k++)
      nas_map_data(target, arena)[map_index(target, i, (size_t)k)] =
          m->targets  ? m->targets[(first + i) * target->channels + k]
          : m->labels ? (float)m->labels[first + i]
                      : 0.0f;
  }
}

/* Adds up the losses, and keeps what the caller asked for. */
static inline double machine_read(const machine *m, int first, int count, nas_arena arena) {
  const nas_map *loss = nas_compiled_loss(m->compiled), *output = nas_compiled_output(m->compiled);
  double sum = 0;
  for (int i = 0; i < count; i++) {
    float of_image = nas_map_data(loss, arena)[map_index(loss, i, 0)];
    int best = 0;
    for (int k = 1; k < output->channels; k++)
      if (nas_map_data(output, arena)[map_index(output, i, (size_t)k)] >
          nas_map_data(output, arena)[map_index(output, i, (size_t)best)])
        best = k;
    sum += (double)of_image;
    if (m->loss) m->loss[first + i] = of_image;
    if (m->predicted) m->predicted[first + i] = best;
  }
  return sum;
}

/* At most 16 images [count][height][width][channels] where layers couple them, else any number,
 * through the network, micro-batch after micro-batch; with `backward` the gradients of their losses
 * / batch are added to d_params. Returns the sum of the losses; `probe.loss` is the one of a
 * test_probe before it was rounded to float. */
static inline double machine_run(machine *m, const float *images, int count, int backward) {
  int micro_batch = nas_compiled_micro_batch(m->compiled);
  int last = nas_compiled_segments(m->compiled) - 1;
  double sum = 0, sums[4096] = {0}, totals[4096] = {0};
  int32_t numbers[1024];
  assert_true(nas_compiled_sums(m->compiled) <= 4096 && count <= 1024);
  for (int i = 0; i < count; i++) numbers[i] = i;
  probe.loss = 0;
  nas_compiled_derive(m->compiled, m->params, m->derived, 0, 1);
  for (int phase = 0; phase <= 2 * last; phase++) {
    int back = 2 * last - phase;
    if (phase > 0)
      nas_compiled_total(m->compiled, phase <= last ? phase : back + 1, phase > last, sums, 1,
                         totals);
    for (int first = 0; first < count; first += micro_batch) {
      int n = count - first < micro_batch ? count - first : micro_batch;
      nas_arena arena = machine_arena(m, first / micro_batch);
      nas_pass pass = {.arena = arena,
                       .params = m->params,
                       .derived = m->derived,
                       .room = m->room,
                       .kept = m->kept,
                       .d_params = m->d_params,
                       .images = n,
                       .training = 1,
                       .first = first,
                       .batch = m->batch ? m->batch
                                : last   ? count
                                         : 1,
                       .seed = 7,
                       .epoch = 1,
                       .image = numbers + first,
                       .sums = sums,
                       .totals = totals,
                       .seconds = m->seconds};
      probe.first = first;
      if (phase == 0) machine_load(m, images, first, n, arena);
      if (phase <= last) nas_compiled_forward(m->compiled, phase, &pass);
      if (phase == last) sum += machine_read(m, first, n, arena);
      if (phase >= last && backward) nas_compiled_backward(m->compiled, back, &pass);
    }
    if (phase >= last && backward) {
      nas_pass whole = {
          .params = m->params, .d_params = m->d_params, .kept = m->kept, .seconds = m->seconds};
      nas_compiled_finish(m->compiled, back, &whole);
    }
  }
  return sum;
}

static inline void machine_clear_gradient(machine *m) {
  memset(m->d_params, 0, m->floats * sizeof(float));
}

/* The padding of all rows of parameters, or of their gradient, is zero. */
static inline void check_padding(const machine *m, const float *array) {
  for (int s = 0; s < nas_compiled_param_count(m->compiled); s++) {
    nas_param_place set = nas_compiled_param(m->compiled, s);
    if (set.is.use == NAS_PARAM_STATE) continue;
    for (size_t r = 0; r < set.rows; r++)
      for (int o = set.width; o < nas_row(set.width); o++) {
        float value = array[param_at(&set, r, o)];
        if (value == 0.0f) continue;
        fail_msg("%s of layer %d, row %zu: padding %d of %d is %g", set.is.role, set.node, r, o,
                 nas_row(set.width), (double)value);
      }
  }
}

/* -- numbers ---------------------------------------------------------------------------------- */

static inline int between(nas_stream *dice, int low, int high) {
  return low + (int)nas_stream_below(dice, (uint32_t)(high - low + 1));
}

static inline float *floats(size_t count) {
  float *block = nas_alloc_zero(count, sizeof *block);
  assert_non_null(block);
  return block;
}

/* Uniform in [-1, 1). */
static inline void fill_uniform(nas_stream *dice, float *array, size_t count) {
  for (size_t i = 0; i < count; i++) array[i] = 2 * nas_stream_float(dice) - 1;
}

/* Whole numbers from -most to most: sums and products of few of them are exact. */
static inline void fill_integers(nas_stream *dice, float *array, size_t count, int most) {
  for (size_t i = 0; i < count; i++) array[i] = (float)between(dice, -most, most);
}

#endif
