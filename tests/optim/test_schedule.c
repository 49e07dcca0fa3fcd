/* Schedules at points computed by hand, and against PyTorch. */
#include "check.h"
#include <math.h>
#include <nas/elementary.h>
#include <nas/schedule.h>

#define TEST(function) cmocka_unit_test_teardown(function, check_no_blocks)

typedef struct schedule {
  const nas_schedule_kind *kind;
  nas_option_value options[NAS_OPTIONS_MAX];
} schedule;

/* An option; a name of NULL ends a list. */
typedef struct setting {
  const char *name;
  double value;
} setting;

static schedule schedule_of(const char *kind, const setting *settings) {
  nas_error err = {0};
  schedule s = {.kind = nas_schedule_find(kind, &err)};
  assert_non_null(s.kind);
  nas_options_default(&s.kind->options, s.options);
  for (int i = 0; settings && settings[i].name; i++) {
    int at = nas_options_find(&s.kind->options, settings[i].name, &err);
    assert_true(at >= 0);
    check_ok(nas_options_set_number(&s.kind->options, s.options, at, settings[i].value, &err),
             &err);
  }
  return s;
}

#define SCHEDULE(kind, ...) schedule_of((kind), (const setting[]){__VA_ARGS__, {NULL, 0}})

static double factor(const schedule *s, uint64_t step, int64_t steps_per_epoch) {
  return nas_schedule_factor(s->kind, s->options, step, steps_per_epoch);
}

/* -- values ----------------------------------------------------------------------------------- */

static void constants(void **state) {
  (void)state;
  schedule s = schedule_of("constant", NULL);
  assert_true(factor(&s, 0, 1) == 1 && factor(&s, 12345, 7) == 1 && factor(&s, UINT64_MAX, 1) == 1);
}

static void drops(void **state) {
  (void)state;
  schedule s = SCHEDULE("step", {"every", 2}, {"factor", 0.5});
  static const double expected[] = {1, 1, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.25};
  for (uint64_t step = 0; step < 13; step++) assert_true(factor(&s, step, 3) == expected[step]);
  s = SCHEDULE("step", {"every", 30});
  check_near(factor(&s, 89, 1), 0.01, 1e-17);
  check_near(factor(&s, 90, 1), 0.001, 1e-18);
  assert_true(factor(&s, UINT64_MAX, 1) == 0);
}

/* At the first step of an epoch and at no other, whatever the number of steps. */
static void drops_are_on_time(void **state) {
  (void)state;
  for (int64_t steps = 1; steps < 1000; steps += 7)
    for (int every = 1; every <= 31; every += 3) {
      schedule s = SCHEDULE("step", {"every", every}, {"factor", 0.5});
      for (int drop = 1; drop <= 20; drop++) {
        uint64_t first = (uint64_t)(steps * every * drop);
        assert_true(factor(&s, first, steps) == ldexp(1, -drop));
        assert_true(factor(&s, first - 1, steps) == ldexp(1, 1 - drop));
      }
    }
}

static void exponentials(void **state) {
  (void)state;
  schedule s = SCHEDULE("exponential", {"decay", 0.25});
  assert_true(factor(&s, 0, 2) == 1);
  check_near(factor(&s, 1, 2), 0.5, 1e-16); /* half an epoch */
  check_near(factor(&s, 2, 2), 0.25, 1e-16);
  check_near(factor(&s, 7, 2), 0x1p-7, 1e-17);
  assert_true(factor(&s, 7, 2) == nas_pow(0.25, 3.5));
  s = SCHEDULE("exponential", {"decay", 1});
  assert_true(factor(&s, 1000, 3) == 1);
}

static void cosines(void **state) {
  (void)state;
  schedule s = SCHEDULE("cosine", {"epochs", 3});
  assert_true(factor(&s, 0, 4) == 1);
  check_near(factor(&s, 4, 4), 0.75, 1e-15); /* cos 60 degrees */
  assert_true(factor(&s, 6, 4) == 0.5);
  check_near(factor(&s, 8, 4), 0.25, 1e-15);
  assert_true(factor(&s, 11, 4) > 0);
  assert_true(factor(&s, 12, 4) == 0 && factor(&s, 13, 4) == 0 && factor(&s, 24, 4) == 0);
  s = SCHEDULE("cosine", {"epochs", 3}, {"floor", 0.2});
  assert_true(factor(&s, 0, 4) == 1);
  check_near(factor(&s, 6, 4), 0.6, 1e-15);
  assert_true(factor(&s, 12, 4) == 0.2 && factor(&s, UINT64_MAX, 4) == 0.2);
  s = SCHEDULE("cosine", {"epochs", 3}, {"floor", 1});
  for (uint64_t step = 0; step < 20; step++) assert_true(factor(&s, step, 4) == 1);
}

