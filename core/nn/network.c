#include <nas/network.h>
#include <nas/memory.h>
#include <string.h>

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
  int64_t params, macs, memory;
};

/* -- order ------------------------------------------------------------------------------------ */

/* An open-addressing map from node to its index in the walk. */
typedef struct visited {
  const nas_node **nodes;
  int *index; /* position in canonical order, or UNFINISHED */
  size_t mask;
} visited;

enum { UNFINISHED = -1 };

static size_t slot_of(const visited *seen, const nas_node *node) {
  size_t slot = ((uintptr_t)node >> 6) * 0x9E3779B97F4A7C15u >> 20 & seen->mask;
  while (seen->nodes[slot] && seen->nodes[slot] != node) slot = (slot + 1) & seen->mask;
  return slot;
}

typedef struct frame {
  nas_node *node;
  int next_input;
} frame;

/* Depth first from output, inputs in order: fills network->entries[].node in post-order. */
static nas_status order_nodes(nas_network *network, visited *seen, frame *stack, nas_node *output,
                              nas_error *err) {
  int depth = 0, open = 1;
  stack[0] = (frame){output, 0};
  size_t slot = slot_of(seen, output);
  seen->nodes[slot] = output;
  seen->index[slot] = UNFINISHED;
  while (depth >= 0) {
    frame *top = &stack[depth];
    if (top->next_input < nas_node_input_count(top->node)) {
      nas_node *input = nas_node_input(top->node, top->next_input++);
      slot = slot_of(seen, input);
      if (seen->nodes[slot]) continue;
      if (++open > NAS_NODES_MAX)
        return nas_fail(err, NAS_LIMIT, "network: more than %d layers", NAS_NODES_MAX);
      seen->nodes[slot] = input;
      seen->index[slot] = UNFINISHED;
      stack[++depth] = (frame){input, 0};
    } else {
      seen->index[slot_of(seen, top->node)] = network->size;
      network->entries[network->size++].node = nas_node_retain(top->node);
      depth--;
    }
  }
  return NAS_OK;
}

static nas_status canonical_order(nas_network *network, nas_node *output, nas_error *err) {
  enum { SLOTS = 1 << 15 }; /* more than twice NAS_NODES_MAX */
  nas_status status = NAS_MEMORY;
  visited seen = {nas_alloc_zero(SLOTS, sizeof(nas_node *)), nas_alloc(SLOTS, sizeof(int)),
                  SLOTS - 1};
  frame *stack = nas_alloc(NAS_NODES_MAX, sizeof *stack);
  network->entries = nas_alloc_zero(NAS_NODES_MAX, sizeof *network->entries);
  if (!seen.nodes || !seen.index || !stack || !network->entries) {
    nas_fail_memory(err, "a network", SLOTS * sizeof(nas_node *));
    goto done;
  }
  if ((status = order_nodes(network, &seen, stack, output, err)) != NAS_OK) goto done;

  size_t edges = 0;
  for (int i = 0; i < network->size; i++)
    edges += (size_t)nas_node_input_count(network->entries[i].node);
  entry *fitted =
      nas_realloc(network->entries, (size_t)network->size, (size_t)network->size, sizeof *fitted);
  if (fitted) network->entries = fitted;
  network->input_indices = nas_alloc(edges, sizeof(int));
  if (!network->input_indices) {
    status = nas_fail_memory(err, "a network", edges * sizeof(int));
    goto done;
  }
  int *next = network->input_indices;
  for (int i = 0; i < network->size; i++) {
    entry *e = &network->entries[i];
    e->inputs = next;
    for (int k = 0; k < nas_node_input_count(e->node); k++)
      *next++ = seen.index[slot_of(&seen, nas_node_input(e->node, k))];
  }
done:
  nas_free(seen.nodes);
  nas_free(seen.index);
  nas_free(stack);
  return status;
}

/* -- what follows from the order -------------------------------------------------------------- */

/* Numbers nodes with equal sub-graphs. Quadratic only among parameter layers, which are few. */
static void number_occurrences(nas_network *network) {
  for (int i = 0; i < network->size; i++) {
    if (!nas_node_kind(network->entries[i].node)->params) continue;
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
  int64_t activations = 0;
  for (int i = 0; i < network->size; i++) {
    entry *e = &network->entries[i];
    const nas_layer_kind *kind = nas_node_kind(e->node);
    nas_shape shapes[NAS_INPUTS_MAX];
    for (int k = 0; k < nas_node_input_count(e->node); k++)
      shapes[k] = nas_node_shape(nas_node_input(e->node, k));
    nas_param params[NAS_PARAMS_MAX];
    int sets = kind->params ? kind->params(nas_node_options(e->node), shapes, params) : 0;
    for (int s = 0; s < sets; s++) {
      int64_t numbers = 1;
      for (int d = 0; d < params[s].rank; d++) numbers *= params[s].dim[d];
      e->params += numbers;
    }
    if (kind->macs)
      e->macs = kind->macs(nas_node_options(e->node), shapes, nas_node_shape(e->node));
    network->params += e->params;
    network->macs = add_saturated(network->macs, e->macs);
    activations += nas_shape_size(nas_node_shape(e->node));
  }
  network->memory = 4 * (6 * network->params + 32 * activations);
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

static nas_status check_inputs(const nas_network *network, nas_error *err) {
  int inputs = 0;
  for (int i = 0; i < network->size; i++)
    inputs += nas_node_input_count(network->entries[i].node) == 0;
  if (inputs == 1) return NAS_OK;
  return nas_fail(err, NAS_ARGUMENT, "network: %d different input layers; expected 1", inputs);
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
    status = write_text(network, err);
  }
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
int64_t nas_network_memory(const nas_network *network) {
  return network->memory;
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
