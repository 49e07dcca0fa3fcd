/* Each optimiser against the formulas of its paper in double. */
#include "check.h"
#include <math.h>
#include <nas/optimizer.h>
#include <nas/random.h>

#define TEST(function) cmocka_unit_test_teardown(function, check_no_blocks)

enum { COUNT = 203 };

/* Weights and what an optimiser keeps, in float as the library has it and in double. */
typedef struct model {
  const nas_optimizer_kind *kind;
  nas_option_value options[NAS_OPTIONS_MAX];
  float weights[COUNT], first[COUNT], second[COUNT], gradient[COUNT];
  double exact[COUNT], exact_first[COUNT], exact_second[COUNT];
} model;

static nas_stream dice;

/* kind "adam", then name, value, ... to NULL. */
static model model_of(const char *kind, const char *const *names, const double *values) {
  nas_error err;
  model m = {.kind = nas_optimizer_find(kind, &err)};
  assert_non_null(m.kind);
  nas_options_default(&m.kind->options, m.options);
  for (int i = 0; names[i]; i++) {
    int at = nas_options_find(&m.kind->options, names[i], &err);
    assert_true(at >= 0);
    check_ok(nas_options_set_number(&m.kind->options, m.options, at, values[i], &err), &err);
  }
  for (int i = 0; i < COUNT; i++) {
    m.weights[i] = 2 * nas_stream_float(&dice) - 1;
    m.exact[i] = (double)m.weights[i];
  }
  return m;
}

/* Gradients of all sizes, some zero. */
static void draw_gradient(model *m) {
  for (int i = 0; i < COUNT; i++)
    m->gradient[i] = i % 7 == 0 ? 0 : ldexpf(2 * nas_stream_float(&dice) - 1, i % 30 - 20);
}

static void step(model *m, uint64_t t, int from, int end) {
  float *const moments[] = {m->first + from, m->second + from};
  m->kind->step(m->options, t, m->weights + from, m->gradient + from, moments,
                (size_t)(end - from));
}

static double option(const model *m, const char *name) {
  return m->options[nas_options_find(&m->kind->options, name, NULL)].number;
}

/* The exact model takes one step from the state that it has. Returns in `moved` how far each weight
 * went. */
static void exact_sgd(model *m, uint64_t t, double *moved) {
  (void)t;
  for (int i = 0; i < COUNT; i++) {
    m->exact_first[i] = option(m, "momentum") * m->exact_first[i] + (double)m->gradient[i];
    moved[i] = option(m, "rate") * m->exact_first[i];
    m->exact[i] -= moved[i];
  }
}

static void exact_adam(model *m, uint64_t t, double *moved) {
  double beta1 = option(m, "beta1"), beta2 = option(m, "beta2");
  for (int i = 0; i < COUNT; i++) {
    double g = (double)m->gradient[i];
    m->exact_first[i] = beta1 * m->exact_first[i] + (1 - beta1) * g;
    m->exact_second[i] = beta2 * m->exact_second[i] + (1 - beta2) * g * g;
    double mean = m->exact_first[i] / (1 - pow(beta1, (double)t));
    double square = m->exact_second[i] / (1 - pow(beta2, (double)t));
    moved[i] = option(m, "rate") * mean / (sqrt(square) + option(m, "epsilon"));
    m->exact[i] -= moved[i];
  }
}

typedef void exact_step(model *m, uint64_t t, double *moved);

/* One step from the very state of the float model. Bounds, in units of 2^-24 relative to what is
 * rounded: a moment has three roundings and rounded coefficients; the distance moved has at most 10
 * roundings beyond those (rate, product, root, scale, sum, quotient); the weight one. The largest
 * terms of the first moment may cancel, so its bound counts their sizes. */
static void check_one_step(model *m, uint64_t t, exact_step *exact) {
  const double unit = 0x1p-24;
  double moved[COUNT], terms[COUNT], before[COUNT];
  for (int i = 0; i < COUNT; i++) {
    m->exact[i] = before[i] = (double)m->weights[i];
    m->exact_first[i] = (double)m->first[i];
    m->exact_second[i] = (double)m->second[i];
    terms[i] = fabs(m->exact_first[i]) + fabs((double)m->gradient[i]);
  }
  exact(m, t, moved);
  step(m, t, 0, COUNT);
  for (int i = 0; i < COUNT; i++) {
    double size = fabs(m->exact_first[i]) > 0 ? terms[i] / fabs(m->exact_first[i]) : 0;
    check_near((double)m->first[i], m->exact_first[i], 5 * unit * terms[i] + 2e-45);
    check_near((double)m->second[i], m->exact_second[i], 6 * unit * m->exact_second[i] + 2e-45);
    check_near((double)m->weights[i], m->exact[i],
               unit * fabs(m->exact[i]) + (10 + 5 * size) * unit * fabs(moved[i]) + 2e-45);
  }
}

static void check_steps(const char *kind, const char *const *names, const double *values,
                        exact_step *exact) {
  model m = model_of(kind, names, values);
  for (uint64_t t = 1; t <= 500; t++) {
    draw_gradient(&m);
    check_one_step(&m, t, exact);
  }
}

static const char *const none[] = {NULL};

static void single_steps(void **state) {
  (void)state;
  static const char *const sgd[] = {"rate", "momentum", NULL};
  static const char *const adam[] = {"rate", "beta1", "beta2", "epsilon", NULL};
  check_steps("sgd", none, NULL, exact_sgd);
  check_steps("sgd", sgd, (const double[]){0.3, 0.9}, exact_sgd);
  check_steps("sgd", sgd, (const double[]){0, 1}, exact_sgd);
  check_steps("sgd", sgd, (const double[]){1e6, 0.5}, exact_sgd);
  check_steps("adam", none, NULL, exact_adam);
  check_steps("adam", adam, (const double[]){0.1, 0.5, 0.9, 1e-3}, exact_adam);
  check_steps("adam", adam, (const double[]){0.01, 0, 0, 1}, exact_adam);
}

