#include "files.h"
#include <float.h>
#include <locale.h>
#include <nas/csv.h>

#define COLUMNS(...)                                                                               \
  (int64_t[]){__VA_ARGS__}, (int64_t)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

static nas_csv *read_text(const char *text, const nas_csv_settings *settings) {
  nas_csv *table;
  nas_error err = {0};
  check_ok(nas_csv_read_memory(&table, text, strlen(text), "text", settings, &err), &err);
  return table;
}

/* The names, then the rows, put together with | between cells and / between rows. */
static void check_table(nas_csv *table, const char *expected) {
  char text[1024] = "";
  for (int64_t row = -1; row < nas_csv_rows(table); row++) {
    for (int64_t column = 0; column < nas_csv_columns(table); column++) {
      strcat(text, row < 0 ? nas_csv_name(table, column) : nas_csv_cell(table, row, column));
      strcat(text, column + 1 < nas_csv_columns(table) ? "|" : "/");
    }
  }
  assert_string_equal(text, expected);
}

static void check_text(const char *text, const char *expected) {
  nas_csv *table = read_text(text, NULL);
  check_table(table, expected);
  nas_csv_destroy(&table);
}

static void refuse_text(const char *text, const char *part) {
  nas_csv *table;
  check_refused(nas_csv_read_memory(&table, text, strlen(text), "text", NULL, &err), NAS_FORMAT,
                table, part);
}

/* ---- Tables ---- */

static void plain_tables(void **state) {
  (void)state;
  check_text("a,b\n1,2\n3,4\n", "a|b/1|2/3|4/");
  check_text("a,b\n1,2\n3,4", "a|b/1|2/3|4/");
  check_text("a\n1\n", "a/1/");
  check_text("a,b\n,\n", "a|b/|/");
  check_text("\xEF\xBB\xBF"
             "a,b\r\n1,2\r\n",
             "a|b/1|2/");
  check_text("a,b\r1,2\r3,4", "a|b/1|2/3|4/");
  check_text("\n \na,b\n\n1,2\n\r\n\t\n3,4\n\n", "a|b/1|2/3|4/");
}

static void quotes_and_blanks(void **state) {
  (void)state;
  check_text("a,b\n\"x,y\",\"he said \"\"no\"\"\"\n", "a|b/x,y|he said \"no\"/");
  check_text("a,b\n\"two\nlines\",\"\"\n", "a|b/two\nlines|/");
  check_text(" a , b c\t\n 1 , \" 2 \" \n", "a|b c/1| 2 /");
  check_text("\"a\",\"\"\"\"\r\n\"1\",\"2\"", "a|\"/1|2/");
  check_text("a\n\"\"\n", "a//");
}

static void delimiters_are_detected(void **state) {
  (void)state;
  check_text("a;b;c,d\n1,5;2,5;3\n", "a|b|c,d/1,5|2,5|3/");
  check_text("a\tb\n1\t 2\n", "a|b/1|2/");
  check_text("a\tb\n\t2\n", "a|b/|2/");
  check_text("\"x,y,z\";b\n1;2\n", "x,y,z|b/1|2/");
  check_text("\n\na;b\n1;2\n", "a|b/1|2/");
  check_text("a b\n1 2\n", "a b/1 2/");
  nas_csv *table = read_text("a,b|c,d\n1,2|3,4\n", &(nas_csv_settings){'|', 1});
  check_table(table, "a,b|c,d/1,2|3,4/");
  assert_int_equal(nas_csv_columns(table), 2);
  nas_csv_destroy(&table);
}

static void names_of_columns(void **state) {
  (void)state;
  nas_csv *table = read_text("x,,z\n1,2,3\n", NULL);
  assert_string_equal(nas_csv_name(table, 1), "2");
  assert_int_equal(nas_csv_find(table, "z"), 2);
  assert_int_equal(nas_csv_find(table, "y"), -1);
  nas_csv_destroy(&table);
  table = read_text("5,6\n7,8\n", &(nas_csv_settings){0, 0});
  check_table(table, "1|2/5|6/7|8/");
  assert_int_equal(nas_csv_line(table, 0), 1);
  nas_csv_destroy(&table);
  refuse_text("\na,b,a\n1,2,3\n", "text, line 2: two columns are named \"a\"");
  refuse_text(",1\n1,2\n", "text, line 1: two columns are named \"1\"");
}

