/* How fast child networks train: seconds for an epoch over images of the size and number of
 * Fashion-MNIST, batch 250, Adam. Only multiply-adds of convolutions and dense layers count:
 * forward, gradient of the weights, and gradient of the input of all but the first layer; counted
 * as of sliding windows, so that Winograd's algorithm can pass the peak. usage:
 *   bench_train [--tiny] [--drawn SEED] [--only TEXT] [--images N] [--epochs N] [--direct]
 *                                          a table of the fixed list, or of 20 networks drawn by
 *                                          the seed, on one thread and on all: medians of N
 *                                          epochs, each after a look at the peak, and the shortest
 *                                          against the highest; --only: those with TEXT in their
 *                                          names; --direct: without Winograd's algorithm
 *   bench_train --list [--drawn SEED]      name, multiply-adds of an epoch and canonical text of
 *                                          each, separated by tabs, lines of the text by ;
 *   bench_train --child NAME [--drawn SEED] [--images N] [--direct]
 *                                          the seconds of an epoch of that one over N images, the
 *                                          shorter of two
 * peers.py times the same networks in other libraries. */
#include "train/datasets.h"
#include "children.h"
#include "peak.h"
#include <nas/cpu.h>

enum { IMAGES = 60000, CLASSES = 10, EPOCHS_MAX = 1000 };

typedef struct options {
  int tiny, list, direct, images, epochs;
  const char *drawn, *child, *only;
} options;

/* Floating-point operations of an epoch over that many images. */
static double work_of(const nas_network *network, int images) {
  double macs = 3 * (double)nas_network_macs(network) - (double)nas_network_node_macs(network, 1);
  return 2 * macs * images;
}

static nas_trainer *trainer_for(const child *c, nas_dataset *data, nas_pool *pool, int direct) {
  nas_recipe recipe = recipe_of(250, "adam", 0.001);
  recipe.winograd = !direct;
  return trainer_of(graph(c->layers), data, &recipe, 1, pool);
}

static void list(const child *children, int count) {
  for (int i = 0; i < count; i++) {
    nas_network *network = network_of(graph(children[i].layers));
    printf("%s\t%.0f\t", children[i].name, work_of(network, IMAGES) / 2);
    for (const char *c = nas_network_text(network); *c; c++)
      if (*c != '\n' || c[1]) putchar(*c == '\n' ? ';' : *c);
    putchar('\n');
    nas_network_destroy(&network);
  }
}

/* -- the table -------------------------------------------------------------------------------- */

typedef struct column {
  nas_pool *pool;
  int images, epochs, direct;
  double slice; /* seconds for a look at the peak */
} column;

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Other work on the machine comes and goes: peak and training take turns. */
static void print_column(const child *c, nas_dataset *data, const column *of) {
  double seconds[EPOCHS_MAX], peak[EPOCHS_MAX];
  nas_network *network = network_of(graph(c->layers));
  double work = 1e-9 * work_of(network, of->images);
  nas_trainer *trainer = trainer_for(c, data, of->pool, of->direct);
  for (int e = 0; e < of->epochs; e++) {
    peak[e] = peak_of_pool(of->pool, nas_kernels_best(), of->slice);
    seconds[e] = epoch_of(trainer).train_seconds;
  }
  qsort(seconds, (size_t)of->epochs, sizeof *seconds, ascending);
  qsort(peak, (size_t)of->epochs, sizeof *peak, ascending);
  double rate = work / seconds[of->epochs / 2], typical = peak[of->epochs / 2];
  printf(" | %8.3f %8.1f %8.1f %5.0f%% %5.0f%%", seconds[of->epochs / 2], rate, typical,
         100 * rate / typical, 100 * work / seconds[0] / peak[of->epochs - 1]);
  fflush(stdout);
  nas_trainer_destroy(&trainer);
  nas_network_destroy(&network);
}

