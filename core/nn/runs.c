#include "runs.h"
#include <string.h>

nas_runs nas_runs_of(const nas_map *const *maps, int count) {
  int padded = 0, bordered = 0, k = 0;
  while (!maps[k]) k++;
  const nas_map *first = maps[k];
  for (; k < count; k++) {
    if (!maps[k]) continue;
    padded |= maps[k]->stride != maps[k]->channels;
    bordered |= maps[k]->pitch != maps[k]->width;
  }
  if (padded) return (nas_runs){first->channels, first->height * first->width, first->width};
  if (bordered) return (nas_runs){first->width * first->channels, first->height, 1};
  return (nas_runs){first->height * first->width * first->channels, 1, 1};
}

nas_runs nas_runs_of_layer(const nas_layer *layer) {
  const nas_map *maps[2 * NAS_INPUTS_MAX + 2];
  int count = 0;
  maps[count++] = layer->output;
  maps[count++] = layer->d_output;
  for (int k = 0; k < layer->input_count; k++) {
    maps[count++] = layer->inputs[k];
    maps[count++] = layer->d_inputs[k];
  }
  return nas_runs_of(maps, count);
}

void nas_run_give(float *d_x, const float *g, int count, int accumulate) {
  if (accumulate)
    for (int i = 0; i < count; i++) d_x[i] += g[i];
  else if (d_x != g)
    memcpy(d_x, g, (size_t)count * sizeof *d_x);
}
