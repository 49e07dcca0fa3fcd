#include "models.h"
#include <math.h>

enum { IMAGES = 37 }; /* three groups */

typedef struct problem {
  subject s;
  nas_model *model;
  nas_tensor *inputs, *targets;
} problem;

static nas_tensor *targets_of(const nas_dataset *data) {
  nas_tensor *targets;
  nas_error err;
  int classes = nas_dataset_classes(data), size = nas_dataset_target_size(data);
  if (classes) {
    check_ok(nas_tensor_create(&targets, NAS_INT32, DIMS(IMAGES), &err), &err);
    for (int i = 0; i < IMAGES; i++)
      ((int32_t *)nas_tensor_data(targets))[i] = nas_dataset_label(data, i);
  } else {
    check_ok(nas_tensor_create(&targets, NAS_FLOAT32, DIMS(IMAGES, size), &err), &err);
    for (int i = 0; i < IMAGES; i++)
      nas_dataset_read_target(data, i, (float *)nas_tensor_data(targets) + i * size);
  }
  return targets;
}

/* The first images of the subject's data as floats, which are standardised again if the model's
 * were: any numbers do. */
static problem problem_of(subject_kind kind, const char *network) {
  problem p = {.s = subject_of(kind, 1)};
  nas_error err;
  int shape[3], rank = nas_dataset_input_shape(p.s.data, shape);
  int64_t dims[4] = {IMAGES, shape[0], shape[1], shape[2]}, row = shape[0];
  if (rank == 3) row *= shape[1] * shape[2];
  nas_trainer_destroy(&p.s.trainer);
  p.s.trainer = trainer_of(stack(NULL, network), p.s.data, &p.s.recipe, 1, p.s.pool);
  epoch_of(p.s.trainer);
  p.model = model_of(p.s.trainer);
  check_ok(nas_tensor_create(&p.inputs, NAS_FLOAT32, rank + 1, dims, &err), &err);
  for (int i = 0; i < IMAGES; i++)
    nas_dataset_read_input(p.s.data, i, NULL, (float *)nas_tensor_data(p.inputs) + i * row,
                           rank == 3 ? shape[1] * shape[2] : row);
  p.targets = targets_of(p.s.data);
  return p;
}

static void free_problem(problem *p) {
  nas_tensor_destroy(&p->inputs);
  nas_tensor_destroy(&p->targets);
  nas_model_destroy(&p->model);
  subject_free(&p->s);
}

static double gradients_of(const problem *p, float *gradient, nas_tensor **d_inputs) {
  double loss;
  nas_error err = {0};
  check_ok(nas_model_gradients(p->model, p->inputs, p->targets, NULL, NULL, gradient, d_inputs,
                               &loss, &err),
           &err);
  return loss;
}

static double loss_of(const problem *p, float *room) {
  nas_tensor *d_inputs;
  double loss = gradients_of(p, room, &d_inputs);
  nas_tensor_destroy(&d_inputs);
  return loss;
}

/* Moves rows of numbers along a direction of +1 and -1, by `step`; or, with d, adds up the slope
 * that the gradient gives along it. */
static double along(float *values, const float *d, size_t rows, size_t width, size_t row,
                    float step) {
  nas_stream dice = nas_stream_open(5, "direction", NULL, 0);
  double slope = 0;
  for (size_t r = 0; r < rows; r++)
    for (size_t i = 0; i < width; i++) {
      float sign = nas_stream_below(&dice, 2) ? 1 : -1;
      if (d)
        slope += (double)(sign * d[r * row + i]);
      else
        values[r * row + i] += sign * step;
    }
  return slope;
}

/* The slope of the loss along a direction, by central differences, is that of the gradient. */
static void check_slope(const problem *p, float *values, const float *d, size_t rows, size_t width,
                        size_t row, float *room) {
  const float step = 1e-3f;
  double expected = along(values, d, rows, width, row, 0);
  float *before = nas_alloc(rows * row, sizeof *before);
  memcpy(before, values, rows * row * sizeof *before);
  along(values, NULL, rows, width, row, step);
  double above = loss_of(p, room);
  memcpy(values, before, rows * row * sizeof *before);
  along(values, NULL, rows, width, row, -step);
  double below = loss_of(p, room);
  memcpy(values, before, rows * row * sizeof *before);
  nas_free(before);
  check_near((above - below) / (2 * (double)step), expected, 1e-3 + 0.01 * fabs(expected));
}

