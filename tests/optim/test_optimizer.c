/* Each optimiser against the formulas of its paper in double. */
#include "check.h"
#include <math.h>
#include <nas/optimizer.h>
#include <nas/random.h>

#define TEST(function) cmocka_unit_test_teardown(function, check_no_blocks)

static nas_stream dice;

/* -- numbers with a bound --------------------------------------------------------------------- */

/* A number in double, and how far from it what floats make of the same operations may be. */
typedef struct real {
  double value, error;
} real;

/* One rounding to float, to a subnormal one too. */
static real rounded(double value, double error) {
  return (real){value, error + 0x1p-24 * fabs(value) + 0x1p-149};
}

/* A factor that is computed in double and rounded once. */
static real of(double value) {
  return rounded(value, 0);
}

static real add(real a, real b) {
  return rounded(a.value + b.value, a.error + b.error);
}

static real sub(real a, real b) {
  return rounded(a.value - b.value, a.error + b.error);
}

static real mul(real a, real b) {
  return rounded(a.value * b.value, fabs(a.value) * b.error + (fabs(b.value) + b.error) * a.error);
}

static real over(real a, real b) {
  double least = fabs(b.value) - b.error;
  return rounded(a.value / b.value, (a.error + fabs(a.value / b.value) * b.error) / least);
}

static real root(real a) {
  double value = sqrt(fmax(a.value, 0));
  return rounded(value, fmin(sqrt(a.error), value > 0 ? a.error / value : HUGE_VAL));
}

/* -- models ----------------------------------------------------------------------------------- */

enum { COUNT = 203 };

typedef struct element {
  real weight, first, second;
} element;

/* Weights and what an optimiser keeps, in float as the library has it and in double. */
typedef struct model {
  const nas_optimizer_kind *kind;
  nas_option_value options[NAS_OPTIONS_MAX];
  nas_step step;
  float weights[COUNT], first[COUNT], second[COUNT], gradient[COUNT];
  element exact[COUNT];
} model;

/* Options by name, to NULL. */
typedef struct setting {
  const char *name;
  double value;
} setting;

static const setting none[] = {{NULL, 0}};

static void set(const nas_optimizer_kind *kind, nas_option_value *options,
                const setting *settings) {
  nas_error err = {0};
  nas_options_default(&kind->options, options);
  for (int i = 0; settings[i].name; i++) {
    int at = nas_options_find(&kind->options, settings[i].name, &err);
    assert_true(at >= 0);
    check_ok(nas_options_set_number(&kind->options, options, at, settings[i].value, &err), &err);
  }
}

static model model_of(const char *kind, const setting *settings) {
  model m = {.kind = nas_optimizer_find(kind, NULL), .step = {0, 1, 1, 1}};
  assert_non_null(m.kind);
  set(m.kind, m.options, settings);
  for (int i = 0; i < COUNT; i++) {
    m.weights[i] = 2 * nas_stream_float(&dice) - 1;
    m.exact[i].weight.value = (double)m.weights[i];
  }
  return m;
}

/* Gradients of all sizes, some zero. */
static void draw_gradient(model *m) {
  for (int i = 0; i < COUNT; i++)
    m->gradient[i] = i % 7 == 0 ? 0 : ldexpf(2 * nas_stream_float(&dice) - 1, i % 30 - 20);
}

static void step(model *m, uint64_t number) {
  m->step.number = number;
  m->kind->step(m->options, &m->step, m->weights, m->gradient,
                (float *const[]){m->first, m->second}, COUNT);
}

static nas_option_value option(const model *m, const char *name) {
  return m->options[nas_options_find(&m->kind->options, name, NULL)];
}

static double rate(const model *m) {
  return option(m, "rate").number * m->step.rate;
}

/* -- the formulas ----------------------------------------------------------------------------- */

static void exact_sgd(const model *m, element *e, real g) {
  real momentum = of(option(m, "momentum").number);
  e->first = add(mul(momentum, e->first), g);
  real along = option(m, "nesterov").integer ? add(g, mul(momentum, e->first)) : e->first;
  e->weight = sub(e->weight, mul(of(rate(m)), along));
}

