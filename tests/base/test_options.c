#include <locale.h>
#include <math.h>
#include <check.h>
#include <nas/options.h>
#include <nas/random.h>

#define TEST(function) cmocka_unit_test_teardown(function, check_no_blocks)

static const char *const colours[] = {"red", "green", "blue", NULL};

enum { COUNT, SIZE, RATE, FLAG, COLOUR, OPTIONS };
static const nas_option options[OPTIONS] = {
    [COUNT] = {"count", NAS_OPTION_INTEGER, 1, 7, -3, 100000, NULL, "A count."},
    [SIZE] = {"size", NAS_OPTION_PAIR, 0, 3, 1, 255, NULL, "A size."},
    [RATE] = {"rate", NAS_OPTION_NUMBER, 0, 0.001, 0, 1e6, NULL, "A rate."},
    [FLAG] = {"flag", NAS_OPTION_BOOLEAN, 0, 1, 0, 1, NULL, "A flag."},
    [COLOUR] = {"colour", NAS_OPTION_CHOICE, 0, 1, 0, 0, colours, "A colour."},
};
static const nas_option_table table = {"thing", options, OPTIONS};

/* The canonical text of the values. */
static void check_text(const nas_option_value *values, const char *expected) {
  nas_text text = {0};
  nas_options_text(&table, values, &text);
  assert_false(text.failed);
  assert_string_equal(text.data, expected);
  nas_text_clear(&text);
}

static const char preset[] = " count=7 size=3,3 rate=0.001 flag=1 colour=green";

static void defaults(void **state) {
  (void)state;
  nas_option_value values[OPTIONS];
  memset(values, 0xa5, sizeof values);
  nas_options_default(&table, values);
  assert_int_equal(values[COUNT].integer, 7);
  assert_int_equal(values[SIZE].pair[0], 3);
  assert_int_equal(values[SIZE].pair[1], 3);
  assert_true(values[RATE].number == 0.001);
  assert_int_equal(values[FLAG].integer, 1);
  assert_int_equal(values[COLOUR].integer, 1);
  check_text(values, preset);
}

static void names(void **state) {
  (void)state;
  nas_error err = {0};
  for (int i = 0; i < OPTIONS; i++)
    assert_int_equal(nas_options_find(&table, options[i].name, &err), i);
  assert_int_equal(err.code, 0);
  static const char *const wrong[] = {"", "coun", "counts", "Count", "siz e"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    char message[200];
    snprintf(message, sizeof message,
             "thing: unknown option \"%s\"; known options: count, size, rate, flag, colour",
             wrong[i]);
    assert_int_equal(nas_options_find(&table, wrong[i], &err), -1);
    assert_int_equal(err.code, NAS_ARGUMENT);
    assert_string_equal(err.text, message);
  }
  assert_int_equal(nas_options_find(&table, "x", NULL), -1);
  static const nas_option_table none = {"relu", NULL, 0};
  assert_int_equal(nas_options_find(&none, "x", &err), -1);
  assert_string_equal(err.text, "relu: unknown option \"x\"; known options: none");
}

/* -- setting ---------------------------------------------------------------------------------- */