static void table(const child *children, int count, const options *o, nas_dataset *data,
                  int images) {
  int all = nas_cpu_count();
  column one = {pool_of(1), images, o->tiny ? 1 : o->epochs, o->direct, o->tiny ? 0.001 : 0.05};
  column many = one;
  many.pool = all > 1 ? pool_of(all) : NULL;
  printf("One epoch over %d images of 28x28, batch 250, Adam; %s%s\n", images,
         nas_kernels_best()->name, o->direct ? ", without Winograd's algorithm" : "");
  printf("%-48s | %-40s", "", "1 thread");
  if (many.pool) printf(" | %d threads", all);
  printf("\n%-48s", "child (kernel,filters/stride)");
  for (int i = 0; i < (many.pool ? 2 : 1); i++)
    printf(" | %8s %8s %8s %6s %6s", "seconds", "GFLOP/s", "peak", "of it", "best");
  printf("\n");
  for (int i = 0; i < count; i++) {
    if (!strstr(children[i].name, o->only)) continue;
    printf("%-48s", children[i].name);
    print_column(&children[i], data, &one);
    if (many.pool) print_column(&children[i], data, &many);
    printf("\n");
  }
  nas_pool_destroy(&one.pool);
  nas_pool_destroy(&many.pool);
}

/* -- one of them ------------------------------------------------------------------------------ */

static int one_child(const child *children, int count, const options *o, nas_dataset *data) {
  for (int i = 0; i < count; i++) {
    if (strcmp(children[i].name, o->child) != 0) continue;
    nas_pool *pool = pool_of(nas_cpu_count());
    nas_trainer *trainer = trainer_for(&children[i], data, pool, o->direct);
    double first = epoch_of(trainer).train_seconds;
    printf("%.4f\n", fmin(first, epoch_of(trainer).train_seconds));
    nas_trainer_destroy(&trainer);
    nas_pool_destroy(&pool);
    return 0;
  }
  fprintf(stderr, "bench_train: there is no child \"%s\"; --list names them\n", o->child);
  return 2;
}

static options options_of(int count, char **arguments) {
  options o = {.images = IMAGES, .epochs = 3, .only = ""};
  for (int i = 1; i < count; i++) {
    const char *value = i + 1 < count ? arguments[i + 1] : NULL;
    if (strcmp(arguments[i], "--tiny") == 0)
      o.tiny = 1;
    else if (strcmp(arguments[i], "--list") == 0)
      o.list = 1;
    else if (strcmp(arguments[i], "--direct") == 0)
      o.direct = 1;
    else if (strcmp(arguments[i], "--drawn") == 0 && value)
      o.drawn = value, i++;
    else if (strcmp(arguments[i], "--only") == 0 && value)
      o.only = value, i++;
    else if (strcmp(arguments[i], "--images") == 0 && value && atoi(value) > 0)
      o.images = atoi(value), i++;
    else if (strcmp(arguments[i], "--epochs") == 0 && value && atoi(value) > 0 &&
             atoi(value) <= EPOCHS_MAX)
      o.epochs = atoi(value), i++;
    else if (strcmp(arguments[i], "--child") == 0 && value)
      o.child = value, i++;
    else {
      fprintf(stderr, "bench_train: what is %s? See the top of bench_train.c\n", arguments[i]);
      exit(2);
    }
  }
  return o;
}

int main(int count, char **arguments) {
  static child children[CHILDREN_MAX];
  options o = options_of(count, arguments);
  int status = 0, listed = list_children(children, o.drawn);
  if (o.list) {
    list(children, listed);
    return 0;
  }
  int images = o.tiny ? 40 : o.images, validation = o.tiny ? 16 : 256;
  nas_dataset *data = toy_dataset(images + validation, 28, 28, 1, CLASSES, validation, 0);
  if (o.child)
    status = one_child(children, listed, &o, data);
  else
    table(children, listed, &o, data, images);
  nas_dataset_release(&data);
  return status;
}
