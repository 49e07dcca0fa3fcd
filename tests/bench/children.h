/* The networks whose training is timed: a fixed list, and some that are drawn. All take images of
 * 28x28x1 and end in 10 units. */
#ifndef TESTS_CHILDREN_H
#define TESTS_CHILDREN_H

#include <stdarg.h>
#include "nn/networks.h"

enum { CHILD_TEXT = 2048, CHILD_NAME = 80, CHILDREN_MAX = 64 };

typedef struct child {
  char name[CHILD_NAME];
  char layers[CHILD_TEXT]; /* as for graph() */
} child;

/* -- four convolutions ------------------------------------------------------------------------ */

/* "KERNEL,FILTERS" for each of four 'same' convolutions with strides 2, 1, 2, 1; then an average
 * and a dense layer. */
static const char *const chains[] = {
    "1,32 1,32 1,32 1,32",         "1,64 1,64 1,64 1,64",         "3,32 3,32 3,32 3,32",
    "3,48 3,48 3,48 3,48",         "3,64 3,64 3,64 3,64",         "1,32 3,48 1,64 3,32",
    "3,64 1,48 3,32 1,64",         "5,24 5,24 5,24 5,24",         "5,36 5,36 5,36 5,36",
    "7x1,24 1x7,24 7x1,24 1x7,24", "7x1,36 1x7,36 7x1,36 1x7,36",
};

static inline void add_text(char *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static inline void add_text(char *text, const char *format, ...) {
  size_t size = strlen(text);
  va_list arguments;
  va_start(arguments, format);
  int added = vsnprintf(text + size, CHILD_TEXT - size, format, arguments);
  va_end(arguments);
  assert_true(added >= 0 && size + (size_t)added < CHILD_TEXT);
}

static inline child chain_of(const char *name, const char *after_each) {
  child c = {.layers = "input size=28 channels=1"};
  snprintf(c.name, sizeof c.name, "%s%s", name, *after_each ? " bn" : "");
  for (int layer = 0; layer < 4; layer++) {
    int height, width, filters, read = 0;
    if (sscanf(name, "%dx%d,%d%n", &height, &width, &filters, &read) != 3) {
      assert_int_equal(sscanf(name, "%d,%d%n", &height, &filters, &read), 2);
      width = height;
    }
    add_text(c.layers, "; conv2d kernel=%d,%d filters=%d stride=%d%s; relu", height, width, filters,
             layer % 2 ? 1 : 2, after_each);
    name += read;
  }
  add_text(c.layers, "; global_avg_pool; dense units=10");
  return c;
}

/* -- others ----------------------------------------------------------------------------------- */

/* Three convolutions with batch normalisation and pooling: examples/classifier.lua without dropout.
 */
static inline child pooled(void) {
  child c = {"3,32 3,64 3,128 bn pool", "input size=28 channels=1"};
  for (int filters = 32; filters <= 128; filters *= 2)
    add_text(c.layers, "; conv2d kernel=3 filters=%d bias=0; batch_norm; relu; max_pool pool=2",
             filters);
  add_text(c.layers, "; flatten; dense units=10");
  return c;
}

/* Eight convolutions, each upon the concatenation of all before it. */
static inline child skips(void) {
  child c = {"8 layers 3,16, all skips", "input size=28 channels=1"};
  int outputs[8], lines = 1;
  for (int layer = 0; layer < 8; layer++) {
    if (layer > 1) {
      add_text(c.layers, "; concat(");
      for (int i = 0; i < layer; i++) add_text(c.layers, "%s%d", i ? "," : "", outputs[i]);
      add_text(c.layers, ")");
      lines++;
    }
    add_text(c.layers, "; conv2d kernel=3 filters=16 stride=%d; relu", layer ? 1 : 2);
    outputs[layer] = lines += 2;
  }
  add_text(c.layers, "; global_avg_pool; dense units=10");
  return c;
}

/* Four convolutions: kernels of 1 to 7 by 1 to 7, 8 to 96 filters, strides 1 to 3; small enough to
 * be trained on a laptop, at most 30 million multiply-accumulates. */
static inline child drawn(nas_stream *dice, int number) {
  child c;
  int64_t macs;
  do {
    c = (child){.layers = "input size=28 channels=1"};
    snprintf(c.name, sizeof c.name, "drawn %d:", number);
    for (int layer = 0; layer < 4; layer++) {
      int height = between(dice, 1, 7), width = between(dice, 1, 7), filters = between(dice, 8, 96);
      int stride = between(dice, 1, 3);
      add_text(c.layers, "; conv2d kernel=%d,%d filters=%d stride=%d; relu", height, width, filters,
               stride);
      size_t size = strlen(c.name);
      snprintf(c.name + size, sizeof c.name - size, " %dx%d,%d/%d", height, width, filters, stride);
    }
    add_text(c.layers, "; global_avg_pool; dense units=10");
    nas_network *network = network_of(graph(c.layers));
    macs = nas_network_macs(network);
    nas_network_destroy(&network);
  } while (macs > 30000000);
  return c;
}

/* -- all -------------------------------------------------------------------------------------- */

/* The fixed list, or, with a seed, 20 that are drawn. Returns how many. */
static inline int list_children(child *children, const char *seed) {
  int count = 0;
  if (seed) {
    nas_stream dice = nas_stream_open((uint64_t)atoll(seed), "children", NULL, 0);
    for (; count < 20; count++) children[count] = drawn(&dice, count + 1);
    return count;
  }
  for (size_t i = 0; i < sizeof chains / sizeof *chains; i++)
    children[count++] = chain_of(chains[i], "");
  children[count++] = chain_of("3,64 3,64 3,64 3,64", " bias=0; batch_norm");
  children[count++] = pooled();
  children[count++] = skips();
  return count;
}

#endif
