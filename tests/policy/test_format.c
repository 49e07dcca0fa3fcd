/* Policies as bytes and files: what goes in comes out and goes on the same; what is damaged is
 * refused with its place. */
#include "toy.h"
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <nas/hash.h>

enum { HEADER = 156, CHECKSUM = 16 };

static nas_policy *policy_of(int layers, int units) {
  nas_policy *policy;
  nas_policy_options options;
  nas_error err;
  nas_policy_options_default(&options);
  options.layers = layers;
  options.units = units;
  options.rate = 0.03;
  options.tanh_constant = 2.5;
  options.l2 = 1e-4;
  options.value_rate = 0.25;
  check_ok(nas_policy_create(&policy, &options, 0x8000000000000001u, &err), &err);
  return policy;
}

/* Steps of a search; returns the sum of all log-probabilities. */
static double search(nas_policy *policy, uint64_t first, uint64_t count) {
  nas_tape *tape;
  nas_error err;
  double sum = 0;
  check_ok(nas_tape_create(&tape, policy, &err), &err);
  for (uint64_t sample = first; sample < first + count; sample++) {
    toy t;
    nas_policy_learned learned;
    toy_sample(&t, policy, tape, sample);
    nas_episode episode = {.decisions = t.decisions,
                           .count = t.count,
                           .coefficients = {.log_prob = toy_reward(&t) - 0.6}};
    sum += nas_tape_log_prob(tape);
    check_ok(nas_policy_learn(policy, &episode, 1, &learned, &err), &err);
    sum += learned.kl;
  }
  nas_tape_destroy(&tape);
  return sum;
}

static nas_text bytes_of(const nas_policy *policy) {
  nas_text bytes = {0};
  nas_error err;
  check_ok(nas_policy_encode(policy, &bytes, &err), &err);
  return bytes;
}

static void check_same(nas_text *a, nas_text *b) {
  assert_int_equal(a->size, b->size);
  assert_memory_equal(a->data, b->data, a->size);
}

/* ---- Round trips -------------------------------------------------------------------------- */

/* Saved after 6 steps, loaded, 6 more: the bytes and log-probabilities of 12 steps in one go. */
static void goes_on_the_same(void **state) {
  (void)state;
  nas_policy *through = policy_of(2, 9), *before = policy_of(2, 9), *after;
  nas_error err;
  search(through, 0, 6);
  double expected = search(through, 6, 6);
  search(before, 0, 6);
  nas_text saved = bytes_of(before);
  check_ok(nas_policy_decode(&after, saved.data, saved.size, &err), &err);
  nas_text again = bytes_of(after);
  check_same(&saved, &again);
  nas_text_clear(&again);
  assert_int_equal(nas_policy_steps(after), 6);
  assert_true(nas_policy_seed(after) == nas_policy_seed(before));
  assert_memory_equal(nas_policy_options_of(after), nas_policy_options_of(before),
                      sizeof(nas_policy_options));
  check_near(search(after, 6, 6), expected, 0);
  again = bytes_of(after);
  nas_text whole = bytes_of(through);
  check_same(&again, &whole);
  nas_text_clear(&again);
  nas_text_clear(&whole);
  nas_text_clear(&saved);
  nas_policy_destroy(&through);
  nas_policy_destroy(&before);
  nas_policy_destroy(&after);
}

/* Encoding appends; a policy that met nothing yet has its LSTM. */
static void appends(void **state) {
  (void)state;
  nas_policy *policy = policy_of(1, 1), *after;
  nas_text bytes = {0};
  nas_error err;
  nas_text_add(&bytes, "before");
  check_ok(nas_policy_encode(policy, &bytes, &err), &err);
  assert_memory_equal(bytes.data, "before", 6);
  check_ok(nas_policy_decode(&after, bytes.data + 6, bytes.size - 6, &err), &err);
  assert_int_equal(nas_policy_block_count(after), 4);
  nas_text_clear(&bytes);
  nas_policy_destroy(&policy);
  nas_policy_destroy(&after);
}

