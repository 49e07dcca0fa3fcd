#include <inttypes.h>
#include <math.h>
#include <nas/memory.h>
#include <stdio.h>
#include <string.h>
#include "content.h"

static void add_inputs(const nas_dataset *d, nas_text *text) {
  char line[200];
  int dims[3], rank = nas_dataset_input_shape(d, dims);
  const char *type = nas_dtype_name(nas_tensor_dtype(d->inputs));
  double low = nas_tensor_min(d->inputs), high = nas_tensor_max(d->inputs);
  if (rank == 3)
    snprintf(line, sizeof line, "%" PRId64 " images of %dx%dx%d, %s, %.6g to %.6g",
             nas_dataset_count(d), dims[0], dims[1], dims[2], type, low, high);
  else
    snprintf(line, sizeof line, "%" PRId64 " rows of %d features, %s, %.6g to %.6g",
             nas_dataset_count(d), dims[0], type, low, high);
  nas_text_add(text, line);
  if (nas_tensor_dtype(d->inputs) == NAS_UINT8) nas_text_add(text, " (x / 255 for the network)");
  nas_text_add(text, "\n");
}

static int64_t count_class(const nas_dataset *d, const int32_t *images, int64_t count, int class) {
  int64_t found = 0;
  for (int64_t i = 0; i < count; i++) found += nas_dataset_label(d, images[i]) == class;
  return found;
}

/* Classes count from 1, as people and scripts count. */
static void add_classes(const nas_dataset *d, nas_text *text) {
  char line[120];
  int64_t training, validation;
  const int32_t *trains = nas_dataset_training(d, &training);
  const int32_t *validates = nas_dataset_validation(d, &validation);
  snprintf(line, sizeof line, "%d classes:\n  class  training  validation  name\n", d->classes);
  nas_text_add(text, line);
  for (int c = 0; c < d->classes; c++) {
    snprintf(line, sizeof line, "  %5d  %8" PRId64 "  %10" PRId64 "  ", c + 1,
             count_class(d, trains, training, c), count_class(d, validates, validation, c));
    nas_text_add(text, line);
    nas_text_add(text, d->class_names ? d->class_names[c] : "");
    nas_text_add(text, "\n");
  }
}

static void add_values(const nas_dataset *d, nas_text *text) {
  char line[200];
  int size = nas_dataset_target_size(d);
  int64_t count = nas_dataset_count(d);
  const float *values = nas_tensor_data(d->targets);
  snprintf(line, sizeof line, "%d target value%s:\n", size, size == 1 ? "" : "s");
  nas_text_add(text, line);
  for (int k = 0; k < size; k++) {
    double mean = 0, square = 0, low = (double)values[k], high = low;
    for (int64_t i = 0; i < count; i++) {
      double v = (double)values[i * size + k];
      mean += v / (double)count;
      low = v < low ? v : low;
      high = v > high ? v : high;
    }
    for (int64_t i = 0; i < count; i++) {
      double away = (double)values[i * size + k] - mean;
      square += away * away / (double)count;
    }
    snprintf(line, sizeof line, "  %d: mean %.6g, standard deviation %.6g, %.6g to %.6g\n", k + 1,
             mean, sqrt(square), low, high);
    nas_text_add(text, line);
  }
}

static void add_split(const nas_dataset *d, nas_text *text) {
  char line[160];
  snprintf(line, sizeof line, "%" PRId64 " train, %" PRId64 " validate", d->training,
           d->validation);
  nas_text_add(text, line);
  if (d->listed)
    snprintf(line, sizeof line, ", as listed\n");
  else if (d->validation)
    snprintf(line, sizeof line, ", drawn%s with seed %" PRIu64 "\n",
             d->stratified ? " within each class" : "", d->split_seed);
  else
    snprintf(line, sizeof line, "\n");
  nas_text_add(text, line);
}

static void add_standardization(const nas_dataset *d, nas_text *text) {
  char line[120];
  if (!d->standardized) return;
  nas_text_add(text, "standardised on the training images: mean and standard deviation");
  for (int c = 0; c < d->standardized && c < 8; c++) {
    snprintf(line, sizeof line, "%s %.6g %.6g", c ? "," : "", d->mean[c], d->std[c]);
    nas_text_add(text, line);
  }
  nas_text_add(text, d->standardized > 8 ? ", ...\n" : "\n");
}

void nas_dataset_describe(const nas_dataset *d, nas_text *text) {
  nas_text_add(text, d->name);
  nas_text_add(text, ": ");
  add_inputs(d, text);
  if (d->classes)
    add_classes(d, text);
  else
    add_values(d, text);
  add_split(d, text);
  add_standardization(d, text);
  nas_text_add(text, d->fingerprint);
  nas_text_add(text, "\n");
}
