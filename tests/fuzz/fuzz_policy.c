/* Feeds arbitrary bytes to the reader of policies: as they are, and with size and checksum mended,
 * so that mutations reach the fields behind. What is accepted must encode to the same bytes (of
 * another version: to bytes that decode and encode to themselves), and must be able to sample,
 * value and learn, or fail with a message. */
#include <stdlib.h>
#include <string.h>
#include <nas/hash.h>
#include <nas/memory.h>
#include <nas/policy.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(int truth) {
  if (!truth) abort();
}

static void put_u64(uint8_t *bytes, uint64_t value) {
  for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)(value >> (8 * i));
}

/* core/policy/FORMAT.md: the size lies at 16, the checksum in the last 16 bytes. */
static void seal(uint8_t *bytes, size_t size) {
  put_u64(bytes + 16, size);
  nas_hash hash = nas_hash_bytes(bytes, size - 16);
  put_u64(bytes + size - 16, hash.low);
  put_u64(bytes + size - 8, hash.high);
}

static void use(nas_policy *policy) {
  nas_tape *tape;
  nas_error err;
  static const int first[] = {0};
  unsigned char set = 0;
  nas_decision decisions[] = {
      {.kind = NAS_DECISION_ANCHOR, .name = "skip"},
      {.name = "kernel", .options = "1,3", .count = 2},
      {.kind = NAS_DECISION_ANCHOR,
       .name = "skip",
       .occurrence = 1,
       .count = 1,
       .candidates = first,
       .chosen_set = &set},
  };
  double values[3] = {0};
  nas_episode episode = {
      .decisions = decisions,
      .count = 3,
      .coefficients = {.log_prob = 0.1, .values = values, .skip_weight = 0.8, .skip_prior = 0.4}};
  nas_stream stream = nas_stream_open(1, "sample", NULL, 0);
  require(nas_tape_create(&tape, policy, &err) == NAS_OK);
  require(nas_policy_begin(policy, tape, NAS_POLICY_CURRENT, &err) == NAS_OK);
  nas_status status = nas_policy_anchor(policy, tape, "skip", NULL, 0, &stream, NULL, NULL, &err);
  if (status == NAS_OK)
    status = nas_policy_choose(policy, tape, "kernel", "1,3", 2, &stream, &decisions[1].chosen,
                               NULL, &err);
  if (status == NAS_OK) {
    require(decisions[1].chosen >= 0 && decisions[1].chosen < 2);
    status = nas_policy_anchor(policy, tape, "skip", first, 1, &stream, &set, NULL, &err);
  }
  require(status == NAS_OK || status == NAS_ARGUMENT || status == NAS_DIVERGED);
  if (status == NAS_OK) {
    require(set <= 1);
    status = nas_policy_values(policy, tape, values, &err);
    require(status == NAS_OK || status == NAS_DIVERGED);
    for (int i = 0; i < 3; i++) values[i] = 0.1;
    status = nas_policy_learn(policy, &episode, 1, NULL, &err);
    require(status == NAS_OK || status == NAS_DIVERGED);
  }
  nas_tape_destroy(&tape);
}

static void decode(const uint8_t *bytes, size_t size) {
  nas_policy *policy = NULL, *copy = NULL;
  nas_error err = {0};
  nas_text again = {0}, twice = {0};
  nas_status status = nas_policy_decode(&policy, bytes, size, &err);
  if (status == NAS_OK) {
    require(nas_policy_encode(policy, &again, &err) == NAS_OK);
    if (bytes[8] == 2) require(again.size == size && memcmp(again.data, bytes, size) == 0);
    require(nas_policy_decode(&copy, again.data, again.size, &err) == NAS_OK);
    require(nas_policy_encode(copy, &twice, &err) == NAS_OK);
    require(twice.size == again.size && memcmp(twice.data, again.data, again.size) == 0);
    use(policy);
  } else {
    require(status == NAS_FORMAT && !policy && err.code == status && strstr(err.text, "offset "));
  }
  nas_text_clear(&again);
  nas_text_clear(&twice);
  nas_policy_destroy(&copy);
  nas_policy_destroy(&policy);
  require(nas_memory_used().blocks == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
  decode(bytes, size);
  if (size < 40) return 0;
  uint8_t *sealed = malloc(size);
  if (!sealed) return 0;
  memcpy(sealed, bytes, size);
  seal(sealed, size);
  decode(sealed, size);
  free(sealed);
  return 0;
}