static void agree_with_finite_differences(void **state) {
  (void)state;
  static const struct {
    subject_kind kind;
    const char *network;
  } problems[] = {
      {VALUES, "input size=0,0 channels=5; dense units=17; tanh; dense units=3"},
      {PAIR, "input size=0,0 channels=3; dense units=1"},
      {CLASSES,
       "input size=6,5 channels=2; conv2d kernel=3 filters=5; tanh; avg_pool; dense units=4"},
      {CLASSES, "input size=6,5 channels=2; conv2d kernel=3 filters=5 bias=0; batch_norm; tanh; "
                "dropout rate=0.2; conv2d kernel=2 filters=3; batch_norm; dense units=4"},
      {CLASSES, "input size=6,5 channels=2; batch_norm; tanh; conv2d kernel=3 filters=33; sigmoid; "
                "conv2d kernel=3 filters=33; global_avg_pool; dense units=4"},
      {CLASSES, "input size=6,5 channels=2; dense units=6; tanh; dense units=4"},
  };
  for (size_t i = 0; i < sizeof problems / sizeof problems[0]; i++) {
    problem p = problem_of(problems[i].kind, problems[i].network);
    const nas_compiled *compiled = nas_model_compiled(p.model);
    size_t floats = nas_compiled_param_floats(compiled);
    float *gradient = nas_alloc(floats, sizeof(float)), *room = nas_alloc(floats, sizeof(float));
    float *params = (float *)(uintptr_t)nas_model_params(p.model);
    nas_tensor *d_inputs;
    gradients_of(&p, gradient, &d_inputs);
    for (int s = 0; s < nas_compiled_param_count(compiled); s++) {
      nas_param_place set = nas_compiled_param(compiled, s);
      size_t row = (size_t)(set.width + 15) / 16 * 16;
      if (set.is.use == NAS_PARAM_STATE)
        assert_true(gradient[set.at] == 0);
      else
        check_slope(&p, params + set.at, gradient + set.at, set.rows, (size_t)set.width, row, room);
    }
    const double *mean, *std; /* which the inputs go through first */
    int channels = nas_dataset_standardization(p.s.data, &mean, &std);
    size_t size = (size_t)nas_tensor_size(p.inputs);
    float *d = nas_tensor_data(d_inputs);
    for (size_t k = 0; k < size && channels; k++) d[k] /= (float)std[k % (size_t)channels];
    check_slope(&p, nas_tensor_data(p.inputs), d, 1, size, size, room);
    nas_tensor_destroy(&d_inputs);
    nas_free(gradient);
    nas_free(room);
    free_problem(&p);
  }
}

static void misuse_is_refused_and_memory_may_fail(void **state) {
  (void)state;
  problem p = problem_of(CLASSES, subject_networks[CLASSES]);
  float *gradient = nas_alloc(nas_compiled_param_floats(nas_model_compiled(p.model)), 4);
  nas_tensor *d_inputs, *floats, *wrong = counting(NAS_INT32, DIMS(IMAGES));
  nas_tensor *few = counting(NAS_INT32, DIMS(3));
  double loss;
  check_ok(nas_tensor_convert(&floats, p.targets, NAS_FLOAT32, NULL), NULL);
  check_refused(
      nas_model_gradients(p.model, p.inputs, floats, NULL, NULL, gradient, &d_inputs, &loss, &err),
      NAS_ARGUMENT, d_inputs, "targets are float32 [37]; expected [37] of int32 or uint8");
  check_refused(
      nas_model_gradients(p.model, p.inputs, few, NULL, NULL, gradient, &d_inputs, &loss, &err),
      NAS_ARGUMENT, d_inputs, "targets are int32 [3]; expected [37]");
  check_refused(
      nas_model_gradients(p.model, p.inputs, wrong, NULL, NULL, gradient, &d_inputs, &loss, &err),
      NAS_ARGUMENT, d_inputs, "targets hold classes from 0 to 36; the model has 4");
  check_refused(
      nas_model_gradients(p.model, wrong, p.targets, NULL, NULL, gradient, &d_inputs, &loss, &err),
      NAS_ARGUMENT, d_inputs, "");
  check_starved(nas_model_gradients(p.model, p.inputs, p.targets, NULL, NULL, gradient, &d_inputs,
                                    &loss, NULL),
                d_inputs);
  nas_tensor_destroy(&d_inputs);
  nas_tensor_destroy(&few);
  nas_tensor_destroy(&wrong);
  nas_tensor_destroy(&floats);
  nas_free(gradient);
  free_problem(&p);
}

/* The last layer's activations are the outputs, those of the first one the inputs; a ReLU gives
 * what is positive of the layer before it, although the two run as one. */
static void activations_are_those_of_the_network(void **state) {
  (void)state;
  problem p = problem_of(PAIR, "input size=0,0 channels=3; dense units=9; relu; dense units=1");
  nas_tensor *values[4], *outputs;
  nas_network *network;
  nas_error err = {0};
  check_ok(nas_network_create(&network, nas_model_output(p.model), &err), &err);
  for (int i = 0; i < 4; i++)
    check_ok(nas_model_activations(p.model, nas_network_node(network, i), p.inputs, p.s.pool, NULL,
                                   NULL, &values[i], &err),
             &err);
  check_ok(nas_model_outputs(p.model, p.inputs, p.s.pool, NULL, NULL, &outputs, &err), &err);
  assert_true(nas_tensor_equal(values[0], p.inputs));
  assert_true(nas_tensor_equal(values[3], outputs));
  for (int i = 0; i < IMAGES * 9; i++) {
    double before = element_at(values[1], i);
    assert_true(element_at(values[2], i) == (before < 0 ? 0 : before));
  }
  nas_tensor_destroy(&outputs);
  check_starved(nas_model_activations(p.model, nas_network_node(network, 1), p.inputs, p.s.pool,
                                      NULL, NULL, &outputs, NULL),
                outputs);
  nas_tensor_destroy(&outputs);
  for (int i = 0; i < 4; i++) nas_tensor_destroy(&values[i]);
  nas_network_destroy(&network);
  free_problem(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(agree_with_finite_differences),
      TEST(misuse_is_refused_and_memory_may_fail),
      TEST(activations_are_those_of_the_network),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
