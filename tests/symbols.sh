#!/bin/sh
# No global symbol of the libraries lacks the prefix, and the shared one exports only what is public.
# usage: symbols.sh LIBNAS.a LIBNAS.so
set -u
echo 1..2
strays=$(nm --defined-only --extern-only "$1" 2>/dev/null | awk 'NF == 3 && $3 !~ /^_?nas_/ && $3 !~ /^__?(asan|ubsan|tsan|odr_asan|gcov|llvm)/ {print $3}' | sort -u)
if [ -z "$strays" ]; then echo "ok 1 - static library"; else echo "not ok 1 - static library: $strays"; fi
strays=$(nm -D --defined-only --extern-only "$2" | awk '$3 !~ /^nas_/ && $3 !~ /^__?(asan|ubsan|tsan|odr_asan|gcov|llvm)/ {print $3}')
hidden=$(nm -D --defined-only --extern-only "$2" | awk '$3 ~ /^nas_(kernels|map|convolve|kind)_/ {print $3}')
if [ -z "$strays$hidden" ]; then echo "ok 2 - shared library"; else echo "not ok 2 - shared library: $strays $hidden"; fi