static void exact_rmsprop(const model *m, element *e, real g) {
  double rho = option(m, "rho").number;
  e->first = add(mul(of(rho), e->first), mul(of(1 - rho), mul(g, g)));
  real along = over(g, add(root(e->first), of(option(m, "epsilon").number)));
  e->second = add(mul(of(option(m, "momentum").number), e->second), along);
  e->weight = sub(e->weight, mul(of(rate(m)), e->second));
}

static void exact_adam(const model *m, element *e, real g) {
  double beta1 = option(m, "beta1").number, beta2 = option(m, "beta2").number;
  double t = (double)m->step.number;
  e->first = add(mul(of(beta1), e->first), mul(of(1 - beta1), g));
  e->second = add(mul(of(beta2), e->second), mul(of(1 - beta2), mul(g, g)));
  real mean = over(e->first, of(1 - pow(beta1, t)));
  real square = over(e->second, of(1 - pow(beta2, t)));
  real along = over(mean, add(root(square), of(option(m, "epsilon").number)));
  e->weight = sub(e->weight, mul(of(rate(m)), along));
}

typedef void exact_rule(const model *m, element *e, real g);

static exact_rule *rule_of(const char *kind) {
  return strcmp(kind, "sgd") == 0       ? exact_sgd
         : strcmp(kind, "rmsprop") == 0 ? exact_rmsprop
                                        : exact_adam;
}

static void exact_step(model *m, uint64_t number) {
  m->step.number = number;
  for (int i = 0; i < COUNT; i++) {
    element *e = &m->exact[i];
    real g = mul((real){(double)m->gradient[i], 0}, (real){(double)m->step.gradient_scale, 0});
    if (m->step.decays) {
      g = add(g, mul(of(option(m, "l2").number), e->weight));
      real share = of(rate(m) * option(m, "weight_decay").number);
      e->weight = sub(e->weight, mul(share, e->weight));
    }
    rule_of(m->kind->name)(m, e, g);
  }
}

/* Not more than twice the bound: the library's formulas have a few operations in another order. */
static void check_real(float got, real want) {
  check_near((double)got, want.value, 2 * want.error);
}

static void check_model(const model *m) {
  for (int i = 0; i < COUNT; i++) {
    check_real(m->weights[i], m->exact[i].weight);
    check_real(m->first[i], m->exact[i].first);
    check_real(m->second[i], m->exact[i].second);
  }
}

/* One step from the very state of the float model. */
static void check_one_step(model *m, uint64_t number) {
  for (int i = 0; i < COUNT; i++)
    m->exact[i] =
        (element){{(double)m->weights[i], 0}, {(double)m->first[i], 0}, {(double)m->second[i], 0}};
  exact_step(m, number);
  step(m, number);
  check_model(m);
}

static const struct {
  const char *kind;
  setting settings[6];
} trials[] = {
    {"sgd", {{NULL, 0}}},
    {"sgd", {{"rate", 0.3}, {"momentum", 0.9}}},
    {"sgd", {{"rate", 0}, {"momentum", 1}}},
    {"sgd", {{"rate", 1e6}, {"momentum", 0.5}}},
    {"sgd", {{"nesterov", 1}}},
    {"sgd", {{"nesterov", 1}, {"momentum", 0.9}, {"l2", 0.01}}},
    {"sgd", {{"momentum", 0.9}, {"weight_decay", 0.1}}},
    {"rmsprop", {{NULL, 0}}},
    {"rmsprop", {{"rate", 0.1}, {"rho", 0}, {"epsilon", 1}, {"momentum", 0.9}}},
    {"rmsprop", {{"l2", 0.01}, {"weight_decay", 0.1}, {"rho", 0.99}, {"epsilon", 1e-3}}},
    {"adam", {{NULL, 0}}},
    {"adam", {{"rate", 0.1}, {"beta1", 0.5}, {"beta2", 0.9}, {"epsilon", 1e-3}}},
    {"adam", {{"rate", 0.01}, {"beta1", 0}, {"beta2", 0}, {"epsilon", 1}}},
    {"adam", {{"l2", 0.01}}},
    {"adam", {{"weight_decay", 0.01}}},
    {"adamw", {{NULL, 0}}},
    {"adamw", {{"rate", 0.1}, {"weight_decay", 0.5}, {"l2", 0.1}}},
};

enum { TRIALS = sizeof trials / sizeof *trials };

