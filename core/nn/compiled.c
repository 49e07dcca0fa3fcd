#include <nas/clock.h>
#include <nas/memory.h>
#include <nas/random.h>
#include "kernel.h"
#include "map.h"
#include "plan.h"

/* -- making ----------------------------------------------------------------------------------- */

static nas_status check_options(const nas_network *network, const nas_compile_options *options,
                                nas_error *err) {
  const nas_node *last = nas_network_node(network, nas_network_size(network) - 1);
  char text[NAS_SHAPE_TEXT];
  if (options->micro_batch < 0 || options->micro_batch > NAS_GROUP)
    return nas_fail(err, NAS_ARGUMENT, "micro_batch is %d; expected 1 to %d, or 0 to choose",
                    options->micro_batch, NAS_GROUP);
  if (options->inference || nas_node_shape(last).rank == 0) return NAS_OK;
  nas_shape_text(nas_node_shape(last), text);
  return nas_fail(err, NAS_ARGUMENT,
                  "a network to train must end in a loss, one number for each image; this one ends "
                  "in %s of shape %s",
                  nas_node_kind(last)->name, text);
}

nas_status nas_compiled_create(nas_compiled **out, const nas_network *network,
                               const nas_compile_options *options, nas_error *err) {
  static const nas_compile_options defaults = {0};
  if (!options) options = &defaults;
  *out = NULL;
  const nas_kernels *kernels = options->kernels;
  nas_status status = check_options(network, options, err);
  if (status == NAS_OK && !kernels) status = nas_kernels_default(&kernels, err);
  if (status != NAS_OK) return status;
  nas_compiled *c = nas_alloc_zero(1, sizeof *c);
  if (!c) return nas_fail_memory(err, "a compiled network", sizeof *c);
  c->kernels = kernels;
  c->micro_batch = options->micro_batch;
  c->inference = options->inference;
  c->input_gradient = options->input_gradient && !options->inference;
  c->winograd = options->winograd;
  status = nas_plan(c, network, options->output, err);
  for (int i = 0; i < c->size && status == NAS_OK; i++)
    if (!nas_plan_skips(c, i) && c->layers[i].kind->compile)
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
  nas_free(c->unwritten);
  nas_free(c->place_of);
  nas_free(c->canonical);
  nas_free(c->segments);
  nas_free(c->places);
  nas_free(c->input_places);
  nas_free(c->input_at);
  nas_free(c->params);
  nas_free(c);
  *handle = NULL;
}

/* -- looking ---------------------------------------------------------------------------------- */

