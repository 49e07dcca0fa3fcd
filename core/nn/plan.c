#include "plan.h"
#include <nas/cpu.h>
#include <nas/memory.h>
#include <string.h>
#include "fusion.h"
#include "kernel.h"
#include "kinds.h"
#include "map.h"
#include "shapes.h"

static size_t round_up(size_t floats) {
  return (floats + NAS_LANES - 1) / NAS_LANES * NAS_LANES;
}

/* -- the order of execution ------------------------------------------------------------------- */

/* The segment of each node of the network: a layer that couples images begins one. */
static void find_segments(const nas_network *network, int *segment) {
  for (int i = 0; i < nas_network_size(network); i++) {
    const nas_node *node = nas_network_node(network, i);
    segment[i] = 0;
    for (int k = 0; k < nas_node_input_count(node); k++) {
      int before = segment[nas_network_input(network, i, k)];
      if (before > segment[i]) segment[i] = before;
    }
    segment[i] += nas_node_kind(node)->sums != NULL;
  }
}

/* Fills c->canonical and c->segments; position[i] is where node i of the network runs. */
static nas_status order_layers(nas_compiled *c, const nas_network *network, int *position,
                               nas_error *err) {
  int *segment = nas_alloc((size_t)c->size, sizeof *segment), next = 0;
  if (!segment) return nas_fail_memory(err, "a compiled network", (size_t)c->size * 4);
  find_segments(network, segment);
  c->segment_count = 1;
  for (int i = 0; i < c->size; i++)
    if (segment[i] >= c->segment_count) c->segment_count = segment[i] + 1;
  c->segments = nas_alloc_zero((size_t)c->segment_count, sizeof *c->segments);
  for (int s = 0; c->segments && s < c->segment_count; s++) {
    c->segments[s].coupled = next;
    for (int couples = 1; couples >= 0; couples--) {
      if (!couples) c->segments[s].first = next;
      for (int i = 0; i < c->size; i++) {
        int does = nas_node_kind(nas_network_node(network, i))->sums != NULL;
        if (segment[i] != s || does != couples) continue;
        position[i] = next;
        c->canonical[next++] = i;
      }
    }
    c->segments[s].end = next;
  }
  nas_free(segment);
  return c->segments ? NAS_OK
                     : nas_fail_memory(err, "a compiled network",
                                       (size_t)c->segment_count * sizeof *c->segments);
}

/* -- the graph -------------------------------------------------------------------------------- */

static nas_status allocate(nas_compiled *c, const nas_network *network, nas_error *err) {
  size_t size = (size_t)nas_network_size(network);
  c->canonical = nas_alloc_zero(size, sizeof *c->canonical);
  c->layers = nas_alloc_zero(size, sizeof *c->layers);
  c->nodes = nas_alloc_zero(size, sizeof *c->nodes);
  c->fused = nas_alloc_zero(size, sizeof *c->fused);
  c->unwritten = nas_alloc_zero(size, sizeof *c->unwritten);
  c->place_of = nas_alloc_zero(size, sizeof *c->place_of);
  c->places = nas_alloc_zero(size, sizeof *c->places);
  c->params = nas_alloc_zero(size * NAS_PARAMS_MAX, sizeof *c->params);
  c->input_at = nas_alloc_zero(size, sizeof *c->input_at);
  if (!c->canonical || !c->layers || !c->nodes || !c->fused || !c->unwritten || !c->place_of ||
      !c->places || !c->params || !c->input_at)
    return nas_fail_memory(err, "a compiled network", size * sizeof *c->layers);
  c->size = (int)size;
  return NAS_OK;
}

static void copy_layers(nas_compiled *c, const nas_network *network) {
  for (int i = 0; i < c->size; i++) {
    nas_node *node = nas_network_node(network, c->canonical[i]);
    nas_layer *layer = &c->layers[i];
    c->nodes[i] = nas_node_retain(node);
    layer->kind = nas_node_kind(node);
    layer->options = nas_node_options(node);
    layer->hash = nas_node_hash(node);
    layer->occurrence = nas_network_occurrence(network, c->canonical[i]);
    layer->kernels = c->kernels;
    layer->inference = c->inference;
    layer->winograd = (int)c->winograd;
    if (layer->kind == &nas_kind_input) c->input = i;
    if (layer->kind == &nas_kind_target) c->target = i;
  }
}

