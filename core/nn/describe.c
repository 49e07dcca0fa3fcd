/* Networks as people read them: a table, and a picture in Graphviz's language. */
#include <inttypes.h>
#include <nas/memory.h>
#include <nas/network.h>
#include <stdio.h>
#include <string.h>
#include "kinds.h"

/* -- options that differ from the defaults ---------------------------------------------------- */

static int is_default(const nas_option_table *table, const nas_option_value *values, int index,
                      const nas_option_value *presets) {
  if (table->options[index].required) return 0;
  switch (table->options[index].type) {
  case NAS_OPTION_NUMBER: return values[index].number == presets[index].number;
  case NAS_OPTION_PAIR:
    return values[index].pair[0] == presets[index].pair[0] &&
           values[index].pair[1] == presets[index].pair[1];
  default: return values[index].integer == presets[index].integer;
  }
}

static void add_options(const nas_node *node, nas_text *text) {
  const nas_option_table *table = &nas_node_kind(node)->options;
  nas_option_value presets[NAS_OPTIONS_MAX];
  nas_options_default(table, presets);
  for (int i = 0; i < table->count; i++) {
    if (is_default(table, nas_node_options(node), i, presets)) continue;
    nas_option_table one = {table->owner, table->options + i, 1};
    nas_options_text(&one, nas_node_options(node) + i, text);
  }
}

static void add_shape(nas_shape shape, nas_text *text) {
  char shape_text[NAS_SHAPE_TEXT];
  nas_shape_text(shape, shape_text);
  nas_text_add(text, shape_text);
}

/* -- the table -------------------------------------------------------------------------------- */

enum { NUMBER, LAYER, INPUTS, OUTPUT, PARAMS, MACS, COLUMNS };

static const char *const titles[COLUMNS] = {
    "#", "layer", "inputs", "output shape", "parameters", "multiply-accumulates"};
static const int is_left[COLUMNS] = {[LAYER] = 1, [INPUTS] = 1, [OUTPUT] = 1};

/* "1,234,567" */
static void add_grouped(int64_t value, nas_text *text) {
  char digits[24], grouped[32];
  int length = snprintf(digits, sizeof digits, "%" PRId64, value), at = 0;
  for (int i = 0; i < length; i++) {
    if (i && (length - i) % 3 == 0) grouped[at++] = ',';
    grouped[at++] = digits[i];
  }
  grouped[at] = 0;
  nas_text_add(text, grouped);
}

/* What stands in a row (-1: the titles) and column. */
static void add_cell(const nas_network *network, int row, int column, nas_text *text) {
  if (row < 0) {
    nas_text_add(text, titles[column]);
    return;
  }
  const nas_node *node = nas_network_node(network, row);
  switch (column) {
  case NUMBER: nas_text_add_integer(text, row + 1); break;
  case LAYER:
    nas_text_add(text, nas_node_kind(node)->name);
    add_options(node, text);
    break;
  case INPUTS:
    for (int k = 0; k < nas_node_input_count(node); k++) {
      if (k) nas_text_add(text, ", ");
      nas_text_add_integer(text, nas_network_input(network, row, k) + 1);
    }
    break;
  case OUTPUT: add_shape(nas_node_shape(node), text); break;
  case PARAMS: add_grouped(nas_network_node_params(network, row), text); break;
  default: add_grouped(nas_network_node_macs(network, row), text);
  }
}

static size_t cell_width(const nas_network *network, int row, int column) {
  nas_text cell = {0};
  add_cell(network, row, column, &cell);
  size_t size = cell.size;
  nas_text_clear(&cell);
  return size;
}

static void add_spaces(size_t count, nas_text *text) {
  for (size_t i = 0; i < count; i++) nas_text_add(text, " ");
}

static void add_row(const nas_network *network, int row, const size_t *widths, nas_text *text) {
  for (int c = 0; c < COLUMNS; c++) {
    size_t width = cell_width(network, row, c);
    size_t left = width < widths[c] ? widths[c] - width : 0; /* widths miss what had no memory */
    if (c) nas_text_add(text, "  ");
    if (!is_left[c]) add_spaces(left, text);
    add_cell(network, row, c, text);
    if (is_left[c]) add_spaces(left, text);
  }
  nas_text_add(text, "\n");
}

void nas_network_summary(const nas_network *network, int batch, nas_text *text) {
  size_t widths[COLUMNS] = {0};
  char line[120];
  for (int row = -1; row < nas_network_size(network); row++)
    for (int c = 0; c < COLUMNS; c++) {
      size_t width = cell_width(network, row, c);
      if (width > widths[c]) widths[c] = width;
    }
  for (int row = -1; row < nas_network_size(network); row++) add_row(network, row, widths, text);
  add_grouped(nas_network_params(network), text);
  nas_text_add(text, " parameters, ");
  add_grouped(nas_network_macs(network), text);
  snprintf(line, sizeof line, " multiply-accumulates an image, %.1f MiB to train with batch %d\n",
           (double)nas_network_memory(network, batch) / (1 << 20), batch);
  nas_text_add(text, line);
}

/* -- the picture ------------------------------------------------------------------------------ */

void nas_network_graphviz(const nas_network *network, nas_text *text) {
  nas_text_add(text, "digraph network {\n  rankdir = TB;\n"
                     "  node [shape = box, style = rounded, fontname = \"Helvetica\"];\n");
  for (int i = 0; i < nas_network_size(network); i++) {
    const nas_node *node = nas_network_node(network, i);
    nas_text_add(text, "  n");
    nas_text_add_integer(text, i + 1);
    nas_text_add(text, " [label = \"");
    nas_text_add(text, nas_node_kind(node)->name);
    nas_text_add(text, "\\n");
    add_options(node, text);
    nas_text_add(text, "\\n");
    add_shape(nas_node_shape(node), text);
    nas_text_add(text, "\"];\n");
  }
  for (int i = 0; i < nas_network_size(network); i++)
    for (int k = 0; k < nas_node_input_count(nas_network_node(network, i)); k++) {
      nas_text_add(text, "  n");
      nas_text_add_integer(text, nas_network_input(network, i, k) + 1);
      nas_text_add(text, " -> n");
      nas_text_add_integer(text, i + 1);
      nas_text_add(text, ";\n");
    }
  nas_text_add(text, "}\n");
}