static void lines_are_counted(void **state) {
  (void)state;
  nas_csv *table = read_text("a,b\r\n\"1\r\n\n2\",3\r\n\r\n4,\"\n\"\r\n5,6", NULL);
  static const int64_t lines[] = {2, 6, 8};
  for (int i = 0; i < 3; i++) assert_int_equal(nas_csv_line(table, i), lines[i]);
  nas_csv_destroy(&table);
  refuse_text("a,b\r\n\"\r\n\",1\r\n2\r\n",
              "text, line 4: the number of cells is 1; expected 2 as in line 1");
  refuse_text("a,b\r\r\r1,\"\r\"x", "text, line 5: text behind a closing quote");
}

static void damaged_tables(void **state) {
  (void)state;
  nas_csv *table;
  refuse_text("", "text: no rows");
  refuse_text("\n \n", "text: no rows");
  refuse_text("a,b\n", "text: no rows behind the names of the columns");
  refuse_text("a,b\n1,2,3\n", "text, line 2: the number of cells is 3; expected 2 as in line 1");
  refuse_text("a,b\n1,2\n3\n", "text, line 3: the number of cells is 1; expected 2 as in line 1");
  refuse_text("a\n1\n\"x\n\n2\n", "text, line 3: the quote that opens a cell here is never closed");
  refuse_text("a\nx\"y\n", "text, line 2: a quote inside a cell; such a cell must be quoted");
  refuse_text("a\n\"x\"y\n", "text, line 2: text behind a closing quote");
  check_refused(nas_csv_read_memory(&table, "a\0,b\0\n", 6, "wide", NULL, &err), NAS_FORMAT, table,
                "wide, line 1: a zero byte");
  check_refused(nas_csv_read_memory(&table, "a\n\"\0\"", 5, "wide", NULL, &err), NAS_FORMAT, table,
                "wide, line 2: a zero byte");
}

static void unsound_settings(void **state) {
  (void)state;
  nas_csv *table;
  check_refused(nas_csv_read(&table, "x", &(nas_csv_settings){'"', 1}, &err), NAS_ARGUMENT, table,
                "csv: delimiter is byte 0x22; expected one of");
  check_refused(nas_csv_read_memory(&table, "x", 1, "x", &(nas_csv_settings){'a', 1}, &err),
                NAS_ARGUMENT, table, "csv: delimiter");
  check_refused(nas_csv_read(&table, "x", &(nas_csv_settings){',', 2}, &err), NAS_ARGUMENT, table,
                "csv: header is 2; expected 0 or 1");
}

static void files_and_failing_memory(void **state) {
  (void)state;
  static const char text[] = "kind,size\nsmall,1\nlarge,2\n";
  const char *paths[2] = {write_plain("a.csv", text, sizeof text - 1),
                          write_gzip("a.csv.gz", text, sizeof text - 1)};
  for (int i = 0; i < 2; i++) {
    nas_csv *table;
    nas_tensor *tensor;
    nas_csv_classes classes;
    check_starved(nas_csv_read(&table, paths[i], NULL, NULL), table);
    check_table(table, "kind|size/small|1/large|2/");
    check_starved(nas_csv_numbers(table, COLUMNS(1), &tensor, NULL), tensor);
    nas_tensor_destroy(&tensor);
    check_starved(nas_csv_labels(table, 0, &tensor, &classes, NULL), tensor);
    nas_tensor_destroy(&tensor);
    nas_csv_classes_clear(&classes);
    nas_csv_destroy(&table);
    nas_csv_destroy(&table);
  }
  nas_csv *table;
  check_refused(nas_csv_read(&table, path_of("absent"), NULL, &err), NAS_IO, table,
                "absent cannot be opened");
}