/* The documented places. */
static void layout(void **state) {
  (void)state;
  nas_policy *policy = policy_of(1, 2);
  nas_text bytes = bytes_of(policy);
  const unsigned char *b = (const unsigned char *)bytes.data;
  static const unsigned char start[24] = {0x89, 'N', 'A', 'S', 'P', '\r', '\n', 0x1A, 2};
  assert_memory_equal(b, start, 16);
  assert_int_equal(b[16] + 256 * b[17], (int)bytes.size);
  static const unsigned char seed[8] = {1, 0, 0, 0, 0, 0, 0, 0x80};
  assert_memory_equal(b + 24, seed, 8);
  assert_int_equal(b[32], 1);
  assert_int_equal(b[36], 2);
  static const unsigned char one[8] = {0, 0, 0, 0, 0, 0, 0xf0, 0x3f};
  assert_memory_equal(b + 56, one, 8); /* temperature */
  static const unsigned char quarter[8] = {0, 0, 0, 0, 0, 0, 0xd0, 0x3f};
  assert_memory_equal(b + 120, quarter, 8); /* value_rate */
  assert_memory_equal(b + 136, one, 8);     /* no step yet */
  assert_int_equal(b[152], 4);
  assert_int_equal(b[156], 11);
  assert_memory_equal(b + 160, "lstm/1/bias", 11);
  assert_int_equal(bytes.size, HEADER + CHECKSUM + 4 * 12 +
                                   strlen("lstm/1/biaslstm/1/hiddenlstm/1/inputstart") +
                                   12 * nas_policy_size(policy));
  nas_text_clear(&bytes);
  nas_policy_destroy(&policy);
}

/* ---- Version 1 ---------------------------------------------------------------------------- */

/* A policy that the last engine of version 1 wrote: layers 1, units 1, init 0.5, rate 0.03,
 * beta1 0.5, l2 0.0625, seed 7, after 3 steps with advantage 1 of one decision "k", "1,3", with the
 * second option chosen. */
static const char version_1[] =
    "894e4153500d0a1a010000000000000073020000000000000700000000000000010000000100000000000000"
    "0000e03f0000000000000000000000000000f03f0000000000000000b81e85eb51b89e3f000000000000e03f"
    "2b8716d9cef7ef3f3a8c30e28e79453e0000000000000000000000000000b03f030000000000000000000000"
    "0000c03f660157d572e7ef3f090000000f000000686561642f6b2f312c332f626961730100000002000000ea"
    "20443d81dcc2bee4bf0ebfec10183fb798a33a965bb93a11000000686561642f6b2f312c332f776569676874"
    "0100000002000000538ec0be35574dbe507baa3abab5873d3a940134bc0d9f370b0000006c73746d2f312f62"
    "6961730100000004000000ed81a63e002554be2bb56d3e6c1d893e5aaf1dbd5440e23cd1eb03bc069303bda9"
    "bad5363ee45e3674c68435d2cf97360d0000006c73746d2f312f68696464656e01000000040000008778203e"
    "b3d0b8be40f107bbda7511beb8a0b4bc6855363db081223a3d55a73ce01b1236c8e20a3741ff4c325699fd35"
    "0c0000006c73746d2f312f696e7075740100000004000000e4dab03e2f119ebbb40ff43d324a5d3e321031bd"
    "ee471abadfb5b5bce8deedbc0cee02376aae0a3280000c3682287436060000006e616d652f6b010000000100"
    "0000fc685abcf264333cf9db13350c0000006f6363757272656e63652f300100000001000000000aa6be5504"
    "393dee150b370c0000006f7074696f6e2f6b2f312c330200000001000000f2a7a8bb1833d93d5442113aff8c"
    "86bc84e774328f31aa3505000000737461727401000000010000007ef8363e2647a1bca77bfd35848d62c9b8"
    "169d84b47aa6979d7d319f";

