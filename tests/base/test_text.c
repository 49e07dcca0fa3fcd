#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <check.h>
#include <nas/random.h>
#include <nas/text.h>

static void pieces(void **state) {
  (void)state;
  nas_text text = {0};
  nas_text_add(&text, "conv(");
  nas_text_add_integer(&text, 24);
  nas_text_add_bytes(&text, ", 3)?", 4);
  assert_string_equal(text.data, "conv(24, 3)");
  assert_int_equal(text.size, 11);
  nas_text_clear(&text);
  assert_null(text.data);
  assert_int_equal(text.size, 0);
  nas_text_clear(&text);
  nas_text_clear(NULL);
}

static void empty_pieces(void **state) {
  (void)state;
  nas_text text = {0};
  nas_text_add(&text, "");
  assert_string_equal(text.data, "");
  nas_text_add_bytes(&text, NULL, 0);
  assert_string_equal(text.data, "");
  nas_text_clear(&text);
}

static void bytes_may_hold_a_nul(void **state) {
  (void)state;
  nas_text text = {0};
  nas_text_add_bytes(&text, "a\0b", 3);
  assert_int_equal(text.size, 3);
  assert_memory_equal(text.data, "a\0b", 4);
  nas_text_clear(&text);
}

static void texts_grow(void **state) {
  (void)state;
  nas_text text = {0};
  for (int i = 0; i < 10000; i++) nas_text_add(&text, i % 2 ? "odd" : "even");
  assert_int_equal(text.size, 35000);
  assert_int_equal(strlen(text.data), 35000);
  assert_memory_equal(text.data + 34993, "evenodd", 8);
  nas_text_clear(&text);
}

static void integers(void **state) {
  (void)state;
  nas_text text = {0};
  const int64_t values[] = {0, -1, 42, INT64_MAX, INT64_MIN};
  for (int i = 0; i < 5; i++) {
    nas_text_add_integer(&text, values[i]);
    nas_text_add(&text, " ");
  }
  assert_string_equal(text.data, "0 -1 42 9223372036854775807 -9223372036854775808 ");
  nas_text_clear(&text);
}

static void failed_appends(void **state) {
  (void)state;
  nas_text text = {0};
  nas_memory_fail_after(0);
  nas_text_add(&text, "x");
  nas_memory_fail_after(-1);
  assert_true(text.failed);
  assert_null(text.data);
  nas_text_add(&text, "y"); /* there would be memory now */
  assert_null(text.data);
  nas_text_clear(&text);
  assert_false(text.failed);

  nas_text_add(&text, "kept");
  char large[1000] = "";
  nas_memory_fail_after(0);
  nas_text_add_bytes(&text, large, sizeof large);
  nas_text_add_float(&text, 1);
  nas_memory_fail_after(-1);
  assert_true(text.failed);
  assert_string_equal(text.data, "kept");
  assert_int_equal(text.size, 4);
  nas_text_clear(&text);

  nas_text_add(&text, "kept");
  nas_text_add_bytes(&text, large, SIZE_MAX - 2); /* refused before anything is read */
  assert_true(text.failed);
  assert_string_equal(text.data, "kept");
  nas_text_clear(&text);
}

/* Numbers */

static void check_float(float value, const char *want) {
  nas_text text = {0};
  nas_text_add_float(&text, value);
  assert_string_equal(text.data, want);
  nas_text_clear(&text);
}

static void check_double(double value, const char *want) {
  nas_text text = {0};
  nas_text_add_double(&text, value);
  assert_string_equal(text.data, want);
  nas_text_clear(&text);
}

static void forms_of_floats(void **state) {
  (void)state;
  check_float(0, "0");
  check_float(-0.0f, "-0");
  check_float(250, "250");
  check_float(0.001f, "0.001");
  check_float(0.1f, "0.1");
  check_float(-2.5f, "-2.5");
  check_float(1e-4f, "0.0001");
  check_float(1e-5f, "1e-05");
  check_float(1e-7f, "1e-07");
  check_float(16777216, "16777216");
  check_float(100000000, "100000000");
  check_float(1e9f, "1e+09");
  check_float(1.0f / 3, "0.33333334");
  check_float(FLT_MAX, "3.4028235e+38");
  check_float(FLT_MIN, "1.1754944e-38");
  check_float(FLT_TRUE_MIN, "1e-45");
  check_float(HUGE_VALF, "inf");
  check_float(-HUGE_VALF, "-inf");
  check_float(NAN, "nan");
  check_float(-NAN, "nan");
}

