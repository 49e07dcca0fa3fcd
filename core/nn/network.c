#include <nas/network.h>
#include <nas/memory.h>
#include <string.h>
#include "floats.h"
#include "kinds.h"
#include "shapes.h"

typedef struct entry {
  nas_node *node;
  int occurrence;
  int64_t params, macs;
  int *inputs; /* into nas_network.input_indices */
} entry;

struct nas_network {
  entry *entries;
  int size;
  int *input_indices;
  char *text;
  nas_hash hash;
  int64_t params, macs;
  nas_floats floats;
};

/* -- order ------------------------------------------------------------------------------------ */

/* A node that the walk has met, in a map with open addressing. */
typedef struct slot {
  const nas_node *node; /* NULL: free */
  int index;            /* position in canonical order, once it is finished */
} slot;

/* A node whose inputs are being walked. */
typedef struct frame {
  nas_node *node;
  int next_input;
} frame;

/* A depth-first walk. Nothing but memory can run out: all parts grow together. */
typedef struct walk {
  slot *slots;      /* [2 * capacity] */
  frame *stack;     /* [capacity] */
  nas_node **order; /* [capacity], the finished nodes; borrowed */
  size_t capacity;  /* a power of two; 0 at first */
  size_t met, depth, finished;
} walk;

static slot *slot_of(const walk *w, const nas_node *node) {
  size_t mask = 2 * w->capacity - 1;
  size_t i = ((uintptr_t)node >> 6) * 0x9E3779B97F4A7C15u >> 20 & mask;
  while (w->slots[i].node && w->slots[i].node != node) i = (i + 1) & mask;
  return &w->slots[i];
}

static void walk_clear(walk *w) {
  nas_free(w->slots);
  nas_free(w->stack);
  nas_free(w->order);
}

static nas_status walk_grow(walk *w, nas_error *err) {
  size_t capacity = w->capacity ? 2 * w->capacity : 32;
  walk larger = {.slots = nas_alloc_zero(2 * capacity, sizeof(slot)),
                 .stack = nas_alloc(capacity, sizeof(frame)),
                 .order = nas_alloc(capacity, sizeof(nas_node *)),
                 .capacity = capacity,
                 .met = w->met,
                 .depth = w->depth,
                 .finished = w->finished};
  if (!larger.slots || !larger.stack || !larger.order) {
    walk_clear(&larger);
    return nas_fail_memory(err, "a network", 2 * capacity * sizeof(slot));
  }
  for (size_t i = 0; i < 2 * w->capacity; i++)
    if (w->slots[i].node) *slot_of(&larger, w->slots[i].node) = w->slots[i];
  for (size_t i = 0; i < w->depth; i++) larger.stack[i] = w->stack[i];
  for (size_t i = 0; i < w->finished; i++) larger.order[i] = w->order[i];
  walk_clear(w);
  *w = larger;
  return NAS_OK;
}

/* Opens a node that is met for the first time. */
static nas_status walk_meet(walk *w, nas_node *node, nas_error *err) {
  if (w->capacity && slot_of(w, node)->node) return NAS_OK;
  if (w->met == NAS_NODES_MAX)
    return nas_fail(err, NAS_LIMIT, "network: more than %d layers", NAS_NODES_MAX);
  if (w->met == w->capacity) {
    nas_status status = walk_grow(w, err);
    if (status != NAS_OK) return status;
  }
  slot_of(w, node)->node = node;
  w->stack[w->depth++] = (frame){node, 0};
  w->met++;
  return NAS_OK;
}

/* From output, inputs in order: fills w->order in post-order. */
static nas_status walk_from(walk *w, nas_node *output, nas_error *err) {
  nas_status status = walk_meet(w, output, err);
  while (status == NAS_OK && w->depth > 0) {
    frame *top = &w->stack[w->depth - 1];
    if (top->next_input < nas_node_input_count(top->node)) {
      status = walk_meet(w, nas_node_input(top->node, top->next_input++), err);
    } else {
      slot_of(w, top->node)->index = (int)w->finished;
      w->order[w->finished++] = top->node;
      w->depth--;
    }
  }
  return status;
}

/* Keeps the walked nodes and which is whose input. */
static nas_status keep_order(nas_network *network, const walk *w, nas_error *err) {
  size_t edges = 0;
  for (size_t i = 0; i < w->finished; i++) edges += (size_t)nas_node_input_count(w->order[i]);
  network->entries = nas_alloc_zero(w->finished, sizeof *network->entries);
  network->input_indices = nas_alloc(edges, sizeof(int));
  if (!network->entries || !network->input_indices)
    return nas_fail_memory(err, "a network", w->finished * sizeof *network->entries);
  int *next = network->input_indices;
  for (size_t i = 0; i < w->finished; i++) {
    entry *e = &network->entries[network->size++];
    e->node = nas_node_retain(w->order[i]);
    e->inputs = next;
    for (int k = 0; k < nas_node_input_count(e->node); k++)
      *next++ = slot_of(w, nas_node_input(e->node, k))->index;
  }
  return NAS_OK;
}

static nas_status canonical_order(nas_network *network, nas_node *output, nas_error *err) {
  walk w = {0};
  nas_status status = walk_from(&w, output, err);
  if (status == NAS_OK) status = keep_order(network, &w, err);
  walk_clear(&w);
  return status;
}

/* -- what follows from the order -------------------------------------------------------------- */

