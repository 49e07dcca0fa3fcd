/* Back-propagation once more: in float, element by element in the order that lstm.h, anchor.h and
 * the heads state, from what the forward pass left on the tape. Bit for bit the engine's. */
#ifndef TESTS_BACKWARD_H
#define TESTS_BACKWARD_H

#include "check.h"
#include <math.h>
#include <nas/elementary.h>
#include "kind.h"

enum { BACKWARD_STEPS = 20, BACKWARD_UNITS = 40, BACKWARD_LAYERS = 3, BACKWARD_BLOCKS = 80 };

typedef struct backward {
  const nas_policy *policy;
  const nas_tape *tape;
  const nas_coefficients *given;
  nas_rows sums[BACKWARD_BLOCKS]; /* by block number */
  float d_hidden[BACKWARD_STEPS][BACKWARD_UNITS];
  float d_gates[BACKWARD_LAYERS][BACKWARD_STEPS][4 * BACKWARD_UNITS];
  float d_cell[BACKWARD_LAYERS][BACKWARD_UNITS];
} backward;

static inline const float *backward_value(const nas_block *block, int row) {
  return nas_rows_at(&block->part[NAS_PART_VALUE], row);
}

static inline float *backward_sum(backward *b, const nas_block *block, int row) {
  return nas_rows_at(&b->sums[block->number], row);
}

/* sum[c][k] = fma(x[c], d[k], sum[c][k]) */
static inline void backward_outer(backward *b, const nas_block *block, const float *x,
                                  const float *d) {
  const nas_rows *value = &block->part[NAS_PART_VALUE];
  for (int c = 0; c < value->rows; c++)
    for (int k = 0; k < value->width; k++) {
      float *sum = &backward_sum(b, block, c)[k];
      *sum = nas_fmaf(x[c], d[k], *sum);
    }
}

/* to[c] goes on with d[0..width) of the block's row c. */
static inline void backward_through(const nas_block *block, const float *d, float *to) {
  const nas_rows *value = &block->part[NAS_PART_VALUE];
  for (int c = 0; c < value->rows; c++)
    for (int k = 0; k < value->width; k++)
      to[c] = nas_fmaf(d[k], backward_value(block, c)[k], to[c]);
}

static inline void backward_add(backward *b, const nas_block *block, int row, const float *d) {
  for (int k = 0; k < block->part[NAS_PART_VALUE].width; k++)
    backward_sum(b, block, row)[k] = backward_sum(b, block, row)[k] + d[k];
}

/* d s / d z, without tanh constant. */
static inline double backward_slope(const backward *b) {
  return 1 / b->policy->options.temperature;
}

static inline void backward_choice(backward *b, int t, double a, double e, const float *h) {
  const nas_tape_entry *entry = &b->tape->entries[t];
  const double *p = b->tape->probabilities + entry->first;
  const double *log_p = b->tape->log_probabilities + entry->first;
  const double *c = b->given->option_log_probs ? b->given->option_log_probs[t] : NULL;
  double all = 0;
  float d[16];
  for (int k = 0; c && k < entry->count; k++) all = all + c[k];
  for (int k = 0; k < entry->count; k++) {
    double d_s = a * ((k == entry->chosen) - p[k]) - e * (p[k] * (log_p[k] + entry->entropy));
    if (c) d_s = d_s + (c[k] - p[k] * all);
    d[k] = (float)(d_s * backward_slope(b));
  }
  backward_add(b, entry->head->bias, 0, d);
  backward_outer(b, entry->head->weight, h, d);
  backward_through(entry->head->weight, d, b->d_hidden[t]);
}

static inline void backward_anchor(backward *b, int t, double a, double e, const float *h) {
  const nas_tape *tape = b->tape;
  const nas_tape_entry *entry = &tape->entries[t];
  const nas_head *head = entry->head;
  const double *c = b->given->option_log_probs ? b->given->option_log_probs[t] : NULL;
  float sum[BACKWARD_UNITS] = {0};
  for (int j = 0; j < entry->count; j++) {
    size_t at = entry->first + 2 * (size_t)j, candidate = entry->first_candidate + (size_t)j;
    double q = tape->probabilities[at], p = tape->probabilities[at + 1], s = tape->logits[at + 1];
    double d_s = a * (tape->chosen_sets[candidate] - p) - e * (s * p * q);
    const float *joint = nas_rows_at(&tape->joint, (int)candidate);
    int from = tape->candidates[candidate];
    float d_joint[BACKWARD_UNITS];
    if (c) d_s = d_s + (c[2 * j + 1] - p * (c[2 * j] + c[2 * j + 1]));
    if (b->given->skip_weight > 0) {
      double logit = nas_log(b->given->skip_prior) - nas_log(1 - b->given->skip_prior);
      d_s = d_s - b->given->skip_weight * (p * q * (s - logit));
    }
    float d_z = (float)(d_s * backward_slope(b));
    backward_outer(b, head->vector, joint, &d_z);
    for (int k = 0; k < tape->units; k++) {
      d_joint[k] = d_z * backward_value(head->vector, k)[0] * (1 - joint[k] * joint[k]);
      sum[k] = sum[k] + d_joint[k];
    }
    backward_outer(b, head->previous, nas_rows_at(nas_tape_top(tape), from + 1), d_joint);
    backward_through(head->previous, d_joint, b->d_hidden[from]);
  }
  if (entry->count == 0) return;
  backward_outer(b, head->current, h, sum);
  backward_through(head->current, sum, b->d_hidden[t]);
}