/* What layers do together, by the nodes of the network. */
static void fuse_layers(nas_compiled *c, const nas_fusion *nodes, const int *position) {
  for (int n = 0; n < c->size; n++) {
    int i = position[n];
    c->place_of[i] = position[nodes[n].place];
    c->fused[i] = nodes[n].place != n;
    c->unwritten[i] = nodes[n].unwritten;
    c->layers[i].joined = nodes[n].reads != n;
    if (c->fused[i]) c->layers[c->place_of[i]].relu = 1;
  }
}

static void find_input_places(nas_compiled *c, const nas_network *network, const nas_fusion *nodes,
                              const int *position) {
  int next = 0;
  for (int i = 0; i < c->size; i++) {
    c->input_at[i] = next;
    for (int k = 0; k < c->layers[i].input_count; k++)
      c->input_places[next++] =
          &c->places[position[nas_fusion_input(network, nodes, c->canonical[i], k)]];
  }
}

static nas_status allocate_inputs(nas_compiled *c, nas_error *err) {
  size_t edges = 0;
  for (int i = 0; i < c->size; i++) edges += (size_t)c->layers[i].input_count;
  c->input_places = nas_alloc(edges, sizeof *c->input_places);
  if (c->input_places) return NAS_OK;
  return nas_fail_memory(err, "a compiled network", edges * sizeof *c->input_places);
}

static nas_status find_output(nas_compiled *c, const nas_node *output, nas_error *err) {
  c->output = c->size - 1;
  if (!output) return NAS_OK;
  for (int i = 0; i < c->size; i++)
    if (c->nodes[i] == output) {
      c->output = i;
      return NAS_OK;
    }
  return nas_fail(err, NAS_ARGUMENT, "the loss does not depend on the network's output");
}

static nas_status connect_places(nas_compiled *c, const nas_network *network, nas_fusion *nodes,
                                 const int *position, nas_error *err) {
  nas_fusion_find(network, c->canonical[c->output], nodes);
  fuse_layers(c, nodes, position);
  for (int i = 0; i < c->size; i++)
    c->layers[i].input_count = nas_fusion_inputs(network, nodes, c->canonical[i]);
  nas_status status = allocate_inputs(c, err);
  if (status == NAS_OK) find_input_places(c, network, nodes, position);
  return status;
}

static nas_status copy_graph(nas_compiled *c, const nas_network *network, const nas_node *output,
                             nas_fusion *nodes, nas_error *err) {
  c->target = -1;
  nas_status status = allocate(c, network, err);
  if (status != NAS_OK) return status;
  int *position = nas_alloc((size_t)c->size, sizeof *position);
  if (!position) return nas_fail_memory(err, "a compiled network", (size_t)c->size * 4);
  status = order_layers(c, network, position, err);
  if (status == NAS_OK) {
    copy_layers(c, network);
    status = find_output(c, output, err);
  }
  if (status == NAS_OK) status = connect_places(c, network, nodes, position, err);
  nas_free(position);
  return status;
}

void nas_plan_read_shapes(const nas_compiled *c, int index, nas_shape *shapes) {
  const nas_node *node = c->nodes[index];
  nas_node_input_shapes(c->layers[index].joined ? nas_node_input(node, 0) : node, shapes);
}

/* -- parameters ------------------------------------------------------------------------------- */

/* Places those sets that are trained, or those that are not. */
static void place_params_of(nas_compiled *c, int index, int trained) {
  nas_param sets[NAS_PARAMS_MAX];
  int count = nas_node_params(c->nodes[index], sets);
  for (int s = 0; s < count; s++) {
    if ((sets[s].use != NAS_PARAM_STATE) != trained) continue;
    c->layers[index].params[s] = c->param_floats;
    c->param_floats += nas_param_rows(&sets[s]) * (size_t)nas_row(nas_param_width(&sets[s]));
  }
}

