#include <math.h>
#include <stdlib.h>
#include <check.h>
#include <nas/hash.h>
#include <nas/random.h>
#include "philox.h"

/* Published with the Random123 library (kat_vectors): philox4x32, 10 rounds. */
static void known_blocks(void **state) {
  (void)state;
  static const struct {
    uint32_t counter[4], key[2], block[4];
  } known[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
       {0xffffffff, 0xffffffff},
       {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    uint32_t block[4];
    nas_philox(known[i].counter, known[i].key, block);
    assert_memory_equal(block, known[i].block, sizeof block);
    memcpy(block, known[i].counter, sizeof block);
    nas_philox(block, known[i].key, block);
    assert_memory_equal(block, known[i].block, sizeof block);
  }
}

/* The first numbers of a few streams, computed by an independent implementation. A change raises
 * NAS_NUMERIC_VERSION. */
static void golden_numbers(void **state) {
  (void)state;
  static const struct {
    uint64_t seed;
    const char *purpose;
    uint64_t indices[2];
    size_t count;
    uint32_t numbers[5];
  } golden[] = {
      {0, "", {0, 0}, 0, {0xd0a659d9, 0xbb963c4a, 0x4db52e3b, 0x9784b0a3, 0xafa5fe5d}},
      {1,
       "weights",
       {0xfedcba9876543210, 3},
       2,
       {0x4623fbb4, 0x2d2a778d, 0x40ddecd8, 0xb51606e7, 0xc86747e7}},
      {UINT64_MAX,
       "shuffle",
       {7, 0},
       1,
       {0x98b6636a, 0x28276cee, 0xfc46f5d5, 0xe728e396, 0x22319ecb}},
  };
  for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
    nas_stream stream =
        nas_stream_open(golden[i].seed, golden[i].purpose, golden[i].indices, golden[i].count);
    for (int j = 0; j < 5; j++) assert_int_equal(nas_stream_u32(&stream), golden[i].numbers[j]);
  }
}

static size_t put_u64(unsigned char *to, uint64_t value) {
  for (int i = 0; i < 8; i++) to[i] = (unsigned char)(value >> (8 * i));
  return 8;
}

/* The address is hashed as the header says, also when it is long. */
static void address_is_the_hash_of_its_bytes(void **state) {
  (void)state;
  uint64_t indices[100];
  char purpose[301];
  for (size_t count = 0; count <= 100; count++) {
    unsigned char bytes[2000];
    size_t length = 3 * count, size = put_u64(bytes, 0x0123456789abcdef);
    memset(purpose, 'p', length);
    purpose[length] = 0;
    memcpy(bytes + size, purpose, length + 1);
    size += length + 1;
    size += put_u64(bytes + size, count);
    for (size_t i = 0; i < count; i++) {
      indices[i] = UINT64_C(0x9e3779b97f4a7c15) * (i + 1);
      size += put_u64(bytes + size, indices[i]);
    }
    nas_hash hash = nas_hash_bytes(bytes, size);
    nas_stream stream = nas_stream_open(0x0123456789abcdef, purpose, indices, count);
    assert_int_equal(stream.key[0], (uint32_t)hash.low);
    assert_int_equal(stream.key[1], hash.low >> 32);
    assert_int_equal(stream.counter[0], 0);
    assert_int_equal(stream.counter[1], 0);
    assert_int_equal(stream.counter[2], (uint32_t)hash.high);
    assert_int_equal(stream.counter[3], hash.high >> 32);
  }
}

static void addresses_differ(void **state) {
  (void)state;
  const uint64_t zeros[3] = {0, 0, 0}, one[1] = {1};
  nas_stream streams[] = {
      nas_stream_open(0, "", NULL, 0),   nas_stream_open(0, "a", NULL, 0),
      nas_stream_open(1, "a", NULL, 0),  nas_stream_open(0, "b", NULL, 0),
      nas_stream_open(0, "ab", NULL, 0), nas_stream_open(0, "a", zeros, 1),
      nas_stream_open(0, "a", zeros, 2), nas_stream_open(0, "a", zeros, 3),
      nas_stream_open(0, "a", one, 1),   nas_stream_open(UINT64_C(1) << 63, "a", NULL, 0),
  };
  size_t count = sizeof streams / sizeof *streams;
  for (size_t i = 0; i < count; i++) {
    for (size_t j = 0; j < i; j++)
      assert_memory_not_equal(streams[i].key, streams[j].key, sizeof streams[i].key);
  }
}

/* Positions */

static void seeking_equals_stepping(void **state) {
  (void)state;
  nas_stream start = nas_stream_open(1, "seek", NULL, 0), stepped = start;
  uint32_t numbers[64];
  for (int i = 0; i < 64; i++) numbers[i] = nas_stream_u32(&stepped);
  for (uint64_t from = 0; from < 60; from++) {
    nas_stream stream = from % 2 ? stepped : start; /* wherever it was */
    nas_stream_seek(&stream, from);
    for (uint64_t i = from; i < 64; i++) assert_int_equal(nas_stream_u32(&stream), numbers[i]);
  }
}

