#include "count.h"
#include <nas/augment.h>
#include <math.h>
#include <string.h>

void nas_images_load(const nas_compiled *compiled, const nas_dataset *data, const int32_t *images,
                     int count, const nas_option_value *augment, uint64_t seed, int epoch,
                     nas_arena arena) {
  const nas_map *input = nas_compiled_input(compiled), *target = nas_compiled_target(compiled);
  for (int n = 0; n < count; n++) {
    float *rows = nas_map_data(input, arena) + nas_map_at(input, n, 0, 0);
    ptrdiff_t row_floats = (ptrdiff_t)input->pitch * input->stride;
    nas_view view;
    if (augment)
      view = nas_augment_view(augment, seed, epoch, images[n], input->height, input->width);
    nas_dataset_read_input(data, images[n], augment ? &view : NULL, rows, row_floats);
    if (target)
      nas_dataset_read_target(data, images[n],
                              nas_map_data(target, arena) + nas_map_at(target, n, 0, 0));
  }
}

/* The largest value, the first among equals. One value alone tells two classes apart by its sign.
 */
static int class_of(const float *z, int units) {
  int best = 0;
  if (units == 1) return z[0] > 0;
  for (int k = 1; k < units; k++)
    if (z[k] > z[best]) best = k;
  return best;
}

/* Whether fewer than `most` values are larger than that of the class, or equal before it. */
static int is_among(const float *z, int units, int class, int most) {
  int larger = 0;
  if (units == 1) return 1;
  for (int k = 0; k < units; k++) larger += z[k] > z[class] || (z[k] == z[class] && k < class);
  return larger < most;
}

static void count_class(const float *z, int units, int class, int top_k, nas_count *sum,
                        int32_t *predicted) {
  int guess = class_of(z, units);
  sum->right += guess == class;
  if (top_k) sum->top += is_among(z, units, class, top_k);
  if (predicted) *predicted = guess;
}

static void count_values(const float *z, const float *target, int units, nas_count *sum) {
  for (int k = 0; k < units; k++) sum->absolute += fabs((double)z[k] - (double)target[k]);
}

void nas_images_count(const nas_compiled *compiled, const nas_dataset *data, const int32_t *images,
                      int count, int top_k, nas_arena arena, nas_count *sum, int32_t *predicted) {
  const nas_map *loss = nas_compiled_loss(compiled), *output = nas_compiled_output(compiled);
  const nas_map *target = nas_compiled_target(compiled);
  int units = output->channels;
  for (int n = 0; n < count; n++) {
    const float *z = nas_map_data(output, arena) + nas_map_at(output, n, 0, 0);
    if (loss != output) sum->loss += (double)nas_map_data(loss, arena)[nas_map_at(loss, n, 0, 0)];
    if (nas_dataset_task(data) == NAS_TASK_CLASSES)
      count_class(z, units, nas_dataset_label(data, images[n]), top_k, sum,
                  predicted ? &predicted[n] : NULL);
    else
      count_values(z, nas_map_data(target, arena) + nas_map_at(target, n, 0, 0), units, sum);
  }
}

nas_count nas_count_sum(const nas_count *counts, long groups) {
  nas_count sum = {0};
  for (long g = 0; g < groups; g++) {
    sum.loss += counts[g].loss;
    sum.absolute += counts[g].absolute;
    sum.right += counts[g].right;
    sum.top += counts[g].top;
  }
  return sum;
}

nas_metrics nas_count_metrics(const nas_count *counts, long groups, int64_t images,
                              const nas_dataset *data) {
  nas_count sum = nas_count_sum(counts, groups);
  double count = (double)images;
  return (nas_metrics){.loss = sum.loss / count,
                       .accuracy = (double)sum.right / count,
                       .top_k = (double)sum.top / count,
                       .mean_absolute_error =
                           sum.absolute / count / (double)nas_dataset_target_size(data)};
}

double nas_metrics_primary(const nas_metrics *metrics, const nas_dataset *data) {
  return nas_dataset_task(data) == NAS_TASK_CLASSES ? metrics->accuracy
                                                    : -metrics->mean_absolute_error;
}