static void large_tables(void **state) {
  (void)state;
  const int rows = 20000;
  char *text = malloc((size_t)rows * 24 + 16);
  size_t size = (size_t)sprintf(text, "n,square\n");
  for (int i = 0; i < rows; i++)
    size += (size_t)sprintf(text + size, "%d,\"%d\"\n", i, i * i % 977);
  nas_csv *table;
  nas_tensor *numbers;
  check_ok(nas_csv_read_memory(&table, text, size, "large", NULL, NULL), NULL);
  assert_int_equal(nas_csv_rows(table), rows);
  assert_int_equal(nas_csv_line(table, rows - 1), rows + 1);
  check_ok(nas_csv_numbers(table, COLUMNS(1), &numbers, NULL), NULL);
  for (int i = 0; i < rows; i++)
    check_float_bits(((float *)nas_tensor_data(numbers))[i], (float)(i * i % 977));
  nas_tensor_destroy(&numbers);
  nas_csv_destroy(&table);
  free(text);
}

/* ---- Numbers ---- */

static void check_number(const char *cell, float expected) {
  char text[256];
  snprintf(text, sizeof text, "x,y\n\"%s\",1\n", cell);
  nas_csv *table = read_text(text, NULL);
  nas_tensor *tensor;
  nas_error err = {0};
  assert_int_equal(nas_csv_is_numeric(table, 0), 1);
  check_ok(nas_csv_numbers(table, COLUMNS(0), &tensor, &err), &err);
  check_float_bits(*(float *)nas_tensor_data(tensor), expected);
  nas_tensor_destroy(&tensor);
  nas_csv_destroy(&table);
}

static void numbers(void **state) {
  (void)state;
  check_number("0", 0);
  check_number("-0", -0.0f);
  check_number("+12", 12);
  check_number("1.5", 1.5f);
  check_number(".5", 0.5f);
  check_number("5.", 5);
  check_number("-2.5e-3", -0.0025f);
  check_number("1E+3", 1000);
  check_number("0.1", 0.1f);
  check_number("3.4028234663852886e38", FLT_MAX);
  check_number("1e-60", 0);
  check_number("7.006492321624085e-46", 0);
  check_number("7.006492321624086e-46", FLT_TRUE_MIN);
  /* A hair above the middle of two floats: by way of a double this would be 1. */
  check_number("1.000000059604644775390625000001", 1 + FLT_EPSILON);
}

static void refuse_number(const char *cell, const char *part) {
  char text[256];
  snprintf(text, sizeof text, "x,an age\n1,2\n3,%s\n", cell);
  nas_csv *table = read_text(text, NULL);
  nas_tensor *tensor;
  assert_int_equal(nas_csv_is_numeric(table, 0), 1);
  assert_int_equal(nas_csv_is_numeric(table, 1), 0);
  check_refused(nas_csv_numbers(table, COLUMNS(1), &tensor, &err), NAS_FORMAT, tensor, part);
  nas_csv_destroy(&table);
}

static void several_columns(void **state) {
  (void)state;
  nas_csv *table = read_text("a,b,c\n1,x,3\n4,y,6\n", NULL);
  nas_tensor *tensor;
  check_ok(nas_csv_numbers(table, COLUMNS(2, 0, 2), &tensor, NULL), NULL);
  check_tensor(tensor, ((double[]){3, 1, 3, 6, 4, 6}), DIMS(2, 3));
  nas_tensor_destroy(&tensor);
  check_refused(nas_csv_numbers(table, COLUMNS(0, 1), &tensor, &err), NAS_FORMAT, tensor,
                "text, line 2, column \"b\": the cell is \"x\"; expected a number");
  nas_csv_destroy(&table);
}

