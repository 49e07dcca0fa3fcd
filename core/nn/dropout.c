/* In training each value is dropped with probability `rate`, and those that are kept are scaled so
 * that their mean stays (Srivastava et al. 2014, "inverted"):
 *   y = kept ? x * (float)(1 / (1 - rate)) + 0 : -0
 * Adding 0 turns a kept -0 into +0, so that -0 marks what was dropped and nothing else needs to be
 * remembered for the way back. In evaluation y = x.
 *
 * A value is kept when its 32-bit number is at least rate * 2^32. The numbers come from the stream
 * (seed, "dropout", hash of the sub-graph, its occurrence, epoch, image), one for each value in
 * order of height, width and channels. */
#include <nas/random.h>
#include <string.h>
#include "elementwise.h"
#include "kernel.h"
#include "kinds.h"
#include "runs.h"

enum { RATE, OPTION_COUNT };

static const nas_option options[OPTION_COUNT] = {
    [RATE] = {"rate", NAS_OPTION_NUMBER, 0, 0.5, 0, 0.99, NULL,
              "Part of the values that is dropped."},
};

static float factor_of(const nas_layer *layer) {
  return (float)(1.0 / (1.0 - layer->options[RATE].number));
}

static nas_stream mask_of(const nas_layer *layer, const nas_pass *pass, int n) {
  const uint64_t address[] = {layer->hash.high, layer->hash.low, (uint64_t)layer->occurrence,
                              (uint64_t)pass->epoch, (uint64_t)pass->image[n]};
  return nas_stream_open(pass->seed, "dropout", address, 5);
}

/* Whether a value is kept is chance: choices are made among bits, where nothing is guessed. */
static uint32_t bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static float choose(int first, float a, float b) {
  uint32_t mask = 0 - (uint32_t)first, bits = (bits_of(a) & mask) | (bits_of(b) & ~mask);
  memcpy(&a, &bits, sizeof a);
  return a;
}

/* The numbers of an image, which are drawn some at a time. */
typedef struct dice {
  nas_stream stream;
  uint32_t numbers[NAS_DRAWN];
  int used;
  uint32_t below; /* those are dropped */
  float factor;
} dice;

static void drop(const nas_layer *layer, const float *x, float *y, int count, dice *mask) {
  for (int i = 0; i < count;) {
    if (mask->used == NAS_DRAWN) {
      layer->kernels->draw(&mask->stream, mask->numbers);
      mask->used = 0;
    }
    const uint32_t *numbers = mask->numbers + mask->used;
    int taken = NAS_DRAWN - mask->used < count - i ? NAS_DRAWN - mask->used : count - i;
    for (int k = 0; k < taken; k++)
      y[i + k] = choose(numbers[k] >= mask->below, x[i + k] * mask->factor + 0.0f, -0.0f);
    mask->used += taken;
    i += taken;
  }
}

static void forward(const nas_layer *layer, const nas_pass *pass) {
  nas_runs runs = nas_runs_of_layer(layer);
  for (int n = 0; n < pass->images; n++) {
    dice mask;
    mask.used = NAS_DRAWN;
    mask.below = (uint32_t)(layer->options[RATE].number * 0x1p32);
    mask.factor = factor_of(layer);
    if (pass->training) mask.stream = mask_of(layer, pass, n);
    for (int r = 0; r < runs.total; r++) {
      const float *x = nas_run_at(layer->inputs[0], pass->arena, runs, n, r);
      float *y = nas_run_at(layer->output, pass->arena, runs, n, r);
      if (pass->training)
        drop(layer, x, y, runs.count, &mask);
      else
        memcpy(y, x, (size_t)runs.count * sizeof *y);
    }
  }
}

static int dropped(float y) {
  return bits_of(y) == bits_of(-0.0f);
}

static void backward(const nas_layer *layer, const nas_pass *pass) {
  if (!layer->d_inputs[0]) return;
  nas_runs runs = nas_runs_of_layer(layer);
  float factor = factor_of(layer);
  for (int n = 0; n < pass->images; n++)
    for (int r = 0; r < runs.total; r++) {
      const float *y = nas_run_at(layer->output, pass->arena, runs, n, r);
      float *d_y = nas_run_at(layer->d_output, pass->arena, runs, n, r);
      for (int i = 0; i < runs.count; i++) d_y[i] = choose(dropped(y[i]), 0.0f, d_y[i] * factor);
      nas_run_give(nas_run_at(layer->d_inputs[0], pass->arena, runs, n, r), d_y, runs.count,
                   layer->accumulate[0]);
    }
}

const nas_layer_kind nas_kind_dropout = {
    .name = "dropout",
    .options = {"dropout", options, OPTION_COUNT},
    .min_inputs = 1,
    .max_inputs = 1,
    .draws = 1,
    .shape = nas_elementwise_shape,
    .passes = 1,
    .forward = forward,
    .backward = backward,
};
