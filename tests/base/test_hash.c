#include <check.h>
#include <nas/hash.h>

static const char *hex(nas_hash hash) {
  static char text[NAS_HASH_HEX];
  memset(text, 'x', sizeof text);
  nas_hash_hex(hash, text);
  return text;
}

/* Computed by the Python package xxhash (library 0.8.4). The lengths take every branch of the
 * algorithm: up to 3, 8, 16, 128 and 240 bytes, one block, several. */
static void known_hashes(void **state) {
  (void)state;
  static const struct {
    size_t size;
    const char *hex;
  } known[] = {
      {0, "99aa06d3014798d86001c324468d497f"},    {1, "a6cd5e9392000f6ac44bdff4074eecdb"},
      {3, "656e81c56e41fe02c3489259e968ad9e"},    {4, "ab5c3e7474d809db81a65295de8e7dde"},
      {8, "e4b9dd0b66ff3c50ebabbd0695002ff6"},    {9, "82ddc95bc76007671c69c3f04aaed08c"},
      {16, "ddf6c1254d70f76794eaa17b20756f46"},   {17, "263f67af63088041735fe434ded90c3c"},
      {128, "dd9e5aa9bd51cc9cc6bd21ecc865f29f"},  {129, "00433635cf8d872e7f4accb76587485b"},
      {240, "89e3a0a2ee355d25d10beb4e0599e4b3"},  {241, "75f4da43f23cce5a541b19226f0052e8"},
      {512, "f201a7b3c9b5a955717ea4dbb4b419c1"},  {1024, "03de0c29e9f0bc7fba464919c6bb3ccd"},
      {1025, "7584e04fe3414e5a2aa0034e7827ee42"}, {3000, "ffad18791a2cdb3263df341b1e97c067"},
  };
  unsigned char bytes[3000];
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)(i * 7 + i / 251);
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    assert_string_equal(hex(nas_hash_bytes(bytes, known[i].size)), known[i].hex);
}

static void nothing_may_be_null(void **state) {
  (void)state;
  nas_hash a = nas_hash_bytes(NULL, 0), b = nas_hash_bytes("x", 0);
  assert_int_equal(nas_hash_compare(a, b), 0);
}

static void any_alignment(void **state) {
  (void)state;
  char bytes[600] = {0};
  for (size_t at = 0; at < 16; at++) {
    memset(bytes, 0, sizeof bytes);
    for (size_t i = 0; i < 500; i++) bytes[at + i] = (char)i;
    assert_string_equal(hex(nas_hash_bytes(bytes + at, 500)), "56dd5682fe04888bc12fd3e43ffdd5a1");
  }
}

static void text_form(void **state) {
  (void)state;
  nas_hash hash = {.high = 0x0123456789abcdef, .low = 0xfedcba9800000001};
  assert_string_equal(hex(hash), "0123456789abcdeffedcba9800000001");
  assert_string_equal(hex((nas_hash){0}), "00000000000000000000000000000000");
}

static void order(void **state) {
  (void)state;
  static const nas_hash sorted[] = {{0, 0},          {0, 1},
                                    {0, UINT64_MAX}, {1, 0},
                                    {1, 1},          {UINT64_C(1) << 63, 0},
                                    {UINT64_MAX, 0}, {UINT64_MAX, UINT64_MAX}};
  const int count = sizeof sorted / sizeof *sorted;
  for (int i = 0; i < count; i++) {
    for (int j = 0; j < count; j++) {
      int compared = nas_hash_compare(sorted[i], sorted[j]);
      assert_int_equal((compared > 0) - (compared < 0), (i > j) - (i < j));
    }
  }
}

/* SHA-256: the examples of FIPS 180-4 */
static void known_digests(void **state) {
  (void)state;
  static const struct {
    const char *message;
    const char *digest;
  } known[] = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
  };
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    nas_sha256 sha;
    char text[NAS_SHA256_HEX];
    nas_sha256_begin(&sha);
    nas_sha256_add(&sha, known[i].message, strlen(known[i].message));
    nas_sha256_end(&sha, text);
    assert_string_equal(text, known[i].digest);
  }
}

static void a_million_times_a_in_pieces(void **state) {
  (void)state;
  char piece[1000], text[NAS_SHA256_HEX];
  memset(piece, 'a', sizeof piece);
  nas_sha256 sha;
  nas_sha256_begin(&sha);
  for (size_t left = 1000000, size = 1; left > 0; size = size * 3 % 997 + 1) {
    if (size > left) size = left;
    nas_sha256_add(&sha, piece, size);
    nas_sha256_add(&sha, NULL, 0);
    left -= size;
  }
  nas_sha256_end(&sha, text);
  assert_string_equal(text, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void begin_starts_anew(void **state) {
  (void)state;
  nas_sha256 sha, fork;
  char text[NAS_SHA256_HEX];
  nas_sha256_begin(&sha);
  nas_sha256_add(&sha, "junk", 4);
  nas_sha256_begin(&sha);
  nas_sha256_add(&sha, "ab", 2);
  fork = sha;
  nas_sha256_add(&sha, "xyz", 3);
  nas_sha256_add(&fork, "c", 1);
  nas_sha256_end(&fork, text);
  assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(known_hashes),
      cmocka_unit_test(nothing_may_be_null),
      cmocka_unit_test(any_alignment),
      cmocka_unit_test(text_form),
      cmocka_unit_test(order),
      cmocka_unit_test(known_digests),
      cmocka_unit_test(a_million_times_a_in_pieces),
      cmocka_unit_test(begin_starts_anew),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
