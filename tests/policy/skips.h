/* A small space with anchors, and who answers its decisions: a policy that samples, or an
 * enumerator. As toy.h, for the tests of anchors. */
#ifndef TESTS_SKIPS_H
#define TESTS_SKIPS_H

#include "check.h"
#include <nas/policy.h>

enum { SKIPS_MAX = 20, SKIPS_CANDIDATES = 8, SKIPS_NETWORKS = 48 };

typedef struct skips {
  nas_policy *policy; /* samples when not NULL */
  nas_tape *tape;
  nas_stream stream;
  int given[SKIPS_MAX]; /* the enumerator's answers; 0 beyond given_count */
  int given_count;
  double log_probs[SKIPS_MAX];
  nas_decision decisions[SKIPS_MAX]; /* the record, whose lists are the next two */
  int candidates[SKIPS_MAX][SKIPS_CANDIDATES];
  unsigned char chosen[SKIPS_MAX][SKIPS_CANDIDATES];
  int answers[SKIPS_MAX]; /* the option, or the set of the chosen as bits */
  int count;
} skips;

static inline int skips_occurrence(const skips *s, const char *name) {
  int occurrence = 0;
  for (int i = 0; i < s->count; i++) occurrence += strcmp(s->decisions[i].name, name) == 0;
  return occurrence;
}

static inline int skips_choose(skips *s, const char *name, const char *options, int count) {
  int chosen = 0, t = s->count;
  nas_error err;
  assert_true(t < SKIPS_MAX);
  if (s->policy)
    check_ok(nas_policy_choose(s->policy, s->tape, name, options, count, &s->stream, &chosen,
                               &s->log_probs[t], &err),
             &err);
  else if (t < s->given_count)
    chosen = s->given[t];
  s->decisions[t] = (nas_decision){.name = name,
                                   .occurrence = skips_occurrence(s, name),
                                   .options = options,
                                   .count = count,
                                   .chosen = chosen};
  s->answers[t] = chosen;
  s->count++;
  return chosen;
}

/* The candidates are all earlier anchors, but at most the last `most`. Returns the set as bits. */
static inline int skips_anchor(skips *s, const char *name, int most) {
  int t = s->count, count = 0, before = 0, set = 0;
  nas_error err;
  assert_true(t < SKIPS_MAX);
  for (int i = 0; i < t; i++) before += s->decisions[i].kind == NAS_DECISION_ANCHOR;
  for (int i = 0; i < t; i++) {
    if (s->decisions[i].kind != NAS_DECISION_ANCHOR || before-- > most) continue;
    assert_true(count < SKIPS_CANDIDATES);
    s->candidates[t][count++] = i;
  }
  if (s->policy) {
    check_ok(nas_policy_anchor(s->policy, s->tape, name, s->candidates[t], count, &s->stream,
                               s->chosen[t], &s->log_probs[t], &err),
             &err);
    for (int j = 0; j < count; j++) set |= s->chosen[t][j] << j;
  } else {
    if (t < s->given_count) set = s->given[t];
    for (int j = 0; j < count; j++) s->chosen[t][j] = (unsigned char)(set >> j & 1);
  }
  s->decisions[t] = (nas_decision){.kind = NAS_DECISION_ANCHOR,
                                   .name = name,
                                   .occurrence = skips_occurrence(s, name),
                                   .count = count,
                                   .candidates = s->candidates[t],
                                   .chosen_set = s->chosen[t]};
  s->answers[t] = set;
  s->count++;
  return set;
}

/* Two layers with a kernel and an anchor, "pad" after a second one that chose nothing, and a third
 * anchor of another name: 2 2 (1 + 2) 4 networks of 5 or 6 decisions. */
static inline void skips_space(skips *s) {
  skips_choose(s, "kernel", "1,3", 2);
  skips_anchor(s, "skip", 4);
  skips_choose(s, "kernel", "1,3", 2);
  if (skips_anchor(s, "skip", 4) == 0) skips_choose(s, "pad", "no,yes", 2);
  skips_anchor(s, "jump", 4);
}

/* A reward that depends on all decisions, with interactions. */
static inline double skips_reward(const skips *s) {
  double reward = 0.5;
  for (int i = 0; i < s->count; i++) {
    reward += 0.03 * s->answers[i] - 0.02 * s->answers[i] * s->decisions[i].occurrence;
    if (i > 0) reward += 0.05 * (s->answers[i] == s->answers[i - 1]);
  }
  return reward;
}

static inline void skips_sample(skips *s, nas_policy *policy, nas_tape *tape, uint64_t sample) {
  nas_error err;
  memset(s, 0, sizeof *s);
  s->policy = policy;
  s->tape = tape;
  s->stream = nas_stream_open(nas_policy_seed(policy), "sample", &sample, 1);
  check_ok(nas_policy_begin(policy, tape, NAS_POLICY_CURRENT, &err), &err);
  skips_space(s);
}

/* The same answers. */
static inline int skips_same(const skips *a, const skips *b) {
  return a->count == b->count &&
         memcmp(a->answers, b->answers, (size_t)a->count * sizeof *a->answers) == 0;
}

static inline int skips_answers(const nas_decision *d) {
  return d->kind == NAS_DECISION_ANCHOR ? 1 << d->count : d->count;
}

/* The next network of the enumeration, which begins with a zeroed *s; 0 after the last. */
static inline int skips_next(skips *s) {
  int last = s->count - 1;
  if (s->count > 0) {
    while (last >= 0 && s->answers[last] + 1 == skips_answers(&s->decisions[last])) last--;
    if (last < 0) return 0;
    memcpy(s->given, s->answers, (size_t)last * sizeof *s->given);
    s->given[last] = s->answers[last] + 1;
    s->given_count = last + 1;
    s->count = 0;
  }
  skips_space(s);
  return 1;
}

/* A copy whose record has its own lists. */
static inline void skips_copy(skips *to, const skips *from) {
  *to = *from;
  for (int i = 0; i < to->count; i++) {
    if (to->decisions[i].kind != NAS_DECISION_ANCHOR) continue;
    to->decisions[i].candidates = to->candidates[i];
    to->decisions[i].chosen_set = to->chosen[i];
  }
}

#endif
