/* How fast a child network trains: seconds for an epoch over images of the size and number of
 * Fashion-MNIST, batch 250, Adam, for six networks of four 'same' convolutions with strides 2, 1,
 * 2, 1, an average and a dense layer. Only multiply-adds of convolutions and the dense layer count:
 * forward, gradient of the weights, and gradient of the input of all but the first layer; counted
 * as of sliding windows, so that Winograd's algorithm can pass the peak. usage: bench_train
 * [--tiny] */
#include "train/datasets.h"
#include "peak.h"
#include <nas/cpu.h>

static const int children[][4][2] = {
    /* kernel, filters */
    {{3, 64}, {3, 64}, {3, 64}, {3, 64}}, {{3, 48}, {3, 48}, {3, 48}, {3, 48}},
    {{3, 32}, {3, 32}, {3, 32}, {3, 32}}, {{1, 32}, {3, 48}, {1, 64}, {3, 32}},
    {{1, 64}, {1, 64}, {1, 64}, {1, 64}}, {{1, 32}, {1, 32}, {1, 32}, {1, 32}},
};
enum { CHILDREN = sizeof children / sizeof *children, CLASSES = 10 };

static nas_node *child_of(const int layers[4][2], char *name, size_t size) {
  char text[500] = "input size=28 channels=1; ";
  name[0] = 0;
  for (int i = 0; i < 4; i++) {
    snprintf(name + strlen(name), size - strlen(name), "%s%d,%d", i ? "," : "", layers[i][0],
             layers[i][1]);
    snprintf(text + strlen(text), sizeof text - strlen(text),
             "conv2d kernel=%d filters=%d stride=%d; relu; ", layers[i][0], layers[i][1],
             i % 2 ? 1 : 2);
  }
  strcat(text, "global_avg_pool; dense units=10");
  return stack(NULL, text);
}

/* Floating-point operations of an epoch over that many images. */
static double work_of(nas_node *output, int images) {
  nas_network *network = network_of(nas_node_retain(output));
  double macs = 3 * (double)nas_network_macs(network) - (double)nas_network_node_macs(network, 1);
  nas_network_destroy(&network);
  return 2 * macs * images;
}

/* The shortest epoch of some. */
static double seconds_of(nas_node *output, nas_dataset *data, nas_pool *pool, int epochs) {
  nas_recipe recipe = recipe_of(250, "adam", 0.001);
  nas_trainer *trainer = trainer_of(output, data, &recipe, 1, pool);
  double best = 0;
  for (int e = 0; e < epochs; e++) {
    double seconds = epoch_of(trainer).train_seconds;
    if (e == 0 || seconds < best) best = seconds;
  }
  nas_trainer_destroy(&trainer);
  return best;
}

int main(int count, char **arguments) {
  int tiny = count > 1 && strcmp(arguments[1], "--tiny") == 0;
  int images = tiny ? 40 : 60000, epochs = tiny ? 1 : 3, validation = tiny ? 16 : 256;
  double slice = tiny ? 0.001 : 0.5;
  const nas_kernels *kernels = nas_kernels_best();
  nas_pool *pool = pool_of(nas_cpu_count());
  nas_dataset *data = toy_dataset(images + validation, 28, 28, 1, CLASSES, validation, 0);

  printf("One epoch over %d images of 28x28, batch 250, Adam; %s, %d threads\n", images,
         kernels->name, nas_pool_threads(pool));
  printf("%-24s %9s %10s %10s %8s\n", "child (kernel,filters)", "seconds", "GFLOP/s", "peak",
         "of peak");
  for (int i = 0; i < CHILDREN; i++) {
    char name[40];
    nas_node *output = child_of(children[i], name, sizeof name);
    double work = 1e-9 * work_of(output, images);
    double peak =
        peak_of_pool(pool, kernels, slice); /* before and after: other work comes and goes */
    double seconds = seconds_of(output, data, pool, epochs);
    peak = fmax(peak, peak_of_pool(pool, kernels, slice));
    printf("%-24s %9.3f %10.1f %10.1f %7.0f%%\n", name, seconds, work / seconds, peak,
           100 * work / seconds / peak);
    fflush(stdout);
  }
  nas_dataset_release(&data);
  nas_pool_destroy(&pool);
  return 0;
}
