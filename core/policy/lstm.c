#include "lstm.h"
#include <string.h>
#include "anchor.h"

/* ---- Forward ------------------------------------------------------------------------------ */

static void input_forward(nas_tape *tape, int t) {
  const nas_tape_entry *entry = &tape->entries[t];
  const float *name = entry->head->name_vector->part[tape->part].data;
  const float *occurrence = entry->occurrence_vector->part[tape->part].data;
  float *x = nas_rows_at(&tape->input, t);
  const float *before = x; /* what the step before chose */
  if (entry->option)
    before = nas_rows_at(&entry->option->part[tape->part], entry->option_row);
  else
    nas_anchor_mean(tape, t - 1, x);
  for (int c = 0; c < tape->units; c++) x[c] = before[c] + name[c] + occurrence[c];
}

/* Replaces the sums a by the gates, then makes cell and output. */
static void cell_forward(const nas_policy *policy, nas_tape_layer *layer, int units, int t) {
  float forget_bias = (float)policy->options.forget_bias;
  float *a = nas_rows_at(&layer->gates, t); /* of i, f, g, o */
  const float *cell_before = nas_rows_at(&layer->cell, t);
  float *cell = nas_rows_at(&layer->cell, t + 1);
  float *squashed = nas_rows_at(&layer->squashed, t);
  float *output = nas_rows_at(&layer->output, t + 1);
  for (int c = 0; c < units; c++) a[units + c] += forget_bias;
  policy->kernels->sigmoid(a, 2 * units);
  policy->kernels->tanh(a + 2 * units, units);
  policy->kernels->sigmoid(a + 3 * units, units);
  for (int c = 0; c < units; c++) cell[c] = a[units + c] * cell_before[c] + a[c] * a[2 * units + c];
  memcpy(squashed, cell, (size_t)units * sizeof *cell);
  policy->kernels->tanh(squashed, units);
  for (int c = 0; c < units; c++) output[c] = a[3 * units + c] * squashed[c];
}

void nas_lstm_forward(const nas_policy *policy, nas_tape *tape, int t) {
  input_forward(tape, t);
  for (int l = 0; l < tape->layers; l++) {
    const nas_layer *blocks = &policy->layer[l];
    nas_tape_layer *layer = &tape->layer[l];
    const nas_rows *below = l ? &tape->layer[l - 1].output : &tape->input;
    nas_rows_multiply(policy->kernels, below, l ? t + 1 : t, &blocks->input->part[tape->part],
                      blocks->bias->part[tape->part].data, &layer->gates, t, 1, 0);
    nas_rows_multiply(policy->kernels, &layer->output, t, &blocks->hidden->part[tape->part], NULL,
                      &layer->gates, t, 1, NAS_CONV_ACCUMULATE);
    cell_forward(policy, layer, tape->units, t);
  }
}

/* ---- Gradient ----------------------------------------------------------------------------- */

/* From row t of d_hidden (dL/dh) and the layer's row of d_cell (what later steps say of dL/dc) to
 * row t of its d_gates (dL/da) and d_cell of the step before. */
static void cell_gradient(nas_tape *tape, int l, int t) {
  int u = tape->units;
  const nas_tape_layer *layer = &tape->layer[l];
  const float *gates = nas_rows_at(&layer->gates, t);
  const float *cell_before = nas_rows_at(&layer->cell, t);
  const float *squashed = nas_rows_at(&layer->squashed, t);
  const float *d_hidden = nas_rows_at(&tape->d_hidden, t);
  float *d_cell = nas_rows_at(&tape->d_cell, l);
  float *d_gates = nas_rows_at(&tape->d_gates[l], t);
  for (int c = 0; c < u; c++) {
    float i = gates[c], f = gates[u + c], g = gates[2 * u + c], o = gates[3 * u + c];
    /* h = o tanh(c) */
    float d_o = d_hidden[c] * squashed[c];
    float d_c = d_cell[c] + d_hidden[c] * o * (1 - squashed[c] * squashed[c]);
    /* c = f c' + i g */
    float d_i = d_c * g;
    float d_f = d_c * cell_before[c];
    float d_g = d_c * i;
    d_cell[c] = d_c * f;
    /* i = sigmoid(a_i)   f = sigmoid(a_f + forget_bias)   g = tanh(a_g)   o = sigmoid(a_o) */
    d_gates[c] = d_i * i * (1 - i);
    d_gates[u + c] = d_f * f * (1 - f);
    d_gates[2 * u + c] = d_g * (1 - g * g);
    d_gates[3 * u + c] = d_o * o * (1 - o);
  }
}