/* A segment's backward runs its own layers but those that couple, and those of the next segment. */
static void place_params(nas_compiled *c) {
  for (int s = 0; s < c->segment_count; s++) {
    nas_segment *here = &c->segments[s];
    for (int i = here->coupled; i < here->first; i++) place_params_of(c, i, 1);
    here->params = c->param_floats;
    for (int i = here->first; i < here->end; i++) place_params_of(c, i, 1);
  }
  c->trained_floats = c->param_floats;
  for (int s = 0; s < c->segment_count; s++) {
    size_t end = s + 1 < c->segment_count ? c->segments[s + 1].params : c->trained_floats;
    c->segments[s].param_floats = end - c->segments[s].params;
  }
  for (int i = 0; i < c->size; i++) place_params_of(c, i, 0);
}

static void list_params(nas_compiled *c) {
  for (int n = 0; n < c->size; n++) {
    int i = nas_plan_layer(c, n);
    nas_param sets[NAS_PARAMS_MAX];
    int count = nas_node_params(c->nodes[i], sets);
    for (int s = 0; s < count; s++) {
      c->params[c->param_count++] = (nas_param_place){.node = n,
                                                      .is = sets[s],
                                                      .at = c->layers[i].params[s],
                                                      .rows = nas_param_rows(&sets[s]),
                                                      .width = nas_param_width(&sets[s])};
    }
  }
}

/* What layers have beside parameters and activations. One room serves all: they use it in turn. */
static void place_extras(nas_compiled *c) {
  for (int i = 0; i < c->size; i++) {
    nas_layer *layer = &c->layers[i];
    nas_shape shapes[NAS_INPUTS_MAX];
    nas_plan_read_shapes(c, i, shapes);
    layer->derived = c->derived_floats;
    if (layer->kind->derived) c->derived_floats += round_up(layer->kind->derived(layer, shapes));
    layer->kept = c->kept_floats;
    if (layer->kind->kept && !c->inference)
      c->kept_floats += round_up(layer->kind->kept(layer, shapes));
    size_t room = layer->kind->room ? layer->kind->room(layer, shapes) : 0;
    if (room > c->room_floats) c->room_floats = room;
  }
}

/* What the layers of a segment collect forwards lies together, and what they collect backwards. */
static void place_sums(nas_compiled *c) {
  for (int s = 0; s < c->segment_count; s++) {
    nas_segment *segment = &c->segments[s];
    segment->sums = c->sums;
    for (int i = segment->coupled; i < segment->first; i++) {
      nas_layer *layer = &c->layers[i];
      nas_shape shapes[NAS_INPUTS_MAX];
      nas_node_input_shapes(c->nodes[i], shapes);
      layer->sums = c->sums;
      c->sums += layer->kind->sums(layer->options, shapes);
    }
    segment->sum_count = c->sums - segment->sums;
    segment->d_sums = c->sums;
    for (int i = segment->coupled; i < segment->first; i++)
      c->layers[i].d_sums = c->layers[i].sums + segment->sum_count;
    c->sums += segment->sum_count;
  }
}

/* -- the arena -------------------------------------------------------------------------------- */

/* Which gradients exist: those of outputs that depend on parameters, and of the input if wanted. */
static void find_gradients(nas_compiled *c) {
  c->places[c->input].needs_gradient = c->input_gradient;
  for (int i = 0; i < c->size; i++) {
    nas_place *const *inputs = nas_plan_inputs(c, i);
    nas_place *p = &c->places[c->place_of[i]];
    p->needs_gradient |= c->layers[i].kind->params != NULL;
    for (int k = 0; k < c->layers[i].input_count; k++)
      p->needs_gradient |= inputs[k]->needs_gradient;
  }
}

