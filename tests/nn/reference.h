/* Networks computed once more, naively and in double, all images of a batch at a time and node
 * after node. */
#ifndef TESTS_REFERENCE_H
#define TESTS_REFERENCE_H

#include "networks.h"

/* -- what a naive layer sees ------------------------------------------------------------------ */

/* [image][y][x][channel] without padding */
typedef struct table {
  int height, width, channels, size; /* size: of one image */
  double *at;
} table;

typedef struct naive {
  const nas_node *node;
  int images, inputs, occurrence;
  table x[NAS_INPUTS_MAX], y;
  const double *params[NAS_PARAMS_MAX]; /* rows are padded */
  int met;                              /* pixels of the current window so far */
} naive;

static inline double *pixel(const table *t, int n, int i, int j) {
  return t->at + ((ptrdiff_t)(n * t->height + i) * t->width + j) * t->channels;
}

static inline const nas_option_value *option(const naive *l, const char *name) {
  const nas_option_table *options = &nas_node_kind(l->node)->options;
  int at = nas_options_find(options, name, NULL);
  assert_true(at >= 0);
  return &nas_node_options(l->node)[at];
}

static inline int is_word(const naive *l, const char *name, const char *word) {
  const nas_option_table *options = &nas_node_kind(l->node)->options;
  const char *const *choices = options->options[nas_options_find(options, name, NULL)].choices;
  return strcmp(choices[option(l, name)->integer], word) == 0;
}

/* -- windows ---------------------------------------------------------------------------------- */

/* Pixel (y, x) of the input lies under the window of output (i, j), at `tap`. */
typedef void visit_fn(naive *l, int n, int i, int j, int y, int x, int tap);

static inline void slide(naive *l, const char *window, visit_fn *visit) {
  const int *kernel = option(l, window)->pair, *stride = option(l, "stride")->pair;
  const int in[2] = {l->x[0].height, l->x[0].width}, out[2] = {l->y.height, l->y.width};
  int pad[2] = {0, 0};
  for (int d = 0; d < 2 && is_word(l, "padding", "same"); d++) {
    int total = (out[d] - 1) * stride[d] + kernel[d] - in[d];
    pad[d] = total > 0 ? total / 2 : 0;
  }
  for (int at = 0; at < l->images * out[0] * out[1]; at++) {
    int n = at / (out[0] * out[1]), i = at / out[1] % out[0], j = at % out[1];
    l->met = 0;
    for (int tap = 0; tap < kernel[0] * kernel[1]; tap++) {
      int y = i * stride[0] - pad[0] + tap / kernel[1];
      int x = j * stride[1] - pad[1] + tap % kernel[1];
      if (y < 0 || y >= in[0] || x < 0 || x >= in[1]) continue;
      l->met++;
      visit(l, n, i, j, y, x, tap);
    }
  }
}

static inline void begin_with_bias(naive *l) {
  for (int k = 0; k < l->images * l->y.size; k++)
    l->y.at[k] = option(l, "bias")->integer ? l->params[1][k % l->y.channels] : 0;
}

static inline void visit_conv2d(naive *l, int n, int i, int j, int y, int x, int tap) {
  int channels = l->x[0].channels, filters = l->y.channels;
  for (int c = 0; c < channels; c++)
    for (int o = 0; o < filters; o++)
      pixel(&l->y, n, i, j)[o] +=
          pixel(&l->x[0], n, y, x)[c] *
          l->params[0][(ptrdiff_t)(tap * channels + c) * nas_row(filters) + o];
}

static inline void naive_conv2d(naive *l) {
  begin_with_bias(l);
  slide(l, "kernel", visit_conv2d);
}

static inline void visit_depthwise(naive *l, int n, int i, int j, int y, int x, int tap) {
  for (int c = 0; c < l->y.channels; c++)
    pixel(&l->y, n, i, j)[c] +=
        pixel(&l->x[0], n, y, x)[c] * l->params[0][(ptrdiff_t)tap * nas_row(l->y.channels) + c];
}

static inline void naive_depthwise_conv2d(naive *l) {
  begin_with_bias(l);
  slide(l, "kernel", visit_depthwise);
}

static inline void naive_dense(naive *l) {
  begin_with_bias(l);
  for (int n = 0; n < l->images; n++)
    for (int i = 0; i < l->x[0].size; i++)
      for (int o = 0; o < l->y.size; o++)
        l->y.at[n * l->y.size + o] +=
            l->x[0].at[n * l->x[0].size + i] * l->params[0][(ptrdiff_t)i * nas_row(l->y.size) + o];
}

