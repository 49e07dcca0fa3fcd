/* y = x1 + x2 + ..., from the left */
#include "kinds.h"
#include "runs.h"

static nas_status shape(const nas_option_value *values, const nas_shape *inputs, int count,
                        nas_shape *output, nas_error *err) {
  (void)values;
  for (int k = 1; k < count; k++)
    if (!nas_shape_equal(inputs[k], inputs[0])) {
      char text[2][NAS_SHAPE_TEXT];
      nas_shape_text(inputs[0], text[0]);
      nas_shape_text(inputs[k], text[1]);
      return nas_fail(err, NAS_SHAPE,
                      "add: input 1 has shape %s, but input %d has %s; all must be equal", text[0],
                      k + 1, text[1]);
    }
  *output = inputs[0];
  return NAS_OK;
}

static void forward(const nas_layer *layer, const nas_pass *pass) {
  nas_runs runs = nas_runs_of_layer(layer);
  for (int n = 0; n < pass->images; n++)
    for (int r = 0; r < runs.total; r++) {
      const float *a = nas_run_at(layer->inputs[0], pass->arena, runs, n, r);
      float *y = nas_run_at(layer->output, pass->arena, runs, n, r);
      for (int k = 1; k < layer->input_count; k++, a = y) {
        const float *b = nas_run_at(layer->inputs[k], pass->arena, runs, n, r);
        for (int i = 0; i < runs.count; i++) y[i] = a[i] + b[i];
      }
      for (int i = 0; layer->relu && i < runs.count; i++) y[i] = y[i] < 0.0f ? 0.0f : y[i];
    }
}

/* The gradient of a ReLU, in place. */
static void gate(const nas_layer *layer, const nas_pass *pass, nas_runs runs) {
  for (int n = 0; n < pass->images; n++)
    for (int r = 0; r < runs.total; r++) {
      const float *y = nas_run_at(layer->output, pass->arena, runs, n, r);
      float *d_y = nas_run_at(layer->d_output, pass->arena, runs, n, r);
      for (int i = 0; i < runs.count; i++) d_y[i] = y[i] > 0.0f ? d_y[i] : 0.0f;
    }
}

static void backward(const nas_layer *layer, const nas_pass *pass) {
  nas_runs runs = nas_runs_of_layer(layer);
  if (layer->relu) gate(layer, pass, runs);
  for (int k = 0; k < layer->input_count; k++)
    for (int n = 0; layer->d_inputs[k] && n < pass->images; n++)
      for (int r = 0; r < runs.total; r++)
        nas_run_give(nas_run_at(layer->d_inputs[k], pass->arena, runs, n, r),
                     nas_run_at(layer->d_output, pass->arena, runs, n, r), runs.count,
                     layer->accumulate[k]);
}

const nas_layer_kind nas_kind_add = {
    .name = "add",
    .options = {"add", NULL, 0},
    .min_inputs = 2,
    .max_inputs = NAS_INPUTS_MAX,
    .shape = shape,
    .fuses_relu = 1,
    .passes = 1,
    .forward = forward,
    .backward = backward,
};
