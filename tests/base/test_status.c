#include <check.h>

static const nas_status all[] = {
#define X(name, value, text) NAS_##name,
    NAS_STATUS_MAP(X)
#undef X
};

#define COUNT ((int)(sizeof all / sizeof *all))

static void names_and_texts(void **state) {
  (void)state;
  assert_string_equal(nas_status_name(NAS_OK), "NAS_OK");
  assert_string_equal(nas_status_name(NAS_SYSTEM), "NAS_SYSTEM");
  assert_string_equal(nas_status_text(NAS_MEMORY), "out of memory");
  for (int i = 0; i < COUNT; i++) {
    assert_memory_equal(nas_status_name(all[i]), "NAS_", 4);
    assert_true(strlen(nas_status_text(all[i])) > 5);
    assert_int_equal(all[i], -i); /* stable values, and no gap */
  }
}

static void unknown_numbers(void **state) {
  (void)state;
  const int unknown[] = {1, -COUNT, 1000, -1000};
  for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
    assert_string_equal(nas_status_name((nas_status)unknown[i]), "NAS_UNKNOWN");
    assert_non_null(nas_status_text((nas_status)unknown[i]));
  }
}

static void failing_fills_the_buffer(void **state) {
  (void)state;
  nas_error err = {0};
  assert_int_equal(nas_fail(&err, NAS_LIMIT, "width: %d is not in %s", 7, "1 .. 5"), NAS_LIMIT);
  assert_int_equal(err.code, NAS_LIMIT);
  assert_string_equal(err.text, "width: 7 is not in 1 .. 5");
  assert_int_equal(nas_fail(NULL, NAS_IO, "nobody reads %s", "this"), NAS_IO);
}

static void words_around_a_message(void **state) {
  (void)state;
  nas_error err;
  nas_fail(&err, NAS_ARGUMENT, "stride: 0 is not positive");
  nas_fail(&err, err.code, "layer %d: %s", 3, err.text);
  assert_int_equal(err.code, NAS_ARGUMENT);
  assert_string_equal(err.text, "layer 3: stride: 0 is not positive");
}

/* Whatever stands at the end of the buffer, only whole characters stay, and as many as fit. */
static void long_texts_are_cut_at_a_character(void **state) {
  (void)state;
  static const char *const characters[] = {"x", "ß", "€", "𝄞"};
  for (size_t c = 0; c < 4; c++) {
    size_t size = strlen(characters[c]);
    for (size_t offset = 0; offset < 8; offset++) {
      char text[2000] = "";
      memset(text, 'a', offset);
      for (size_t at = offset; at < 1000; at += size) memcpy(text + at, characters[c], size);
      nas_error err;
      nas_fail(&err, NAS_FORMAT, "%s", text);
      size_t room = sizeof err.text - 1;
      size_t length = offset + (room - offset) / size * size;
      assert_int_equal(strlen(err.text), length);
      assert_memory_equal(err.text, text, length);
    }
  }
}

static void texts_that_just_fit(void **state) {
  (void)state;
  nas_error err;
  char text[sizeof err.text + 1];
  memset(text, 'x', sizeof text);
  text[sizeof err.text - 1] = 0;
  nas_fail(&err, NAS_FORMAT, "%s", text);
  assert_string_equal(err.text, text);
  memcpy(text + sizeof err.text - 4, "€", 4); /* the last character ends at the buffer's end */
  nas_fail(&err, NAS_FORMAT, "%s", text);
  assert_string_equal(err.text, text);
}

/* Bytes that are not UTF-8 do no harm: nothing but the end is looked at. */
static void cutting_other_bytes(void **state) {
  (void)state;
  static const unsigned char bytes[] = {0x80, 0xbf, 0xc3, 0xe2, 0xf0, 0xff};
  for (size_t b = 0; b < sizeof bytes; b++) {
    char text[1000];
    memset(text, bytes[b], sizeof text);
    text[sizeof text - 1] = 0;
    nas_error err;
    nas_fail(&err, NAS_FORMAT, "%s", text);
    assert_in_range(strlen(err.text), sizeof err.text - 5, sizeof err.text - 1);
  }
}

static void failed_allocations(void **state) {
  (void)state;
  nas_error err;
  assert_int_equal(nas_fail_memory(&err, "the weights", 1ull << 40), NAS_MEMORY);
  assert_int_equal(err.code, NAS_MEMORY);
  check_contains(err.text, "the weights");
  check_contains(err.text, "1099511627776");
  assert_int_equal(nas_fail_memory(NULL, "x", 1), NAS_MEMORY);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_and_texts),
      cmocka_unit_test(unknown_numbers),
      cmocka_unit_test(failing_fills_the_buffer),
      cmocka_unit_test(words_around_a_message),
      cmocka_unit_test(long_texts_are_cut_at_a_character),
      cmocka_unit_test(texts_that_just_fit),
      cmocka_unit_test(cutting_other_bytes),
      cmocka_unit_test(failed_allocations),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