/* For any floor it begins at 1 exactly and never rises. */
static void cosines_fall(void **state) {
  (void)state;
  for (int k = 0; k <= 100; k++) {
    schedule s = SCHEDULE("cosine", {"epochs", 17}, {"floor", 0.01 * k});
    double before = factor(&s, 0, 59);
    assert_true(before == 1);
    for (uint64_t step = 1; step < 17 * 59 + 10; step++) {
      double now = factor(&s, step, 59);
      assert_true(now <= before && now >= 0.01 * k);
      before = now;
    }
  }
}

/* -- warm-up ---------------------------------------------------------------------------------- */

static void warmup(void **state) {
  (void)state;
  schedule s = SCHEDULE("constant", {"warmup", 2});
  static const double expected[] = {0.25, 0.5, 0.75, 1, 1, 1};
  for (uint64_t step = 0; step < 6; step++) assert_true(factor(&s, step, 2) == expected[step]);
  s = SCHEDULE("constant", {"warmup", 0.5}); /* two and a half steps */
  check_near(factor(&s, 0, 5), 0.4, 1e-16);
  check_near(factor(&s, 1, 5), 0.8, 1e-16);
  assert_true(factor(&s, 2, 5) == 1);
  s = SCHEDULE("constant", {"warmup", 0.1}); /* less than a step */
  assert_true(factor(&s, 0, 5) == 1);
}

/* It multiplies what the schedule is without it, and moves nothing. */
static void warmup_multiplies(void **state) {
  (void)state;
  static const setting settings[][3] = {
      {{NULL, 0}}, {{"every", 2}}, {{"decay", 0.9}}, {{"epochs", 10}, {"floor", 0.1}}};
  assert_null(nas_schedule_at(4));
  for (int k = 0; k < 4; k++) {
    schedule plain = schedule_of(nas_schedule_at(k)->name, settings[k]), warm = plain;
    int last = warm.kind->options.count - 1;
    assert_string_equal(warm.kind->options.options[last].name, "warmup");
    assert_true(plain.options[last].number == 0);
    warm.options[last].number = 3;
    for (uint64_t step = 0; step < 60; step++) {
      double risen = fmin(1, ((double)step + 1) / 12);
      assert_true(factor(&warm, step, 4) == factor(&plain, step, 4) * risen);
    }
  }
}

/* -- PyTorch 2.15 ----------------------------------------------------------------------------- */

/* What torch.optim.lr_scheduler.<text> makes of the rate 1 before each step of an epoch each. */
static void pytorch(void **state) {
  (void)state;
  static const struct {
    const char *text, *kind;
    setting settings[3];
    double rates[12];
    int count;
  } peers[] = {
      {"CosineAnnealingLR(T_max=10)",
       "cosine",
       {{"epochs", 10}},
       {1, 0.97552825814757682, 0.90450849718747373, 0.79389262614623657, 0.65450849718747373, 0.5,
        0.34549150281252633, 0.20610737385376349, 0.09549150281252633, 0.024471741852423234, 0},
       11},
      {"CosineAnnealingLR(T_max=8, eta_min=0.1)",
       "cosine",
       {{"epochs", 8}, {"floor", 0.1}},
       {1, 0.96574578963007907, 0.86819805153394636, 0.72220754456429048, 0.55000000000000004,
        0.37779245543570972, 0.2318019484660537, 0.134254210369921, 0.10000000000000001},
       9},
      {"StepLR(step_size=3, gamma=0.5)",
       "step",
       {{"every", 3}, {"factor", 0.5}},
       {1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125},
       10},
      {"ExponentialLR(gamma=0.9)",
       "exponential",
       {{"decay", 0.9}},
       {1, 0.90000000000000002, 0.81000000000000005, 0.72900000000000009, 0.65610000000000013,
        0.59049000000000018, 0.53144100000000016, 0.47829690000000014},
       8},
      {"LinearLR(start_factor=1/5, end_factor=1, total_iters=4)",
       "constant",
       {{"warmup", 5}},
       {0.20000000000000001, 0.40000000000000002, 0.60000000000000009, 0.80000000000000004, 1, 1, 1,
        1},
       8},
  };
  for (size_t p = 0; p < sizeof peers / sizeof *peers; p++) {
    schedule s = schedule_of(peers[p].kind, peers[p].settings);
    print_message("# %s\n", peers[p].text);
    for (int i = 0; i < peers[p].count; i++)
      check_near(factor(&s, (uint64_t)i, 1), peers[p].rates[i], 1e-15);
  }
}

