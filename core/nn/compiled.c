#include <nas/compiled.h>
#include <nas/cpu.h>
#include <nas/memory.h>
#include <nas/random.h>
#include <string.h>
#include "kernel.h"
#include "map.h"

/* What a node's output and its gradient occupy. Both have the same geometry, so that one list of
 * pixels serves both. */
typedef struct place {
  nas_map map, d_map;
  size_t before, size; /* floats from the border's start to pixel 0, and in all */
  nas_border border;
  int needs_gradient;
  int shares;                /* its gradient lies where another one was: clear around it first */
  int first_write, last_use; /* backward steps between which the gradient is alive */
} place;

struct nas_compiled {
  int size;
  nas_layer *layers;
  nas_node **nodes; /* referenced: layers point to their options */
  int *fused;       /* 1: a ReLU that the layer before it applies */
  int *place_of;    /* which place a node's output has: its own, or that of the layer before */
  int *occurrence;  /* of each node's sub-graph */
  place *places;
  place **input_places; /* of all inputs of node 0, then of node 1, ... */
  nas_param_place *params;
  int param_count;
  size_t param_floats, derived_floats, arena_floats;
  int micro_batch;
  const nas_kernels *kernels;
};

static size_t round_up(size_t floats) {
  return (floats + NAS_LANES - 1) / NAS_LANES * NAS_LANES;
}

/* -- the graph -------------------------------------------------------------------------------- */

static nas_status copy_graph(nas_compiled *c, const nas_network *network, nas_error *err) {
  size_t size = (size_t)nas_network_size(network), edges = 0;
  c->layers = nas_alloc_zero(size, sizeof *c->layers);
  c->nodes = nas_alloc_zero(size, sizeof *c->nodes);
  c->fused = nas_alloc_zero(size, sizeof *c->fused);
  c->place_of = nas_alloc_zero(size, sizeof *c->place_of);
  c->occurrence = nas_alloc_zero(size, sizeof *c->occurrence);
  c->places = nas_alloc_zero(size, sizeof *c->places);
  c->params = nas_alloc_zero(size * NAS_PARAMS_MAX, sizeof *c->params);
  if (!c->layers || !c->nodes || !c->fused || !c->place_of || !c->occurrence || !c->places ||
      !c->params)
    return nas_fail_memory(err, "a compiled network", size * sizeof *c->layers);
  c->size = (int)size;
  for (int i = 0; i < c->size; i++) {
    nas_node *node = c->nodes[i] = nas_node_retain(nas_network_node(network, i));
    nas_layer *layer = &c->layers[i];
    layer->kind = nas_node_kind(node);
    layer->options = nas_node_options(node);
    layer->input_count = nas_node_input_count(node);
    layer->micro_batch = c->micro_batch;
    c->place_of[i] = i;
    c->occurrence[i] = nas_network_occurrence(network, i);
    edges += (size_t)layer->input_count;
  }
  c->input_places = nas_alloc(edges, sizeof *c->input_places);
  return c->input_places ? NAS_OK : nas_fail_memory(err, "a compiled network", edges * 8);
}

/* A ReLU joins the layer before it when that layer can apply it and has no other consumer. */
static nas_status fuse_relu(nas_compiled *c, const nas_network *network, nas_error *err) {
  int *consumers = nas_alloc_zero((size_t)c->size, sizeof *consumers);
  if (!consumers) return nas_fail_memory(err, "a compiled network", (size_t)c->size * 4);
  for (int i = 0; i < c->size; i++)
    for (int k = 0; k < c->layers[i].input_count; k++)
      consumers[nas_network_input(network, i, k)]++;
  for (int i = 0; i < c->size; i++) {
    if (strcmp(c->layers[i].kind->name, "relu") != 0) continue;
    int before = nas_network_input(network, i, 0);
    if (!c->layers[before].kind->fuses_relu || consumers[before] != 1) continue;
    c->layers[before].relu = 1;
    c->fused[i] = 1;
    c->place_of[i] = before;
  }
  nas_free(consumers);
  return NAS_OK;
}

static void shapes_of(const nas_compiled *c, int index, nas_shape *shapes) {
  for (int k = 0; k < c->layers[index].input_count; k++)
    shapes[k] = nas_node_shape(nas_node_input(c->nodes[index], k));
}