size_t nas_compiled_param_floats(const nas_compiled *c) {
  return c->param_floats;
}
size_t nas_compiled_trained_floats(const nas_compiled *c) {
  return c->trained_floats;
}
size_t nas_compiled_derived_floats(const nas_compiled *c) {
  return c->derived_floats;
}
size_t nas_compiled_stored_floats(const nas_compiled *c) {
  return c->stored_floats;
}
size_t nas_compiled_scratch_floats(const nas_compiled *c) {
  return c->scratch_floats;
}
size_t nas_compiled_room_floats(const nas_compiled *c) {
  return c->room_floats;
}
size_t nas_compiled_kept_floats(const nas_compiled *c) {
  return c->kept_floats;
}
int nas_compiled_segments(const nas_compiled *c) {
  return c->segment_count;
}
size_t nas_compiled_sums(const nas_compiled *c) {
  return c->sums;
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

size_t nas_compiled_segment_params(const nas_compiled *c, int segment, size_t *floats) {
  *floats = c->segments[segment].param_floats;
  return c->segments[segment].params;
}

const nas_map *nas_compiled_input(const nas_compiled *c) {
  return c->layers[c->input].output;
}
const nas_map *nas_compiled_target(const nas_compiled *c) {
  return c->target < 0 ? NULL : c->layers[c->target].output;
}
const nas_map *nas_compiled_output(const nas_compiled *c) {
  return c->layers[c->output].output;
}
const nas_map *nas_compiled_loss(const nas_compiled *c) {
  return c->layers[c->size - 1].output;
}

const nas_map *nas_compiled_d_input(const nas_compiled *c) {
  return c->layers[c->input].d_output;
}

/* -- parameters ------------------------------------------------------------------------------- */

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
    const nas_layer *layer = &c->layers[nas_plan_layer(c, set->node)];
    const uint64_t address[] = {layer->hash.high, layer->hash.low, (uint64_t)layer->occurrence,
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

void nas_compiled_settle(const nas_compiled *c, const double *totals, int batch, float *params) {
  for (int i = 0; i < c->size; i++)
    if (c->layers[i].kind->settle) c->layers[i].kind->settle(&c->layers[i], totals, batch, params);
}

/* -- running ---------------------------------------------------------------------------------- */

static double now(const nas_pass *pass) {
  return pass->seconds ? nas_clock() : 0;
}

static void add_forward(const nas_compiled *c, int i, const nas_pass *pass, double began) {
  if (pass->seconds) pass->seconds[c->canonical[i]].forward += nas_clock() - began;
}

static void add_backward(const nas_compiled *c, int i, const nas_pass *pass, double began) {
  if (pass->seconds) pass->seconds[c->canonical[i]].backward += nas_clock() - began;
}

static void run(const nas_compiled *c, int from, int end, const nas_pass *pass) {
  for (int i = from; i < end; i++) {
    if (nas_plan_skips(c, i)) continue;
    double began = now(pass);
    c->layers[i].kind->forward(&c->layers[i], pass);
    add_forward(c, i, pass, began);
  }
}

void nas_compiled_evaluate(const nas_compiled *c, const nas_pass *pass) {
  run(c, 0, c->size, pass);
}

void nas_compiled_forward(const nas_compiled *c, int segment, const nas_pass *pass) {
  const nas_segment *here = &c->segments[segment], *next = here + 1;
  run(c, here->coupled, here->end, pass);
  if (segment + 1 == c->segment_count) return;
  for (int i = next->coupled; i < next->first; i++) {
    double began = now(pass);
    c->layers[i].kind->collect(&c->layers[i], pass);
    add_forward(c, i, pass, began);
  }
}

/* d loss / d loss[n] = 1 / batch */
static void begin_backward(const nas_compiled *c, const nas_pass *pass) {
  const nas_map *d_loss = c->layers[c->size - 1].d_output;
  if (!d_loss) return;
  float *d = nas_map_data(d_loss, pass->arena);
  nas_map_clear_around(d_loss, d, pass->images);
  for (int n = 0; n < pass->images; n++) d[nas_map_at(d_loss, n, 0, 0)] = 1.0f / (float)pass->batch;
}

static void run_back(const nas_compiled *c, int from, int end, const nas_pass *pass) {
  for (int i = end - 1; i >= from; i--) {
    const nas_layer *layer = &c->layers[i];
    nas_place *const *inputs = nas_plan_inputs(c, i);
    if (nas_plan_skips(c, i) || !layer->d_output) continue;
    double began = now(pass);
    for (int k = 0; k < layer->input_count; k++)
      if (layer->d_inputs[k] && !layer->accumulate[k] && inputs[k]->shares)
        nas_map_clear_around(layer->d_inputs[k], nas_map_data(layer->d_inputs[k], pass->arena),
                             pass->images);
    layer->kind->backward(layer, pass);
    add_backward(c, i, pass, began);
  }
}

/* What the coupled layers of a segment gave, where it was not stored. */
static void make_again(const nas_compiled *c, const nas_segment *here, const nas_pass *pass) {
  for (int i = here->coupled; i < here->first; i++) {
    const nas_layer *layer = &c->layers[i];
    if (!layer->output->scratch || !layer->d_output) continue;
    double began = now(pass);
    layer->kind->forward(layer, pass);
    add_backward(c, i, pass, began);
  }
}

void nas_compiled_backward(const nas_compiled *c, int segment, const nas_pass *pass) {
  const nas_segment *here = &c->segments[segment], *next = here + 1;
  if (segment + 1 == c->segment_count)
    begin_backward(c, pass);
  else {
    run_back(c, next->coupled, next->first, pass);
    make_again(c, here, pass);
  }
  run_back(c, here->first, here->end, pass);
  for (int i = here->coupled; i < here->first; i++) {
    if (!c->layers[i].d_output) continue;
    double began = now(pass);
    c->layers[i].kind->collect_backward(&c->layers[i], pass);
    add_backward(c, i, pass, began);
  }
}

/* The layers whose backward this segment runs: its own but those that couple, and those of the next
 * segment that do. */
void nas_compiled_finish(const nas_compiled *c, int segment, const nas_pass *pass) {
  const nas_segment *here = &c->segments[segment];
  int end = segment + 1 < c->segment_count ? here[1].first : here->end;
  for (int i = here->first; i < end; i++) {
    if (!c->layers[i].kind->finish || !c->layers[i].d_output) continue;
    double began = now(pass);
    c->layers[i].kind->finish(&c->layers[i], pass);
    add_backward(c, i, pass, began);
  }
}

void nas_compiled_total(const nas_compiled *c, int segment, int backwards, const double *sums,
                        int groups, double *totals) {
  const nas_segment *here = &c->segments[segment];
  size_t from = backwards ? here->d_sums : here->sums;
  for (size_t k = from; k < from + here->sum_count; k++) {
    totals[k] = 0;
    for (int g = 0; g < groups; g++) totals[k] += sums[(size_t)g * c->sums + k];
  }
}
