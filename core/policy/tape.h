/* One episode: the decisions, and every intermediate value that back-propagation needs.
 *
 * Arrays over steps have room for `capacity` steps; all distributions lie one after the other in
 * the arrays over outcomes, all candidates of anchors in those over candidates. A step that fails
 * half-way has written beyond `length` only. */
#ifndef NAS_TAPE_H
#define NAS_TAPE_H

#include "policy_state.h"

typedef struct nas_tape_entry {
  const nas_head *head;
  int occurrence;
  int count;         /* options, or candidates */
  int chosen;        /* of a choice */
  nas_block *option; /* the row option_row of it was this step's first input vector; NULL after an
                        anchor, where the mean of what was chosen was */
  int option_row;
  nas_block *occurrence_vector;
  size_t first;           /* of this step's outcomes */
  size_t first_candidate; /* of an anchor's */
  double log_prob;
  double entropy;
} nas_tape_entry;

/* Row t of gates, squashed, d_gates belongs to step t; rows t and t + 1 of output and cell are the
 * state before and after it, row 0 is zero. */
typedef struct nas_tape_layer {
  nas_rows output;   /* [capacity+1][u]  h */
  nas_rows cell;     /* [capacity+1][u]  c */
  nas_rows gates;    /* [capacity][4u]   i, f, g, o */
  nas_rows squashed; /* [capacity][u]    tanh(c) */
} nas_tape_layer;

struct nas_tape {
  int layers, units;
  uint64_t serial;  /* of the policy of this episode; 0: none was begun */
  uint64_t version; /* of the policy when the episode began */
  nas_part part;    /* NAS_PART_VALUE or NAS_PART_INITIAL */

  int length, capacity;
  nas_tape_entry *entries; /* [capacity] */
  nas_rows input;          /* [capacity][u]: what enters the first layer */
  nas_tape_layer layer[NAS_LAYERS_MAX];

  size_t outcomes, outcome_capacity;
  double *logits;            /* [outcome_capacity], after temperature and tanh constant */
  double *log_probabilities; /* [outcome_capacity] */
  double *probabilities;     /* [outcome_capacity] */
  nas_rows logit_row;        /* [1][largest count so far] */

  int anchors; /* on the tape */
  size_t candidate_count, candidate_capacity;
  int *candidates;            /* [candidate_capacity] positions */
  unsigned char *chosen_sets; /* [candidate_capacity] 1: chosen */
  nas_rows joint;             /* [candidate_capacity][u]  e (anchor.h) */
  nas_rows scores;            /* [most candidates of a step so far][1]  z; its gradient */
  nas_rows current;           /* [1][u]  h_i Wc */

  /* Memory of back-propagation; made at its first use. */
  int gradient_capacity;
  nas_rows d_gates[NAS_LAYERS_MAX]; /* [gradient_capacity][4u] */
  nas_rows d_hidden;                /* [gradient_capacity][u]: of a layer's output, then of its
                                       input */
  nas_rows d_cell;                  /* [layers][u] */
  nas_rows d_logits;                /* [1][as logit_row] */
  nas_rows d_joint;                 /* [as scores][u]: of what is inside the tanh */
  nas_rows d_current;               /* [1][u] */
};

void nas_tape_clear(nas_tape *tape);

/* Room for one more step with that many outcomes, and candidates of an anchor. 0, or -1 without
 * memory. */
int nas_tape_reserve(nas_tape *tape, int outcomes, int candidates);

/* Room for the back-propagation of what is on the tape. 0, or -1 without memory. */
int nas_tape_reserve_gradient(nas_tape *tape);

/* NAS_STATE unless the tape holds an episode of the policy as it is. */
nas_status nas_tape_check(const nas_tape *tape, const nas_policy *policy, nas_error *err);

/* KL of two tapes of the same decisions, summed in the order of outcomes (nas_policy_kl). */
double nas_tape_kl(const nas_tape *current, const nas_tape *initial);

/* Of the last layer. */
static inline const nas_rows *nas_tape_top(const nas_tape *tape) {
  return &tape->layer[tape->layers - 1].output;
}

#endif