static void single_steps(void **state) {
  (void)state;
  for (int i = 0; i < TRIALS; i++) {
    model m = model_of(trials[i].kind, trials[i].settings);
    for (uint64_t number = 1; number <= 300; number++) {
      m.step.rate = number % 3 == 0 ? 0.7 : 1;
      m.step.gradient_scale = number % 4 == 0 ? 0.3f : 1;
      m.step.decays = number % 5 != 0;
      draw_gradient(&m);
      check_one_step(&m, number);
    }
  }
}

/* The errors of all steps together. */
static void long_runs(void **state) {
  (void)state;
  static const char *const kinds[] = {"sgd", "rmsprop", "adam", "adamw"};
  static const setting momentum[] = {{"momentum", 0.9}, {NULL, 0}};
  for (int k = 0; k < 5; k++) {
    model m = k < 4 ? model_of(kinds[k], none) : model_of("sgd", momentum);
    for (uint64_t number = 1; number <= 1000; number++) {
      draw_gradient(&m);
      step(&m, number);
      exact_step(&m, number);
    }
    check_model(&m);
  }
}

/* The corrections of the first steps are gone, and nothing over- or underflows. */
static void late_steps(void **state) {
  (void)state;
  static const uint64_t times[] = {
      1, 2, 64, 65, 100000, 1234567890u, UINT32_MAX, (uint64_t)1 << 53, UINT64_MAX};
  model m = model_of("adam", none);
  for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
    draw_gradient(&m);
    check_one_step(&m, times[i]);
  }
  model late = model_of("adam", none), later = late;
  draw_gradient(&late);
  memcpy(later.gradient, late.gradient, sizeof late.gradient);
  step(&late, 1000000);
  step(&later, UINT64_MAX);
  assert_memory_equal(late.weights, later.weights, sizeof late.weights);
}

/* -- properties ------------------------------------------------------------------------------- */

static void check_same_state(const model *a, const model *b) {
  assert_memory_equal(a->weights, b->weights, sizeof a->weights);
  assert_memory_equal(a->first, b->first, sizeof a->first);
  assert_memory_equal(a->second, b->second, sizeof a->second);
}

/* Two models that differ in what `change` did to the second take the same steps. */
static void check_alike(const char *kind, const setting *settings, void (*change)(model *m)) {
  model a = model_of(kind, settings), b = a;
  for (uint64_t number = 1; number <= 5; number++) {
    draw_gradient(&a);
    memcpy(b.gradient, a.gradient, sizeof a.gradient);
    change(&b);
    step(&a, number);
    step(&b, number);
    check_same_state(&a, &b);
  }
}

static const setting decaying[] = {{"l2", 0.1}, {"weight_decay", 0.2}, {"rate", 0.125}, {NULL, 0}};
static const setting plain[] = {{"l2", 0}, {"weight_decay", 0}, {NULL, 0}};

static void decay_heavily(model *m) {
  m->options[nas_options_find(&m->kind->options, "l2", NULL)].number = 0.5;
  m->options[nas_options_find(&m->kind->options, "weight_decay", NULL)].number = 0.5;
  m->step.decays = 0;
}

static void halve_outside(model *m) {
  m->options[nas_options_find(&m->kind->options, "rate", NULL)].number = 0.25;
  m->step.rate = 0.5;
}

static void settings_that_are_alike(void **state) {
  (void)state;
  for (int k = 0; nas_optimizer_at(k); k++) {
    const char *kind = nas_optimizer_at(k)->name;
    check_alike(kind, plain, decay_heavily); /* weights that do not decay */
    check_alike(kind, decaying, halve_outside);
  }
}

/* A step with a scale is a step with the scaled gradient. */
static void scaled_gradients(void **state) {
  (void)state;
  for (int k = 0; nas_optimizer_at(k); k++) {
    model a = model_of(nas_optimizer_at(k)->name, decaying), b = a;
    a.step.gradient_scale = 0.3f;
    for (uint64_t number = 1; number <= 5; number++) {
      draw_gradient(&a);
      for (int i = 0; i < COUNT; i++) b.gradient[i] = 0.3f * a.gradient[i];
      step(&a, number);
      step(&b, number);
      check_same_state(&a, &b);
    }
  }
}