static void find_input_places(nas_compiled *c, const nas_network *network) {
  place **next = c->input_places;
  for (int i = 0; i < c->size; i++)
    for (int k = 0; k < c->layers[i].input_count; k++)
      *next++ = &c->places[c->place_of[nas_network_input(network, i, k)]];
}

/* -- parameters ------------------------------------------------------------------------------- */

static void place_params(nas_compiled *c) {
  for (int i = 0; i < c->size; i++) {
    nas_layer *layer = &c->layers[i];
    nas_shape shapes[NAS_INPUTS_MAX];
    nas_param sets[NAS_PARAMS_MAX];
    shapes_of(c, i, shapes);
    int count = layer->kind->params ? layer->kind->params(layer->options, shapes, sets) : 0;
    for (int s = 0; s < count; s++) {
      nas_param_place *p = &c->params[c->param_count++];
      *p = (nas_param_place){.node = i, .is = sets[s], .at = c->param_floats, .rows = 1};
      for (int d = 0; d < sets[s].rank - 1; d++) p->rows *= (size_t)sets[s].dim[d];
      p->width = sets[s].dim[sets[s].rank - 1];
      layer->params[s] = p->at;
      c->param_floats += p->rows * (size_t)nas_row(p->width);
    }
    layer->derived = c->derived_floats;
    if (layer->kind->derived)
      c->derived_floats += round_up(layer->kind->derived(layer->options, shapes));
  }
}

/* -- the arena -------------------------------------------------------------------------------- */

static place **end_of_inputs(const nas_compiled *c) {
  place **end = c->input_places;
  for (int i = 0; i < c->size; i++) end += c->layers[i].input_count;
  return end;
}

/* Which gradients exist: those of outputs that depend on parameters. */
static void find_gradients(nas_compiled *c) {
  place **inputs = c->input_places;
  for (int i = 0; i < c->size; inputs += c->layers[i++].input_count) {
    place *p = &c->places[c->place_of[i]];
    p->needs_gradient |= c->layers[i].kind->params != NULL;
    for (int k = 0; k < c->layers[i].input_count; k++)
      p->needs_gradient |= inputs[k]->needs_gradient;
  }
}

static void lay_out(nas_compiled *c) {
  place **inputs = c->input_places;
  for (int i = 0; i < c->size; inputs += c->layers[i++].input_count) {
    const nas_layer *layer = &c->layers[i];
    nas_shape shapes[NAS_INPUTS_MAX];
    shapes_of(c, i, shapes);
    for (int k = 0; k < layer->input_count && layer->kind->borders; k++)
      layer->kind->borders(layer->options, shapes, k, &inputs[k]->border,
                           &c->places[c->place_of[i]].border);
  }
  for (int i = 0; i < c->size; i++) {
    place *p = &c->places[i];
    if (c->place_of[i] != i) continue;
    nas_shape shape = nas_node_shape(c->nodes[i]);
    int channels = shape.rank ? shape.dim[shape.rank - 1] : 1;
    /* Images are read one channel at a time: they need no padding. */
    int stride = c->layers[i].input_count ? nas_row(channels) : channels;
    p->size =
        round_up(nas_map_layout(&p->map, shape, p->border, stride, c->micro_batch, &p->before));
    p->map.offset = c->arena_floats + p->before;
    c->arena_floats += p->size;
  }
}

/* Step c->size - i is the backward of layer i. A gradient is written first by the last consumer and
 * is used up by its own layer. */
static void find_lifetimes(nas_compiled *c) {
  place **inputs = end_of_inputs(c);
  for (int i = c->size - 1; i >= 0; i--) {
    inputs -= c->layers[i].input_count;
    if (c->fused[i]) continue;
    for (int k = 0; k < c->layers[i].input_count; k++) {
      place *p = inputs[k];
      if (!p->needs_gradient) continue;
      c->layers[i].accumulate[k] = p->first_write != 0;
      if (p->first_write == 0) p->first_write = c->size - i;
      c->layers[i].d_inputs[k] = &p->d_map;
    }
    c->places[i].last_use = c->size - i;
  }
}

/* Gives each gradient the lowest offset at which no other one lies that is alive at the same time.
 */
