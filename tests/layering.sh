#!/bin/sh
# An include against the layering must not compile: each module is tried with the include folders
# that its build gives it, against a header of the module above.
# usage: layering.sh BUILD_FOLDER
set -u
cd "$1" || exit 1
echo 1..5
number=0
refused() { # refused SOURCE HEADER: SOURCE's own compile command does not find HEADER
  number=$((number + 1))
  command=$(awk -v source="$1" 'index($0, "\"command\"") {line = $0} index($0, "\"file\"") && index($0, source) {print line; exit}' compile_commands.json |
    sed 's/^ *"command": "//; s/",$//; s/\\"/"/g; s/ -o .*//')
  [ -n "$command" ] || { echo "not ok $number - no command for $1"; return; }
  if echo "#include <$2>" | eval "$command -fsyntax-only -x c -" 2>/dev/null
  then echo "not ok $number - $1 can include $2"
  else echo "ok $number - $1 cannot include $2"
  fi
}
refused core/base/status.c nas/tensor.h
refused core/kernel/scalar.c nas/node.h
refused core/nn/node.c nas/dataset.h
refused core/dataset/split.c nas/trainer.h
refused core/train/trainer.c nas/policy.h
