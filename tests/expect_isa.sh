#!/bin/sh
# A wrong LUANAS_EXPECT_ISA stops a test program (expect_isa.c).
# usage: expect_isa.sh PROGRAM...
set -u
echo 1..$#
number=0
for program in "$@"; do
  number=$((number + 1))
  output=$(LUANAS_EXPECT_ISA=avx9 "$program" 2>&1)
  status=$?
  case $status-$output in
  "1-Bail out! the kernels are those of "*'; LUANAS_EXPECT_ISA is "avx9"') echo "ok $number" ;;
  *) echo "not ok $number - $program: status $status, $output" ;;
  esac
done