static void forms_of_doubles(void **state) {
  (void)state;
  check_double(0.1, "0.1");
  check_double((double)0.1f, "0.10000000149011612");
  check_double(1.0 / 3, "0.3333333333333333");
  check_double(1e16, "10000000000000000");
  check_double(1e17, "1e+17");
  check_double(1e22, "1e+22");
  check_double(0x1p53, "9007199254740992");
  check_double(DBL_MAX, "1.7976931348623157e+308");
  check_double(DBL_TRUE_MIN, "5e-324");
  check_double(-0.0, "-0");
  check_double(-HUGE_VAL, "-inf");
  check_double((double)NAN, "nan");
}

/* Every number reads back; one digit less does not, unless it is an integer in plain notation. */
static void numbers_read_back(void **state) {
  (void)state;
  nas_stream stream = nas_stream_open(1, "numbers", NULL, 0);
  nas_text text = {0};
  for (int i = 0; i < 100000; i++) {
    uint32_t bits = nas_stream_u32(&stream);
    uint64_t wide = (uint64_t)bits << 32 | nas_stream_u32(&stream);
    float f, back;
    double d, wide_back;
    memcpy(&f, &bits, sizeof f);
    memcpy(&d, &wide, sizeof d);
    if (i % 2) f = (float)(int)(bits >> 8) / 256, d = (double)(wide >> 11) / 1024;
    if (!isfinite(f) || !isfinite(d)) continue;
    text.size = 0;
    nas_text_add_float(&text, f);
    back = strtof(text.data, NULL);
    check_float_bits(back, f);
    assert_true(text.size <= 15);
    text.size = 0;
    nas_text_add_double(&text, d);
    wide_back = strtod(text.data, NULL);
    assert_memory_equal(&wide_back, &d, sizeof d);
    assert_true(text.size <= 24);
  }
  nas_text_clear(&text);
}

/* Reading */

/* The whole of a text, which stands in a block of just its size. */
static int parse_integer(const char *digits, size_t size, int64_t *value) {
  char *exact = malloc(size ? size : 1);
  assert_non_null(exact);
  memcpy(exact, digits, size);
  int failed = nas_text_parse_integer(exact, size, value);
  free(exact);
  return failed;
}

static int parse_double(const char *digits, size_t size, double *value) {
  char *exact = malloc(size ? size : 1);
  assert_non_null(exact);
  memcpy(exact, digits, size);
  int failed = nas_text_parse_double(exact, size, value);
  free(exact);
  return failed;
}

static void integers_are_read(void **state) {
  (void)state;
  const int64_t values[] = {0, 1, -1, 9, -10, 42, 65536, INT64_MAX, INT64_MIN, INT64_MIN + 1};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    nas_text text = {0};
    int64_t read = 7;
    nas_text_add_integer(&text, values[i]);
    assert_int_equal(parse_integer(text.data, text.size, &read), 0);
    assert_true(read == values[i]);
    nas_text_clear(&text);
  }
  static const char *const wrong[] = {"",
                                      "-",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "01",
                                      "-0",
                                      "00",
                                      "-01",
                                      "1.0",
                                      "1e3",
                                      "0x1",
                                      "a",
                                      "1-",
                                      "--1",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "99999999999999999999"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    int64_t read = 7;
    if (!parse_integer(wrong[i], strlen(wrong[i]), &read)) fail_msg("\"%s\" was read", wrong[i]);
    assert_true(read == 7);
  }
  int64_t read = 7;
  assert_int_equal(parse_integer("12345", 2, &read), 0); /* no more than size */
  assert_int_equal(read, 12);
  assert_int_equal(parse_integer("1\0", 2, &read), -1);
}

static void check_read(double value) {
  nas_text text = {0};
  double read = 7;
  nas_text_add_double(&text, value);
  if (parse_double(text.data, text.size, &read)) fail_msg("%s was not read", text.data);
  if (memcmp(&read, &value, sizeof read) != 0)
    fail_msg("%s was read as %.17g (%a)", text.data, read, read);
  nas_text_clear(&text);
}