/* The lower half of the counter carries into its upper word, never into the address. */
static void seeking_far(void **state) {
  (void)state;
  nas_stream near = nas_stream_open(1, "seek", NULL, 0), far = near;
  uint64_t position = (UINT64_C(1) << 34) - 2; /* the last two numbers before the carry */
  nas_stream_seek(&near, position);
  nas_stream_seek(&far, position + 2);
  nas_stream_u32(&near);
  nas_stream_u32(&near);
  for (int i = 0; i < 9; i++) assert_int_equal(nas_stream_u32(&near), nas_stream_u32(&far));
  assert_int_equal(far.counter[0], 3);
  assert_int_equal(far.counter[1], 1);
  nas_stream_seek(&far, UINT64_MAX);
  uint32_t last = nas_stream_u32(&far);
  nas_stream_seek(&near, UINT64_MAX - 3);
  for (int i = 0; i < 3; i++) nas_stream_u32(&near);
  assert_int_equal(nas_stream_u32(&near), last);
}

static void copies_fork(void **state) {
  (void)state;
  nas_stream a = nas_stream_open(1, "fork", NULL, 0);
  nas_stream_u32(&a);
  nas_stream b = a;
  uint32_t first = nas_stream_u32(&a);
  nas_stream_u32(&a);
  assert_int_equal(nas_stream_u32(&b), first);
}

static void how_numbers_are_used(void **state) {
  (void)state;
  nas_stream numbers = nas_stream_open(1, "use", NULL, 0), stream = numbers;
  uint32_t n[8];
  for (int i = 0; i < 8; i++) n[i] = nas_stream_u32(&numbers);
  check_float_bits(nas_stream_float(&stream), (float)((double)(n[0] >> 8) / 0x1p24));
  double high = (double)n[1] / 0x1p32, low = (double)(n[2] >> 11) / 0x1p53;
  assert_true(nas_stream_double(&stream) == high + low);
  assert_int_equal(nas_stream_below(&stream, 1000), (uint64_t)n[3] * 1000 >> 32);
  assert_int_equal(nas_stream_below(&stream, 1), 0);
  assert_int_equal(nas_stream_u32(&stream), n[5]);
}

static void ranges(void **state) {
  (void)state;
  nas_stream stream = nas_stream_open(1, "range", NULL, 0);
  double sum = 0, squares = 0, least = 1, most = 0;
  const int count = 1000000;
  for (int i = 0; i < count; i++) {
    float f = nas_stream_float(&stream);
    double d = nas_stream_double(&stream);
    assert_true(f >= 0 && f < 1 && d >= 0 && d < 1);
    assert_true(f * 0x1p24f == floorf(f * 0x1p24f));
    sum += d, squares += d * d;
    least = fmin(least, d), most = fmax(most, d);
  }
  check_near(sum / count, 0.5, 5 * sqrt(1.0 / 12 / count));
  check_near(squares / count, 1.0 / 3, 5 * sqrt(4.0 / 45 / count));
  assert_true(least < 2e-5 && most > 1 - 2e-5);
}

/* Statistics. Seeds are fixed, so these pass always or never; bounds are at five sigma. */

/* Chi-square of counts that should be equal, as its distance from the mean in sigmas. */
static double chi_square_sigmas(const uint32_t *counts, size_t cells, double expected) {
  double sum = 0;
  for (size_t i = 0; i < cells; i++) {
    double d = (double)counts[i] - expected;
    sum += d * d / expected;
  }
  double freedom = (double)cells - 1;
  return (sum - freedom) / sqrt(2 * freedom);
}

static void numbers_below_a_bound_are_uniform(void **state) {
  (void)state;
  static const uint32_t bounds[] = {2, 3, 5, 6, 7, 10, 100, 257, 1000};
  for (size_t b = 0; b < sizeof bounds / sizeof *bounds; b++) {
    uint32_t bound = bounds[b], counts[1000] = {0};
    nas_stream stream = nas_stream_open(1, "below", &(uint64_t){bound}, 1);
    for (uint32_t i = 0; i < 1000 * bound; i++) {
      uint32_t x = nas_stream_below(&stream, bound);
      assert_true(x < bound);
      counts[x]++;
    }
    assert_true(fabs(chi_square_sigmas(counts, bound, 1000)) < 5);
  }
}