static void cells_that_are_no_numbers(void **state) {
  (void)state;
  static const char *const cells[] = {"abc",   "1,5", "1 2",  "0x10",  "inf", "nan",
                                      "NA",    "-",   ".",    "e5",    "1e",  "1e+",
                                      "1.2.3", "--1", "1e5.", "\" 1\""};
  refuse_number("", "text, line 3, column \"an age\": the cell is empty; expected a number");
  refuse_number("abc", "text, line 3, column \"an age\": the cell is \"abc\"; expected a number");
  refuse_number("1e39", "the cell is \"1e39\"; expected a number that float32 can hold");
  refuse_number("-1e999", "expected a number that float32 can hold");
  refuse_number("a rather long cell whose text does not fit into a message",
                "the cell is \"a rather long cell whose text does not fit i...\"; expected");
  refuse_number("\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4"
                "\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4"
                "-\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4",
                "-\xC3\xA4...\"; expected");
  for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
    char cell[32];
    snprintf(cell, sizeof cell, strchr(cells[i], ',') ? "\"%s\"" : "%s", cells[i]);
    refuse_number(cell, "expected a number");
  }
}

static void the_locale_does_not_matter(void **state) {
  (void)state;
  const char *locales[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "ps_AF"};
  const char *set = NULL;
  for (int i = 0; i < 4 && !set; i++) set = setlocale(LC_ALL, locales[i]);
  if (!set) check_skip("no locale with another decimal point is installed");
  check_number("1.5", 1.5f);
  refuse_number("\"1,5\"", "expected a number");
  setlocale(LC_ALL, "C");
}

/* ---- Classes ---- */

static void check_classes(const char *text, const char *names, const double *labels) {
  nas_csv *table = read_text(text, NULL);
  nas_tensor *tensor;
  nas_csv_classes classes;
  nas_error err = {0};
  char found[256] = "";
  check_ok(nas_csv_labels(table, 0, &tensor, &classes, &err), &err);
  assert_int_equal(nas_tensor_dtype(tensor), NAS_INT32);
  check_tensor(tensor, labels, 1, (int64_t[]){nas_csv_rows(table)});
  for (int64_t i = 0; i < classes.count; i++) strcat(strcat(found, classes.names[i]), "|");
  assert_string_equal(found, names);
  nas_tensor_destroy(&tensor);
  nas_csv_classes_clear(&classes);
  nas_csv_destroy(&table);
}

static void classes(void **state) {
  (void)state;
  check_classes("x\nb\na\nb\nC\n", "C|a|b|", (double[]){2, 1, 2, 0});
  check_classes("x\n10\n9\n-1\n10\n", "-1|9|10|", (double[]){2, 1, 0, 2});
  check_classes("x\n07\n7\n1\n", "1|07|", (double[]){1, 1, 0});
  check_classes("x\n10\n9\n1.5\n", "1.5|10|9|", (double[]){1, 2, 0});
  check_classes("x\n999999999999999999\n-999999999999999999\n",
                "-999999999999999999|999999999999999999|", (double[]){1, 0});
  check_classes("x\n1000000000000000000\n2\n", "1000000000000000000|2|", (double[]){0, 1});
  check_classes("x\na\n\xC3\xA4\nz\n", "a|z|\xC3\xA4|", (double[]){0, 2, 1});
  check_classes("x\nonly\nonly\n", "only|", (double[]){0, 0});
}

static void an_empty_class(void **state) {
  (void)state;
  nas_csv *table = read_text("x,y\na,1\n,2\n", NULL);
  nas_tensor *tensor;
  nas_csv_classes found;
  check_refused(nas_csv_labels(table, 0, &tensor, &found, &err), NAS_FORMAT, tensor,
                "text, line 3, column \"x\": the cell is empty; expected a class");
  assert_null(found.names);
  nas_csv_destroy(&table);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(plain_tables),
      TEST(quotes_and_blanks),
      TEST(delimiters_are_detected),
      TEST(names_of_columns),
      TEST(lines_are_counted),
      TEST(damaged_tables),
      TEST(unsound_settings),
      TEST(files_and_failing_memory),
      TEST(large_tables),
      TEST(numbers),
      TEST(several_columns),
      TEST(cells_that_are_no_numbers),
      TEST(the_locale_does_not_matter),
      TEST(classes),
      TEST(an_empty_class),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