static void place_gradients(nas_compiled *c) {
  size_t base = c->arena_floats;
  for (int i = c->size - 1; i >= 0; i--) {
    place *p = &c->places[i];
    if (!p->first_write) continue;
    size_t at = base;
    for (int j = c->size - 1; j > i; j--) {
      const place *q = &c->places[j];
      if (!q->first_write || q->first_write > p->last_use || p->first_write > q->last_use) continue;
      size_t start = q->d_map.offset - q->before;
      if (start < at + p->size && at < start + q->size) {
        at = start + q->size;
        j = c->size; /* from the beginning: at has moved */
      }
    }
    p->d_map = p->map;
    p->d_map.offset = at + p->before;
    if (at + p->size > c->arena_floats) c->arena_floats = at + p->size;
  }
}

static int overlap(const place *a, const place *b) {
  size_t a_at = a->d_map.offset - a->before, b_at = b->d_map.offset - b->before;
  return a_at < b_at + b->size && b_at < a_at + a->size;
}

/* Where memory is shared, another gradient may lie on the border and on the padding of rows, which
 * must be cleared again. */
static void find_shared(nas_compiled *c) {
  for (int i = 0; i < c->size; i++)
    for (int j = 0; c->places[i].first_write && j < c->size; j++)
      if (j != i && c->places[j].first_write && overlap(&c->places[i], &c->places[j]))
        c->places[i].shares = 1;
}

static void connect(nas_compiled *c) {
  place **inputs = c->input_places;
  for (int i = 0; i < c->size; inputs += c->layers[i++].input_count) {
    nas_layer *layer = &c->layers[i];
    place *p = &c->places[c->place_of[i]];
    layer->output = &p->map;
    layer->d_output = p->first_write ? &p->d_map : NULL;
    for (int k = 0; k < layer->input_count; k++) layer->inputs[k] = &inputs[k]->map;
  }
}

/* -- how many images at once ------------------------------------------------------------------ */

/* Floats of activations and gradients of one image, borders left out. */
static int64_t floats_of_image(const nas_network *network) {
  int64_t floats = 0;
  for (int i = 0; i < nas_network_size(network); i++) {
    nas_shape shape = nas_node_shape(nas_network_node(network, i));
    if (strcmp(nas_node_kind(nas_network_node(network, i))->name, "relu") != 0)
      floats += 2 * nas_shape_size(shape);
  }
  return floats;
}

static int choose_micro_batch(const nas_network *network, int wanted) {
  if (wanted > 0) return wanted;
  int64_t images = (int64_t)(nas_cpu_cache() / 2) / (4 * floats_of_image(network));
  return images < 1 ? 1 : images > 16 ? 16 : (int)images;
}

/* -- public ----------------------------------------------------------------------------------- */

nas_status nas_compiled_create(nas_compiled **out, const nas_network *network,
                               const nas_compile_options *options, nas_error *err) {
  static const nas_compile_options defaults = {0};
  if (!options) options = &defaults;
  *out = NULL;
  if (options->micro_batch < 0 || options->micro_batch > 16)
    return nas_fail(err, NAS_ARGUMENT, "micro_batch is %d; expected 1 to 16, or 0 to choose",
                    options->micro_batch);
  int last = nas_network_size(network) - 1;
  if (!nas_node_kind(nas_network_node(network, last))->is_loss)
    return nas_fail(err, NAS_ARGUMENT, "a network to train must end in a loss; this one ends in %s",
                    nas_node_kind(nas_network_node(network, last))->name);

  nas_compiled *c = nas_alloc_zero(1, sizeof *c);
  if (!c) return nas_fail_memory(err, "a compiled network", sizeof *c);
  c->kernels = options->kernels ? options->kernels : nas_kernels_best();
  c->micro_batch = choose_micro_batch(network, options->micro_batch);
  nas_status status = copy_graph(c, network, err);
  if (status == NAS_OK) status = fuse_relu(c, network, err);
  if (status == NAS_OK) {
    find_input_places(c, network);
    place_params(c);
    find_gradients(c);
    lay_out(c);
    find_lifetimes(c);
    place_gradients(c);
    find_shared(c);
    connect(c);
    if (c->arena_floats > (size_t)1 << 32)
      status = nas_fail(err, NAS_LIMIT, "network: activations take %zu MiB for each thread",
                        c->arena_floats >> 18);
  }
  for (int i = 0; i < c->size && status == NAS_OK; i++)
    if (!c->fused[i] && c->layers[i].kind->compile)
      status = c->layers[i].kind->compile(&c->layers[i], err);
  if (status == NAS_OK)
    *out = c;
  else
    nas_compiled_destroy(&c);
  return status;
}

