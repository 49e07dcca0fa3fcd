/* Averages of weights against the formula, in double. */
#include "check.h"
#include <float.h>
#include <math.h>
#include <nas/average.h>
#include <nas/random.h>

enum { COUNT = 101 };

static nas_stream dice;

static void draw(float *weights) {
  for (int i = 0; i < COUNT; i++) weights[i] = 2 * nas_stream_float(&dice) - 1;
}

/* The average of the last weights, in which the k-th last has the share (1 - d) d d d ... */
static void against_the_formula(void **state) {
  (void)state;
  static const double decays[] = {0, 0.5, 0.9, 0.999, 1};
  for (int k = 0; k < 5; k++) {
    float average[COUNT], weights[COUNT];
    double exact[COUNT];
    draw(average);
    for (int i = 0; i < COUNT; i++) exact[i] = (double)average[i];
    for (int number = 1; number <= 2000; number++) {
      double d = fmin(decays[k], (1.0 + number) / (10.0 + number));
      draw(weights);
      nas_average_step(average, weights, COUNT, decays[k], (uint64_t)number);
      for (int i = 0; i < COUNT; i++) {
        exact[i] = d * exact[i] + (1 - d) * (double)weights[i];
        /* Of a step: three roundings and that of 1 - d, of sizes up to 2 (1 - d) and 1; steps
         * further back count less and less. */
        check_near((double)average[i], exact[i],
                   0x1p-24 * fmin(number, 1 / (1 - d)) * (1 + 6 * (1 - d)));
      }
    }
  }
}

/* By hand: d = 2/11 in the first step, 3/12 in the second. */
static void first_steps(void **state) {
  (void)state;
  float average = 11;
  nas_average_step(&average, (const float[]){0}, 1, 0.999, 1);
  check_near((double)average, 2, 1e-6);
  nas_average_step(&average, (const float[]){10}, 1, 0.999, 2);
  check_near((double)average, 8, 1e-6);
  nas_average_step(&average, (const float[]){16}, 1, 0.125, 3); /* a decay below 4/13 */
  check_near((double)average, 15, 1e-6);
}

/* Each operation is rounded to float alone. */
static void roundings(void **state) {
  (void)state;
  float average[COUNT], weights[COUNT], before[COUNT];
  draw(average);
  draw(weights);
  memcpy(before, average, sizeof average);
  nas_average_step(average, weights, COUNT, 0.99, 1000000);
  for (int i = 0; i < COUNT; i++) {
    volatile float difference = weights[i] - before[i];
    volatile float part = (float)(1 - 0.99) * difference;
    check_float_bits(average[i], before[i] + part);
  }
}

static void slices(void **state) {
  (void)state;
  float whole[COUNT], parts[COUNT], weights[COUNT];
  draw(whole);
  draw(weights);
  for (int slice = 1; slice < COUNT; slice++) {
    memcpy(parts, whole, sizeof whole);
    nas_average_step(whole, weights, COUNT, 0.9, 5);
    for (int from = 0; from < COUNT; from += slice)
      nas_average_step(parts + from, weights + from,
                       (size_t)(from + slice < COUNT ? slice : COUNT - from), 0.9, 5);
    assert_memory_equal(whole, parts, sizeof whole);
  }
}

static void limits(void **state) {
  (void)state;
  float average = 1;
  nas_average_step(&average, (const float[]){5}, 1, 1, UINT64_MAX); /* nothing new */
  check_float_bits(average, 1);
  nas_average_step(&average, (const float[]){5}, 1, 0, 1); /* nothing old */
  check_float_bits(average, 5);
  for (uint64_t number = 1; number < 100; number++)
    nas_average_step(&average, (const float[]){5}, 1, 0.9, number);
  check_float_bits(average, 5);
  nas_average_step(NULL, NULL, 0, 0.9, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(against_the_formula),
      cmocka_unit_test(first_steps),
      cmocka_unit_test(roundings),
      cmocka_unit_test(slices),
      cmocka_unit_test(limits),
  };
  dice = nas_stream_open(1, "average", NULL, 0);
  return cmocka_run_group_tests_name("average", tests, NULL, NULL);
}