static nas_text version_1_bytes(void) {
  nas_text bytes = {0};
  for (size_t i = 0; version_1[i]; i += 2) {
    unsigned byte;
    assert_int_equal(sscanf(version_1 + i, "%2x", &byte), 1);
    nas_text_add_bytes(&bytes, &(unsigned char){(unsigned char)byte}, 1);
  }
  return bytes;
}

/* It is read; its one rate is that of the value head, too; it is written as version 2, which has
 * the same bytes around the new field. */
static void version_1_is_read(void **state) {
  (void)state;
  enum { END = 120 }; /* of the options of version 1 */
  nas_policy *policy;
  nas_error err;
  nas_text old = version_1_bytes();
  check_ok(nas_policy_decode(&policy, old.data, old.size, &err), &err);
  const nas_policy_options *options = nas_policy_options_of(policy);
  check_near(options->rate, 0.03, 0);
  check_near(options->value_rate, 0.03, 0);
  check_near(options->l2, 0.0625, 0);
  assert_int_equal(nas_policy_steps(policy), 3);
  nas_text new = bytes_of(policy);
  assert_int_equal(new.size, old.size + 8);
  assert_int_equal(new.data[8], 2);
  assert_memory_equal(new.data + 24, old.data + 24, END - 24);
  assert_memory_equal(new.data + END, old.data + 72, 8); /* the rate */
  assert_memory_equal(new.data + END + 8, old.data + END, old.size - END - CHECKSUM);
  nas_text_clear(&old);
  nas_text_clear(&new);
  nas_policy_destroy(&policy);
}

/* ... and goes on with the bits of that engine, whose log-probability this is after one more step
 * with advantage -0.5. */
static void version_1_goes_on(void **state) {
  (void)state;
  nas_policy *policy;
  nas_tape *tape;
  nas_error err;
  nas_decision decision = {.name = "k", .options = "1,3", .count = 2, .chosen = 1};
  nas_episode episode = {.decisions = &decision, .count = 1, .coefficients = {.log_prob = -0.5}};
  nas_text old = version_1_bytes();
  check_ok(nas_policy_decode(&policy, old.data, old.size, &err), &err);
  check_ok(nas_policy_learn(policy, &episode, 1, NULL, &err), &err);
  check_ok(nas_tape_create(&tape, policy, &err), &err);
  check_ok(nas_policy_score(policy, tape, NAS_POLICY_CURRENT, &decision, 1, &err), &err);
  check_near(nas_tape_log_prob(tape), -0x1.d46a031024b1p-1, 0);
  nas_text_clear(&old);
  nas_tape_destroy(&tape);
  nas_policy_destroy(&policy);
}

/* ---- Damage ------------------------------------------------------------------------------- */

/* Makes size and checksum those of the bytes, so that a damaged field is reached. */
static void seal(unsigned char *bytes, size_t size) {
  nas_hash hash;
  for (int i = 0; i < 8; i++) bytes[16 + i] = (unsigned char)((uint64_t)size >> (8 * i));
  hash = nas_hash_bytes(bytes, size - CHECKSUM);
  for (int i = 0; i < 8; i++) {
    bytes[size - 16 + (size_t)i] = (unsigned char)(hash.low >> (8 * i));
    bytes[size - 8 + (size_t)i] = (unsigned char)(hash.high >> (8 * i));
  }
}

static nas_text learned_bytes(void) {
  nas_policy *policy = policy_of(1, 2);
  search(policy, 0, 3);
  nas_text bytes = bytes_of(policy);
  nas_policy_destroy(&policy);
  return bytes;
}

/* Decodes a copy in a block of its very size, so that a sanitizer sees any byte read behind. */
static nas_status decode_copy(const void *bytes, size_t size, int sealed, nas_error *err) {
  nas_policy *policy = (nas_policy *)1;
  unsigned char *copy = malloc(size ? size : 1);
  assert_non_null(copy);
  memcpy(copy, bytes, size);
  if (sealed) seal(copy, size);
  nas_status status = nas_policy_decode(&policy, copy, size, err);
  assert_true((status == NAS_OK) == (policy != NULL));
  nas_policy_destroy(&policy);
  free(copy);
  return status;
}

