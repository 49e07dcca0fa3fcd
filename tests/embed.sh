#!/bin/sh
# A C program builds against an installed tree with pkg-config alone, shared and static, and runs; stock Lua finds
# the module there.
# usage: embed.sh BUILD_ROOT EXAMPLE.c COMPILER [ARGS...]
set -u
build=$1 example=$2
shift 2
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

say() { if [ "$1" = 0 ]; then echo "ok $2"; else echo "not ok $2"; sed 's/^/# /' "$tree/log"; fi; }

echo 1..5
DESTDIR=$tree meson install -C "$build" --no-rebuild --quiet >"$tree/log" 2>&1
say $? "1 - install"
PKG_CONFIG_SYSROOT_DIR=$tree
PKG_CONFIG_PATH=$(dirname "$(find "$tree" -name libnas.pc)")
library=$(dirname "$PKG_CONFIG_PATH")
export PKG_CONFIG_SYSROOT_DIR PKG_CONFIG_PATH
flags="-std=c17 -Wall -Wextra -Wpedantic -Werror $(pkg-config --cflags libnas)"

# What comes after the source: the flags are words, not one argument.
"$@" $flags "$example" -o "$tree/shared" $(pkg-config --libs libnas) >"$tree/log" 2>&1 &&
  LD_LIBRARY_PATH=$library "$tree/shared" >"$tree/out" 2>"$tree/log"
say $? "2 - shared library"
PKG_CONFIG_SYSROOT_DIR=
"$@" $flags -I"$(find "$tree" -path '*/include')" "$example" -o "$tree/static" "$library/libnas.a" \
  $(pkg-config --libs-only-l --static libnas | sed 's/-lnas//') -pthread >"$tree/log" 2>&1 &&
  "$tree/static" >"$tree/out2" 2>"$tree/log" && cmp "$tree/out" "$tree/out2" >>"$tree/log" 2>&1
say $? "3 - static library, the same output"
sed 's/^/# /' "$tree/out"
awk '/^one network/ {one = $NF} /^(random|policy)/ {trials += $2; best[$1] = $NF}
  /accuracy/ {mean[$1] = $(NF - 4)}
  END {exit !(one > 0.9 && trials == 60 && best["random:"] > 0.9 && mean["policy:"] > mean["random:"] + 0.1)}' "$tree/out" >"$tree/log" 2>&1
say $? "4 - it learns"
LD_LIBRARY_PATH=$library lua5.4 - "$tree" >"$tree/log" 2>&1 <<'LUA'
local function below_tree(paths) return (paths:gsub("[^;]+", function(path) return arg[1] .. path end)) end
package.path, package.cpath = below_tree(package.path), below_tree(package.cpath)
assert(require("luanas").nn.input { 2, 2, 1 })
LUA
say $? "5 - stock Lua finds the module"
