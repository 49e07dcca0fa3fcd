/* A small space with branches, repeated names and varying depth, and who answers its decisions: a
 * policy that samples, or an enumerator. Included by the tests of the policy, one program each. */
#ifndef TESTS_TOY_H
#define TESTS_TOY_H

#include "check.h"
#include <nas/policy.h>

enum { TOY_MAX = 16 };

typedef struct toy {
  nas_policy *policy; /* samples when not NULL */
  nas_tape *tape;
  nas_stream stream;
  int given[TOY_MAX]; /* the enumerator's choices; 0 beyond given_count */
  int given_count;
  double log_probs[TOY_MAX];
  nas_decision decisions[TOY_MAX]; /* the record */
  int count;
} toy;

static int toy_choose(toy *t, const char *name, const char *options, int count) {
  int occurrence = 0, chosen = 0;
  nas_error err;
  assert_true(t->count < TOY_MAX);
  for (int i = 0; i < t->count; i++) occurrence += strcmp(t->decisions[i].name, name) == 0;
  if (t->policy)
    check_ok(nas_policy_choose(t->policy, t->tape, name, options, count, &t->stream, &chosen,
                               &t->log_probs[t->count], &err),
             &err);
  else if (t->count < t->given_count)
    chosen = t->given[t->count];
  t->decisions[t->count++] = (nas_decision){
      .name = name, .occurrence = occurrence, .options = options, .count = count, .chosen = chosen};
  return chosen;
}

/* Depth 1 to 2; in each layer a kernel, and filters from one of two lists under the same name:
 * 5 + 25 networks of 3 or 5 decisions. */
static void toy_space(toy *t) {
  int depth = 1 + toy_choose(t, "depth", "1,2", 2);
  for (int layer = 0; layer < depth; layer++) {
    if (toy_choose(t, "kernel", "1,3", 2) == 0)
      toy_choose(t, "filters", "32,48,64", 3);
    else
      toy_choose(t, "filters", "16,32", 2);
  }
}

/* A reward that depends on all decisions, with interactions. */
static inline double toy_reward(const toy *t) {
  double reward = 0.5;
  for (int i = 0; i < t->count; i++) {
    const nas_decision *d = &t->decisions[i];
    reward += 0.03 * d->chosen - 0.02 * d->chosen * d->occurrence;
    if (i > 0) reward += 0.05 * (d->chosen == t->decisions[i - 1].chosen);
  }
  return reward;
}

static inline void toy_sample(toy *t, nas_policy *policy, nas_tape *tape, uint64_t sample) {
  nas_error err;
  memset(t, 0, sizeof *t);
  t->policy = policy;
  t->tape = tape;
  t->stream = nas_stream_open(nas_policy_seed(policy), "sample", &sample, 1);
  check_ok(nas_policy_begin(policy, tape, NAS_POLICY_CURRENT, &err), &err);
  toy_space(t);
}

/* The same choices. */
static inline int toy_same(const toy *a, const toy *b) {
  int same = a->count == b->count;
  for (int i = 0; same && i < a->count; i++)
    same = a->decisions[i].chosen == b->decisions[i].chosen;
  return same;
}

/* The next network of the enumeration, which begins with a zeroed *t; 0 after the last. */
static inline int toy_next(toy *t) {
  int last = t->count - 1;
  if (t->count > 0) {
    while (last >= 0 && t->decisions[last].chosen + 1 == t->decisions[last].count) last--;
    if (last < 0) return 0;
    for (int i = 0; i < last; i++) t->given[i] = t->decisions[i].chosen;
    t->given[last] = t->decisions[last].chosen + 1;
    t->given_count = last + 1;
    t->count = 0;
  }
  toy_space(t);
  return 1;
}

#endif
