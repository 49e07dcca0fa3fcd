/* In every test program: with the environment variable LUANAS_EXPECT_ISA, a program whose kernels
 * are others ends before its first test. So a run for an old processor can't silently be one of the
 * machine that it happens on (tests/matrix.sh, oldcpu). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kernel.h"

__attribute__((constructor)) static void expect_isa(void) {
  const char *expected = getenv("LUANAS_EXPECT_ISA"), *isa = nas_kernels_best()->name;
  if (!expected || strcmp(expected, isa) == 0) return;
  printf("Bail out! the kernels are those of %s; LUANAS_EXPECT_ISA is \"%s\"\n", isa, expected);
  exit(1);
}
