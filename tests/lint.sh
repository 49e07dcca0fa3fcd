#!/bin/sh
# Format and style of every tracked source. usage: lint.sh REPOSITORY
set -u
cd "$1" || exit 1
failed=0
report() { if [ -n "$2" ]; then printf '%s:\n%s\n' "$1" "$2"; failed=1; fi; }

sources=$(git ls-files '*.c' '*.h')
lua=$(git ls-files '*.lua')
texts=$(git ls-files '*.c' '*.h' '*.lua' '*.md' '*.sh' '*.build' dev .ci/run)

report "clang-format" "$(clang-format --dry-run --Werror $sources 2>&1 | grep 'error:' | head -20)"
report "luacheck" "$(luacheck --no-color -q $lua 2>&1 | grep -v '^Total:.* 0 warnings / 0 errors' | grep -v '^ *$' | head -40)"
# Lua's prompt and print set values apart by tabs, and a transcript has what they wrote.
report "tab characters" "$(grep -n "$(printf '\t')" $(echo "$texts" | grep -v '^examples/five_minutes.md$') | head)"
report "trailing blanks" "$(grep -nE ' +$' $texts | head)"
report "no newline at the end" "$(for f in $texts; do [ -z "$(tail -c 1 "$f")" ] || echo "$f"; done)"
report "invisible characters" "$(grep -nP '[\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}\x{FEFF}]' $texts | head)"
report "unfinished work" "$(grep -nE '\b(TODO|FIXME|XXX)\b' $(echo "$texts" | grep -v '^tests/lint.sh$') | head)"
report "files over 1 MB" "$(git ls-files | while read -r f; do [ "$(wc -c <"$f")" -le 1000000 ] || echo "$f"; done)"
[ $failed = 0 ] && echo "lint: clean"
exit $failed
