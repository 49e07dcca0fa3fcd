/* Whether the library agrees with the naive reference about a network: every value of every layer,
 * the whole gradient, and that micro-batches and instruction sets change no bit. */
#ifndef TESTS_AGREEMENT_H
#define TESTS_AGREEMENT_H

#include "reference.h"
#include "plan.h"

/* What is drawn for a network. */
typedef struct sample {
  int count; /* images */
  float *images, *targets, *params;
  int32_t labels[16];
} sample;

/* How much of the gradients could be compared. */
typedef struct tally {
  int directions, excused;
} tally;

/* The classes that every softmax of the network knows. */
static inline int classes_of(const nas_network *network) {
  int classes = NAS_DIM_MAX;
  for (int i = 0; i < nas_network_size(network); i++) {
    const nas_node *node = nas_network_node(network, i);
    if (strcmp(nas_node_kind(node)->name, "softmax_cross_entropy") != 0) continue;
    int units = nas_node_shape(nas_node_input(node, 0)).dim[0];
    if (units < classes) classes = units;
  }
  return classes < NAS_DIM_MAX ? classes : 2;
}

/* Nothing is 0 or 1 as it is at the beginning, so that no gradient is missing. */
static inline void draw_params(machine *m, nas_stream *dice) {
  nas_compiled_init(m->compiled, nas_stream_u32(dice), m->params);
  for (int s = 0; s < nas_compiled_param_count(m->compiled); s++) {
    nas_param_place set = nas_compiled_param(m->compiled, s);
    if (set.is.init == NAS_INIT_UNIFORM || set.is.use == NAS_PARAM_STATE) continue;
    for (size_t r = 0; r < set.rows; r++)
      for (int o = 0; o < set.width; o++)
        m->params[param_at(&set, r, o)] += 0.6f * nas_stream_float(dice) - 0.3f;
  }
}

static inline sample sample_of(machine *m, int count, nas_stream *dice) {
  const nas_map *target = nas_compiled_target(m->compiled);
  size_t inputs = map_size(nas_compiled_input(m->compiled)) * (size_t)count;
  sample s = {.count = count, .images = floats(inputs), .params = floats(m->floats)};
  fill_uniform(dice, s.images, inputs);
  for (int n = 0; n < 16; n++) s.labels[n] = between(dice, 0, classes_of(m->network) - 1);
  for (int i = 0; target && i < nas_network_size(m->network); i++) {
    nas_node *node = nas_network_node(m->network, i);
    if (strcmp(nas_node_kind(node)->name, "target") != 0 || nas_node_shape(node).rank == 0)
      continue;
    size_t values = map_size(target) * (size_t)count;
    s.targets = floats(values);
    for (size_t k = 0; k < values; k++) s.targets[k] = nas_stream_float(dice);
  }
  draw_params(m, dice);
  memcpy(s.params, m->params, m->floats * sizeof(float));
  return s;
}

static inline void sample_free(sample *s) {
  nas_free(s->images);
  nas_free(s->targets);
  nas_free(s->params);
}

/* -- values ----------------------------------------------------------------------------------- */

static inline double largest_of(const table *t, int images) {
  double largest = 0;
  for (int k = 0; k < images * t->size; k++)
    largest = fabs(t->at[k]) <= largest ? largest : fabs(t->at[k]); /* NaN is large */
  return largest;
}

/* Borders and the padding of rows are zero, in any number of images. */
static inline void check_around(const machine *m, const nas_layer *layer, nas_arena arena) {
  const nas_map *map = layer->output;
  const nas_border *b = &map->border;
  const float *data = nas_map_data(map, arena);
  for (int n = 0; n < nas_compiled_micro_batch(m->compiled); n++)
    for (int i = -b->top; i < map->height + b->bottom; i++)
      for (int j = -b->left; j < map->width + b->right; j++) {
        int inside = i >= 0 && i < map->height && j >= 0 && j < map->width;
        for (int c = inside ? map->channels : 0; c < map->stride; c++) {
          float value = data[nas_map_at(map, n, i, j) + c];
          if (value == 0.0f) continue;
          fail_msg("%s: %g in channel %d of pixel %d, %d, which lies outside of the map\n%s",
                   layer->kind->name, (double)value, c, i, j, nas_network_text(m->network));
        }
      }
}