static inline void visit_max(naive *l, int n, int i, int j, int y, int x, int tap) {
  (void)tap;
  for (int c = 0; c < l->y.channels; c++) {
    double *best = &pixel(&l->y, n, i, j)[c], here = pixel(&l->x[0], n, y, x)[c];
    if (l->met == 1 || here > *best) *best = here;
  }
}

static inline void naive_max_pool(naive *l) {
  slide(l, "pool", visit_max);
}

static inline void visit_mean(naive *l, int n, int i, int j, int y, int x, int tap) {
  (void)tap;
  for (int c = 0; c < l->y.channels; c++) {
    double *mean = &pixel(&l->y, n, i, j)[c];
    *mean += (pixel(&l->x[0], n, y, x)[c] - *mean) / l->met;
  }
}

static inline void naive_avg_pool(naive *l) {
  slide(l, "pool", visit_mean);
}

static inline void naive_global_avg_pool(naive *l) {
  int pixels = l->x[0].height * l->x[0].width;
  for (int n = 0; n < l->images; n++)
    for (int k = 0; k < l->x[0].size; k++)
      l->y.at[n * l->y.size + k % l->y.size] += l->x[0].at[n * l->x[0].size + k] / pixels;
}

/* -- every value by itself -------------------------------------------------------------------- */

static inline void each(naive *l, double (*of)(const naive *l, double x)) {
  for (int k = 0; k < l->images * l->y.size; k++) l->y.at[k] = of(l, l->x[0].at[k]);
}

#define EACH(name, expression)                                                                     \
  static inline double name##_of(const naive *l, double x) {                                       \
    (void)l;                                                                                       \
    return (expression);                                                                           \
  }                                                                                                \
  static inline void naive_##name(naive *l) {                                                      \
    each(l, name##_of);                                                                            \
  }

EACH(relu, x > 0 ? x : 0)
EACH(leaky_relu, x > 0 ? x : x * option(l, "slope")->number)
EACH(tanh, tanh(x))
EACH(sigmoid, 1 / (1 + exp(-x)))
EACH(exp, exp(x))
EACH(log, log(x))
EACH(square, x *x)
EACH(abs, fabs(x))
EACH(scale, x *option(l, "factor")->number + option(l, "offset")->number)
EACH(identity, x)

/* The mask, from its address as documented. */
static inline void naive_dropout(naive *l) {
  double rate = option(l, "rate")->number;
  nas_hash hash = nas_node_hash(l->node);
  for (int n = 0; n < l->images; n++) {
    const uint64_t address[] = {hash.high, hash.low, (uint64_t)l->occurrence, 1, (uint64_t)n};
    nas_stream mask = nas_stream_open(7, "dropout", address, 5);
    for (int k = n * l->y.size; k < (n + 1) * l->y.size; k++)
      l->y.at[k] = nas_stream_u32(&mask) >= rate * 4294967296.0 ? l->x[0].at[k] / (1 - rate) : 0;
  }
}

/* -- several inputs, other shapes ------------------------------------------------------------- */

static inline void naive_add(naive *l) {
  for (int i = 0; i < l->inputs; i++)
    for (int k = 0; k < l->images * l->y.size; k++) l->y.at[k] += l->x[i].at[k];
}

/* A vector stands for a map of equal pixels. */
static inline void naive_multiply(naive *l) {
  for (int k = 0; k < l->images * l->y.size; k++) {
    int n = k / l->y.size, rest = k % l->y.size;
    l->y.at[k] = 1;
    for (int i = 0; i < l->inputs; i++)
      l->y.at[k] *= l->x[i].at[n * l->x[i].size + rest % l->x[i].size];
  }
}

static inline void naive_concat(naive *l) {
  for (int k = 0, channel = 0; k < l->inputs; channel += l->x[k++].channels) {
    const table *x = &l->x[k];
    int center = is_word(l, "align", "center");
    int top = center ? (l->y.height - x->height) / 2 : 0;
    int left = center ? (l->y.width - x->width) / 2 : 0;
    for (int n = 0; n < l->images; n++)
      for (int i = 0; i < x->height; i++)
        for (int j = 0; j < x->width; j++)
          for (int c = 0; c < x->channels; c++)
            pixel(&l->y, n, i + top, j + left)[channel + c] = pixel(x, n, i, j)[c];
  }
}