/* Two runs of many steps drift apart by no more than the roundings of each step summed: relative to
 * the weight for all, relative to the distance for the moments, whose own errors die out. */
static void check_run(const char *kind, const char *const *names, const double *values,
                      exact_step *exact, int steps) {
  model m = model_of(kind, names, values);
  double moved[COUNT], distance[COUNT] = {0}, largest[COUNT] = {0};
  for (int t = 1; t <= steps; t++) {
    draw_gradient(&m);
    step(&m, (uint64_t)t, 0, COUNT);
    exact(&m, (uint64_t)t, moved);
    for (int i = 0; i < COUNT; i++) {
      distance[i] += fabs(moved[i]);
      largest[i] = fmax(largest[i], fabs(m.exact[i]));
    }
  }
  for (int i = 0; i < COUNT; i++)
    check_near((double)m.weights[i], m.exact[i],
               0x1p-24 * (steps * largest[i] + 200 * distance[i]));
}

static void long_runs(void **state) {
  (void)state;
  static const char *const sgd[] = {"rate", "momentum", NULL};
  check_run("sgd", none, NULL, exact_sgd, 3000);
  check_run("sgd", sgd, (const double[]){0.01, 0.9}, exact_sgd, 3000);
  check_run("adam", none, NULL, exact_adam, 3000);
}

/* The corrections of the first steps are gone, and nothing over- or underflows. */
static void late_steps(void **state) {
  (void)state;
  static const uint64_t times[] = {
      1, 2, 64, 65, 100000, 1234567890u, UINT32_MAX, (uint64_t)1 << 53, UINT64_MAX};
  model m = model_of("adam", none, NULL);
  for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
    draw_gradient(&m);
    check_one_step(&m, times[i], exact_adam);
  }
  model late = model_of("adam", none, NULL), later = late;
  draw_gradient(&late);
  memcpy(later.gradient, late.gradient, sizeof late.gradient);
  step(&late, 1000000, 0, COUNT);
  step(&later, UINT64_MAX, 0, COUNT);
  assert_memory_equal(late.weights, later.weights, sizeof late.weights);
}

/* A step by slices of any size, as threads take it, has the bits of the whole step. */
static void slices(void **state) {
  (void)state;
  static const char *const kinds[] = {"sgd", "adam"};
  for (int k = 0; k < 2; k++)
    for (int slice = 1; slice <= COUNT; slice = slice < 40 ? slice + 1 : slice * 2) {
      model whole = model_of(kinds[k], none, NULL), parts = whole;
      for (uint64_t t = 1; t <= 5; t++) {
        draw_gradient(&whole);
        memcpy(parts.gradient, whole.gradient, sizeof whole.gradient);
        step(&whole, t, 0, COUNT);
        for (int from = 0; from < COUNT; from += slice)
          step(&parts, t, from, from + slice < COUNT ? from + slice : COUNT);
      }
      assert_memory_equal(whole.weights, parts.weights, sizeof whole.weights);
      assert_memory_equal(whole.first, parts.first, sizeof whole.first);
      assert_memory_equal(whole.second, parts.second, sizeof whole.second);
    }
}

/* Zeros stay zeros, so that the padding of parameters does. */
static void zeros_stay(void **state) {
  (void)state;
  for (int k = 0; nas_optimizer_at(k); k++) {
    model m = model_of(nas_optimizer_at(k)->name, none, NULL);
    memset(m.weights, 0, sizeof m.weights);
    for (uint64_t t = 1; t < 10; t++) step(&m, t, 0, COUNT);
    for (int i = 0; i < COUNT; i++) check_float_bits(m.weights[i], 0.0f);
  }
}

/* What is not finite shows in the weights, and nowhere else. */
static void not_finite(void **state) {
  (void)state;
  static const float bad[] = {NAN, INFINITY, -INFINITY};
  for (int k = 0; nas_optimizer_at(k); k++)
    for (int b = 0; b < 3; b++) {
      model m = model_of(nas_optimizer_at(k)->name, none, NULL);
      draw_gradient(&m);
      m.gradient[5] = bad[b];
      step(&m, 1, 0, COUNT);
      for (int i = 0; i < COUNT; i++) assert_int_equal(isfinite(m.weights[i]) != 0, i != 5);
    }
}

static void by_name(void **state) {
  (void)state;
  nas_error err = {0};
  static const char *const names[] = {"sgd", "adam"};
  for (int i = 0; i < 2; i++) {
    assert_string_equal(nas_optimizer_at(i)->name, names[i]);
    assert_ptr_equal(nas_optimizer_find(names[i], &err), nas_optimizer_at(i));
    assert_string_equal(nas_optimizer_at(i)->options.owner, names[i]);
    assert_in_range(nas_optimizer_at(i)->moments, 0, NAS_MOMENTS_MAX);
  }
  assert_null(nas_optimizer_at(2));
  assert_null(nas_optimizer_at(-1));
  assert_null(nas_optimizer_find("Adam", &err));
  assert_int_equal(err.code, NAS_ARGUMENT);
  assert_string_equal(err.text, "unknown optimizer \"Adam\"; known optimizers: sgd, adam");
  assert_null(nas_optimizer_find("", NULL));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(by_name), TEST(single_steps), TEST(long_runs),  TEST(late_steps),
      TEST(slices),  TEST(zeros_stay),   TEST(not_finite),
  };
  dice = nas_stream_open(1, "optimizer", NULL, 0);
  return cmocka_run_group_tests_name("optimizer", tests, NULL, NULL);
}
