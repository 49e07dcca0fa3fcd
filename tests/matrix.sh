#!/bin/sh
# The long matrix: searches that are killed, the suites under sanitizers, valgrind, another compiler and
# an old processor, and the fuzzers.
# usage: matrix.sh REPOSITORY [killed|asan|tsan|valgrind|clang|oldcpu|fuzz ...]
set -u
top=$1
shift
[ $# -gt 0 ] || set -- killed asan tsan valgrind clang oldcpu fuzz
folder=${LUANAS_BUILD:-$top/build}
fuzz_seconds=${LUANAS_FUZZ_SECONDS:-600}
failed=

# Options that the sanitizers need to stop at the first finding.
export ASAN_OPTIONS=abort_on_error=1:detect_stack_use_after_return=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1:abort_on_error=1
export TSAN_OPTIONS=halt_on_error=1:die_after_fork=0 # forked processes start threads

built() { # built NAME MESON_OPTIONS...: the build folder of that name, configured once
  name=$folder-$1
  shift
  [ -f "$name/build.ninja" ] || meson setup "$name" "$top" "$@" >/dev/null || return 1
  meson compile -C "$name" >/dev/null
}

tests() { # tests NAME MESON_TEST_OPTIONS...
  name=$folder-$1
  shift
  meson test -C "$name" --no-rebuild --print-errorlogs "$@"
}

part() { # part NAME COMMAND...: runs and reports
  echo "== $1"
  label=$1
  shift
  if "$@"; then echo "== $label: clean"; else echo "== $label: FAILED"; failed="$failed $label"; fi
}

# Fifty searches are killed, then eight processes use one file for a minute.
killed() {
  meson compile -C "$folder" >/dev/null &&
    LUANAS_KILLS=50 LUANAS_STRESS_SECONDS=60 meson test -C "$folder" --no-rebuild --print-errorlogs \
      --timeout-multiplier 4 killed stress
}

asan() {
  built asan --buildtype debugoptimized -Db_sanitize=address,undefined -Db_lundef=false &&
    tests asan --timeout-multiplier 10
}

# OpenBLAS's own threads are not instrumented, and would look like races.
tsan() (
  export OPENBLAS_NUM_THREADS=1
  built tsan --buildtype debugoptimized -Db_sanitize=thread -Db_lundef=false &&
    tests tsan --timeout-multiplier 10 --suite base --suite train --suite bindings
)

valgrind() {
  built valgrind --buildtype debugoptimized && tests valgrind --setup valgrind
}

# Another compiler must give the same golden digests.
clang() { (CC=clang; export CC; built clang --buildtype release) && tests clang; }

# A processor without AVX and FMA: no illegal instruction, and the same bits by the software fma. Each
# test program asserts that it sees no more. Hostile collectors and benchmarks would show
# nothing new, in many minutes.
oldcpu() (
  export LUANAS_EXPECT_ISA=baseline
  unset OPENBLAS_CORETYPE # OpenBLAS is to look at the processor, too
  built oldcpu --buildtype release &&
    tests oldcpu --timeout-multiplier 20 --suite core --suite bindings --no-suite processes \
      --no-suite hostile --no-suite bench --wrapper 'qemu-x86_64 -cpu Nehalem'
)

fuzz() {
  (CC=clang; export CC; built fuzz --buildtype debugoptimized -Dfuzz=true \
    -Db_sanitize=address,undefined -Db_lundef=false) || return 1
  for program in "$folder-fuzz"/tests/fuzz/fuzz_*; do
    [ -x "$program" ] && [ -f "$program" ] || continue
    name=${program##*/fuzz_}
    corpus=$(mktemp -d)
    "$program" -max_total_time="$fuzz_seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
      "$corpus" "$top/tests/fuzz/corpus/$name" >"$corpus.log" 2>&1 || {
      tail -40 "$corpus.log"
      return 1
    }
    echo "fuzz_$name: $(grep -o 'stat::number_of_executed_units: [0-9]*' "$corpus.log" | grep -o '[0-9]*$') inputs in $fuzz_seconds s, no finding"
    rm -rf "$corpus" "$corpus.log"
  done
}

for name in "$@"; do
  case $name in
  killed | asan | tsan | valgrind | clang | oldcpu | fuzz) part "$name" "$name" ;;
  *) echo "matrix: unknown part: $name (killed asan tsan valgrind clang oldcpu fuzz)" >&2; exit 2 ;;
  esac
done
[ -z "$failed" ] || { echo "matrix: failed:$failed"; exit 1; }
echo "matrix: clean"
