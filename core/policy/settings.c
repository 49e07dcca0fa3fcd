/* The options of a policy: table, presets, checks. */
#include "policy_state.h"
#include <string.h>

static const nas_option policy_options[] = {
    {"layers", NAS_OPTION_INTEGER, 0, 2, 1, NAS_LAYERS_MAX, NULL, "Layers of the LSTM."},
    {"units", NAS_OPTION_INTEGER, 0, 35, 1, 1024, NULL,
     "Cells of a layer, and length of every embedding."},
    {"init", NAS_OPTION_NUMBER, 0, 0.08, 0, 10, NULL,
     "Parameters begin uniformly distributed in [-init, init)."},
    {"forget_bias", NAS_OPTION_NUMBER, 0, 0, -10, 10, NULL,
     "Constant that is added to the input of the forget gates."},
    {"temperature", NAS_OPTION_NUMBER, 0, 1, 1e-3, 1e3, NULL, "Logits are divided by it."},
    {"tanh_constant", NAS_OPTION_NUMBER, 0, 0, 0, 1e3, NULL,
     "C > 0 bounds the logits: C tanh(logit / temperature); 0 leaves them unbounded."},
    {"rate", NAS_OPTION_NUMBER, 0, 6e-4, 0, 10, NULL, "Step size of Adam."},
    {"beta1", NAS_OPTION_NUMBER, 0, 0.9, 0, 0.9999999, NULL,
     "Decay of Adam's mean of gradients, per step."},
    {"beta2", NAS_OPTION_NUMBER, 0, 0.999, 0, 0.9999999, NULL,
     "Decay of Adam's mean of squared gradients, per step."},
    {"epsilon", NAS_OPTION_NUMBER, 0, 1e-8, 1e-30, 1, NULL,
     "Added to the root of the mean of squared gradients."},
    {"clip_norm", NAS_OPTION_NUMBER, 0, 0, 0, 1e30, NULL,
     "Largest Euclidean norm of the gradient; 0 switches clipping off."},
    {"l2", NAS_OPTION_NUMBER, 0, 0, 0, 1e3, NULL,
     "The objective loses l2 times the sum of the squared parameters."},
    {"value_rate", NAS_OPTION_NUMBER, 0, 6e-4, 0, 10, NULL,
     "Step size of Adam for the weights of the value head."},
};

const nas_option_table nas_policy_option_table = {
    .owner = "policy", .options = policy_options, .count = NAS_POLICY_OPTIONS};

_Static_assert(sizeof policy_options / sizeof policy_options[0] == NAS_POLICY_OPTIONS,
               "NAS_POLICY_OPTIONS is the length of the table");
_Static_assert((int)NAS_POLICY_OPTIONS <= (int)NAS_OPTIONS_MAX, "a table holds that many at most");

void nas_policy_options_to_values(const nas_policy_options *options,
                                  nas_option_value values[NAS_POLICY_OPTIONS]) {
  values[0].integer = options->layers;
  values[1].integer = options->units;
  values[2].number = options->init;
  values[3].number = options->forget_bias;
  values[4].number = options->temperature;
  values[5].number = options->tanh_constant;
  values[6].number = options->rate;
  values[7].number = options->beta1;
  values[8].number = options->beta2;
  values[9].number = options->epsilon;
  values[10].number = options->clip_norm;
  values[11].number = options->l2;
  values[12].number = options->value_rate;
}

void nas_policy_options_from_values(nas_policy_options *options,
                                    const nas_option_value values[NAS_POLICY_OPTIONS]) {
  *options = (nas_policy_options){.layers = values[0].integer,
                                  .units = values[1].integer,
                                  .init = values[2].number,
                                  .forget_bias = values[3].number,
                                  .temperature = values[4].number,
                                  .tanh_constant = values[5].number,
                                  .rate = values[6].number,
                                  .beta1 = values[7].number,
                                  .beta2 = values[8].number,
                                  .epsilon = values[9].number,
                                  .clip_norm = values[10].number,
                                  .l2 = values[11].number,
                                  .value_rate = values[12].number};
}

void nas_policy_options_default(nas_policy_options *options) {
  nas_option_value values[NAS_POLICY_OPTIONS];
  nas_options_default(&nas_policy_option_table, values);
  nas_policy_options_from_values(options, values);
}

const char *const nas_policy_presets[] = {"paper", "small", NULL};

nas_status nas_policy_options_preset(nas_policy_options *options, const char *name,
                                     nas_error *err) {
  nas_policy_options preset;
  nas_policy_options_default(&preset);
  if (strcmp(name, "small") == 0) {
    /* One layer learns faster than two. A wider init lets the first gradients tell decisions apart;
     * the tanh constant then keeps probabilities off 0 and 1, so that ten times the paper's rate
     * does not end the exploration. A shorter beta1, since each step sees one episode. The value
     * head keeps the paper's rate: rewards differ by little, and so should what it learns. Tuned on
     * seeds from 1000, on six kinds of planted rewards (tests/policy/test_preset.c has three); each
     * value lies on a plateau. */
    preset.layers = 1;
    preset.init = 0.4;
    preset.tanh_constant = 2.5;
    preset.rate = 6e-3;
    preset.beta1 = 0.5;
  } else if (strcmp(name, "paper") != 0) {
    return nas_fail(err, NAS_ARGUMENT, "policy: preset is \"%.100s\"; expected paper or small",
                    name);
  }
  *options = preset;
  return NAS_OK;
}

nas_status nas_policy_options_check(const nas_policy_options *options, nas_error *err) {
  const nas_option_table *table = &nas_policy_option_table;
  nas_option_value values[NAS_POLICY_OPTIONS];
  nas_policy_options_to_values(options, values);
  for (int i = 0; i < table->count; i++) {
    int whole = table->options[i].type == NAS_OPTION_INTEGER;
    double value = whole ? values[i].integer : values[i].number;
    nas_status status = nas_options_set_number(table, values, i, value, err);
    if (status) return status;
  }
  return NAS_OK;
}
