#include <nas/schedule.h>
#include <math.h>
#include <nas/elementary.h>
#include <string.h>

#define EPOCHS_MAX 1000000

#define WARMUP_OPTION                                                                              \
  {                                                                                                \
    "warmup", NAS_OPTION_NUMBER, 0, 0, 0, EPOCHS_MAX, NULL,                                        \
        "Epochs in which the rate rises in equal steps to its whole size."                         \
  }

/* -- constant --------------------------------------------------------------------------------- */

enum { CONSTANT_WARMUP, CONSTANT_OPTIONS };

static const nas_option constant_options[CONSTANT_OPTIONS] = {
    [CONSTANT_WARMUP] = WARMUP_OPTION,
};

static double constant_factor(const nas_option_value *options, double epochs) {
  (void)options;
  (void)epochs;
  return 1;
}

/* -- step ------------------------------------------------------------------------------------- */

enum { STEP_EVERY, STEP_FACTOR, STEP_WARMUP, STEP_OPTIONS };

static const nas_option step_options[STEP_OPTIONS] = {
    [STEP_EVERY] = {"every", NAS_OPTION_INTEGER, 1, 1, 1, EPOCHS_MAX, NULL,
                    "Epochs from one drop of the rate to the next."},
    [STEP_FACTOR] = {"factor", NAS_OPTION_NUMBER, 0, 0.1, 1e-6, 1, NULL,
                     "What the rate is multiplied by at each drop."},
    [STEP_WARMUP] = WARMUP_OPTION,
};

/* factor^floor(epochs / every) */
static double step_factor(const nas_option_value *options, double epochs) {
  double drops = floor(epochs / options[STEP_EVERY].integer);
  return nas_pow(options[STEP_FACTOR].number, drops);
}

/* -- exponential ------------------------------------------------------------------------------ */

enum { EXPONENTIAL_DECAY, EXPONENTIAL_WARMUP, EXPONENTIAL_OPTIONS };

static const nas_option exponential_options[EXPONENTIAL_OPTIONS] = {
    [EXPONENTIAL_DECAY] = {"decay", NAS_OPTION_NUMBER, 1, 1, 1e-6, 1, NULL,
                           "What the rate is multiplied by in an epoch, little by little."},
    [EXPONENTIAL_WARMUP] = WARMUP_OPTION,
};

/* decay^epochs */
static double exponential_factor(const nas_option_value *options, double epochs) {
  return nas_pow(options[EXPONENTIAL_DECAY].number, epochs);
}

/* -- cosine (Loshchilov & Hutter 2017, without restarts) -------------------------------------- */

enum { COSINE_EPOCHS, COSINE_FLOOR, COSINE_WARMUP, COSINE_OPTIONS };

static const nas_option cosine_options[COSINE_OPTIONS] = {
    [COSINE_EPOCHS] = {"epochs", NAS_OPTION_INTEGER, 1, 1, 1, EPOCHS_MAX, NULL,
                       "Epochs until the rate has reached the floor, warm-up included."},
    [COSINE_FLOOR] = {"floor", NAS_OPTION_NUMBER, 0, 0, 0, 1, NULL,
                      "Share of the rate at the end, and from then on."},
    [COSINE_WARMUP] = WARMUP_OPTION,
};

/* floor + (1 - floor) (1 + cos(pi t)) / 2 with t = epochs passed / horizon, at most 1 */
static double cosine_factor(const nas_option_value *options, double epochs) {
  double t = epochs / options[COSINE_EPOCHS].integer, floor = options[COSINE_FLOOR].number;
  if (t > 1) t = 1;
  return floor + (1 - floor) * (0.5 * (1 + nas_cospi(t)));
}

/* -- the table -------------------------------------------------------------------------------- */

static const nas_schedule_kind kinds[] = {
    {"constant", {"constant", constant_options, CONSTANT_OPTIONS}, constant_factor},
    {"step", {"step", step_options, STEP_OPTIONS}, step_factor},
    {"exponential", {"exponential", exponential_options, EXPONENTIAL_OPTIONS}, exponential_factor},
    {"cosine", {"cosine", cosine_options, COSINE_OPTIONS}, cosine_factor},
};

enum { KIND_COUNT = sizeof kinds / sizeof *kinds };

const nas_schedule_kind *nas_schedule_at(int index) {
  return index >= 0 && index < KIND_COUNT ? &kinds[index] : NULL;
}

const nas_schedule_kind *nas_schedule_find(const char *name, nas_error *err) {
  for (int i = 0; i < KIND_COUNT; i++)
    if (strcmp(kinds[i].name, name) == 0) return &kinds[i];
  nas_fail(err, NAS_ARGUMENT,
           "unknown schedule \"%s\"; known schedules: constant, step, exponential, cosine", name);
  return NULL;
}

double nas_schedule_factor(const nas_schedule_kind *kind, const nas_option_value *options,
                           uint64_t step, int64_t steps_per_epoch) {
  double factor = kind->factor(options, (double)step / (double)steps_per_epoch);
  double warmup = options[kind->options.count - 1].number * (double)steps_per_epoch;
  double risen = (double)step + 1;
  return risen < warmup ? factor * (risen / warmup) : factor;
}