/* Cut off at every byte: as found, and with the frame mended so that the fields themselves are cut.
 */
static void truncated_at_every_byte(void **state) {
  (void)state;
  nas_text bytes = learned_bytes();
  nas_error err;
  for (size_t size = 0; size < bytes.size; size++) {
    assert_int_equal(decode_copy(bytes.data, size, 0, &err), NAS_FORMAT);
    check_contains(err.text, "offset ");
    check_contains(err.text, "expected ");
    check_contains(err.text, "found ");
    if (size < HEADER + CHECKSUM) continue;
    assert_int_equal(decode_copy(bytes.data, size, 1, &err), NAS_FORMAT);
    check_contains(err.text, "offset ");
  }
  assert_int_equal(decode_copy(bytes.data, bytes.size, 0, &err), NAS_OK);
  assert_int_equal(decode_copy(bytes.data, bytes.size, 1, &err), NAS_OK);
  nas_text_clear(&bytes);
}

/* One bit wrong anywhere is noticed; with a mended checksum nothing worse happens than another
 * policy. */
static void damaged_at_every_byte(void **state) {
  (void)state;
  nas_text bytes = learned_bytes();
  nas_error err;
  for (size_t at = 0; at < bytes.size; at++) {
    for (int bit = 0; bit < 8; bit += 7) {
      char was = bytes.data[at];
      bytes.data[at] = (char)(was ^ (1 << bit));
      assert_int_equal(decode_copy(bytes.data, bytes.size, 0, &err), NAS_FORMAT);
      nas_status status = decode_copy(bytes.data, bytes.size, 1, &err);
      assert_true(status == NAS_OK || status == NAS_FORMAT);
      bytes.data[at] = was;
    }
  }
  nas_text_clear(&bytes);
}

/* Fields that lie, each with its message. */
static void hostile_fields(void **state) {
  (void)state;
  nas_text bytes = learned_bytes();
  nas_error err;
  static const struct {
    size_t at;
    int size;
    uint64_t value;
    const char *message;
  } lies[] = {
      {0, 1, 0x88, "offset 0: expected the signature"},
      {8, 4, 0, "offset 8: expected format version 1 to 2, found 0"},
      {8, 4, 3, "offset 8: expected format version 1 to 2, found 3"},
      {8, 4, 1, "offset 144: expected the number of blocks"},
      {12, 4, 9, "offset 12: expected 0, found 9"},
      {32, 4, 0, "offset 32: expected layers from 1 to 8, found 0"},
      {32, 4, 8, "offset 32: expected at least"},
      {36, 4, 1024, "offset 32: expected at least"},
      {36, 4, 0xffffffff, "offset 36: expected units from 1 to 1024, found 4294967295"},
      {40, 8, 0x7ff8000000000000, "offset 40: expected init from 0 to 10, found nan"},
      {56, 8, 0, "offset 56: expected temperature from 0.001 to 1000, found 0"},
      {120, 8, 0xbff0000000000000, "offset 120: expected value_rate from 0 to 10, found -1"},
      {136, 8, 0x4000000000000000, "offset 136: expected the power of beta1 from 0 to 1, found 2"},
      {152, 4, 0xffffffff, "offset 152: expected the number of blocks"},
      {152, 4, 4, "expected the checksum, found"},
      {152, 4, 0, "expected the checksum, found"},
      {152, 4, 4000, "bytes of the size of a key, found the end after 0"},
      {156, 4, 0, "offset 156: expected the size of a key from 1 to 4294967295, found 0"},
      {156, 4, 0xffffffff, "offset 160: expected 4294967295 bytes of a key, found the end"},
      {160, 1, 0, "offset 160: expected a key without zero bytes"},
      {160, 1, '?', "expected a key of 1 layers of 2 units, found \"?ead/"},
      {160, 1, 'z', "expected a key of 1 layers of 2 units, found \"zead/"},
  };
  for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
    unsigned char *copy = malloc(bytes.size);
    assert_non_null(copy);
    memcpy(copy, bytes.data, bytes.size);
    for (int k = 0; k < lies[i].size; k++)
      copy[lies[i].at + (size_t)k] = (unsigned char)(lies[i].value >> (8 * k));
    assert_int_equal(decode_copy(copy, bytes.size, 1, &err), NAS_FORMAT);
    check_contains(err.text, lies[i].message);
    free(copy);
  }
  nas_text_clear(&bytes);
}

