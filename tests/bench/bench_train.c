/* How fast child networks train: seconds for an epoch over images of the size and number of
 * Fashion-MNIST, batch 250, Adam. Only multiply-adds of convolutions and dense layers count:
 * forward, gradient of the weights, and gradient of the input of all but the first layer; counted
 * as of sliding windows, so that Winograd's algorithm can pass the peak. usage:
 *   bench_train [--tiny] [--drawn SEED]    a table of the fixed list, or of 20 networks drawn by
 *                                          the seed, on one thread and on all
 *   bench_train --list [--drawn SEED]      name, multiply-adds of an epoch and canonical text of
 *                                          each, separated by tabs, lines of the text by ;
 *   bench_train --child NAME [--drawn SEED] [--images N] [--direct]
 *                                          the seconds of an epoch of that one over N images, the
 *                                          shorter of two; --direct: without Winograd's algorithm
 * peers.py times the same networks in other libraries. */
#include "train/datasets.h"
#include "children.h"
#include "peak.h"
#include <nas/cpu.h>

enum { IMAGES = 60000, CLASSES = 10 };

typedef struct options {
  int tiny, list, direct, images;
  const char *drawn, *child;
} options;

/* Floating-point operations of an epoch over that many images. */
static double work_of(const nas_network *network, int images) {
  double macs = 3 * (double)nas_network_macs(network) - (double)nas_network_node_macs(network, 1);
  return 2 * macs * images;
}

/* The shortest epoch of some. */
static double seconds_of(const child *c, nas_dataset *data, nas_pool *pool, int epochs,
                         int winograd) {
  nas_recipe recipe = recipe_of(250, "adam", 0.001);
  recipe.winograd = winograd;
  nas_trainer *trainer = trainer_of(graph(c->layers), data, &recipe, 1, pool);
  double best = 0;
  for (int e = 0; e < epochs; e++) {
    double seconds = epoch_of(trainer).train_seconds;
    if (e == 0 || seconds < best) best = seconds;
  }
  nas_trainer_destroy(&trainer);
  return best;
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
  int images, epochs;
  double slice; /* seconds for a look at the peak */
} column;

/* Peak before and after: other work on the machine comes and goes. */
static void print_column(const child *c, nas_dataset *data, const column *of) {
  const nas_kernels *kernels = nas_kernels_best();
  nas_network *network = network_of(graph(c->layers));
  double work = 1e-9 * work_of(network, of->images);
  double peak = peak_of_pool(of->pool, kernels, of->slice);
  double seconds = seconds_of(c, data, of->pool, of->epochs, 1);
  peak = fmax(peak, peak_of_pool(of->pool, kernels, of->slice));
  printf(" | %8.3f %8.1f %8.1f %6.0f%%", seconds, work / seconds, peak,
         100 * work / seconds / peak);
  fflush(stdout);
  nas_network_destroy(&network);
}

static void table(const child *children, int count, const options *o, nas_dataset *data,
                  int images) {
  int all = nas_cpu_count();
  column one = {pool_of(1), images, o->tiny ? 1 : 2, o->tiny ? 0.001 : 0.2};
  column many = {all > 1 ? pool_of(all) : NULL, images, o->tiny ? 1 : 3, o->tiny ? 0.001 : 0.2};
  printf("One epoch over %d images of 28x28, batch 250, Adam; %s\n", images,
         nas_kernels_best()->name);
  printf("%-48s | %-34s", "", "1 thread");
  if (many.pool) printf(" | %d threads", all);
  printf("\n%-48s", "child (kernel,filters/stride)");
  for (int i = 0; i < (many.pool ? 2 : 1); i++)
    printf(" | %8s %8s %8s %7s", "seconds", "GFLOP/s", "peak", "of it");
  printf("\n");
  for (int i = 0; i < count; i++) {
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
    printf("%.4f\n", seconds_of(&children[i], data, pool, 2, !o->direct));
    nas_pool_destroy(&pool);
    return 0;
  }
  fprintf(stderr, "bench_train: there is no child \"%s\"; --list names them\n", o->child);
  return 2;
}

static options options_of(int count, char **arguments) {
  options o = {.images = IMAGES};
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
    else if (strcmp(arguments[i], "--images") == 0 && value && atoi(value) > 0)
      o.images = atoi(value), i++;
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
