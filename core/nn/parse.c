/* The canonical text of a network, read back. */
#include <nas/network.h>
#include <nas/memory.h>
#include <string.h>

typedef struct parser {
  nas_node **nodes; /* one for each line so far */
  int count, capacity;
  nas_error *err;
} parser;

static nas_status reserve(parser *p) {
  if (p->count < p->capacity) return NAS_OK;
  int capacity = p->capacity ? 2 * p->capacity : 32;
  nas_node **nodes =
      nas_realloc(p->nodes, (size_t)p->capacity, (size_t)capacity, sizeof(nas_node *));
  if (!nodes)
    return nas_fail_memory(p->err, "the layers of a network",
                           (size_t)capacity * sizeof(nas_node *));
  p->nodes = nodes;
  p->capacity = capacity;
  return NAS_OK;
}

/* -- a line ----------------------------------------------------------------------------------- */

/* The digits at *at, which it moves behind them; -1 where there is no number from 1 to high. */
static int take_number(char **at, int high) {
  int64_t value;
  size_t size = strspn(*at, "0123456789");
  if (nas_text_parse_integer(*at, size, &value) || value < 1 || value > high) return -1;
  *at += size;
  return (int)value;
}

/* "3," or "3)" again and again: the inputs between parentheses. */
static nas_status take_inputs(parser *p, char **at, nas_node **inputs, int *count) {
  char after;
  *count = 0;
  do {
    const char *from = *at;
    int line = take_number(at, p->count);
    if (line < 0 || (**at != ',' && **at != ')'))
      return nas_fail(p->err, NAS_FORMAT,
                      "expected numbers of earlier lines with commas in parentheses, found "
                      "\"%.40s\"",
                      from);
    if (*count == NAS_INPUTS_MAX)
      return nas_fail(p->err, NAS_LIMIT, "more than %d inputs", NAS_INPUTS_MAX);
    inputs[(*count)++] = p->nodes[line - 1];
    after = *(*at)++;
  } while (after == ',');
  return NAS_OK;
}

/* The layer's kind; *at then stands behind the name. */
static const nas_layer_kind *take_kind(parser *p, char **at) {
  char *name = *at;
  *at += strcspn(name, "( ");
  char after = **at;
  **at = 0;
  const nas_layer_kind *kind = nas_layer_kind_find(name, p->err);
  **at = after;
  return kind;
}

/* "3 conv2d(2) kernel=3,3 filters=64 ..." without the line's end; there is room for the node. */
static nas_status parse_line(parser *p, char *line) {
  nas_node *inputs[NAS_INPUTS_MAX];
  nas_option_value values[NAS_OPTIONS_MAX];
  int count = 0;
  char *at = line;
  if (take_number(&at, p->count + 1) != p->count + 1 || *at++ != ' ')
    return nas_fail(p->err, NAS_FORMAT, "expected \"%d \" and a layer, found \"%.40s\"",
                    p->count + 1, line);
  const nas_layer_kind *kind = take_kind(p, &at);
  if (!kind) return NAS_FORMAT;
  nas_status status = NAS_OK;
  if (*at == '(') {
    at++;
    status = take_inputs(p, &at, inputs, &count);
  }
  if (status == NAS_OK) status = nas_options_parse(&kind->options, values, at, p->err);
  if (status == NAS_OK)
    status = nas_node_create(&p->nodes[p->count], kind, values, inputs, count, p->err);
  return status;
}

/* -- all lines -------------------------------------------------------------------------------- */

/* Puts the line before the message. What misuse would be in a call is a damaged text here. */
static nas_status fail_line(parser *p, nas_status status) {
  if (status == NAS_MEMORY) return status;
  if (status == NAS_ARGUMENT) status = NAS_FORMAT;
  return nas_fail(p->err, status, "network, line %d: %s", p->count + 1, p->err->text);
}

/* Cuts the text into lines as it goes. */
static nas_status parse_lines(parser *p, char *text) {
  while (*text) {
    char *end = strchr(text, '\n');
    nas_status status = NAS_OK;
    if (p->count == NAS_NODES_MAX)
      status = nas_fail(p->err, NAS_LIMIT, "more than %d layers", NAS_NODES_MAX);
    else if (!end)
      status = nas_fail(p->err, NAS_FORMAT, "the text ends within the line");
    else
      status = reserve(p);
    if (status == NAS_OK) {
      *end = 0;
      status = parse_line(p, text);
    }
    if (status != NAS_OK) return fail_line(p, status);
    p->count++;
    text = end + 1;
  }
  if (p->count) return NAS_OK;
  return nas_fail(p->err, NAS_FORMAT, "network, line 1: the text is empty");
}

static nas_status fail_canonical(const char *text, const char *canonical, nas_error *err) {
  int line = 1;
  size_t start = 0;
  for (size_t i = 0; text[i] && text[i] == canonical[i]; i++)
    if (text[i] == '\n') {
      line++;
      start = i + 1;
    }
  int size = (int)strcspn(canonical + start, "\n");
  if (size == 0)
    return nas_fail(err, NAS_FORMAT,
                    "network, line %d: is not canonical; expected the end of the text", line);
  return nas_fail(err, NAS_FORMAT, "network, line %d: is not canonical; expected \"%.*s\"", line,
                  size < 200 ? size : 200, canonical + start);
}

/* Lines in another order, that nothing depends on, or with numbers in another notation. */
static nas_status check_canonical(nas_node *output, const char *text, nas_error *err) {
  nas_network *network;
  nas_status status = nas_network_create(&network, output, err);
  if (status != NAS_OK) return status;
  if (strcmp(text, nas_network_text(network)) != 0)
    status = fail_canonical(text, nas_network_text(network), err);
  nas_network_destroy(&network);
  return status;
}

nas_status nas_network_parse(nas_node **output, const char *text, nas_error *err) {
  nas_error own;
  parser p = {.err = err ? err : &own};
  *output = NULL;
  char *copy = nas_strdup(text);
  nas_status status = copy ? parse_lines(&p, copy)
                           : nas_fail_memory(err, "the text of a network", strlen(text) + 1);
  if (status == NAS_OK) status = check_canonical(p.nodes[p.count - 1], text, p.err);
  if (status == NAS_OK) *output = nas_node_retain(p.nodes[p.count - 1]);
  for (int i = p.count - 1; i >= 0; i--) nas_node_release(&p.nodes[i]);
  nas_free(p.nodes);
  nas_free(copy);
  return status;
}