/* Each option and each field of the step does something. */
static void nothing_is_ignored(void **state) {
  (void)state;
  for (int k = 0; nas_optimizer_at(k); k++) {
    const nas_optimizer_kind *kind = nas_optimizer_at(k);
    static const setting momentum[] = {
        {"l2", 0.1}, {"weight_decay", 0.2}, {"momentum", 0.5}, {NULL, 0}};
    model first = model_of(kind->name, kind->name[0] == 'a' ? decaying : momentum);
    draw_gradient(&first);
    for (int change = 0; change < kind->options.count + 3; change++) {
      model a = first, b = first;
      if (change < kind->options.count) {
        const nas_option *o = &kind->options.options[change];
        double value = o->type == NAS_OPTION_BOOLEAN ? 1 : 0.25;
        check_ok(nas_options_set_number(&kind->options, b.options, change, value, NULL), NULL);
      }
      if (change == kind->options.count) b.step.rate = 0.5;
      if (change == kind->options.count + 1) b.step.gradient_scale = 0.5f;
      if (change == kind->options.count + 2) b.step.decays = 0;
      for (uint64_t number = 1; number <= 2; number++) {
        step(&a, number);
        step(&b, number);
      }
      assert_memory_not_equal(a.weights, b.weights, sizeof a.weights);
    }
  }
}

/* -- slices ----------------------------------------------------------------------------------- */

enum { MANY = 2500 }; /* more than two of the blocks that a step takes */

typedef struct many {
  float weights[MANY], first[MANY], second[MANY];
} many;

static void slice_step(const nas_optimizer_kind *kind, const nas_option_value *options,
                       const nas_step *step, many *m, const float *gradient, int from, int end) {
  kind->step(options, step, m->weights + from, gradient + from,
             (float *const[]){m->first + from, m->second + from}, (size_t)(end - from));
}

static void check_slices(const nas_optimizer_kind *kind, const setting *settings, float scale,
                         int slice) {
  static many whole, parts;
  static float gradient[MANY];
  nas_option_value options[NAS_OPTIONS_MAX];
  set(kind, options, settings);
  memset(&whole, 0, sizeof whole);
  for (int i = 0; i < MANY; i++) whole.weights[i] = nas_stream_float(&dice) - 0.5f;
  parts = whole;
  for (uint64_t number = 1; number <= 3; number++) {
    nas_step step = {number, 0.9, scale, 1, NULL};
    for (int i = 0; i < MANY; i++) gradient[i] = nas_stream_float(&dice) - 0.5f;
    slice_step(kind, options, &step, &whole, gradient, 0, MANY);
    for (int from = 0; from < MANY; from += slice)
      slice_step(kind, options, &step, &parts, gradient, from,
                 from + slice < MANY ? from + slice : MANY);
  }
  assert_memory_equal(&whole, &parts, sizeof whole);
}

/* A step by slices of any size, as threads take it, has the bits of the whole step. */
static void slices(void **state) {
  (void)state;
  for (int k = 0; nas_optimizer_at(k); k++)
    for (int slice = 1; slice <= MANY; slice = slice < 40 ? slice + 1 : slice * 2 - 7) {
      check_slices(nas_optimizer_at(k), none, 1, slice);
      check_slices(nas_optimizer_at(k), decaying, 0.7f, slice);
    }
}

/* -- limits ----------------------------------------------------------------------------------- */

/* Zeros stay zeros, so that the padding of parameters does, with the smallest epsilon too. */
static void zeros_stay(void **state) {
  (void)state;
  for (int k = 0; nas_optimizer_at(k); k++) {
    model m = model_of(nas_optimizer_at(k)->name, decaying);
    int epsilon = nas_options_find(&m.kind->options, "epsilon", NULL);
    if (epsilon >= 0) m.options[epsilon].number = m.kind->options.options[epsilon].low;
    memset(m.weights, 0, sizeof m.weights);
    m.step.gradient_scale = 0.5f;
    for (uint64_t number = 1; number < 10; number++) step(&m, number);
    for (int i = 0; i < COUNT; i++) check_float_bits(m.weights[i], 0.0f);
  }
}

