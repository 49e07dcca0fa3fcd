/* Networks from their canonical text. */
#include <nas/memory.h>
#include <nas/network.h>
#include <string.h>

typedef struct parser {
  nas_node **nodes; /* of the lines so far */
  int count, room;
} parser;

static void clear(parser *p) {
  for (int i = 0; i < p->count; i++) nas_node_release(&p->nodes[i]);
  nas_free(p->nodes);
}

/* A line's number, kind and what stands in brackets; "3 conv2d(2,1) kernel=..." */
typedef struct line {
  const char *kind, *inputs, *options; /* into the line, which is cut */
} line;

static int is_digit(char c) {
  return c >= '0' && c <= '9';
}

/* A number from 1 to most, without leading zeros, at *text, which moves behind it; 0 for none. */
static int read_index(const char **text, int most) {
  int value = 0;
  if (**text == '0') return 0;
  for (; is_digit(**text) && value <= most; (*text)++) value = 10 * value + (**text - '0');
  return value <= most ? value : 0;
}

/* Cuts the line into its parts. 0, or -1 when it has another form. */
static int cut(char *text, int number, line *parts) {
  const char *at = text;
  if (read_index(&at, number) != number || *at != ' ') return -1;
  char *kind = text + (at - text) + 1;
  size_t length = strcspn(kind, " (");
  parts->kind = kind;
  parts->inputs = "";
  char *behind = kind + length;
  if (*behind == '(') {
    char *close = strchr(behind, ')');
    if (!close) return -1;
    *behind = 0;
    *close = 0;
    parts->inputs = behind + 1;
    behind = close + 1;
  }
  parts->options = behind;
  return length > 0 ? 0 : -1;
}

static nas_status read_inputs(const parser *p, const char *text, int number,
                              nas_node *inputs[NAS_INPUTS_MAX], int *count, nas_error *err) {
  *count = 0;
  while (*text) {
    int index = read_index(&text, p->count);
    if (index == 0 || *count == NAS_INPUTS_MAX || (*text != 0 && *text != ','))
      return nas_fail(err, NAS_FORMAT,
                      "line %d: an input is none of the lines before, or there are more than %d",
                      number, NAS_INPUTS_MAX);
    inputs[(*count)++] = p->nodes[index - 1];
    if (*text == ',' && *++text == 0) return nas_fail(err, NAS_FORMAT, "line %d: \",)\"", number);
  }
  return NAS_OK;
}

static nas_status read_line(parser *p, char *text, int number, nas_error *err) {
  line parts;
  nas_error inner;
  nas_node *inputs[NAS_INPUTS_MAX];
  nas_option_value values[NAS_OPTIONS_MAX];
  char options[1024];
  int count;
  if (cut(text, number, &parts))
    return nas_fail(err, NAS_FORMAT, "line %d is not of the form \"%d kind(inputs) options\"",
                    number, number);
  nas_status status = read_inputs(p, parts.inputs, number, inputs, &count, err);
  if (status != NAS_OK) return status;
  if (strlen(parts.options) >= sizeof options)
    return nas_fail(err, NAS_FORMAT, "line %d is too long", number);
  /* The kind ends where the options begin. */
  memcpy(options, parts.options, strlen(parts.options) + 1);
  text[parts.options - text] = 0;
  const nas_layer_kind *kind = nas_layer_kind_find(parts.kind, &inner);
  if (kind) status = nas_options_parse(&kind->options, values, options, &inner);
  if (!kind || status != NAS_OK)
    return nas_fail(err, NAS_FORMAT, "line %d: %s", number, inner.text);
  status = nas_node_create(&p->nodes[p->count], kind, values, inputs, count, &inner);
  if (status != NAS_OK)
    return nas_fail(err, status == NAS_MEMORY ? NAS_MEMORY : NAS_FORMAT, "line %d: %s", number,
                    inner.text);
  p->count++;
  return NAS_OK;
}

static nas_status make_room(parser *p, nas_error *err) {
  if (p->count < p->room) return NAS_OK;
  if (p->count >= NAS_NODES_MAX)
    return nas_fail(err, NAS_LIMIT, "network: more than %d layers", NAS_NODES_MAX);
  int room = p->room ? 2 * p->room : 32;
  nas_node **nodes = nas_realloc(p->nodes, (size_t)p->count, (size_t)room, sizeof *nodes);
  if (!nodes) return nas_fail_memory(err, "a network", (size_t)room * sizeof *nodes);
  p->nodes = nodes;
  p->room = room;
  return NAS_OK;
}

static nas_status read_lines(parser *p, char *text, nas_error *err) {
  nas_status status = NAS_OK;
  for (int number = 1; *text && status == NAS_OK; number++) {
    char *end = strchr(text, '\n');
    if (!end) return nas_fail(err, NAS_FORMAT, "line %d has no end", number);
    *end = 0;
    status = make_room(p, err);
    if (status == NAS_OK) status = read_line(p, text, number, err);
    text = end + 1;
  }
  if (status == NAS_OK && p->count == 0) return nas_fail(err, NAS_FORMAT, "the text is empty");
  return status;
}

/* Whether the text is the one that the network itself has. */
static nas_status check_canonical(nas_node *output, const char *text, nas_error *err) {
  nas_network *network;
  nas_error inner;
  nas_status status = nas_network_create(&network, output, &inner);
  if (status != NAS_OK)
    return nas_fail(err, status == NAS_SHAPE ? NAS_FORMAT : status, "%s", inner.text);
  int same = strcmp(nas_network_text(network), text) == 0;
  nas_network_destroy(&network);
  return same ? NAS_OK : nas_fail(err, NAS_FORMAT, "the text is not the canonical one");
}

nas_status nas_network_parse(nas_node **output, const char *text, nas_error *err) {
  parser p = {0};
  *output = NULL;
  char *copy = nas_strdup(text);
  if (!copy) return nas_fail_memory(err, "a network's text", strlen(text));
  nas_status status = read_lines(&p, copy, err);
  if (status == NAS_OK) status = check_canonical(p.nodes[p.count - 1], text, err);
  if (status == NAS_OK) *output = nas_node_retain(p.nodes[p.count - 1]);
  clear(&p);
  nas_free(copy);
  return status;
}