/* The offset of a key's own bytes. */
static size_t place_of(const nas_text *bytes, const char *key) {
  const char *found = memmem(bytes->data, bytes->size, key, strlen(key));
  assert_non_null(found);
  return (size_t)(found - bytes->data);
}

static void hostile_blocks(void **state) {
  (void)state;
  nas_error err;
  nas_text bytes = learned_bytes();
  unsigned char *b = (unsigned char *)bytes.data;
  size_t bias = place_of(&bytes, "lstm/1/bias") + strlen("lstm/1/bias");
  size_t option = place_of(&bytes, "option/kernel/1,3") + strlen("option/kernel/1,3");

  b[bias] = 2;
  assert_int_equal(decode_copy(b, bytes.size, 1, &err), NAS_FORMAT);
  check_contains(err.text, "expected rows from 1 to 1, found 2");
  b[bias] = 1;
  b[option + 1] = 0x10; /* 4098 rows: above the limit; then 4096: more than there is */
  assert_int_equal(decode_copy(b, bytes.size, 1, &err), NAS_FORMAT);
  check_contains(err.text, "expected rows from 1 to 4096, found 4098");
  b[option] = 0;
  assert_int_equal(decode_copy(b, bytes.size, 1, &err), NAS_FORMAT);
  check_contains(err.text, "bytes of \"option/kernel/1,3\", found");
  b[option] = 2;
  b[option + 1] = 0;
  unsigned char infinite[4] = {0, 0, 0x80, 0x7f}, was[4];
  memcpy(was, b + bias + 8, 4);
  memcpy(b + bias + 8, infinite, 4);
  assert_int_equal(decode_copy(b, bytes.size, 1, &err), NAS_FORMAT);
  check_contains(err.text, "expected a value that is finite, found inf");
  memcpy(b + bias + 8, was, 4);
  size_t square = bias + 8 + 8 * 8 + 3; /* sign of the first mean of squares; 8 values a part */
  b[square] |= 0x80;
  assert_int_equal(decode_copy(b, bytes.size, 1, &err), NAS_FORMAT);
  check_contains(err.text, "finite and not negative");
  b[square] &= 0x7f;
  /* name/depth twice: not in increasing order */
  memcpy(b + place_of(&bytes, "occurrence/0") + 11, "1", 1);
  assert_int_equal(decode_copy(b, bytes.size, 1, &err), NAS_FORMAT);
  check_contains(err.text, "expected a key after \"occurrence/1\", found \"occurrence/1\"");
  nas_text_clear(&bytes);
}

/* A policy without one of the blocks that it has from its creation: the last one, start. */
static void missing_block(void **state) {
  (void)state;
  nas_error err;
  nas_policy *policy = policy_of(1, 2);
  nas_text bytes = bytes_of(policy);
  size_t start = place_of(&bytes, "start");
  bytes.data[152] = 3;
  memmove(bytes.data + start - 4, bytes.data + bytes.size - CHECKSUM, CHECKSUM);
  assert_int_equal(decode_copy(bytes.data, start - 4 + CHECKSUM, 1, &err), NAS_FORMAT);
  check_contains(err.text, "offset 152: expected all blocks");
  check_contains(err.text, "1 missing");
  nas_text_clear(&bytes);
  nas_policy_destroy(&policy);
}

/* ---- Files -------------------------------------------------------------------------------- */

static char folder[] = "/tmp/nas-policy-XXXXXX";