/* Without rejection, a third of the numbers below 3 * 2^30 would come twice as often. */
static void large_bounds_have_no_bias(void **state) {
  (void)state;
  const uint32_t bound = UINT32_C(3) << 30;
  uint32_t counts[3] = {0}, thirds[3] = {0};
  nas_stream stream = nas_stream_open(1, "large", NULL, 0);
  for (int i = 0; i < 300000; i++) {
    uint32_t x = nas_stream_below(&stream, bound);
    assert_true(x < bound);
    counts[x % 3]++;
    thirds[x >> 30]++;
  }
  assert_true(fabs(chi_square_sigmas(counts, 3, 100000)) < 5);
  assert_true(fabs(chi_square_sigmas(thirds, 3, 100000)) < 5);
  for (int i = 0; i < 1000; i++) assert_true(nas_stream_below(&stream, UINT32_MAX) < UINT32_MAX);
}

static void permutations_are_permutations(void **state) {
  (void)state;
  static int32_t order[1000];
  static const size_t counts[] = {0, 1, 2, 3, 17, 1000};
  nas_stream stream = nas_stream_open(1, "permutation", NULL, 0);
  for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
    char seen[1000] = {0};
    nas_stream_permutation(&stream, order, counts[c]);
    for (size_t i = 0; i < counts[c]; i++) {
      assert_in_range(order[i], 0, counts[c] - 1);
      assert_false(seen[order[i]]++);
    }
  }
}

static void permutations_are_uniform(void **state) {
  (void)state;
  enum { SIZE = 5, ORDERS = 120 };
  uint32_t counts[ORDERS] = {0};
  nas_stream stream = nas_stream_open(1, "orders", NULL, 0);
  for (int i = 0; i < 1000 * ORDERS; i++) {
    int32_t order[SIZE];
    nas_stream_permutation(&stream, order, SIZE);
    int rank = 0; /* in the lexicographic list of orders */
    for (int p = 0; p < SIZE; p++) {
      int smaller = 0;
      for (int q = p + 1; q < SIZE; q++) smaller += order[q] < order[p];
      rank = rank * (SIZE - p) + smaller;
    }
    counts[rank]++;
  }
  assert_true(fabs(chi_square_sigmas(counts, ORDERS, 1000)) < 5);
}

/* Streams of neighbouring addresses: no correlation of their numbers, half of the bits differ. */
static void neighbours_are_uncorrelated(void **state) {
  (void)state;
  enum { STREAMS = 500, NUMBERS = 400 };
  double product = 0;
  long differing = 0;
  for (uint64_t s = 0; s < STREAMS; s++) {
    nas_stream a = nas_stream_open(1, "neighbour", &s, 1);
    nas_stream b = nas_stream_open(1, "neighbour", &(uint64_t){s + 1}, 1);
    for (int i = 0; i < NUMBERS; i++) {
      uint32_t x = nas_stream_u32(&a), y = nas_stream_u32(&b);
      product += ((double)x / 0x1p32 - 0.5) * ((double)y / 0x1p32 - 0.5);
      differing += __builtin_popcount(x ^ y);
    }
  }
  double count = STREAMS * NUMBERS;
  check_near(product, 0, 5 * sqrt(count) / 12);
  check_near((double)differing, 16 * count, 5 * sqrt(8 * count));
}

/* Each bit of the first number is set for half of all addresses, and pairs of bits are independent:
 * the hash mixes what differs between addresses. */
static void first_numbers_over_addresses(void **state) {
  (void)state;
  enum { STREAMS = 20000 };
  static long both[32][32];
  memset(both, 0, sizeof both);
  for (uint64_t s = 0; s < STREAMS; s++) {
    nas_stream stream = nas_stream_open(s, "first", NULL, 0);
    uint32_t x = nas_stream_u32(&stream);
    for (int i = 0; i < 32; i++) {
      for (int j = 0; j <= i; j++) both[i][j] += (x >> i) & (x >> j) & 1;
    }
  }
  for (int i = 0; i < 32; i++) {
    for (int j = 0; j <= i; j++) {
      double p = i == j ? 0.5 : 0.25;
      check_near((double)both[i][j], p * STREAMS, 5 * sqrt(p * (1 - p) * STREAMS));
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(known_blocks),
      cmocka_unit_test(golden_numbers),
      cmocka_unit_test(address_is_the_hash_of_its_bytes),
      cmocka_unit_test(addresses_differ),
      cmocka_unit_test(seeking_equals_stepping),
      cmocka_unit_test(seeking_far),
      cmocka_unit_test(copies_fork),
      cmocka_unit_test(how_numbers_are_used),
      cmocka_unit_test(ranges),
      cmocka_unit_test(numbers_below_a_bound_are_uniform),
      cmocka_unit_test(large_bounds_have_no_bias),
      cmocka_unit_test(permutations_are_permutations),
      cmocka_unit_test(permutations_are_uniform),
      cmocka_unit_test(neighbours_are_uncorrelated),
      cmocka_unit_test(first_numbers_over_addresses),
  };
  return cmocka_run_group_tests(tests, NULL, check_no_blocks);
}