static int segment_of(const nas_compiled *c, int layer) {
  int s = 0;
  while (layer >= c->segments[s].end) s++;
  return s;
}

/* With which segment a layer goes backwards. */
static int phase_of(const nas_compiled *c, int layer) {
  int segment = segment_of(c, layer);
  return layer < c->segments[segment].first ? segment - 1 : segment;
}

/* Who had the place of a gradient first. */
static nas_place *first_owner(nas_place *p) {
  while (p->heir_of) p = p->heir_of;
  return p;
}

/* Whether input k of a layer that passes its gradient on can take over the place of that: nobody
 * wrote its own gradient yet, both belong in the same part of an arena, and the layer doesn't read
 * it twice. */
static int can_inherit(const nas_compiled *c, int layer, int k) {
  nas_place *const *inputs = nas_plan_inputs(c, layer);
  const nas_place *p = inputs[k];
  nas_shape shapes[NAS_INPUTS_MAX];
  int times = 0;
  nas_node_input_shapes(c->nodes[layer], shapes);
  for (int i = 0; i < c->layers[layer].input_count; i++) times += inputs[i] == p;
  return times == 1 && !c->layers[layer].accumulate[k] &&
         nas_shape_equal(shapes[k], nas_node_shape(c->nodes[layer])) &&
         p->d_map.scratch == c->places[layer].d_map.scratch;
}

/* The loss's gradient is written in step 1; step c->size - i + 1 is the backward of layer i. A
 * gradient is written first by the last consumer and is used up by its own layer; if that is in
 * another phase, it is stored. */
static void find_lifetimes(nas_compiled *c) {
  nas_place *loss = &c->places[c->place_of[c->size - 1]];
  if (loss->needs_gradient) loss->first_write = 1;
  loss->d_map.scratch = phase_of(c, c->size - 1) == c->segment_count - 1;
  for (int i = c->size - 1; i >= 0; i--) {
    int step = c->size - i + 1;
    nas_place *const *inputs = nas_plan_inputs(c, i);
    int heirs = c->layers[i].kind->passes;
    if (nas_plan_skips(c, i)) continue;
    c->places[i].last_use = first_owner(&c->places[i])->last_use = step;
    if (!c->places[i].first_write) continue; /* leads to no loss */
    for (int k = 0; k < c->layers[i].input_count; k++) {
      nas_place *p = inputs[k];
      if (!p->needs_gradient) continue;
      c->layers[i].accumulate[k] = p->first_write != 0;
      if (p->first_write == 0) {
        p->first_write = step;
        p->d_map.scratch = phase_of(c, i) == phase_of(c, (int)(p - c->places));
      }
      c->layers[i].d_inputs[k] = &p->d_map;
      if (!heirs || !can_inherit(c, i, k)) continue;
      p->heir_of = &c->places[i];
      heirs = 0; /* there is one place */
    }
  }
}

/* Besides maps that are read side by side, those whose gradients lie in one place get the same
 * border. */
static void place_borders(nas_compiled *c, const nas_network *network, nas_fusion *nodes) {
  for (int widened = 1; widened;) {
    widened = nas_fusion_match(network, nodes);
    for (int i = 0; i < c->size; i++) {
      const nas_place *heir_of = c->places[i].heir_of;
      if (heir_of)
        widened |= nas_border_match(&nodes[c->canonical[heir_of - c->places]].border,
                                    &nodes[c->canonical[i]].border);
    }
  }
  for (int i = 0; i < c->size; i++) c->places[i].border = nodes[c->canonical[i]].border;
}

/* A segment that is not the last comes back later, when all that its layers need must be there: it
 * is stored, but for what its coupled layers gave for no other segment, which can be made again
 * from what is stored. */
