/* cmocka with what it needs, and the few assertions that it lacks. Never compiled out. */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <nas/memory.h>
#include <nas/status.h>

/* Equal bit for bit, NaN and -0 included; prints both. */
#define check_float_bits(a, b) check_float_bits_at((a), (b), __FILE__, __LINE__)
static inline void check_float_bits_at(float a, float b, const char *file, int line) {
  if (memcmp(&a, &b, sizeof a) == 0) return;
  print_error("%.9g (%a) is not %.9g (%a)\n", (double)a, (double)a, (double)b, (double)b);
  _fail(file, line);
}

/* |a - b| <= bound; false for NaN; prints all three. */
#define check_near(a, b, bound) check_near_at((a), (b), (bound), __FILE__, __LINE__)
static inline void check_near_at(double a, double b, double bound, const char *file, int line) {
  double d = a > b ? a - b : b - a;
  if (d <= bound) return;
  print_error("%.17g and %.17g differ by more than %g\n", a, b, bound);
  _fail(file, line);
}

/* status is NAS_OK; else prints the message. */
#define check_ok(status, err) check_ok_at((status), (err), __FILE__, __LINE__)
static inline void check_ok_at(nas_status status, const nas_error *err, const char *file,
                               int line) {
  if (status == NAS_OK) return;
  print_error("%s: %s\n", nas_status_name(status), err ? err->text : "");
  _fail(file, line);
}

/* Text contains part; prints both. */
#define check_contains(text, part) check_contains_at((text), (part), __FILE__, __LINE__)
static inline void check_contains_at(const char *text, const char *part, const char *file,
                                     int line) {
  if (strstr(text, part)) return;
  print_error("\"%s\" does not contain \"%s\"\n", text, part);
  _fail(file, line);
}

/* Leaves a test that cannot run here. Not cmocka's skip(), whose TAP form counts as a failure. */
#define check_skip(reason)                                                                         \
  do {                                                                                             \
    print_message("# skipped: %s\n", (reason));                                                    \
    return;                                                                                        \
  } while (0)

/* A teardown that fails when a block of libnas is still allocated. */
static inline int check_no_blocks(void **state) {
  (void)state;
  size_t blocks = nas_memory_used().blocks;
  if (blocks == 0) return 0;
  print_error("%zu blocks were not freed\n", blocks);
  return -1;
}

#endif