static inline void backward_cell(backward *b, int l, int t) {
  const nas_tape_layer *layer = &b->tape->layer[l];
  const float *gates = nas_rows_at(&layer->gates, t), *before = nas_rows_at(&layer->cell, t);
  const float *squashed = nas_rows_at(&layer->squashed, t);
  int u = b->tape->units;
  for (int c = 0; c < u; c++) {
    float i = gates[c], f = gates[u + c], g = gates[2 * u + c], o = gates[3 * u + c];
    float d_h = b->d_hidden[t][c];
    float d_c = b->d_cell[l][c] + d_h * o * (1 - squashed[c] * squashed[c]);
    b->d_gates[l][t][c] = d_c * g * i * (1 - i);
    b->d_gates[l][t][u + c] = d_c * before[c] * f * (1 - f);
    b->d_gates[l][t][2 * u + c] = d_c * i * (1 - g * g);
    b->d_gates[l][t][3 * u + c] = d_h * squashed[c] * o * (1 - o);
    b->d_cell[l][c] = d_c * f;
  }
}

static inline void backward_mean(backward *b, int t) {
  const nas_tape_entry *entry = &b->tape->entries[t];
  const unsigned char *chosen = b->tape->chosen_sets + entry->first_candidate;
  int count = 0;
  for (int j = 0; j < entry->count; j++) count += chosen[j];
  for (int j = 0; j < entry->count; j++) {
    if (!chosen[j]) continue;
    float *d = b->d_hidden[b->tape->candidates[entry->first_candidate + (size_t)j]];
    for (int c = 0; c < b->tape->units; c++) d[c] = d[c] + b->d_hidden[t + 1][c] / (float)count;
  }
}

static inline void backward_step(backward *b, int t) {
  const nas_tape *tape = b->tape;
  for (int l = tape->layers - 1; l >= 0; l--) {
    if (t + 1 < tape->length)
      backward_through(b->policy->layer[l].hidden, b->d_gates[l][t + 1], b->d_hidden[t]);
    backward_cell(b, l, t);
    memset(b->d_hidden[t], 0, sizeof b->d_hidden[t]);
    backward_through(b->policy->layer[l].input, b->d_gates[l][t], b->d_hidden[t]);
  }
  if (t > 0 && tape->entries[t - 1].head->kind == &nas_kind_anchor) backward_mean(b, t - 1);
}

/* Fills the sums, which nas_policy_gradient_get is compared with; the caller frees them. */
static inline void backward_run(backward *b) {
  const nas_tape *tape = b->tape;
  const nas_blocks *blocks = &b->policy->blocks;
  assert_true(tape->length <= BACKWARD_STEPS && tape->units <= BACKWARD_UNITS);
  assert_true(tape->layers <= BACKWARD_LAYERS && blocks->count <= BACKWARD_BLOCKS);
  for (int i = 0; i < blocks->count; i++) {
    const nas_rows *value = &blocks->sorted[i]->part[NAS_PART_VALUE];
    assert_int_equal(
        nas_rows_create(&b->sums[blocks->sorted[i]->number], value->rows, value->width), 0);
  }
  for (int t = 0; t < tape->length; t++) {
    const float *h = nas_rows_at(nas_tape_top(tape), t + 1);
    const nas_coefficients *g = b->given;
    double a = g->log_probs ? g->log_prob + g->log_probs[t] : g->log_prob;
    double e = g->entropies ? g->entropy + g->entropies[t] : g->entropy;
    if (tape->entries[t].head->kind == &nas_kind_anchor)
      backward_anchor(b, t, a, e, h);
    else
      backward_choice(b, t, a, e, h);
    if (g->values) {
      const nas_block *weight = nas_blocks_find(blocks, "value/weight");
      float d_v = (float)g->values[t];
      backward_add(b, nas_blocks_find(blocks, "value/bias"), 0, &d_v);
      backward_outer(b, weight, h, &d_v);
      backward_through(weight, &d_v, b->d_hidden[t]);
    }
  }
  for (int t = tape->length - 1; t >= 0; t--) backward_step(b, t);
  for (int t = 0; t < tape->length; t++) {
    const nas_tape_entry *entry = &tape->entries[t];
    for (int l = 0; l < tape->layers; l++) {
      const nas_layer *layer = &b->policy->layer[l];
      const float *x =
          l ? nas_rows_at(&tape->layer[l - 1].output, t + 1) : nas_rows_at(&tape->input, t);
      backward_add(b, layer->bias, 0, b->d_gates[l][t]);
      backward_outer(b, layer->input, x, b->d_gates[l][t]);
      backward_outer(b, layer->hidden, nas_rows_at(&tape->layer[l].output, t), b->d_gates[l][t]);
    }
    if (entry->option) backward_add(b, entry->option, entry->option_row, b->d_hidden[t]);
    backward_add(b, entry->head->name_vector, 0, b->d_hidden[t]);
    backward_add(b, entry->occurrence_vector, 0, b->d_hidden[t]);
  }
}

#endif