static void find_stored(nas_compiled *c) {
  int last = c->segment_count - 1, output = c->place_of[c->output];
  for (int i = 0; i < c->size; i++) {
    int segment = segment_of(c, i);
    c->places[i].map.scratch = c->inference || segment == last || i < c->segments[segment].first;
  }
  if (c->inference) return;
  for (int i = 0; i < c->size; i++) {
    nas_place *const *inputs = nas_plan_inputs(c, i);
    for (int k = 0; k < c->layers[i].input_count; k++)
      if (segment_of(c, (int)(inputs[k] - c->places)) != segment_of(c, i))
        inputs[k]->map.scratch = 0;
  }
  /* The caller reads it after the last segment. */
  if (segment_of(c, output) != last) c->places[output].map.scratch = 0;
}

/* Adds so many floats to the part of the arena; returns where they begin. */
static size_t take(nas_compiled *c, int scratch, size_t floats) {
  size_t *end = scratch ? &c->scratch_floats : &c->stored_floats;
  *end += floats;
  return *end - floats;
}

static void lay_out(nas_compiled *c) {
  for (int i = 0; i < c->size; i++) {
    nas_place *p = &c->places[i];
    if (c->place_of[i] != i || c->unwritten[i]) continue;
    nas_shape shape = nas_node_shape(c->nodes[i]);
    int channels = shape.rank ? shape.dim[shape.rank - 1] : 1;
    /* Images are read one channel at a time: they need no padding. Gradients are written by rows.
     */
    int stride = i == c->input && !c->input_gradient ? channels : nas_row(channels);
    p->size =
        round_up(nas_map_layout(&p->map, shape, p->border, stride, c->micro_batch, &p->before));
    p->map.offset = take(c, p->map.scratch, p->size) + p->before;
  }
}

/* The lowest offset from `base` on at which the gradient of p overlaps none of `placed`, sorted by
 * offset, that is alive at the same time. */
static size_t find_gap(const nas_place *placed, const nas_place *p, size_t base) {
  size_t at = base;
  for (const nas_place *q = placed; q; q = q->next) {
    size_t start = q->d_map.offset - q->before;
    if (start >= at + p->size) break;
    if (q->first_write > p->last_use || p->first_write > q->last_use) continue;
    if (start + q->size > at) at = start + q->size;
  }
  return at;
}

static void insert(nas_place **placed, nas_place *p) {
  while (*placed && (*placed)->d_map.offset - (*placed)->before < p->d_map.offset - p->before)
    placed = &(*placed)->next;
  p->next = *placed;
  *placed = p;
}

/* Gives each gradient, but those that take over the place of another, the lowest offset behind the
 * activations at which no other one lies that is alive at the same time. */
static void place_gradients(nas_compiled *c) {
  size_t base[] = {c->stored_floats, c->scratch_floats};
  nas_place *placed[2] = {NULL, NULL};
  for (int i = c->size - 1; i >= 0; i--) {
    nas_place *p = &c->places[i];
    if (!p->first_write) continue;
    if (p->heir_of) {
      p->d_map = p->heir_of->d_map; /* of a later layer: it has its place */
      continue;
    }
    int in_scratch = p->d_map.scratch;
    size_t *end = in_scratch ? &c->scratch_floats : &c->stored_floats;
    size_t at = find_gap(placed[in_scratch], p, base[in_scratch]);
    p->d_map = p->map;
    p->d_map.scratch = in_scratch;
    p->d_map.offset = at + p->before;
    insert(&placed[in_scratch], p);
    if (at + p->size > *end) *end = at + p->size;
  }
}

static int overlap(const nas_place *a, const nas_place *b) {
  size_t a_at = a->d_map.offset - a->before, b_at = b->d_map.offset - b->before;
  return a->d_map.scratch == b->d_map.scratch && a_at < b_at + b->size && b_at < a_at + a->size;
}

static int owns(const nas_place *p) {
  return p->first_write && !p->heir_of;
}

/* Where memory is shared, another gradient may lie on the border and on the padding of rows, which
 * must be cleared again. An heir finds them cleared. */
static void find_shared(nas_compiled *c) {
  for (int i = 0; i < c->size; i++) {
    nas_place *p = &c->places[i];
    for (int j = 0; owns(p) && j < c->size; j++)
      if (j != i && owns(&c->places[j]) && overlap(p, &c->places[j])) p->shares = 1;
  }
}

