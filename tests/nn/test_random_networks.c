/* Random graphs of layers of all kinds, a few hundred by seed: outputs with several consumers, odd
 * shapes, ends of all sorts. Each is checked against the naive reference as in agreement.h. */
#include "agreement.h"

enum { MAP = 1, VECTOR = 2, NUMBER = 4, ANY = MAP | VECTOR | NUMBER };
enum { NODES_MAX = 60, TAME = 30 };

/* A graph while it grows. The first node is the input. */
typedef struct draft {
  nas_node *nodes[NODES_MAX];
  int consumers[NODES_MAX];
  int count;
  nas_node *target; /* made when first wanted */
} draft;

static int rank_of(const nas_node *node) {
  int rank = nas_node_shape(node).rank;
  return rank == 3 ? MAP : rank == 1 ? VECTOR : NUMBER;
}

/* A node of those ranks; often one that nothing consumes yet, or a late one. -1: there is none. */
static int pick(const draft *d, int ranks, nas_stream *dice) {
  for (int tries = 0; tries < 30; tries++) {
    int i = between(dice, 0, d->count - 1);
    if (tries < 10 && (d->consumers[i] || i == 0)) continue;
    if (ranks & rank_of(d->nodes[i])) return i;
  }
  return -1;
}

/* Another node of the same shape, or the same one. */
static int pick_equal(const draft *d, int as, nas_stream *dice) {
  nas_shape shape = nas_node_shape(d->nodes[as]);
  for (int tries = 0; tries < 30; tries++) {
    int i = between(dice, 0, d->count - 1);
    nas_shape other = nas_node_shape(d->nodes[i]);
    if (i != as && memcmp(&shape, &other, sizeof shape) == 0) return i;
  }
  return as;
}

/* The layer upon nodes of the draft; nothing when it does not fit, or would be large. */
static int grow(draft *d, const char *text, const int *at, int inputs) {
  nas_node *of[NAS_INPUTS_MAX], *node;
  if (d->count == NODES_MAX) return 0;
  for (int k = 0; k < inputs; k++) of[k] = d->nodes[at[k]];
  if (node_try(&node, text, of, inputs, NULL) != NAS_OK) return 0;
  if (nas_shape_size(nas_node_shape(node)) > 600) {
    nas_node_release(&node);
    return 0;
  }
  for (int k = 0; k < inputs; k++) d->consumers[at[k]]++;
  d->nodes[d->count++] = node;
  return 1;
}

static int on_last(draft *d, const char *text) {
  int last = d->count - 1;
  return grow(d, text, &last, 1);
}

/* -- one input -------------------------------------------------------------------------------- */

/* In a text, % is 1 to 3, @ 1 to 6 and now and then 17, # a tenth to nine tenths, ^ same or valid.
 */
typedef struct single {
  const char *text;
  int ranks;
} single;

static const single singles[] = {
    {"conv2d kernel=%,% filters=@ stride=%,% padding=^", MAP},
    {"conv2d kernel=% filters=@", MAP},
    {"conv2d kernel=% filters=@; relu", MAP},
    {"depthwise_conv2d kernel=%,% stride=%,% padding=^", MAP},
    {"depthwise_conv2d kernel=%; relu", MAP},
    {"dense units=@", ANY},
    {"dense units=@; relu", ANY},
    {"batch_norm epsilon=#", MAP | VECTOR},
    {"batch_norm epsilon=#; relu", MAP | VECTOR},
    {"relu", ANY},
    {"leaky_relu slope=#", ANY},
    {"tanh", ANY},
    {"sigmoid", ANY},
    {"exp", ANY},
    {"square; scale offset=#; log", ANY},
    {"square", ANY},
    {"abs", ANY},
    {"scale factor=# offset=-#", ANY},
    {"scale factor=-#", ANY},
    {"identity", ANY},
    {"dropout rate=#", ANY},
    {"max_pool pool=%,% stride=%,% padding=^", MAP},
    {"avg_pool pool=%,% stride=%,% padding=^", MAP},
    {"global_avg_pool", MAP},
    {"zero_pad top=% left=% bottom=% right=%", MAP},
    {"flatten", ANY},
    {"mean", ANY},
    {"sum; scale factor=#", ANY},
};