static void set_numbers(void **state) {
  (void)state;
  static const struct {
    int index;
    double value;
    const char *text;
  } cases[] = {
      {COUNT, -3, " count=-3 size=3,3 rate=0.001 flag=1 colour=green"},
      {COUNT, 100000, " count=100000 size=3,3 rate=0.001 flag=1 colour=green"},
      {COUNT, -0.0, " count=0 size=3,3 rate=0.001 flag=1 colour=green"},
      {SIZE, 1, " count=7 size=1,1 rate=0.001 flag=1 colour=green"},
      {SIZE, 255, " count=7 size=255,255 rate=0.001 flag=1 colour=green"},
      {RATE, 0, " count=7 size=3,3 rate=0 flag=1 colour=green"},
      {RATE, -0.0, " count=7 size=3,3 rate=0 flag=1 colour=green"}, /* one value, one text */
      {RATE, 1e6, " count=7 size=3,3 rate=1000000 flag=1 colour=green"},
      {RATE, 0.1, " count=7 size=3,3 rate=0.1 flag=1 colour=green"},
      {RATE, 1.0 / 3, " count=7 size=3,3 rate=0.3333333333333333 flag=1 colour=green"},
      {RATE, 5e-324, " count=7 size=3,3 rate=5e-324 flag=1 colour=green"},
      {FLAG, 0, " count=7 size=3,3 rate=0.001 flag=0 colour=green"},
      {FLAG, 1, " count=7 size=3,3 rate=0.001 flag=1 colour=green"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    nas_option_value values[OPTIONS];
    nas_error err;
    nas_options_default(&table, values);
    check_ok(nas_options_set_number(&table, values, cases[i].index, cases[i].value, &err), &err);
    check_text(values, cases[i].text);
  }
}

static void set_pairs_and_words(void **state) {
  (void)state;
  nas_option_value values[OPTIONS];
  nas_error err;
  nas_options_default(&table, values);
  check_ok(nas_options_set_pair(&table, values, SIZE, 1, 255, &err), &err);
  check_text(values, " count=7 size=1,255 rate=0.001 flag=1 colour=green");
  for (int i = 0; colours[i]; i++) {
    check_ok(nas_options_set_word(&table, values, COLOUR, colours[i], &err), &err);
    assert_int_equal(values[COLOUR].integer, i);
  }
  check_text(values, " count=7 size=1,255 rate=0.001 flag=1 colour=blue");
}

/* -- refusing --------------------------------------------------------------------------------- */

static void check_unchanged(const nas_option_value *values, nas_status status, const nas_error *err,
                            const char *message) {
  assert_int_equal(status, NAS_ARGUMENT);
  assert_int_equal(err->code, NAS_ARGUMENT);
  assert_string_equal(err->text, message);
  check_text(values, preset);
}

static void numbers_out_of_range(void **state) {
  (void)state;
  static const struct {
    int index;
    double value;
    const char *message;
  } cases[] = {
      {COUNT, -4, "thing: count is -4; expected an integer from -3 to 100000"},
      {COUNT, 100001, "thing: count is 100001; expected an integer from -3 to 100000"},
      {COUNT, 2.5, "thing: count is 2.5; expected an integer from -3 to 100000"},
      {COUNT, 1e300, "thing: count is 1e+300; expected an integer from -3 to 100000"},
      {COUNT, 4294967297.0, "thing: count is 4.2949673e+09; expected an integer from -3 to 100000"},
      {COUNT, HUGE_VAL, "thing: count is inf; expected an integer from -3 to 100000"},
      {SIZE, 0, "thing: size is 0; expected an integer from 1 to 255"},
      {SIZE, 1.5, "thing: size is 1.5; expected an integer from 1 to 255"},
      {SIZE, 256, "thing: size is 256; expected an integer from 1 to 255"},
      {RATE, -1e-9, "thing: rate is -1e-09; expected a number from 0 to 1000000"},
      {RATE, 1000001, "thing: rate is 1000001; expected a number from 0 to 1000000"},
      {RATE, -HUGE_VAL, "thing: rate is -inf; expected a number from 0 to 1000000"},
      {FLAG, 2, "thing: flag is a number; expected true or false"},
      {FLAG, 0.5, "thing: flag is a number; expected true or false"},
      {COLOUR, 1, "thing: colour is a number; expected a word"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    nas_option_value values[OPTIONS];
    nas_error err = {0};
    nas_options_default(&table, values);
    nas_status status =
        nas_options_set_number(&table, values, cases[i].index, cases[i].value, &err);
    check_unchanged(values, status, &err, cases[i].message);
    assert_int_equal(nas_options_set_number(&table, values, cases[i].index, cases[i].value, NULL),
                     NAS_ARGUMENT);
  }
}

static void nan_is_refused(void **state) {
  (void)state;
  static const int indices[] = {COUNT, SIZE, RATE, FLAG};
  for (int i = 0; i < 4; i++) {
    nas_option_value values[OPTIONS];
    nas_error err = {0};
    nas_options_default(&table, values);
    assert_int_equal(nas_options_set_number(&table, values, indices[i], (double)NAN, &err),
                     NAS_ARGUMENT);
    check_contains(err.text, options[indices[i]].name);
    check_text(values, preset);
  }
}

static void pairs_out_of_range(void **state) {
  (void)state;
  nas_option_value values[OPTIONS];
  nas_error err = {0};
  nas_options_default(&table, values);
  check_unchanged(values, nas_options_set_pair(&table, values, SIZE, 5, 256, &err), &err,
                  "thing: size is 256; expected an integer from 1 to 255");
  check_unchanged(values, nas_options_set_pair(&table, values, SIZE, 0.5, 5, &err), &err,
                  "thing: size is 0.5; expected an integer from 1 to 255");
  assert_int_equal(nas_options_set_pair(&table, values, SIZE, 5, (double)NAN, &err), NAS_ARGUMENT);
  static const char *const messages[] = {
      [COUNT] = "thing: count is a pair; expected an integer",
      [RATE] = "thing: rate is a pair; expected a number",
      [FLAG] = "thing: flag is a pair; expected true or false",
      [COLOUR] = "thing: colour is a pair; expected a word",
  };
  for (int i = 0; i < OPTIONS; i++)
    if (i != SIZE)
      check_unchanged(values, nas_options_set_pair(&table, values, i, 1, 1, &err), &err,
                      messages[i]);
}

static void wrong_words(void **state) {
  (void)state;
  nas_option_value values[OPTIONS];
  nas_error err = {0};
  nas_options_default(&table, values);
  check_unchanged(values, nas_options_set_word(&table, values, COLOUR, "pink", &err), &err,
                  "thing: colour is \"pink\"; expected one of red, green, blue");
  check_unchanged(values, nas_options_set_word(&table, values, COLOUR, "", &err), &err,
                  "thing: colour is \"\"; expected one of red, green, blue");
  static const char *const messages[] = {
      [COUNT] = "thing: count is a word; expected an integer",
      [SIZE] = "thing: size is a word; expected an integer or two integers {height, width}",
      [RATE] = "thing: rate is a word; expected a number",
      [FLAG] = "thing: flag is a word; expected true or false",
  };
  for (int i = 0; i < COLOUR; i++)
    check_unchanged(values, nas_options_set_word(&table, values, i, "red", &err), &err,
                    messages[i]);
}

/* -- text ------------------------------------------------------------------------------------- */

/* In any locale, so that an identity is the same everywhere. */
static void text_in_other_locales(void **state) {
  (void)state;
  static const char *const locales[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "ps_AF.UTF-8"};
  nas_option_value values[OPTIONS];
  nas_options_default(&table, values);
  for (size_t i = 0; i < sizeof locales / sizeof *locales; i++)
    if (setlocale(LC_ALL, locales[i])) {
      nas_option_value read[OPTIONS];
      check_text(values, preset);
      check_ok(nas_options_parse(&table, read, preset, NULL), NULL);
      assert_true(read[RATE].number == 0.001);
    }
  setlocale(LC_ALL, "C");
}

/* -- reading the text ------------------------------------------------------------------------- */

static void check_read(const char *text, const char *expected) {
  nas_option_value values[OPTIONS];
  nas_error err;
  memset(values, 0xa5, sizeof values);
  check_ok(nas_options_parse(&table, values, text, &err), &err);
  check_text(values, expected);
}

static void text_is_read(void **state) {
  (void)state;
  static const char *const texts[] = {
      preset,
      " count=-3 size=1,255 rate=0 flag=0 colour=red",
      " count=100000 size=255,1 rate=1000000 flag=1 colour=blue",
      " count=0 size=1,1 rate=5e-324 flag=1 colour=green",
      " count=-1 size=9,10 rate=-0 flag=1 colour=green",
  };
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) check_read(texts[i], texts[i]);
  check_read(" colour=green flag=1 rate=1.0e-3 size=3,3 count=7", preset); /* in any order */
  static const nas_option_table none = {"relu", NULL, 0};
  nas_error err;
  check_ok(nas_options_parse(&none, NULL, "", &err), &err);
  assert_int_equal(nas_options_parse(&none, NULL, " x=1", &err), NAS_FORMAT);
  assert_string_equal(err.text, "relu: unknown option \"x\"; known options: none");
}

/* All bits: also those that no setter would make. */
static void every_number_is_read(void **state) {
  (void)state;
  static const nas_option number[] = {
      {"x", NAS_OPTION_NUMBER, 0, 0, -HUGE_VAL, HUGE_VAL, NULL, "A number."}};
  static const nas_option_table numbers = {"number", number, 1};
  nas_stream stream = nas_stream_open(1, "options", NULL, 0);
  nas_error err;
  for (int i = 0; i < 100000; i++) {
    uint64_t bits = (uint64_t)nas_stream_u32(&stream) << 32 | nas_stream_u32(&stream);
    nas_option_value value, read;
    nas_text text = {0};
    if (i % 3 == 1) bits &= UINT64_C(0x800FFFFFFFFFFFFF); /* subnormal */
    if (i == 0) bits = UINT64_C(0x8000000000000000);      /* -0 */
    if (i == 3) bits = UINT64_C(0x7FF0000000000000);      /* inf */
    memset(&value, 0, sizeof value);
    memcpy(&value.number, &bits, sizeof bits);
    if (value.number != value.number) continue;
    nas_options_text(&numbers, &value, &text);
    memset(&read, 0xa5, sizeof read);
    check_ok(nas_options_parse(&numbers, &read, text.data, &err), &err);
    assert_memory_equal(&read, &value, sizeof read);
    nas_text_clear(&text);
  }
}

static void damaged_texts(void **state) {
  (void)state;
  static const struct {
    const char *text, *message;
  } cases[] = {
      {"", "thing: count is missing"},
      {" count=7 size=3,3 rate=0.001 flag=1", "thing: colour is missing"},
      {" size=3,3 rate=0.001 flag=1 colour=green", "thing: count is missing"},
      {" count=7 count=7 size=3,3", "thing: count is given twice"},
      {" count=7 zoom=7",
       "thing: unknown option \"zoom\"; known options: count, size, rate, flag, colour"},
      {" =7", "thing: unknown option \"\"; known options: count, size, rate, flag, colour"},
      {"count=7", "thing: expected \" name=value\", found \"count=7\""},
      {" count", "thing: expected \" name=value\", found \" count\""},
      {" count 7", "thing: expected \" name=value\", found \" count 7\""},
      {"  count=7", "thing: expected \" name=value\", found \"  count=7\""},
      {" count=7 ", "thing: expected \" name=value\", found \" \""},
      {" count=7, size=3,3", "thing: count is \"7,\"; expected an integer from -3 to 100000"},
      {" count=", "thing: count is \"\"; expected an integer from -3 to 100000"},
      {" count=-4", "thing: count is \"-4\"; expected an integer from -3 to 100000"},
      {" count=100001", "thing: count is \"100001\"; expected"},
      {" count=4294967303", "thing: count is \"4294967303\"; expected"},
      {" count=07", "thing: count is \"07\"; expected"},
      {" count=7.0", "thing: count is \"7.0\"; expected"},
      {" count==7", "thing: count is \"=7\"; expected"},
      {" size=3", "thing: size is \"3\"; expected two integers with a comma, each from 1 to 255"},
      {" size=3,", "thing: size is \"3,\"; expected"},
      {" size=,3", "thing: size is \",3\"; expected"},
      {" size=3,3,3", "thing: size is \"3,3,3\"; expected"},
      {" size=0,3", "thing: size is \"0,3\"; expected"},
      {" size=3,256", "thing: size is \"3,256\"; expected"},
      {" rate=1e", "thing: rate is \"1e\"; expected a number from 0 to 1000000"},
      {" rate=-1", "thing: rate is \"-1\"; expected"},
      {" rate=1000000.5", "thing: rate is \"1000000.5\"; expected"},
      {" rate=inf", "thing: rate is \"inf\"; expected"},
      {" rate=nan", "thing: rate is \"nan\"; expected"},
      {" rate=1,5", "thing: rate is \"1,5\"; expected"},
      {" flag=true", "thing: flag is \"true\"; expected 0 or 1"},
      {" flag=2", "thing: flag is \"2\"; expected 0 or 1"},
      {" flag=", "thing: flag is \"\"; expected 0 or 1"},
      {" colour=pink", "thing: colour is \"pink\"; expected one of red, green, blue"},
      {" colour=re", "thing: colour is \"re\"; expected one of"},
      {" colour=redd", "thing: colour is \"redd\"; expected one of"},
      {" colour=", "thing: colour is \"\"; expected one of"},
      {" count=7\n", "thing: count is \"7\n\"; expected"},
      {" a-name-that-is-longer-than-every-buffer-that-a-reader-of-such-names-could-have-in-mind=1",
       "thing: unknown option "
       "\"a-name-that-is-longer-than-every-buffer-that-a-reader-of-suc\""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    nas_option_value values[OPTIONS];
    nas_error err = {0};
    nas_options_default(&table, values);
    assert_int_equal(nas_options_parse(&table, values, cases[i].text, &err), NAS_FORMAT);
    assert_int_equal(err.code, NAS_FORMAT);
    check_contains(err.text, cases[i].message);
    check_text(values, preset);
    assert_int_equal(nas_options_parse(&table, values, cases[i].text, NULL), NAS_FORMAT);
  }
}

static void without_memory(void **state) {
  (void)state;
  nas_option_value values[OPTIONS];
  nas_error err = {0};
  nas_text text = {0};
  nas_options_default(&table, values);
  nas_memory_fail_after(0);
  nas_options_text(&table, values, &text);
  assert_true(text.failed);
  assert_int_equal(nas_options_find(&table, "x", &err), -1);
  check_contains(err.text, "thing: unknown option \"x\"");
  assert_int_equal(nas_options_set_word(&table, values, COLOUR, "pink", &err), NAS_ARGUMENT);
  check_ok(nas_options_set_word(&table, values, COLOUR, "blue", &err), &err);
  assert_int_equal(nas_options_parse(&table, values, " colour=pink", &err), NAS_FORMAT);
  check_ok(nas_options_parse(&table, values, preset, &err), &err);
  nas_memory_fail_after(-1);
  nas_text_clear(&text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(defaults),
      TEST(names),
      TEST(set_numbers),
      TEST(set_pairs_and_words),
      TEST(numbers_out_of_range),
      TEST(nan_is_refused),
      TEST(pairs_out_of_range),
      TEST(wrong_words),
      TEST(text_in_other_locales),
      TEST(text_is_read),
      TEST(every_number_is_read),
      TEST(damaged_texts),
      TEST(without_memory),
  };
  return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
