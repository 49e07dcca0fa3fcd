/* The state of a training: copied, hashed, saved and restored. */
#include "state.h"
#include <inttypes.h>
#include <math.h>
#include <nas/version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kernel.h"
#include "sets.h"

const float *nas_state_weights(const nas_state *state) {
  return state->average ? state->average : state->params;
}

void nas_state_copy(const nas_trainer *t, nas_state *to, const nas_state *from) {
  to->epoch = from->epoch;
  to->step = from->step;
  memcpy(to->params, from->params, t->floats * sizeof(float));
  for (int m = 0; m < t->recipe.optimizer->moments; m++)
    memcpy(to->moments[m], from->moments[m], t->trained * sizeof(float));
  if (from->average) memcpy(to->average, from->average, t->floats * sizeof(float));
}

/* -- the digest ------------------------------------------------------------------------------- */

/* Appends the numbers of all parameter sets, or of those that are trained, without padding,
 * little-endian. */
static void add_numbers(const nas_compiled *compiled, const float *array, int trained_only,
                        nas_text *bytes) {
  for (int i = 0; i < nas_compiled_param_count(compiled); i++) {
    nas_param_place set = nas_compiled_param(compiled, i);
    if (trained_only && set.is.use == NAS_PARAM_STATE) continue;
    for (size_t r = 0; r < set.rows; r++)
      for (int o = 0; o < set.width; o++) {
        uint32_t bits;
        memcpy(&bits, &array[set.at + r * (size_t)nas_row(set.width) + (size_t)o], sizeof bits);
        const uint8_t little[4] = {(uint8_t)bits, (uint8_t)(bits >> 8), (uint8_t)(bits >> 16),
                                   (uint8_t)(bits >> 24)};
        nas_text_add_bytes(bytes, little, sizeof little);
      }
  }
}

nas_status nas_trainer_digest(const nas_trainer *t, nas_hash *digest, nas_error *err) {
  nas_text bytes = {0};
  add_numbers(t->compiled, t->now.params, 0, &bytes);
  for (int m = 0; m < t->recipe.optimizer->moments; m++)
    add_numbers(t->compiled, t->now.moments[m], 1, &bytes);
  if (t->now.average) add_numbers(t->compiled, t->now.average, 0, &bytes);
  int failed = bytes.failed;
  *digest = nas_hash_bytes(bytes.data, bytes.size);
  nas_text_clear(&bytes);
  return failed ? nas_fail_memory(err, "a digest", 4 * t->floats) : NAS_OK;
}

/* -- archives --------------------------------------------------------------------------------- */

/* Numbers are kept as their bits, in hexadecimal. */
static nas_status set_bits(nas_archive *archive, const char *key, uint64_t bits, nas_error *err) {
  char text[20];
  snprintf(text, sizeof text, "%016" PRIx64, bits);
  return nas_archive_set(archive, key, text, err);
}