static const char *path_of(const char *name) {
  static char path[200];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static int make_folder(void **state) {
  (void)state;
  return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
  (void)state;
  return rmdir(folder);
}

static void files(void **state) {
  (void)state;
  nas_policy *policy = policy_of(1, 3), *after;
  nas_error err;
  struct stat info;
  const char *path = path_of("policy.nasp");
  check_ok(nas_policy_save(policy, path, &err), &err);
  search(policy, 0, 2);
  check_ok(nas_policy_save(policy, path, &err), &err); /* over the old one */
  check_ok(nas_policy_load(&after, path, &err), &err);
  nas_text a = bytes_of(policy), b = bytes_of(after);
  check_same(&a, &b);
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(info.st_size, a.size);
  nas_text_clear(&a);
  nas_text_clear(&b);
  nas_policy_destroy(&after);
  assert_int_equal(truncate(path, 100), 0);
  assert_int_equal(nas_policy_load(&after, path, &err), NAS_FORMAT);
  check_contains(err.text, "policy.nasp\": offset 100");
  assert_null(after);
  assert_int_equal(truncate(path, 0), 0);
  assert_int_equal(nas_policy_load(&after, path, &err), NAS_FORMAT);
  check_contains(err.text, "offset 0");
  assert_int_equal(unlink(path), 0);
  nas_policy_destroy(&policy);
}

static void file_errors(void **state) {
  (void)state;
  nas_policy *policy = policy_of(1, 3), *after;
  nas_error err;
  assert_int_equal(nas_policy_load(&after, path_of("absent"), &err), NAS_IO);
  check_contains(err.text, "absent");
  check_contains(err.text, "No such file");
  assert_int_equal(nas_policy_load(&after, folder, &err), NAS_IO);
  check_contains(err.text, "not a regular file");
  assert_int_equal(nas_policy_save(policy, path_of("absent/policy"), &err), NAS_IO);
  check_contains(err.text, "No such file");
  assert_int_equal(mkdir(path_of("taken"), 0777), 0);
  assert_int_equal(nas_policy_save(policy, path_of("taken"), &err), NAS_IO); /* it is a folder */
  check_contains(err.text, "cannot replace");
  assert_int_equal(rmdir(path_of("taken")), 0);
  assert_int_equal(rmdir(folder), 0); /* no temporary file was left in it */
  assert_int_equal(mkdir(folder, 0777), 0);
  nas_policy_destroy(&policy);
}

/* Without a slash the file, and the temporary one, belong in the working folder. */
static void relative_path(void **state) {
  (void)state;
  nas_policy *policy = policy_of(1, 3), *after;
  nas_error err;
  int here = open(".", O_RDONLY | O_DIRECTORY);
  assert_true(here >= 0);
  assert_int_equal(chdir(folder), 0);
  check_ok(nas_policy_save(policy, "policy", &err), &err);
  check_ok(nas_policy_load(&after, "policy", &err), &err);
  assert_int_equal(unlink("policy"), 0);
  assert_int_equal(fchdir(here), 0);
  close(here);
  nas_policy_destroy(&after);
  nas_policy_destroy(&policy);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(goes_on_the_same, check_no_blocks),
      cmocka_unit_test_teardown(appends, check_no_blocks),
      cmocka_unit_test_teardown(layout, check_no_blocks),
      cmocka_unit_test_teardown(version_1_is_read, check_no_blocks),
      cmocka_unit_test_teardown(version_1_goes_on, check_no_blocks),
      cmocka_unit_test_teardown(truncated_at_every_byte, check_no_blocks),
      cmocka_unit_test_teardown(damaged_at_every_byte, check_no_blocks),
      cmocka_unit_test_teardown(hostile_fields, check_no_blocks),
      cmocka_unit_test_teardown(hostile_blocks, check_no_blocks),
      cmocka_unit_test_teardown(missing_block, check_no_blocks),
      cmocka_unit_test_teardown(files, check_no_blocks),
      cmocka_unit_test_teardown(file_errors, check_no_blocks),
      cmocka_unit_test_teardown(relative_path, check_no_blocks),
  };
  return cmocka_run_group_tests_name("policy format", tests, make_folder, remove_folder);
}