/* Whether images first .. first + count - 1 of a layer are as the reference has them. */
static inline void check_values(const machine *m, const reference *r, int at, int first, int count,
                                nas_arena arena) {
  const nas_compiled *c = m->compiled;
  const table *expected = &r->layers[c->canonical[at]].y;
  const nas_map *map = c->layers[at].output;
  double bound = 3e-5 * (1 + largest_of(expected, r->images));
  for (int n = 0; n < count; n++)
    for (int k = 0; k < expected->size; k++) {
      double y = (double)nas_map_data(map, arena)[map_index(map, n, (size_t)k)];
      double wanted = expected->at[(first + n) * expected->size + k];
      if (fabs(y - wanted) <= bound) continue;
      fail_msg("%s: value %d is %.9g, expected %.9g\n%s", c->layers[at].kind->name, k, y, wanted,
               nas_network_text(m->network));
    }
}

/* After a run, what was stored of each micro-batch is still there, and all of the last one. */
static inline void check_layers(const machine *m, const reference *r) {
  const nas_compiled *c = m->compiled;
  int micro_batch = c->micro_batch, batches = (r->images + micro_batch - 1) / micro_batch;
  for (int b = 0; b < batches; b++) {
    nas_arena arena = machine_arena(m, b);
    int first = b * micro_batch;
    int count = r->images - first < micro_batch ? r->images - first : micro_batch;
    for (int i = 0; i < c->size; i++) {
      if (c->layers[i].relu) continue; /* the place then holds what comes after the ReLU */
      if (c->unwritten[i]) continue;   /* there is no place */
      if (c->layers[i].output->scratch && b < batches - 1) continue;
      check_values(m, r, i, first, count, arena);
      check_around(m, &c->layers[i], arena);
    }
  }
}

/* -- gradients -------------------------------------------------------------------------------- */

static inline double loss_along(reference *r, const machine *m, const float *direction, double h) {
  for (size_t i = 0; i < m->count; i++) r->params[m->numbers[i]] += h * (double)direction[i];
  double loss = reference_run(r);
  for (size_t i = 0; i < m->count; i++) r->params[m->numbers[i]] = (double)m->params[m->numbers[i]];
  return loss;
}

/* By central differences in double, whose errors are some 1e-9. Two things excuse a miss, and are
 * counted: where large numbers cancel out, float has lost digits; and where a ReLU or a maximum
 * changes its mind nearby, float and double may be on different sides, but there the slopes to the
 * right and to the left differ. */
static inline void check_direction(reference *r, const machine *m, const float *direction,
                                   tally *t) {
  const double h = 1e-6, wide = 1e-4;
  double expected = 0, terms = 0;
  for (size_t i = 0; i < m->count; i++) {
    double term = (double)direction[i] * (double)m->d_params[m->numbers[i]];
    expected += term;
    terms += fabs(term);
  }
  double slope = (loss_along(r, m, direction, h) - loss_along(r, m, direction, -h)) / (2 * h);
  double miss = fabs(slope - expected);
  t->directions++;
  if (miss <= 1e-5 * (0.3 + terms)) return;
  t->excused++;
  if (miss <= 1e-3 * (0.3 + terms)) return;
  double here = loss_along(r, m, direction, 0);
  double right = (loss_along(r, m, direction, wide) - here) / wide;
  double left = (here - loss_along(r, m, direction, -wide)) / wide;
  if (fabs(right - left) > 0.3 * miss) return;
  fail_msg("difference %.17g, gradient %.17g\n%s", slope, expected, nas_network_text(m->network));
}