/* One step of one layer: row t of d_hidden is what the layer above, or the head, said. */
static void step_gradient(const nas_policy *policy, nas_tape *tape, int l, int t) {
  /* a(t+1) = ... + h(t) Wh: the chain goes on. */
  if (t + 1 < tape->length)
    nas_rows_multiply(policy->kernels, &tape->d_gates[l], t + 1,
                      &policy->layer[l].hidden->transposed, NULL, &tape->d_hidden, t, 1,
                      NAS_CONV_ACCUMULATE);
  cell_gradient(tape, l, t);
}

/* From rows of d_gates to rows of d_hidden, which become the gradient of the layer's input. */
static void input_gradient(const nas_policy *policy, nas_tape *tape, int l, int t, int count) {
  nas_rows_multiply(policy->kernels, &tape->d_gates[l], t, &policy->layer[l].input->transposed,
                    NULL, &tape->d_hidden, t, count, 0);
}

/* What all steps say of a layer's blocks, in the order of time. */
static void blocks_gradient(const nas_policy *policy, const nas_tape *tape, int l,
                            nas_policy_gradient *gradient) {
  const nas_layer *blocks = &policy->layer[l];
  const nas_rows *below = l ? &tape->layer[l - 1].output : &tape->input;
  const nas_rows *d_gates = &tape->d_gates[l];
  int steps = tape->length;
  /* a = b + x Wi + h' Wh */
  for (int t = 0; t < steps; t++)
    nas_rows_add(d_gates, t, nas_gradient_of(gradient, blocks->bias), 0);
  nas_rows_multiply_weights(policy->kernels, below, l ? 1 : 0, d_gates, 0, steps,
                            nas_gradient_of(gradient, blocks->input));
  nas_rows_multiply_weights(policy->kernels, &tape->layer[l].output, 0, d_gates, 0, steps,
                            nas_gradient_of(gradient, blocks->hidden));
}

/* Layer after layer, all steps of it at once. */
static void layers_gradient(const nas_policy *policy, nas_tape *tape) {
  for (int l = tape->layers - 1; l >= 0; l--) {
    for (int t = tape->length - 1; t >= 0; t--) step_gradient(policy, tape, l, t);
    input_gradient(policy, tape, l, 0, tape->length);
  }
}

/* Step after step, all layers of it, since what enters the step after an anchor comes from outputs
 * of earlier ones. Without such a step, the same bits as layer after layer, which is faster. */
static void steps_gradient(const nas_policy *policy, nas_tape *tape) {
  for (int t = tape->length - 1; t >= 0; t--) {
    for (int l = tape->layers - 1; l >= 0; l--) {
      step_gradient(policy, tape, l, t);
      input_gradient(policy, tape, l, t, 1);
    }
    if (!tape->entries[t].option)
      nas_anchor_mean_gradient(tape, t - 1, nas_rows_at(&tape->d_hidden, t));
  }
}

void nas_lstm_gradient(const nas_policy *policy, nas_tape *tape, nas_policy_gradient *gradient) {
  memset(tape->d_cell.data, 0,
         (size_t)tape->layers * (size_t)tape->d_cell.stride * sizeof *tape->d_cell.data);
  if (tape->anchors > 0)
    steps_gradient(policy, tape);
  else
    layers_gradient(policy, tape);
  for (int l = tape->layers - 1; l >= 0; l--) blocks_gradient(policy, tape, l, gradient);
  /* x = (option + name) + occurrence */
  for (int t = 0; t < tape->length; t++) {
    const nas_tape_entry *entry = &tape->entries[t];
    if (entry->option)
      nas_rows_add(&tape->d_hidden, t, nas_gradient_of(gradient, entry->option), entry->option_row);
    nas_rows_add(&tape->d_hidden, t, nas_gradient_of(gradient, entry->head->name_vector), 0);
    nas_rows_add(&tape->d_hidden, t, nas_gradient_of(gradient, entry->occurrence_vector), 0);
  }
}