static inline void naive_zero_pad(naive *l) {
  const table *x = &l->x[0];
  for (int n = 0; n < l->images; n++)
    for (int i = 0; i < x->height; i++)
      for (int j = 0; j < x->width; j++)
        for (int c = 0; c < x->channels; c++)
          pixel(&l->y, n, i + option(l, "top")->integer, j + option(l, "left")->integer)[c] =
              pixel(x, n, i, j)[c];
}

static inline void naive_sum(naive *l) {
  for (int k = 0; k < l->images * l->x[0].size; k++) l->y.at[k / l->x[0].size] += l->x[0].at[k];
}

static inline void naive_mean(naive *l) {
  naive_sum(l);
  for (int n = 0; n < l->images; n++) l->y.at[n] /= l->x[0].size;
}

static inline void naive_one_hot(naive *l) {
  for (int n = 0; n < l->images; n++)
    for (int k = 0; k < l->y.size; k++) l->y.at[n * l->y.size + k] = l->x[0].at[n] == k;
}

/* Of all images of the batch, which is what training does. */
static inline void naive_batch_norm(naive *l) {
  int channels = l->y.channels, all = l->images * l->y.size;
  for (int c = 0; c < channels; c++) {
    double mean = 0, variance = 0, count = all / channels;
    for (int k = c; k < all; k += channels) mean += l->x[0].at[k] / count;
    for (int k = c; k < all; k += channels)
      variance += (l->x[0].at[k] - mean) * (l->x[0].at[k] - mean) / count;
    double deviation = sqrt(variance + option(l, "epsilon")->number);
    for (int k = c; k < all; k += channels)
      l->y.at[k] = (l->x[0].at[k] - mean) / deviation * l->params[0][c] + l->params[1][c];
  }
}

/* -- losses ----------------------------------------------------------------------------------- */

/* Of logits, and of a target distribution. */
static inline void naive_softmax_cross_entropy(naive *l) {
  int classes = l->x[0].size;
  double smoothing = option(l, "label_smoothing")->number;
  for (int n = 0; n < l->images; n++) {
    const double *z = l->x[0].at + n * classes;
    double sum = 0;
    for (int k = 0; k < classes; k++) sum += exp(z[k]);
    for (int k = 0; k < classes; k++) {
      double share = (k == floor(l->x[1].at[n])) * (1 - smoothing) + smoothing / classes;
      l->y.at[n] -= share * log(exp(z[k]) / sum);
    }
  }
}

static inline void mean_of(naive *l, double (*of)(const naive *l, double y, double t)) {
  int size = l->x[0].size;
  for (int k = 0; k < l->images * size; k++)
    l->y.at[k / size] += of(l, l->x[0].at[k], l->x[1].at[k]) / size;
}

static inline double squared_error(const naive *l, double y, double t) {
  (void)l;
  return (y - t) * (y - t);
}

static inline void naive_mean_squared_error(naive *l) {
  mean_of(l, squared_error);
}

static inline double huber_error(const naive *l, double y, double t) {
  double delta = option(l, "delta")->number, e = fabs(y - t);
  return e <= delta ? e * e / 2 : delta * (e - delta / 2);
}

static inline void naive_huber(naive *l) {
  mean_of(l, huber_error);
}

static inline double cross_entropy(const naive *l, double z, double t) {
  (void)l;
  double p = 1 / (1 + exp(-z));
  return -t * log(p) - (1 - t) * log(1 - p);
}

static inline void naive_binary_cross_entropy(naive *l) {
  mean_of(l, cross_entropy);
}

/* -- networks --------------------------------------------------------------------------------- */

/* Inputs and targets are filled from outside. */
static inline void naive_nothing(naive *l) {
  (void)l;
}

typedef struct naive_kind {
  const char *name;
  void (*run)(naive *l); /* into y, which is 0 */
} naive_kind;

static const naive_kind naive_kinds[] = {
    {"input", naive_nothing},
    {"target", naive_nothing},
    {"conv2d", naive_conv2d},
    {"depthwise_conv2d", naive_depthwise_conv2d},
    {"dense", naive_dense},
    {"batch_norm", naive_batch_norm},
    {"relu", naive_relu},
    {"leaky_relu", naive_leaky_relu},
    {"tanh", naive_tanh},
    {"sigmoid", naive_sigmoid},
    {"exp", naive_exp},
    {"log", naive_log},
    {"square", naive_square},
    {"abs", naive_abs},
    {"scale", naive_scale},
    {"identity", naive_identity},
    {"flatten", naive_identity},
    {"add", naive_add},
    {"multiply", naive_multiply},
    {"concat", naive_concat},
    {"zero_pad", naive_zero_pad},
    {"max_pool", naive_max_pool},
    {"avg_pool", naive_avg_pool},
    {"global_avg_pool", naive_global_avg_pool},
    {"mean", naive_mean},
    {"sum", naive_sum},
    {"one_hot", naive_one_hot},
    {"dropout", naive_dropout},
    {"softmax_cross_entropy", naive_softmax_cross_entropy},
    {"mean_squared_error", naive_mean_squared_error},
    {"huber", naive_huber},
    {"binary_cross_entropy", naive_binary_cross_entropy},
};