/* Random directions in each parameter set, so that every number of the gradient takes part. */
static inline void check_gradient(reference *r, const machine *m, nas_stream *dice, tally *t) {
  enum { DIRECTIONS = 2 };
  float *direction = floats(m->count);
  size_t first = 0;
  for (int s = 0; s < nas_compiled_param_count(m->compiled); s++) {
    nas_param_place set = nas_compiled_param(m->compiled, s);
    if (set.is.use == NAS_PARAM_STATE) continue;
    size_t size = set.rows * (size_t)set.width;
    for (int i = 0; i < DIRECTIONS; i++) {
      memset(direction, 0, m->count * sizeof *direction);
      fill_uniform(dice, direction + first, size);
      check_direction(r, m, direction, t);
    }
    first += size;
  }
  nas_free(direction);
}

/* -- bits ------------------------------------------------------------------------------------- */

/* What a pass must write, it must not find. */
static inline void poison(const machine *m, const nas_map *map, nas_arena arena) {
  if (!map) return;
  for (int n = 0; n < nas_compiled_micro_batch(m->compiled); n++)
    for (size_t k = 0; k < map_size(map); k++) nas_map_data(map, arena)[map_index(map, n, k)] = NAN;
}

static inline void run_sample(machine *m, const sample *s, float *losses) {
  for (int i = 0; i < m->compiled->size; i++)
    for (int a = 0; a == 0 || (a < 16 && m->stored[a]); a++) {
      poison(m, m->compiled->layers[i].output, machine_arena(m, a));
      poison(m, m->compiled->layers[i].d_output, machine_arena(m, a));
    }
  m->labels = s->labels;
  m->targets = s->targets;
  m->batch = s->count;
  m->loss = losses;
  memcpy(m->params, s->params, m->floats * sizeof(float));
  machine_run(m, s->images, s->count, 1);
  check_padding(m, m->d_params);
}

/* Every table of kernels, each with another micro-batch, gives the same losses and gradients. */
static inline void check_bits(const machine *m, nas_node *loss, const sample *s,
                              const float *losses, nas_stream *dice) {
  int first = between(dice, 1, s->count); /* once: the dice fall alike whatever tables there are */
  const nas_kernels *kernels;
  for (int i = 0; (kernels = nas_kernels_numbered(i)) != NULL; i++) {
    float other[16];
    machine again = machine_with(nas_node_retain(loss), 1 + (first + i) % s->count, kernels);
    run_sample(&again, s, other);
    if (memcmp(losses, other, (size_t)s->count * sizeof *losses) != 0 ||
        memcmp(m->d_params, again.d_params, m->floats * sizeof(float)) != 0)
      fail_msg("%s with micro-batches of %d gives other bits\n%s", kernels->name,
               nas_compiled_micro_batch(again.compiled), nas_network_text(m->network));
    machine_free(&again);
  }
}

/* All of it, for `count` images; takes the reference to the loss. Returns 0, and checks nothing,
 * when some value of the network is larger than `limit`, where float says little. */
static inline int check_network(nas_node *loss, int count, double limit, nas_stream *dice,
                                tally *t) {
  float losses[16];
  machine m = machine_with(nas_node_retain(loss), between(dice, 1, count), NULL);
  sample s = sample_of(&m, count, dice);
  reference r = reference_of(&m, count);
  m.labels = s.labels;
  m.targets = s.targets;
  reference_load(&r, &m, s.images);
  reference_run(&r);
  int tame = 1;
  for (int i = 0; i < r.size; i++) tame &= largest_of(&r.layers[i].y, count) <= limit;
  if (tame) {
    run_sample(&m, &s, losses);
    check_layers(&m, &r);
    check_gradient(&r, &m, dice, t);
    check_bits(&m, loss, &s, losses, dice);
  }
  reference_free(&r);
  sample_free(&s);
  machine_free(&m);
  nas_node_release(&loss);
  return tame;
}

#endif