static void fill_in(const char *pattern, nas_stream *dice, char *text, size_t size) {
  size_t at = 0;
  for (; *pattern; pattern++) {
    char number[16] = {*pattern};
    if (*pattern == '%') snprintf(number, sizeof number, "%d", between(dice, 1, 3));
    if (*pattern == '@')
      snprintf(number, sizeof number, "%d", between(dice, 0, 9) ? between(dice, 1, 6) : 17);
    if (*pattern == '#') snprintf(number, sizeof number, "0.%d", between(dice, 1, 9));
    if (*pattern == '^')
      snprintf(number, sizeof number, "%s", between(dice, 0, 1) ? "same" : "valid");
    at += (size_t)snprintf(text + at, size - at, "%s", number);
    assert_true(at < size);
  }
}

static void draw_single(draft *d, nas_stream *dice) {
  const single *s = &singles[nas_stream_below(dice, sizeof singles / sizeof *singles)];
  char text[200], *rest;
  int at = pick(d, s->ranks, dice);
  fill_in(s->text, dice, text, sizeof text);
  char *one = strtok_r(text, ";", &rest);
  if (at < 0 || !grow(d, one, &at, 1)) return;
  while ((one = strtok_r(NULL, ";", &rest))) on_last(d, one + strspn(one, " "));
}

/* -- several inputs --------------------------------------------------------------------------- */

static void draw_equal(draft *d, const char *text, nas_stream *dice) {
  int inputs = between(dice, 2, 4), at[4] = {pick(d, ANY, dice)};
  if (at[0] < 0) return;
  for (int k = 1; k < inputs; k++) at[k] = pick_equal(d, at[0], dice);
  grow(d, text, at, inputs);
}

/* A map times a gate of its own, with other factors around it. */
static void draw_gate(draft *d, nas_stream *dice) {
  int inputs = between(dice, 2, 4), at[4];
  char text[40];
  at[0] = pick(d, MAP, dice);
  at[1] = pick(d, MAP, dice);
  if (at[0] < 0) return;
  snprintf(text, sizeof text, "dense units=%d", nas_node_shape(d->nodes[at[0]]).dim[2]);
  if (!grow(d, text, &at[1], 1)) return;
  if (between(dice, 0, 1)) on_last(d, "sigmoid");
  at[1] = d->count - 1;
  for (int k = 2; k < inputs; k++) at[k] = between(dice, 0, 1) ? at[1] : pick_equal(d, at[0], dice);
  grow(d, "multiply", at, inputs);
}

static void draw_concat(draft *d, nas_stream *dice) {
  int ranks = between(dice, 0, 3) ? MAP : VECTOR, at[4], inputs = between(dice, 1, 4);
  for (int k = 0; k < inputs; k++)
    if ((at[k] = pick(d, ranks, dice)) < 0) return;
  grow(d, between(dice, 0, 1) ? "concat" : "concat align=top_left", at, inputs);
}

/* -- losses and ends -------------------------------------------------------------------------- */

/* The data's target as a node that fits node `as`: values, or a class; -1 when it is of the other
 * sort, or does not fit. */
static int target_like(draft *d, int as, int class) {
  char text[40];
  nas_shape shape = nas_node_shape(d->nodes[as]);
  if (!class && shape.rank != 1) return -1;
  snprintf(text, sizeof text, "target values=%d", class ? 0 : shape.dim[0]);
  if (!d->target) {
    nas_error err;
    check_ok(node_try(&d->target, text, NULL, 0, &err), &err);
    d->consumers[d->count] = 1;
    d->nodes[d->count++] = d->target;
  }
  for (int i = 0; i < d->count; i++) {
    nas_shape of = nas_node_shape(d->nodes[i]);
    int fits = class ? of.rank == 0 : memcmp(&of, &shape, sizeof of) == 0;
    if (d->nodes[i] == d->target) return fits ? i : -1;
  }
  return -1;
}

/* One number of the node, as losses make it. */
static int draw_loss(draft *d, int of, nas_stream *dice) {
  int at[2] = {of, 0};
  nas_shape shape = nas_node_shape(d->nodes[of]);
  at[1] = between(dice, 0, 1) ? target_like(d, of, 0) : pick_equal(d, of, dice);
  switch (between(dice, 0, 7)) {
  case 0: return at[1] >= 0 && grow(d, "mean_squared_error", at, 2);
  case 1: return at[1] >= 0 && grow(d, "huber delta=0.5", at, 2);
  case 2:
    if (!grow(d, "sigmoid", &at[0], 1)) return 0;
    at[1] = d->count - 1;
    return grow(d, "binary_cross_entropy", at, 2);
  case 3:
    at[1] = target_like(d, of, 1);
    return shape.rank == 1 && shape.dim[0] > 1 && at[1] >= 0 &&
           grow(d, "softmax_cross_entropy label_smoothing=0.2", at, 2);
  case 4:
    at[1] = target_like(d, of, 1);
    return shape.rank == 1 && shape.dim[0] == 1 && at[1] >= 0 &&
           grow(d, "binary_cross_entropy", at, 2);
  case 5: {
    char text[40];
    int class = target_like(d, of, 1);
    snprintf(text, sizeof text, "one_hot classes=%d", shape.dim[0]);
    if (shape.rank != 1 || class < 0 || !grow(d, text, &class, 1)) return 0;
    at[1] = d->count - 1;
    return grow(d, "huber", at, 2);
  }
  case 6: return grow(d, "sum", at, 1) && on_last(d, "scale factor=0.1");
  default: return grow(d, "mean", at, 1);
  }
}