/* Numbers nodes with equal sub-graphs. Quadratic only among parameter layers, which are few. */
static void number_occurrences(nas_network *network) {
  for (int i = 0; i < network->size; i++) {
    const nas_layer_kind *kind = nas_node_kind(network->entries[i].node);
    if (!kind->params && !kind->draws) continue;
    nas_hash hash = nas_node_hash(network->entries[i].node);
    for (int j = i - 1; j >= 0; j--)
      if (nas_hash_compare(nas_node_hash(network->entries[j].node), hash) == 0) {
        network->entries[i].occurrence = network->entries[j].occurrence + 1;
        break;
      }
  }
}

/* a + b, or the largest number there is */
static int64_t add_saturated(int64_t a, int64_t b) {
  return a > INT64_MAX - b ? INT64_MAX : a + b;
}

static void count_costs(nas_network *network) {
  for (int i = 0; i < network->size; i++) {
    entry *e = &network->entries[i];
    const nas_layer_kind *kind = nas_node_kind(e->node);
    nas_shape shapes[NAS_INPUTS_MAX];
    nas_param sets[NAS_PARAMS_MAX];
    nas_node_input_shapes(e->node, shapes);
    int count = nas_node_params(e->node, sets);
    for (int s = 0; s < count; s++)
      if (sets[s].use != NAS_PARAM_STATE)
        e->params += (int64_t)nas_param_rows(&sets[s]) * nas_param_width(&sets[s]);
    if (kind->macs)
      e->macs = kind->macs(nas_node_options(e->node), shapes, nas_node_shape(e->node));
    network->params += e->params;
    network->macs = add_saturated(network->macs, e->macs);
  }
}

static nas_status write_text(nas_network *network, nas_error *err) {
  nas_text text = {0};
  for (int i = 0; i < network->size; i++) {
    const entry *e = &network->entries[i];
    const nas_layer_kind *kind = nas_node_kind(e->node);
    nas_text_add_integer(&text, i + 1);
    nas_text_add(&text, " ");
    nas_text_add(&text, kind->name);
    for (int k = 0; k < nas_node_input_count(e->node); k++) {
      nas_text_add(&text, k ? "," : "(");
      nas_text_add_integer(&text, e->inputs[k] + 1);
    }
    if (nas_node_input_count(e->node)) nas_text_add(&text, ")");
    nas_options_text(&kind->options, nas_node_options(e->node), &text);
    nas_text_add(&text, "\n");
  }
  if (text.failed) {
    nas_fail_memory(err, "a network's text", text.size);
    nas_text_clear(&text);
    return NAS_MEMORY;
  }
  network->text = text.data;
  network->hash = nas_hash_bytes(text.data, text.size);
  return NAS_OK;
}

static int count_kind(const nas_network *network, const nas_layer_kind *kind) {
  int count = 0;
  for (int i = 0; i < network->size; i++) count += nas_node_kind(network->entries[i].node) == kind;
  return count;
}

static nas_status check_inputs(const nas_network *network, nas_error *err) {
  int inputs = count_kind(network, &nas_kind_input);
  int targets = count_kind(network, &nas_kind_target);
  if (inputs != 1)
    return nas_fail(err, NAS_SHAPE, "network: %d different input layers; expected 1", inputs);
  if (targets > 1)
    return nas_fail(err, NAS_SHAPE, "network: %d different targets; expected at most 1", targets);
  return NAS_OK;
}

nas_status nas_network_create(nas_network **out, nas_node *output, nas_error *err) {
  *out = NULL;
  nas_network *network = nas_alloc_zero(1, sizeof *network);
  if (!network) return nas_fail_memory(err, "a network", sizeof *network);
  nas_status status = canonical_order(network, output, err);
  if (status == NAS_OK) status = check_inputs(network, err);
  if (status == NAS_OK) {
    number_occurrences(network);
    count_costs(network);
    status = nas_floats_count(network, &network->floats, err);
  }
  if (status == NAS_OK) status = write_text(network, err);
  if (status == NAS_OK)
    *out = network;
  else
    nas_network_destroy(&network);
  return status;
}

void nas_network_destroy(nas_network **handle) {
  if (!handle || !*handle) return;
  nas_network *network = *handle;
  for (int i = 0; i < network->size; i++) nas_node_release(&network->entries[i].node);
  nas_free(network->entries);
  nas_free(network->input_indices);
  nas_free(network->text);
  nas_free(network);
  *handle = NULL;
}

const char *nas_network_text(const nas_network *network) {
  return network->text;
}
nas_hash nas_network_hash(const nas_network *network) {
  return network->hash;
}
int64_t nas_network_params(const nas_network *network) {
  return network->params;
}
int64_t nas_network_macs(const nas_network *network) {
  return network->macs;
}
int64_t nas_network_memory(const nas_network *network, int batch) {
  return nas_floats_bytes(&network->floats, batch);
}
int nas_network_size(const nas_network *network) {
  return network->size;
}

nas_node *nas_network_node(const nas_network *network, int index) {
  return network->entries[index].node;
}
int nas_network_input(const nas_network *network, int index, int input) {
  return network->entries[index].inputs[input];
}
int nas_network_occurrence(const nas_network *network, int index) {
  return network->entries[index].occurrence;
}
int64_t nas_network_node_params(const nas_network *network, int index) {
  return network->entries[index].params;
}
int64_t nas_network_node_macs(const nas_network *network, int index) {
  return network->entries[index].macs;
}
