#include "elementwise.h"
#include <string.h>
#include "runs.h"

nas_status nas_elementwise_shape(const nas_option_value *values, const nas_shape *inputs, int count,
                                 nas_shape *output, nas_error *err) {
  (void)values, (void)count, (void)err;
  *output = inputs[0];
  return NAS_OK;
}

void nas_elementwise_forward(const nas_layer *layer, const nas_pass *pass, nas_apply_fn *apply) {
  nas_runs runs = nas_runs_of_layer(layer);
  for (int n = 0; n < pass->images; n++)
    for (int r = 0; r < runs.total; r++)
      apply(layer->options, nas_run_at(layer->inputs[0], pass->arena, runs, n, r),
            nas_run_at(layer->output, pass->arena, runs, n, r), runs.count);
}

void nas_squash_forward(const nas_layer *layer, const nas_pass *pass, nas_squash_fn *squash) {
  nas_runs runs = nas_runs_of_layer(layer);
  for (int n = 0; n < pass->images; n++)
    for (int r = 0; r < runs.total; r++) {
      float *y = nas_run_at(layer->output, pass->arena, runs, n, r);
      memcpy(y, nas_run_at(layer->inputs[0], pass->arena, runs, n, r),
             (size_t)runs.count * sizeof *y);
      squash(y, runs.count);
    }
}

/* The gradient of the output serves as scratch. */
void nas_elementwise_backward(const nas_layer *layer, const nas_pass *pass, nas_slope_fn *slope) {
  if (!layer->d_inputs[0]) return;
  nas_runs runs = nas_runs_of_layer(layer);
  for (int n = 0; n < pass->images; n++)
    for (int r = 0; r < runs.total; r++) {
      float *d_y = nas_run_at(layer->d_output, pass->arena, runs, n, r);
      slope(layer->options, nas_run_at(layer->inputs[0], pass->arena, runs, n, r),
            nas_run_at(layer->output, pass->arena, runs, n, r), d_y, runs.count);
      nas_run_give(nas_run_at(layer->d_inputs[0], pass->arena, runs, n, r), d_y, runs.count,
                   layer->accumulate[0]);
    }
}
