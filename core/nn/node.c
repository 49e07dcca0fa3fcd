#include <nas/node.h>
#include <nas/layer.h>
#include <nas/memory.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

struct nas_node {
  atomic_int references;
  const nas_layer_kind *kind;
  nas_shape shape;
  nas_hash hash;
  nas_node *next_dead; /* links the nodes that a release frees */
  nas_option_value options[NAS_OPTIONS_MAX];
  int input_count;
  nas_node *inputs[];
};

/* The identity of a layer and all that it depends on. */
static nas_status hash_node(nas_node *node, nas_error *err) {
  nas_text text = {0};
  char hex[NAS_HASH_HEX];
  nas_text_add(&text, node->kind->name);
  nas_options_text(&node->kind->options, node->options, &text);
  for (int i = 0; i < node->input_count; i++) {
    nas_hash_hex(node->inputs[i]->hash, hex);
    nas_text_add(&text, " ");
    nas_text_add(&text, hex);
  }
  int failed = text.failed;
  size_t size = text.size;
  if (!failed) node->hash = nas_hash_bytes(text.data, size);
  nas_text_clear(&text);
  return failed ? nas_fail_memory(err, "a layer's text", size) : NAS_OK;
}

static nas_status check_inputs(const nas_layer_kind *kind, nas_node *const *inputs, int count,
                               nas_shape *shapes, nas_error *err) {
  if (kind->min_inputs == kind->max_inputs && count != kind->min_inputs)
    return nas_fail(err, NAS_ARGUMENT, "%s: %d inputs; expected %d", kind->name, count,
                    kind->min_inputs);
  if (count < kind->min_inputs || count > kind->max_inputs)
    return nas_fail(err, NAS_ARGUMENT, "%s: %d inputs; expected %d to %d", kind->name, count,
                    kind->min_inputs, kind->max_inputs);
  for (int i = 0; i < count; i++) shapes[i] = inputs[i]->shape;
  return NAS_OK;
}

static nas_status check_shape(const nas_layer_kind *kind, nas_shape shape, nas_error *err) {
  char text[NAS_SHAPE_TEXT];
  if (shape.rank != 0 && shape.rank != 1 && shape.rank != 3)
    return nas_fail(err, NAS_SHAPE, "%s: output would have rank %d; expected 0, 1 or 3", kind->name,
                    shape.rank);
  for (int i = 0; i < shape.rank; i++)
    if (shape.dim[i] < 1 || shape.dim[i] > NAS_DIM_MAX) {
      nas_shape_text(shape, text);
      return nas_fail(err, NAS_SHAPE,
                      "%s: output would have shape %s; each dimension must be 1 to %d", kind->name,
                      text, NAS_DIM_MAX);
    }
  if (nas_shape_size(shape) > INT32_MAX / 64) {
    nas_shape_text(shape, text);
    return nas_fail(err, NAS_LIMIT, "%s: output of shape %s has more than %d values", kind->name,
                    text, INT32_MAX / 64);
  }
  return NAS_OK;
}

/* Keeps every later sum and product of sizes far from overflow. */
static nas_status check_params(const nas_node *node, const nas_shape *shapes, nas_error *err) {
  nas_param params[NAS_PARAMS_MAX];
  int sets = node->kind->params ? node->kind->params(node->options, shapes, params) : 0;
  for (int s = 0; s < sets; s++) {
    double numbers = 1;
    for (int d = 0; d < params[s].rank; d++) numbers *= params[s].dim[d];
    if (numbers > INT32_MAX)
      return nas_fail(err, NAS_LIMIT, "%s: %s would have %.0f parameters; at most %d are possible",
                      node->kind->name, params[s].role, numbers, INT32_MAX);
  }
  return NAS_OK;
}

nas_status nas_node_create(nas_node **out, const nas_layer_kind *kind,
                           const nas_option_value *values, nas_node *const *inputs, int input_count,
                           nas_error *err) {
  nas_shape shapes[NAS_INPUTS_MAX];
  *out = NULL;
  nas_status status = check_inputs(kind, inputs, input_count, shapes, err);
  if (status != NAS_OK) return status;

  size_t bytes = sizeof(nas_node) + (size_t)input_count * sizeof(nas_node *);
  nas_node *node = nas_alloc_zero(1, bytes);
  if (!node) return nas_fail_memory(err, "a layer", bytes);
  atomic_init(&node->references, 1);
  node->kind = kind;
  if (values)
    memcpy(node->options, values, (size_t)kind->options.count * sizeof *values);
  else
    nas_options_default(&kind->options, node->options);
  for (int i = 0; i < input_count; i++) node->inputs[i] = nas_node_retain(inputs[i]);
  node->input_count = input_count;

  status = kind->shape(node->options, shapes, input_count, &node->shape, err);
  if (status == NAS_OK) status = check_shape(kind, node->shape, err);
  if (status == NAS_OK) status = check_params(node, shapes, err);
  if (status == NAS_OK) status = hash_node(node, err);
  if (status == NAS_OK)
    *out = node;
  else
    nas_node_release(&node);
  return status;
}

nas_node *nas_node_retain(nas_node *node) {
  atomic_fetch_add_explicit(&node->references, 1, memory_order_relaxed);
  return node;
}

static int drop(nas_node *node) {
  return atomic_fetch_sub_explicit(&node->references, 1, memory_order_acq_rel) == 1;
}

/* A list instead of recursion: networks may be thousands of layers deep. */
void nas_node_release(nas_node **handle) {
  if (!handle || !*handle) return;
  nas_node *dead = drop(*handle) ? *handle : NULL;
  *handle = NULL;
  while (dead) {
    nas_node *node = dead;
    dead = node->next_dead;
    for (int i = 0; i < node->input_count; i++)
      if (drop(node->inputs[i])) {
        node->inputs[i]->next_dead = dead;
        dead = node->inputs[i];
      }
    nas_free(node);
  }
}

const nas_layer_kind *nas_node_kind(const nas_node *node) {
  return node->kind;
}
const nas_option_value *nas_node_options(const nas_node *node) {
  return node->options;
}
nas_shape nas_node_shape(const nas_node *node) {
  return node->shape;
}
int nas_node_input_count(const nas_node *node) {
  return node->input_count;
}
nas_node *nas_node_input(const nas_node *node, int index) {
  return node->inputs[index];
}
nas_hash nas_node_hash(const nas_node *node) {
  return node->hash;
}

void nas_shape_text(nas_shape shape, char text[NAS_SHAPE_TEXT]) {
  if (shape.rank == 3)
    snprintf(text, NAS_SHAPE_TEXT, "%dx%dx%d", shape.dim[0], shape.dim[1], shape.dim[2]);
  else if (shape.rank == 1)
    snprintf(text, NAS_SHAPE_TEXT, "%d", shape.dim[0]);
  else
    snprintf(text, NAS_SHAPE_TEXT, "scalar");
}

int64_t nas_shape_size(nas_shape shape) {
  int64_t size = 1;
  for (int i = 0; i < shape.rank; i++) size *= shape.dim[i];
  return size;
}
