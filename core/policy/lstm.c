#include "lstm.h"
#include <string.h>

/* ---- Forward ------------------------------------------------------------------------------ */

static void input_forward(nas_tape *tape, int t) {
  const nas_tape_entry *entry = &tape->entries[t];
  const float *option = nas_rows_at(&entry->option->part[tape->part], entry->option_row);
  const float *name = entry->head->name_vector->part[tape->part].data;
  const float *occurrence = entry->occurrence_vector->part[tape->part].data;
  float *x = nas_rows_at(&tape->input, t);
  for (int c = 0; c < tape->units; c++) x[c] = option[c] + name[c] + occurrence[c];
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

/* From row t of d_hidden (dL/dh) and d_cell (what later steps say of dL/dc) to row t of d_gates
 * (dL/da) and d_cell of the step before. */
static void cell_gradient(nas_tape *tape, const nas_tape_layer *layer, int t) {
  int u = tape->units;
  const float *gates = nas_rows_at(&layer->gates, t);
  const float *cell_before = nas_rows_at(&layer->cell, t);
  const float *squashed = nas_rows_at(&layer->squashed, t);
  const float *d_hidden = nas_rows_at(&tape->d_hidden, t);
  float *d_cell = tape->d_cell.data;
  float *d_gates = nas_rows_at(&tape->d_gates, t);
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

/* Steps from the last to the first, then the blocks with all steps at once, in the order of time.
 * Leaves the gradient of the layer's input in d_hidden. */
static void layer_gradient(const nas_policy *policy, nas_tape *tape, int l,
                           nas_policy_gradient *gradient) {
  const nas_layer *blocks = &policy->layer[l];
  const nas_tape_layer *layer = &tape->layer[l];
  const nas_rows *below = l ? &tape->layer[l - 1].output : &tape->input;
  int steps = tape->length;
  for (int c = 0; c < tape->units; c++) tape->d_cell.data[c] = 0;
  for (int t = steps - 1; t >= 0; t--) {
    /* a(t+1) = ... + h(t) Wh: the chain goes on from what the layer above, or the head, said. */
    if (t + 1 < steps)
      nas_rows_multiply(policy->kernels, &tape->d_gates, t + 1, &blocks->hidden->transposed, NULL,
                        &tape->d_hidden, t, 1, NAS_CONV_ACCUMULATE);
    cell_gradient(tape, layer, t);
  }
  /* a = b + x Wi + h' Wh */
  for (int t = 0; t < steps; t++)
    nas_rows_add(&tape->d_gates, t, nas_gradient_of(gradient, blocks->bias), 0);
  nas_rows_multiply_weights(policy->kernels, below, l ? 1 : 0, &tape->d_gates, 0, steps,
                            nas_gradient_of(gradient, blocks->input));
  nas_rows_multiply_weights(policy->kernels, &layer->output, 0, &tape->d_gates, 0, steps,
                            nas_gradient_of(gradient, blocks->hidden));
  nas_rows_multiply(policy->kernels, &tape->d_gates, 0, &blocks->input->transposed, NULL,
                    &tape->d_hidden, 0, steps, 0);
}

void nas_lstm_gradient(const nas_policy *policy, nas_tape *tape, nas_policy_gradient *gradient) {
  for (int l = tape->layers - 1; l >= 0; l--) layer_gradient(policy, tape, l, gradient);
  /* x = (option + name) + occurrence */
  for (int t = 0; t < tape->length; t++) {
    const nas_tape_entry *entry = &tape->entries[t];
    nas_rows_add(&tape->d_hidden, t, nas_gradient_of(gradient, entry->option), entry->option_row);
    nas_rows_add(&tape->d_hidden, t, nas_gradient_of(gradient, entry->head->name_vector), 0);
    nas_rows_add(&tape->d_hidden, t, nas_gradient_of(gradient, entry->occurrence_vector), 0);
  }
}