/* -- tables ----------------------------------------------------------------------------------- */

static void by_name(void **state) {
  (void)state;
  nas_error err = {0};
  static const char *const names[] = {"constant", "step", "exponential", "cosine"};
  for (int i = 0; i < 4; i++) {
    assert_string_equal(nas_schedule_at(i)->name, names[i]);
    assert_string_equal(nas_schedule_at(i)->options.owner, names[i]);
    assert_ptr_equal(nas_schedule_find(names[i], &err), nas_schedule_at(i));
    assert_in_range(nas_schedule_at(i)->options.count, 1, NAS_OPTIONS_MAX);
  }
  assert_null(nas_schedule_at(-1));
  assert_null(nas_schedule_find("linear", &err));
  assert_int_equal(err.code, NAS_ARGUMENT);
  assert_string_equal(err.text, "unknown schedule \"linear\"; known schedules: constant, step, "
                                "exponential, cosine");
  assert_null(nas_schedule_find("", NULL));
}

static void check_text(const schedule *s, const char *expected) {
  nas_text text = {0};
  nas_options_text(&s->kind->options, s->options, &text);
  assert_string_equal(text.data, expected);
  nas_text_clear(&text);
}

static void texts(void **state) {
  (void)state;
  schedule s = schedule_of("constant", NULL);
  check_text(&s, " warmup=0");
  s = SCHEDULE("step", {"every", 30});
  check_text(&s, " every=30 factor=0.1 warmup=0");
  s = SCHEDULE("exponential", {"decay", 0.97}, {"warmup", 0.5});
  check_text(&s, " decay=0.97 warmup=0.5");
  s = SCHEDULE("cosine", {"epochs", 600}, {"floor", 0.01});
  check_text(&s, " epochs=600 floor=0.01 warmup=0");
}

static void ranges(void **state) {
  (void)state;
  static const struct {
    const char *kind, *option;
    double value;
  } wrong[] = {
      {"constant", "warmup", -1},  {"constant", "warmup", (double)NAN},
      {"step", "every", 0},        {"step", "every", 1.5},
      {"step", "factor", 0},       {"step", "factor", 1.1},
      {"exponential", "decay", 0}, {"exponential", "decay", 1.1},
      {"cosine", "epochs", 0},     {"cosine", "epochs", 1e7},
      {"cosine", "floor", -0.1},   {"cosine", "floor", 1.1},
      {"cosine", "warmup", 1e7},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    schedule s = schedule_of(wrong[i].kind, NULL);
    nas_error err = {0};
    int at = nas_options_find(&s.kind->options, wrong[i].option, &err);
    assert_true(at >= 0);
    assert_int_equal(nas_options_set_number(&s.kind->options, s.options, at, wrong[i].value, &err),
                     NAS_ARGUMENT);
  }
}

/* What has no default that makes sense. */
static void required(void **state) {
  (void)state;
  static const char *const names[] = {"step every", "exponential decay", "cosine epochs"};
  int found = 0;
  for (int k = 0; nas_schedule_at(k); k++)
    for (int i = 0; i < nas_schedule_at(k)->options.count; i++) {
      const nas_option *option = &nas_schedule_at(k)->options.options[i];
      char name[60];
      if (!option->required) continue;
      snprintf(name, sizeof name, "%s %s", nas_schedule_at(k)->name, option->name);
      assert_string_equal(name, names[found++]);
    }
  assert_int_equal(found, 3);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(by_name),           TEST(texts),        TEST(ranges),
      TEST(required),          TEST(constants),    TEST(drops),
      TEST(drops_are_on_time), TEST(exponentials), TEST(cosines),
      TEST(cosines_fall),      TEST(warmup),       TEST(warmup_multiplies),
      TEST(pytorch),
  };
  return cmocka_run_group_tests_name("schedule", tests, NULL, NULL);
}
