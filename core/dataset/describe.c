/* A page about a data set, for people. */
#include <nas/dataset.h>
#include "content.h"
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define SHOWN 100 /* classes, values or channels that are listed */
#define LABEL 14  /* columns of a label */
#define WIDTH 12  /* columns of a number */

/* ---- Columns ---- */

static void add_spaces(nas_text *text, int count) {
  for (; count > 0; count--) nas_text_add(text, " ");
}

/* Characters, not bytes, of UTF-8. */
static int length_of(const char *piece) {
  int length = 0;
  for (; *piece; piece++) length += (*piece & 0xC0) != 0x80;
  return length;
}

static void add_left(nas_text *text, const char *piece, int width) {
  nas_text_add(text, piece);
  add_spaces(text, width - length_of(piece));
}

static void add_right(nas_text *text, const char *piece, int width) {
  add_spaces(text, width - length_of(piece));
  nas_text_add(text, piece);
}

/* Four significant digits; of what is near the ends of the range, as it is. */
static double shortened(double value) {
  double size = fabs(value), unit = 1;
  if (!(size > 1e-300) || size > 1e300) return value;
  while (size * unit < 1000) unit *= 10;
  while (size * unit >= 10000) unit /= 10;
  return copysign(floor(size * unit + 0.5) / unit, value);
}

static void add_number(nas_text *text, double value) {
  value = shortened(value);
  if (fabs(value) < (double)FLT_MIN || fabs(value) > (double)FLT_MAX)
    nas_text_add_double(text, value);
  else
    nas_text_add_float(text, (float)value);
}

static void add_number_right(nas_text *text, double value) {
  nas_text number = {0};
  add_number(&number, value);
  if (number.failed)
    text->failed = 1;
  else
    add_right(text, number.data, WIDTH);
  nas_text_clear(&number);
}

static void add_count_right(nas_text *text, int64_t count) {
  char digits[24];
  snprintf(digits, sizeof digits, "%" PRId64, count);
  add_right(text, digits, WIDTH);
}

static void add_more(nas_text *text, int count, const char *what) {
  if (count <= SHOWN) return;
  add_spaces(text, LABEL);
  nas_text_add(text, "and ");
  nas_text_add_integer(text, count - SHOWN);
  nas_text_add(text, " more ");
  nas_text_add(text, what);
  nas_text_add(text, "\n");
}

/* ---- Lines ---- */

static void add_inputs(const nas_dataset *dataset, nas_text *text) {
  const nas_tensor *inputs = dataset->content->inputs;
  int dims[3], rank = nas_dataset_input_shape(dataset, dims);
  char line[120];
  nas_text_add_integer(text, nas_dataset_count(dataset));
  if (rank == 3)
    snprintf(line, sizeof line, " images of %dx%dx%d", dims[0], dims[1], dims[2]);
  else
    snprintf(line, sizeof line, " rows of %d features", dims[0]);
  nas_text_add(text, line);
  nas_text_add(text, nas_tensor_dtype(inputs) == NAS_UINT8 ? ", bytes from " : ", floats from ");
  add_number(text, nas_tensor_total(inputs, NAS_REDUCE_MIN));
  nas_text_add(text, " to ");
  add_number(text, nas_tensor_total(inputs, NAS_REDUCE_MAX));
}

static void add_task(const nas_dataset *dataset, nas_text *text) {
  int classes = nas_dataset_classes(dataset), size = nas_dataset_target_size(dataset);
  nas_text_add_integer(text, classes ? classes : size);
  nas_text_add(text, classes ? " classes" : size == 1 ? " value" : " values");
}

static void add_split(const nas_dataset *dataset, nas_text *text) {
  const nas_drawn *drawn = &dataset->drawn;
  char line[160];
  int64_t training, validation;
  nas_dataset_training(dataset, &training);
  nas_dataset_validation(dataset, &validation);
  snprintf(line, sizeof line, "%" PRId64 " train, %" PRId64 " validate, %" PRId64 " are left out; ",
           training, validation, nas_dataset_count(dataset) - training - validation);
  nas_text_add(text, line);
  snprintf(line, sizeof line, "drawn by seed %" PRIu64 "%s", drawn->seed,
           drawn->stratified ? ", stratified" : "");
  nas_text_add(text, !validation ? "not split" : drawn->listed ? "given as lists" : line);
}

static void add_standardization(const nas_dataset *dataset, nas_text *text) {
  const double *mean, *std;
  int dims[3], count = nas_dataset_standardization(dataset, &mean, &std);
  int images = nas_dataset_input_shape(dataset, dims) == 3;
  if (!count) {
    nas_text_add(text, "no");
    return;
  }
  nas_text_add(text, images ? "each channel" : "each feature");
  for (int c = 0; c < count && count <= 4; c++) {
    nas_text_add(text, c ? "; mean " : ": mean ");
    add_number(text, mean[c]);
    nas_text_add(text, ", std ");
    add_number(text, std[c]);
  }
}