void nas_compiled_destroy(nas_compiled **handle) {
  if (!handle || !*handle) return;
  nas_compiled *c = *handle;
  for (int i = 0; i < c->size; i++) {
    if (c->layers[i].data) c->layers[i].kind->release(&c->layers[i]);
    nas_node_release(&c->nodes[i]);
  }
  nas_free(c->layers);
  nas_free(c->nodes);
  nas_free(c->fused);
  nas_free(c->place_of);
  nas_free(c->occurrence);
  nas_free(c->places);
  nas_free(c->input_places);
  nas_free(c->params);
  nas_free(c);
  *handle = NULL;
}

size_t nas_compiled_param_floats(const nas_compiled *c) {
  return c->param_floats;
}
size_t nas_compiled_derived_floats(const nas_compiled *c) {
  return c->derived_floats;
}
size_t nas_compiled_arena_floats(const nas_compiled *c) {
  return c->arena_floats;
}
int nas_compiled_micro_batch(const nas_compiled *c) {
  return c->micro_batch;
}
const nas_kernels *nas_compiled_kernels(const nas_compiled *c) {
  return c->kernels;
}
int nas_compiled_param_count(const nas_compiled *c) {
  return c->param_count;
}
nas_param_place nas_compiled_param(const nas_compiled *c, int index) {
  return c->params[index];
}

const nas_map *nas_compiled_input(const nas_compiled *c) {
  int i = 0;
  while (c->layers[i].input_count) i++;
  return c->layers[i].output;
}

static void init_set(const nas_param_place *set, nas_stream stream, float *params) {
  for (size_t r = 0; r < set->rows; r++)
    for (int o = 0; o < set->width; o++) {
      float *w = &params[set->at + r * (size_t)nas_row(set->width) + (size_t)o];
      switch (set->is.init) {
      case NAS_INIT_ZERO: *w = 0.0f; break;
      case NAS_INIT_ONE: *w = 1.0f; break;
      case NAS_INIT_UNIFORM: *w = (2.0f * nas_stream_float(&stream) - 1.0f) * set->is.range; break;
      }
    }
}

void nas_compiled_init(const nas_compiled *c, uint64_t seed, float *params) {
  for (int i = 0, of_node = 0; i < c->param_count; i++) {
    const nas_param_place *set = &c->params[i];
    of_node = i && c->params[i - 1].node == set->node ? of_node + 1 : 0;
    nas_hash hash = nas_node_hash(c->nodes[set->node]);
    const uint64_t address[] = {hash.high, hash.low, (uint64_t)c->occurrence[set->node],
                                (uint64_t)of_node};
    init_set(set, nas_stream_open(seed, "weights", address, 4), params);
  }
}

void nas_compiled_derive(const nas_compiled *c, const float *params, float *derived, int part,
                         int parts) {
  for (int i = 0; i < c->size; i++)
    if (c->layers[i].kind->derive)
      c->layers[i].kind->derive(&c->layers[i], params, derived, part, parts);
}

void nas_compiled_forward(const nas_compiled *c, const nas_pass *pass) {
  for (int i = 0; i < c->size; i++)
    if (!c->fused[i]) c->layers[i].kind->forward(&c->layers[i], pass);
}

void nas_compiled_backward(const nas_compiled *c, const nas_pass *pass) {
  place **inputs = end_of_inputs(c);
  for (int i = c->size - 1; i >= 0; i--) {
    const nas_layer *layer = &c->layers[i];
    inputs -= layer->input_count;
    if (c->fused[i] || !c->places[c->place_of[i]].needs_gradient) continue;
    for (int k = 0; k < layer->input_count; k++)
      if (layer->d_inputs[k] && !layer->accumulate[k] && inputs[k]->shares)
        nas_map_clear_around(layer->d_inputs[k], nas_map_data(layer->d_inputs[k], pass->arena),
                             pass->images);
    layer->kind->backward(layer, pass);
  }
}