/* Everything that has no consumer ends in one loss. */
static nas_node *end_of(draft *d, nas_stream *dice) {
  nas_node *ends[NAS_INPUTS_MAX];
  int count = 0, grown = d->count;
  for (int i = 1; i < grown; i++) {
    int of = i;
    while (d->consumers[of] == 0 && rank_of(d->nodes[of]) != NUMBER) {
      if (d->count < NODES_MAX - 4 ? draw_loss(d, of, dice) : grow(d, "mean", &of, 1))
        of = d->count - 1;
    }
  }
  for (int i = 1; i < d->count; i++)
    if (d->consumers[i] == 0 && rank_of(d->nodes[i]) == NUMBER && count < NAS_INPUTS_MAX)
      ends[count++] = d->nodes[i];
  if (count == 1) return nas_node_retain(ends[0]);
  nas_node *loss;
  nas_error err;
  check_ok(node_try(&loss, "add", ends, count, &err), &err);
  return loss;
}

/* -- graphs ----------------------------------------------------------------------------------- */

/* One draw to a statement: the order in which arguments are evaluated is the compiler's. */
static nas_node *random_network(nas_stream *dice) {
  draft d = {.count = 1};
  char text[80];
  int first = 0, vector = between(dice, 0, 5) == 0;
  int height = between(dice, 1, 6), width = between(dice, 1, 6);
  int channels = between(dice, 0, 9) ? between(dice, 1, 4) : 17;
  snprintf(text, sizeof text, "input size=%d,%d channels=%d", vector ? 0 : height,
           vector ? 0 : width, channels);
  d.nodes[0] = node_take(text, NULL, 0);
  assert_true(grow(&d, vector ? "dense units=5" : "conv2d kernel=2 filters=3", &first, 1));
  for (int steps = between(dice, 2, 14); steps > 0; steps--) switch (between(dice, 0, 9)) {
    case 0: draw_equal(&d, "add", dice); break;
    case 1: draw_equal(&d, "multiply", dice); break;
    case 2: draw_gate(&d, dice); break;
    case 3: draw_concat(&d, dice); break;
    default: draw_single(&d, dice); break;
    }
  nas_node *loss = end_of(&d, dice);
  for (int i = 0; i < d.count; i++) nas_node_release(&d.nodes[i]);
  return loss;
}

/* How often each kind occurred, by its index. */
static void count_kinds(nas_node *loss, int *counts) {
  nas_network *network = network_of(nas_node_retain(loss));
  for (int i = 0; i < nas_network_size(network); i++)
    for (int k = 0; nas_layer_kind_at(k); k++)
      counts[k] += nas_layer_kind_at(k) == nas_node_kind(nas_network_node(network, i));
  nas_network_destroy(&network);
}

static void agree(void **state) {
  (void)state;
  enum { NETWORKS = 1000, KINDS_MAX = 128 };
  int counts[KINDS_MAX] = {0}, wild = 0;
  tally t = {0};
  for (uint64_t seed = 1; seed <= NETWORKS; seed++) {
    nas_stream dice = nas_stream_open(seed, "random network", NULL, 0);
    nas_node *loss = random_network(&dice);
    count_kinds(loss, counts);
    wild += !check_network(loss, between(&dice, 1, 5), TAME, &dice, &t);
  }
  print_message("# %d networks, %d too wild; %d directions, %d excused\n", NETWORKS, wild,
                t.directions, t.excused);
  assert_true(wild < NETWORKS / 5 && t.excused <= t.directions / 200);
  for (int k = 0; nas_layer_kind_at(k); k++)
    if (counts[k] < 5 && strncmp(nas_layer_kind_at(k)->name, "test_", 5) != 0)
      fail_msg("%s occurs in %d networks only", nas_layer_kind_at(k)->name, counts[k]);
}

int main(void) {
  const struct CMUnitTest tests[] = {TEST(agree)};
  return cmocka_run_group_tests_name("random_networks", tests, register_test_layers, NULL);
}