/* What is not finite shows in the weights, and nowhere else. */
static void not_finite(void **state) {
  (void)state;
  static const float bad[] = {NAN, INFINITY, -INFINITY};
  for (int k = 0; nas_optimizer_at(k); k++)
    for (int b = 0; b < 3; b++) {
      model m = model_of(nas_optimizer_at(k)->name, none);
      draw_gradient(&m);
      m.gradient[5] = bad[b];
      step(&m, 1);
      for (int i = 0; i < COUNT; i++) assert_int_equal(isfinite(m.weights[i]) != 0, i != 5);
    }
}

static void by_name(void **state) {
  (void)state;
  nas_error err = {0};
  static const char *const names[] = {"sgd", "rmsprop", "adam", "adamw"};
  for (int i = 0; i < 4; i++) {
    assert_string_equal(nas_optimizer_at(i)->name, names[i]);
    assert_ptr_equal(nas_optimizer_find(names[i], &err), nas_optimizer_at(i));
    assert_string_equal(nas_optimizer_at(i)->options.owner, names[i]);
    assert_in_range(nas_optimizer_at(i)->moments, 0, NAS_MOMENTS_MAX);
    assert_in_range(nas_optimizer_at(i)->options.count, 1, NAS_OPTIONS_MAX);
  }
  assert_null(nas_optimizer_at(4));
  assert_null(nas_optimizer_at(-1));
  assert_null(nas_optimizer_find("Adam", &err));
  assert_int_equal(err.code, NAS_ARGUMENT);
  assert_string_equal(err.text,
                      "unknown optimizer \"Adam\"; known optimizers: sgd, rmsprop, adam, adamw");
  assert_null(nas_optimizer_find("", NULL));
}

static void defaults(void **state) {
  (void)state;
  static const char *const texts[] = {
      " rate=0.01 momentum=0 nesterov=0 l2=0 weight_decay=0",
      " rate=0.001 rho=0.9 epsilon=1e-07 momentum=0 l2=0 weight_decay=0",
      " rate=0.001 beta1=0.9 beta2=0.999 epsilon=1e-07 l2=0 weight_decay=0",
      " rate=0.001 beta1=0.9 beta2=0.999 epsilon=1e-07 l2=0 weight_decay=0.01"};
  for (int i = 0; i < 4; i++) {
    const nas_option_table *table = &nas_optimizer_at(i)->options;
    nas_option_value values[NAS_OPTIONS_MAX];
    nas_text text = {0};
    nas_options_default(table, values);
    nas_options_text(table, values, &text);
    assert_string_equal(text.data, texts[i]);
    nas_text_clear(&text);
  }
}

/* Averages that keep nothing new, and divisions by zero. */
static void nonsense_is_refused(void **state) {
  (void)state;
  static const struct {
    const char *kind, *option;
    double value;
  } wrong[] = {
      {"adam", "beta1", 1},
      {"adam", "beta2", 1},
      {"adamw", "beta1", 1},
      {"adamw", "beta2", 1},
      {"rmsprop", "rho", 1},
      {"adam", "epsilon", 0},
      {"rmsprop", "epsilon", 0},
      {"adamw", "epsilon", 0},
      {"adam", "epsilon", 1e-50},
      {"sgd", "rate", -1},
      {"sgd", "momentum", 1.1},
      {"sgd", "l2", -0.1},
      {"adamw", "weight_decay", -0.1},
      {"adam", "rate", (double)NAN},
      {"sgd", "nesterov", 2},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    const nas_option_table *table = &nas_optimizer_find(wrong[i].kind, NULL)->options;
    nas_option_value values[NAS_OPTIONS_MAX];
    nas_error err = {0};
    nas_options_default(table, values);
    int at = nas_options_find(table, wrong[i].option, &err);
    assert_true(at >= 0);
    assert_int_equal(nas_options_set_number(table, values, at, wrong[i].value, &err), NAS_ARGUMENT);
    check_contains(err.text, wrong[i].option);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(by_name),
      TEST(defaults),
      TEST(nonsense_is_refused),
      TEST(single_steps),
      TEST(long_runs),
      TEST(late_steps),
      TEST(settings_that_are_alike),
      TEST(scaled_gradients),
      TEST(nothing_is_ignored),
      TEST(slices),
      TEST(zeros_stay),
      TEST(not_finite),
  };
  dice = nas_stream_open(1, "optimizer", NULL, 0);
  return cmocka_run_group_tests_name("optimizer", tests, NULL, NULL);
}
