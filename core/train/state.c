/* The state of a training: copied, hashed, saved and restored. */
#include "state.h"
#include <inttypes.h>
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

static nas_status save_arrays(const nas_trainer *t, nas_archive *archive, nas_error *err) {
  const nas_state *state = &t->whole;
  nas_status status =
      nas_sets_save(t->compiled, t->network, "training.params.", state->params, 0, archive, err);
  for (int m = 0; m < t->recipe.optimizer->moments && status == NAS_OK; m++) {
    char prefix[40];
    snprintf(prefix, sizeof prefix, "training.moment%d.", m + 1);
    status = nas_sets_save(t->compiled, t->network, prefix, state->moments[m], 1, archive, err);
  }
  if (status == NAS_OK && state->average)
    status = nas_sets_save(t->compiled, t->network, "training.average.", state->average, 0, archive,
                           err);
  if (status == NAS_OK && t->best_params)
    status =
        nas_sets_save(t->compiled, t->network, "training.best.", t->best_params, 0, archive, err);
  return status;
}

nas_status nas_trainer_save(const nas_trainer *t, nas_archive *archive, nas_error *err) {
  const struct {
    const char *key;
    uint64_t bits;
  } numbers[] = {
      {"training.epoch", (uint64_t)t->whole.epoch},
      {"training.step", t->whole.step},
      {"training.best_epoch", (uint64_t)t->best_epoch},
      {"training.best", bits_of(t->best)},
      {"training.counted_epoch", (uint64_t)t->counted_epoch},
      {"training.counted", bits_of(t->counted)},
  };
  nas_status status = save_conditions(t, archive, err);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers && status == NAS_OK; i++)
    status = set_bits(archive, numbers[i].key, numbers[i].bits, err);
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

/* All arrays; with `dry` only checks that they are there. */
static nas_status load_arrays(nas_trainer *t, const nas_archive *archive, int dry, nas_error *err) {
  nas_state *state = &t->whole;
  nas_status status = nas_sets_load(t->compiled, t->network, "training.params.",
                                    dry ? NULL : state->params, 0, archive, err);
  for (int m = 0; m < t->recipe.optimizer->moments && status == NAS_OK; m++) {
    char prefix[40];
    snprintf(prefix, sizeof prefix, "training.moment%d.", m + 1);
    status = nas_sets_load(t->compiled, t->network, prefix, dry ? NULL : state->moments[m], 1,
                           archive, err);
  }
  if (status == NAS_OK && state->average)
    status = nas_sets_load(t->compiled, t->network, "training.average.",
                           dry ? NULL : state->average, 0, archive, err);
  if (status == NAS_OK && t->best_params)
    status = nas_sets_load(t->compiled, t->network, "training.best.", dry ? NULL : t->best_params,
                           0, archive, err);
  return status;
}

nas_status nas_trainer_restore(nas_trainer *t, const nas_archive *archive, nas_error *err) {
  static const char *const keys[] = {"training.epoch",         "training.step",
                                     "training.best_epoch",    "training.best",
                                     "training.counted_epoch", "training.counted"};
  uint64_t bits[6];
  nas_status status = check_conditions(t, archive, err);
  for (int i = 0; i < 6 && status == NAS_OK; i++)
    status = get_bits(archive, keys[i], &bits[i], err);
  if (status == NAS_OK && (bits[0] > INT32_MAX || bits[2] > bits[0] || bits[4] > bits[0]))
    status = nas_fail(err, NAS_FORMAT, "not a whole training state: impossible epochs");
  if (status == NAS_OK) status = load_arrays(t, archive, 1, err);
  if (status != NAS_OK) return status;
  load_arrays(t, archive, 0, NULL);
  t->whole.epoch = (int)bits[0];
  t->whole.step = bits[1];
  t->best_epoch = (int)bits[2];
  t->counted_epoch = (int)bits[4];
  memcpy(&t->best, &bits[3], sizeof t->best);
  memcpy(&t->counted, &bits[5], sizeof t->counted);
  t->diverged = 0;
  nas_state_copy(t, &t->now, &t->whole);
  return NAS_OK;
}