static void doubles_are_read(void **state) {
  (void)state;
  const double values[] = {0,
                           -0.0,
                           1,
                           -1,
                           0.1,
                           1.0 / 3,
                           1e16,
                           1e17,
                           1e22,
                           1e23,
                           -2.5e-7,
                           0x1p53,
                           0x1p-1074,
                           -0x1p-1074,
                           0x1.8p-1073,
                           DBL_MIN,
                           DBL_MAX,
                           -DBL_MAX,
                           DBL_MIN - DBL_TRUE_MIN,
                           HUGE_VAL,
                           -HUGE_VAL,
                           2.2250738585072011e-308};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) check_read(values[i]);
  nas_stream stream = nas_stream_open(1, "doubles", NULL, 0);
  for (int i = 0; i < 200000; i++) {
    uint64_t bits = (uint64_t)nas_stream_u32(&stream) << 32 | nas_stream_u32(&stream);
    double value;
    if (i % 4 == 1) bits &= UINT64_C(0x800FFFFFFFFFFFFF); /* subnormal */
    if (i % 4 == 2)
      bits = (bits & ~UINT64_C(0x7FF0000000000000)) | UINT64_C(0x7FE0000000000000); /* huge */
    memcpy(&value, &bits, sizeof value);
    if (i % 4 == 3) value = (double)(bits >> 11) / 1024;
    if (value == value) check_read(value);
  }
  double read = 7;
  assert_int_equal(parse_double("nan", 3, &read), 0);
  assert_true(read != read);
}

static void other_notations_of_doubles(void **state) {
  (void)state;
  static const struct {
    const char *text;
    double value;
  } cases[] = {
      {"0.10", 0.1},          {"007", 7},
      {"1e3", 1000},          {"1e+3", 1000},
      {"-1.50e-0001", -0.15}, {"1e-999", 0},
      {"-1e-999", -0.0},      {"0.1000000000000000055511151231257827021181583404541015625", 0.1}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    double read = 7;
    assert_int_equal(parse_double(cases[i].text, strlen(cases[i].text), &read), 0);
    assert_memory_equal(&read, &cases[i].value, sizeof read);
  }
  static const char *const wrong[] = {
      "",       "-",
      "+1",     " 1",
      "1 ",     ".",
      ".5",     "1.",
      "1.e3",   "e3",
      "1e",     "1e+",
      "1e-",    "1E3",
      "1,5",    "0x1p3",
      "1f",     "--1",
      "1..2",   "1.2.3",
      "1e3.5",  "infinity",
      "INF",    "+inf",
      "NaN",    "-nan",
      "nan(1)", "in",
      "inff",   "1e999",
      "-1e309", "1.8e308",
      "1'000",  "0.10000000000000000000000000000000000000000000000000000000000000"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    double read = 7;
    if (!parse_double(wrong[i], strlen(wrong[i]), &read)) fail_msg("\"%s\" was read", wrong[i]);
    assert_true(read == 7);
  }
  double read = 7;
  assert_int_equal(parse_double("1.5e308", 3, &read), 0); /* no more than size */
  assert_true(read == 1.5);
  assert_int_equal(parse_double("1\0", 2, &read), -1);
}

/* Runs where a locale with a comma is installed. */
static void numbers_in_a_locale_with_a_comma(void **state) {
  (void)state;
  static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8",  "fr_FR.UTF-8", "fr_FR.utf8",
                                      "pl_PL.UTF-8", "ru_RU.UTF-8", "pt_BR.UTF-8", "de_DE"};
  int found = 0;
  for (size_t i = 0; !found && i < sizeof names / sizeof *names; i++)
    found = setlocale(LC_ALL, names[i]) && strcmp(localeconv()->decimal_point, ",") == 0;
  if (!found) {
    setlocale(LC_ALL, "C");
    check_skip("no locale with a comma is installed");
  }
  check_float(0.001f, "0.001");
  check_float(-2.5f, "-2.5");
  check_float(250, "250");
  check_float(FLT_MAX, "3.4028235e+38");
  check_double(1.0 / 3, "0.3333333333333333");
  check_double(1234567.25, "1234567.25");
  check_read(1234567.25);
  check_read(-1.0 / 3);
  check_read(1e-300);
  double read = 7;
  assert_int_equal(parse_double("1,5", 3, &read), -1);
  setlocale(LC_ALL, "C");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pieces),
      cmocka_unit_test(empty_pieces),
      cmocka_unit_test(bytes_may_hold_a_nul),
      cmocka_unit_test(texts_grow),
      cmocka_unit_test(integers),
      cmocka_unit_test(failed_appends),
      cmocka_unit_test(forms_of_floats),
      cmocka_unit_test(forms_of_doubles),
      cmocka_unit_test(numbers_read_back),
      cmocka_unit_test(integers_are_read),
      cmocka_unit_test(doubles_are_read),
      cmocka_unit_test(other_notations_of_doubles),
      cmocka_unit_test(numbers_in_a_locale_with_a_comma),
  };
  return cmocka_run_group_tests(tests, NULL, check_no_blocks);
}
