/* Adam's loop: every table against the scalar one, bit for bit, into other arrays and into its own.
 */
#include "boards.h"

enum { COUNT_MAX = 100, ARRAYS = 3, CASES = 2000 };

typedef struct problem {
  nas_adam_factors factors;
  size_t count;
  float *g, *from[ARRAYS], *to[ARRAYS]; /* of count floats */
} problem;

static void problem_draw(problem *p, mood m) {
  float b1 = nas_stream_float(&dice), b2 = nas_stream_float(&dice);
  float rate = 2 * nas_stream_float(&dice) - 1, scale = 1 + nas_stream_float(&dice);
  p->factors = (nas_adam_factors){b1, 1 - b1, b2, 1 - b2, rate, scale, 1e-8f};
  p->count = (size_t)between(0, COUNT_MAX);
  p->g = numbers(p->count, m);
  for (int k = 0; k < ARRAYS; k++) {
    p->from[k] = numbers(p->count, m);
    p->to[k] = numbers(p->count, m);
  }
  for (size_t i = 0; i < p->count; i++) /* an average of squares */
    if (p->from[2][i] < 0) p->from[2][i] = -p->from[2][i];
}

static problem problem_copy(const problem *p) {
  problem copy = *p;
  copy.g = fence_copy(p->g, p->count * sizeof(float));
  for (int k = 0; k < ARRAYS; k++) {
    copy.from[k] = fence_copy(p->from[k], p->count * sizeof(float));
    copy.to[k] = fence_copy(p->to[k], p->count * sizeof(float));
  }
  return copy;
}

static void problem_free(problem *p) {
  fence_free(p->g);
  for (int k = 0; k < ARRAYS; k++) {
    fence_free(p->from[k]);
    fence_free(p->to[k]);
  }
}

static nas_adam_arrays arrays_of(float *const arrays[ARRAYS]) {
  return (nas_adam_arrays){arrays[0], arrays[1], arrays[2]};
}

static int step(const nas_kernels *table, problem *p, int in_place) {
  nas_adam_arrays from = arrays_of(p->from), to = in_place ? from : arrays_of(p->to);
  return table->adam(&p->factors, p->g, from, to, p->count);
}

static void compare(const char *name, const float *got, const float *expected, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (!same(got[i], expected[i]))
      fail_msg("%s: element %zu of %zu is %a, expected %a", name, i, count, (double)got[i],
               (double)expected[i]);
}

/* What the header says, of one element. */
static int step_by_hand(const nas_adam_factors *f, float g, float *value, float *m, float *v) {
  *m = f->b1 * *m + f->a1 * g;
  *v = f->b2 * *v + f->a2 * (g * g);
  *value -= f->rate * *m / (sqrtf(*v) * f->scale + f->epsilon);
  return isfinite(*value) && isfinite(*m) && isfinite(*v);
}

static void equals_scalar(void **state) {
  (void)state;
  dice = nas_stream_open(1, "adam", NULL, 0);
  for (int number = 0; number < CASES; number++) {
    problem before;
    int in_place = one_in(2), finite = 1;
    problem_draw(&before, (mood)(number % MOODS));
    problem expected = problem_copy(&before);
    float **to = in_place ? expected.from : expected.to;
    for (size_t i = 0; i < before.count; i++) {
      for (int k = 0; k < ARRAYS; k++) to[k][i] = before.from[k][i];
      finite &= step_by_hand(&before.factors, before.g[i], &to[0][i], &to[1][i], &to[2][i]);
    }
    const nas_kernels *table;
    for (int t = 0; (table = nas_kernels_numbered(t)) != NULL; t++) {
      if (!table) continue;
      problem got = problem_copy(&before);
      assert_int_equal(step(table, &got, in_place), finite);
      for (int k = 0; k < ARRAYS; k++) {
        compare(table->name, got.from[k], expected.from[k], before.count);
        compare(table->name, got.to[k], expected.to[k], before.count);
      }
      problem_free(&got);
    }
    problem_free(&expected);
    problem_free(&before);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {TEST(equals_scalar)};
  return cmocka_run_group_tests_name("adam", tests, NULL, NULL);
}