static uint64_t bits_of(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static nas_status get_bits(const nas_archive *archive, const char *key, uint64_t *bits,
                           nas_error *err) {
  const char *text = nas_archive_get(archive, key);
  if (text && strlen(text) == 16 && strspn(text, "0123456789abcdef") == 16) {
    *bits = strtoull(text, NULL, 16);
    return NAS_OK;
  }
  return nas_fail(err, NAS_FORMAT, "not a whole training state: %s is missing or damaged", key);
}

enum { EPOCH, STEP, BEST_EPOCH, BEST, COUNTED_EPOCH, COUNTED, NUMBERS };

static const char *const keys[NUMBERS] = {
    [EPOCH] = "training.epoch",
    [STEP] = "training.step",
    [BEST_EPOCH] = "training.best_epoch",
    [BEST] = "training.best",
    [COUNTED_EPOCH] = "training.counted_epoch",
    [COUNTED] = "training.counted",
};

/* What must be equal for training to go on to the same bits. The text is the caller's to clear. */
static void add_conditions(const nas_trainer *t, nas_text *text) {
  char line[120];
  nas_text_add(text, nas_network_text(t->network));
  nas_recipe_text(&t->recipe, text);
  nas_dataset_identity(t->data, text);
  snprintf(line, sizeof line, "\nseed=%" PRIu64 " numeric_version=%d keep=%d min_delta=%016" PRIx64,
           t->seed, nas_numeric_version(), (int)t->recipe.keep, bits_of(t->recipe.min_delta));
  nas_text_add(text, line);
}

static nas_status save_conditions(const nas_trainer *t, nas_archive *archive, nas_error *err) {
  nas_text text = {0};
  add_conditions(t, &text);
  nas_status status = text.failed ? nas_fail_memory(err, "a training state", text.size)
                                  : nas_archive_set(archive, "training.conditions", text.data, err);
  nas_text_clear(&text);
  return status;
}

/* The arrays of a state, and how the names of their tensors begin. */
typedef struct part {
  char prefix[32];
  float *array;
  int trained_only;
} part;

enum { PARTS_MAX = 3 + NAS_MOMENTS_MAX };

static int list_parts(const nas_trainer *t, part parts[PARTS_MAX]) {
  int count = 0;
  parts[count++] = (part){"training.params.", t->whole.params, 0};
  for (int m = 0; m < t->recipe.optimizer->moments; m++) {
    parts[count] = (part){.array = t->whole.moments[m], .trained_only = 1};
    snprintf(parts[count++].prefix, sizeof parts->prefix, "training.moment%d.", m + 1);
  }
  if (t->whole.average) parts[count++] = (part){"training.average.", t->whole.average, 0};
  if (t->best_params) parts[count++] = (part){"training.best.", t->best_params, 0};
  return count;
}

static nas_status save_arrays(const nas_trainer *t, nas_archive *archive, nas_error *err) {
  part parts[PARTS_MAX];
  nas_status status = NAS_OK;
  int count = list_parts(t, parts);
  for (int i = 0; i < count && status == NAS_OK; i++)
    status = nas_sets_save(t->compiled, t->network, parts[i].prefix, parts[i].array,
                           parts[i].trained_only, archive, err);
  return status;
}

nas_status nas_trainer_save(const nas_trainer *t, nas_archive *archive, nas_error *err) {
  const uint64_t bits[NUMBERS] = {
      [EPOCH] = (uint64_t)t->whole.epoch,           [STEP] = t->whole.step,
      [BEST_EPOCH] = (uint64_t)t->best_epoch,       [BEST] = bits_of(t->best),
      [COUNTED_EPOCH] = (uint64_t)t->counted_epoch, [COUNTED] = bits_of(t->counted),
  };
  nas_status status = save_conditions(t, archive, err);
  for (int i = 0; i < NUMBERS && status == NAS_OK; i++)
    status = set_bits(archive, keys[i], bits[i], err);
  return status == NAS_OK ? save_arrays(t, archive, err) : status;
}

/* Names the first condition that differs: the line of the network, the recipe, the data, or the
 * seed. */
static nas_status check_conditions(const nas_trainer *t, const nas_archive *archive,
                                   nas_error *err) {
  const char *found = nas_archive_get(archive, "training.conditions");
  nas_text own = {0};
  if (!found)
    return nas_fail(err, NAS_ARGUMENT, "there is no training state: it holds a model alone");
  add_conditions(t, &own);
  nas_status status = own.failed ? nas_fail_memory(err, "a training state", own.size) : NAS_OK;
  if (status == NAS_OK && strcmp(found, own.data) != 0) {
    size_t same = 0;
    while (found[same] && found[same] == own.data[same]) same++;
    while (same > 0 && found[same - 1] != '\n' && found[same - 1] != ' ') same--;
    status = nas_fail(err, NAS_ARGUMENT,
                      "it is the state of another training: there \"%.60s\", here \"%.60s\"",
                      found + same, own.data + same);
  }
  nas_text_clear(&own);
  return status;
}

static int is_finite(uint64_t bits) {
  double number;
  memcpy(&number, &bits, sizeof number);
  return isfinite(number);
}

/* Steps follow from epochs; from the first epoch on one of them is the best. */
static nas_status check_numbers(const nas_trainer *t, const uint64_t bits[NUMBERS],
                                nas_error *err) {
  uint64_t epoch = bits[EPOCH], least = epoch > 0, batch = (uint64_t)t->recipe.batch;
  uint64_t steps = ((uint64_t)t->order_size + batch - 1) / batch;
  int wrong = epoch >= INT32_MAX                                           ? EPOCH
              : bits[STEP] != epoch * steps                                ? STEP
              : bits[BEST_EPOCH] < least || bits[BEST_EPOCH] > epoch       ? BEST_EPOCH
              : bits[COUNTED_EPOCH] < least || bits[COUNTED_EPOCH] > epoch ? COUNTED_EPOCH
              : epoch > 0 && !is_finite(bits[BEST])                        ? BEST
              : epoch > 0 && !is_finite(bits[COUNTED])                     ? COUNTED
                                                                           : NUMBERS;
  if (wrong == NUMBERS) return NAS_OK;
  return nas_fail(err, NAS_FORMAT, "not a whole training state: %s is impossible", keys[wrong]);
}

static nas_status check_arrays(const nas_trainer *t, const nas_archive *archive, nas_error *err) {
  part parts[PARTS_MAX];
  nas_status status = NAS_OK;
  int count = list_parts(t, parts);
  for (int i = 0; i < count && status == NAS_OK; i++)
    status = nas_sets_check(t->network, parts[i].prefix, parts[i].trained_only, archive, err);
  return status;
}

static void load_arrays(const nas_trainer *t, const nas_archive *archive) {
  part parts[PARTS_MAX];
  int count = list_parts(t, parts);
  for (int i = 0; i < count; i++)
    nas_sets_load(t->compiled, t->network, parts[i].prefix, parts[i].array, parts[i].trained_only,
                  archive);
}

nas_status nas_trainer_restore(nas_trainer *t, const nas_archive *archive, nas_error *err) {
  uint64_t bits[NUMBERS];
  nas_status status = check_conditions(t, archive, err);
  for (int i = 0; i < NUMBERS && status == NAS_OK; i++)
    status = get_bits(archive, keys[i], &bits[i], err);
  if (status == NAS_OK) status = check_numbers(t, bits, err);
  if (status == NAS_OK) status = check_arrays(t, archive, err);
  if (status != NAS_OK) return status;
  load_arrays(t, archive);
  t->whole.epoch = (int)bits[EPOCH];
  t->whole.step = bits[STEP];
  t->best_epoch = (int)bits[BEST_EPOCH];
  t->counted_epoch = (int)bits[COUNTED_EPOCH];
  memcpy(&t->best, &bits[BEST], sizeof t->best);
  memcpy(&t->counted, &bits[COUNTED], sizeof t->counted);
  t->diverged = 0;
  t->predicted_epoch = 0;
  nas_state_copy(t, &t->now, &t->whole);
  return NAS_OK;
}