static void connect(nas_compiled *c) {
  for (int i = 0; i < c->size; i++) {
    nas_place *const *inputs = nas_plan_inputs(c, i);
    nas_layer *layer = &c->layers[i];
    nas_place *p = &c->places[c->place_of[i]];
    layer->micro_batch = c->micro_batch;
    layer->output = c->unwritten[i] ? NULL : &p->map;
    layer->d_output = p->first_write ? &p->d_map : NULL;
    for (int k = 0; k < layer->input_count; k++) layer->inputs[k] = &inputs[k]->map;
  }
}

/* -- how many images at once ------------------------------------------------------------------ */

/* Floats of activations and gradients of one image that the largest segment goes through, borders
 * left out. */
static int64_t floats_of_image(const nas_compiled *c) {
  int64_t most = 0;
  for (int s = 0; s < c->segment_count; s++) {
    int64_t floats = 0;
    for (int i = c->segments[s].coupled; i < c->segments[s].end; i++)
      if (!nas_plan_skips(c, i))
        floats += (c->inference ? 1 : 2) * nas_shape_size(nas_node_shape(c->nodes[i]));
    if (floats > most) most = floats;
  }
  return most;
}

/* As many as the cache has room for; but weights are read anew for each micro-batch, which few
 * images do not pay for. */
static int choose_micro_batch(const nas_compiled *c, int wanted) {
  if (wanted > 0) return wanted;
  int64_t images = (int64_t)(nas_cpu_cache() / 2) / (4 * floats_of_image(c));
  return images < 4 ? 4 : images > NAS_GROUP ? NAS_GROUP : (int)images;
}

/* -- all of it -------------------------------------------------------------------------------- */

static nas_status check_size(const nas_compiled *c, nas_error *err) {
  size_t floats = c->stored_floats + c->scratch_floats;
  if (floats <= (size_t)1 << 32) return NAS_OK;
  return nas_fail(err, NAS_LIMIT, "network: activations take %zu MiB for each thread",
                  floats >> 18);
}

/* What the graph says is in `nodes`, but for the last borders. */
static nas_status plan(nas_compiled *c, const nas_network *network, const nas_node *output,
                       nas_fusion *nodes, nas_error *err) {
  nas_status status = copy_graph(c, network, output, nodes, err);
  if (status != NAS_OK) return status;
  c->micro_batch = choose_micro_batch(c, c->micro_batch);
  place_params(c);
  list_params(c);
  place_extras(c);
  place_sums(c);
  if (!c->inference) {
    find_gradients(c);
    find_lifetimes(c);
  }
  place_borders(c, network, nodes);
  find_stored(c);
  lay_out(c);
  if (!c->inference) {
    place_gradients(c);
    find_shared(c);
  }
  connect(c);
  return NAS_OK;
}

static nas_status plan_of_any_size(nas_compiled *c, const nas_network *network,
                                   const nas_node *output, nas_error *err) {
  size_t size = (size_t)nas_network_size(network);
  nas_fusion *nodes = nas_alloc(size, sizeof *nodes);
  if (!nodes) return nas_fail_memory(err, "a compiled network", size * sizeof *nodes);
  nas_status status = plan(c, network, output, nodes, err);
  nas_free(nodes);
  return status;
}

nas_status nas_plan(nas_compiled *c, const nas_network *network, const nas_node *output,
                    nas_error *err) {
  nas_status status = plan_of_any_size(c, network, output, err);
  return status == NAS_OK ? check_size(c, err) : status;
}

nas_status nas_plan_stored(const nas_network *network, int64_t *floats, nas_error *err) {
  nas_compiled *c = nas_alloc_zero(1, sizeof *c);
  if (!c) return nas_fail_memory(err, "a network", sizeof *c);
  c->micro_batch = 1;
  nas_status status = plan_of_any_size(c, network, NULL, err);
  *floats = (int64_t)c->stored_floats;
  nas_compiled_destroy(&c);
  return status;
}