/* A network with its parameters and its values. */
typedef struct reference {
  int size, images;
  naive *layers;
  const naive_kind **kinds;
  double *params; /* laid out as those of the machine */
  size_t floats;
} reference;

static inline const naive_kind *naive_find(const char *name) {
  for (size_t i = 0; i < sizeof naive_kinds / sizeof *naive_kinds; i++)
    if (strcmp(naive_kinds[i].name, name) == 0) return &naive_kinds[i];
  fail_msg("no naive %s", name);
  return NULL;
}

static inline void lay_table(table *t, nas_shape shape, int images) {
  t->height = shape.rank == 3 ? shape.dim[0] : 1;
  t->width = shape.rank == 3 ? shape.dim[1] : 1;
  t->channels = shape.rank ? shape.dim[shape.rank - 1] : 1;
  t->size = (int)nas_shape_size(shape);
  t->at = nas_alloc_zero((size_t)images * (size_t)t->size, sizeof *t->at);
  assert_non_null(t->at);
}

/* Of a machine's network and parameters, for so many images. */
static inline reference reference_of(const machine *m, int images) {
  reference r = {.size = nas_network_size(m->network), .images = images, .floats = m->floats};
  r.layers = nas_alloc_zero((size_t)r.size, sizeof *r.layers);
  r.kinds = nas_alloc_zero((size_t)r.size, sizeof *r.kinds);
  r.params = nas_alloc_zero(r.floats, sizeof *r.params);
  assert_true(r.layers && r.kinds && r.params);
  for (size_t i = 0; i < r.floats; i++) r.params[i] = (double)m->params[i];
  for (int i = 0; i < r.size; i++) {
    naive *l = &r.layers[i];
    l->node = nas_network_node(m->network, i);
    l->images = images;
    l->inputs = nas_node_input_count(l->node);
    l->occurrence = nas_network_occurrence(m->network, i);
    lay_table(&l->y, nas_node_shape(l->node), images);
    for (int k = 0; k < l->inputs; k++) l->x[k] = r.layers[nas_network_input(m->network, i, k)].y;
    r.kinds[i] = naive_find(nas_node_kind(l->node)->name);
  }
  for (int s = 0, of_node = 0; s < nas_compiled_param_count(m->compiled); s++) {
    nas_param_place set = nas_compiled_param(m->compiled, s);
    of_node = s && nas_compiled_param(m->compiled, s - 1).node == set.node ? of_node + 1 : 0;
    r.layers[set.node].params[of_node] = r.params + set.at;
  }
  return r;
}

static inline void reference_free(reference *r) {
  for (int i = 0; i < r->size; i++) nas_free(r->layers[i].y.at);
  nas_free(r->layers);
  nas_free(r->kinds);
  nas_free(r->params);
}

static inline void reference_load(reference *r, const machine *m, const float *images) {
  for (int i = 0; i < r->size; i++) {
    const table *y = &r->layers[i].y;
    int target = strcmp(r->kinds[i]->name, "target") == 0;
    if (!target && strcmp(r->kinds[i]->name, "input") != 0) continue;
    for (int k = 0; k < r->images * y->size; k++)
      y->at[k] = !target      ? (double)images[k]
                 : m->targets ? (double)m->targets[k]
                 : m->labels  ? m->labels[k]
                              : 0;
  }
}

/* All values; returns the mean of the losses. */
static inline double reference_run(reference *r) {
  double loss = 0;
  for (int i = 0; i < r->size; i++) {
    naive *l = &r->layers[i];
    if (l->inputs) memset(l->y.at, 0, (size_t)(r->images * l->y.size) * sizeof *l->y.at);
    r->kinds[i]->run(l);
  }
  for (int n = 0; n < r->images; n++) loss += r->layers[r->size - 1].y.at[n] / r->images;
  return loss;
}

#endif