static void add_line(const nas_dataset *dataset, const char *label,
                     void (*add)(const nas_dataset *, nas_text *), nas_text *text) {
  add_left(text, label, LABEL);
  add(dataset, text);
  nas_text_add(text, "\n");
}

static void add_name(const nas_dataset *dataset, nas_text *text) {
  nas_text_add(text, nas_dataset_name(dataset));
}

static void add_fingerprint(const nas_dataset *dataset, nas_text *text) {
  nas_text_add(text, nas_dataset_fingerprint(dataset));
}

/* ---- Targets ---- */

/* A class's name, or its number from 1 where it has none. */
static const char *shown_name(const nas_dataset *dataset, int c, char number[16]) {
  const char *name = nas_dataset_class_name(dataset, c);
  if (name) return name;
  snprintf(number, 16, "%d", c + 1);
  return number;
}

static void count_labels(const nas_dataset *dataset, const int32_t *list, int64_t size,
                         int64_t counts[SHOWN]) {
  for (int64_t i = 0; i < size; i++) {
    int32_t label = nas_dataset_label(dataset, list[i]);
    if (label < SHOWN) counts[label]++;
  }
}

static void add_classes(const nas_dataset *dataset, nas_text *text) {
  int64_t training[SHOWN] = {0}, validation[SHOWN] = {0}, count;
  int classes = nas_dataset_classes(dataset), width = LABEL;
  char number[16];
  const int32_t *list = nas_dataset_training(dataset, &count);
  count_labels(dataset, list, count, training);
  list = nas_dataset_validation(dataset, &count);
  count_labels(dataset, list, count, validation);
  for (int c = 0; c < classes && c < SHOWN; c++) {
    int length = length_of(shown_name(dataset, c, number));
    if (length > width) width = length;
  }
  add_left(text, "class", width);
  add_right(text, "training", WIDTH);
  add_right(text, "validation", WIDTH);
  nas_text_add(text, "\n");
  for (int c = 0; c < classes && c < SHOWN; c++) {
    add_left(text, shown_name(dataset, c, number), width);
    add_count_right(text, training[c]);
    add_count_right(text, validation[c]);
    nas_text_add(text, "\n");
  }
  add_more(text, classes, "classes");
}

/* Mean, standard deviation, smallest and largest of value k over the images that train. */
static void find_moments(const nas_dataset *dataset, int k, double moments[4]) {
  int64_t count, size = nas_dataset_target_size(dataset);
  const int32_t *training = nas_dataset_training(dataset, &count);
  const float *values = nas_tensor_data(dataset->content->targets);
  double sum = 0, squares = 0, low = HUGE_VAL, high = -HUGE_VAL;
  for (int64_t i = 0; i < count; i++) {
    double value = (double)values[training[i] * size + k];
    sum += value;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  for (int64_t i = 0; i < count; i++) {
    double distance = (double)values[training[i] * size + k] - sum / (double)count;
    squares += distance * distance;
  }
  moments[0] = sum / (double)count;
  moments[1] = sqrt(squares / (double)count);
  moments[2] = low;
  moments[3] = high;
}

static void add_values(const nas_dataset *dataset, nas_text *text) {
  static const char *const titles[] = {"mean", "std", "min", "max"};
  int size = nas_dataset_target_size(dataset);
  char number[16];
  add_left(text, "value", LABEL);
  for (int m = 0; m < 4; m++) add_right(text, titles[m], WIDTH);
  nas_text_add(text, "  (training)\n");
  for (int k = 0; k < size && k < SHOWN; k++) {
    double moments[4];
    find_moments(dataset, k, moments);
    snprintf(number, sizeof number, "%d", k + 1);
    add_left(text, number, LABEL);
    for (int m = 0; m < 4; m++) add_number_right(text, moments[m]);
    nas_text_add(text, "\n");
  }
  add_more(text, size, "values");
}

void nas_dataset_describe(const nas_dataset *dataset, nas_text *text) {
  add_line(dataset, "name", add_name, text);
  add_line(dataset, "inputs", add_inputs, text);
  add_line(dataset, "targets", add_task, text);
  add_line(dataset, "split", add_split, text);
  add_line(dataset, "standardized", add_standardization, text);
  add_line(dataset, "fingerprint", add_fingerprint, text);
  nas_text_add(text, "\n");
  if (nas_dataset_task(dataset) == NAS_TASK_CLASSES)
    add_classes(dataset, text);
  else
    add_values(dataset, text);
}
