#!/bin/sh
# Runs data/fetch-fashion-mnist.sh (the argument) with a curl of our own first on the PATH, so that no
# network is needed. TAP.
set -u
script=$1
installed=/usr/share/datasets/fashion-mnist
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"

# What it serves is a file of $SERVE; $SERVE empty: no connection. It notes what it was asked for.
cat >"$work/bin/curl" <<'CURL'
#!/bin/sh
while [ $# -gt 1 ]; do
  [ "$1" = --output ] && output=$2
  shift
done
echo "$1" >>"$ASKED"
[ -n "$SERVE" ] || { echo "curl: (7) Failed to connect" >&2; exit 7; }
cp "$SERVE/${1##*/}" "$output"
CURL
chmod +x "$work/bin/curl"
PATH=$work/bin:$PATH
ASKED=$work/asked
SERVE=
export ASKED SERVE
unset FASHION_MNIST_URL LUANAS_DATA XDG_DATA_HOME
HOME=$work/home
export HOME

count=0
# report NAME STATUS
report() {
  count=$((count + 1))
  if [ "$2" -eq 0 ]; then
    echo "ok $count - $1"
  else
    echo "not ok $count - $1"
    sed 's/^/# /' "$work/out"
  fi
}

# fetch EXPECTED_STATUS TEXT ARGUMENTS...: the script ends with that status and says TEXT.
fetch() {
  status=$1 text=$2
  shift 2
  sh "$script" "$@" >"$work/out" 2>&1
  [ $? -eq "$status" ] && grep -qF -- "$text" "$work/out"
}

is_empty() {
  [ -z "$(ls -A "$1")" ]
}

fetch 2 usage: --help
report 'options are refused' $?

fetch 1 'one folder at most' a b
report 'a second folder is refused' $?

fetch 1 'amazonaws.com/train-images-idx3-ubyte.gz could not be downloaded' "$work/offline" &&
  is_empty "$work/offline"
report 'no connection' $?

mkdir "$work/bad"
echo '<html>not found</html>' >"$work/bad/train-images-idx3-ubyte.gz"
SERVE=$work/bad
fetch 1 'gave no sound gzip file' "$work/html" && is_empty "$work/html"
report 'an error page instead of a file' $?

echo 'another content' | gzip >"$work/bad/train-images-idx3-ubyte.gz"
fetch 1 'SHA-256 expected c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888, found ' \
  "$work/other" && is_empty "$work/other"
report 'another content' $?

touch "$work/file"
fetch 1 'cannot be made' "$work/file/folder"
report 'a folder that cannot be made' $?

if [ -f "$installed/train-images-idx3-ubyte.gz" ]; then
  SERVE=$installed
  home=$HOME/.local/share/luanas/fashion-mnist
  FASHION_MNIST_URL=http://mirror.example/fashion/
  export FASHION_MNIST_URL
  : >"$ASKED"
  fetch 0 "Fashion-MNIST is in $home" &&
    [ "$(find "$home" | wc -l)" -eq 5 ] && # the folder and the four files
    grep -qx http://mirror.example/fashion/t10k-labels-idx1-ubyte.gz "$ASKED"
  report 'all four files' $?

  : >"$ASKED"
  echo broken >"$home/t10k-labels-idx1-ubyte.gz"
  fetch 0 'train-images-idx3-ubyte.gz: already there' &&
    [ "$(cat "$ASKED")" = http://mirror.example/fashion/t10k-labels-idx1-ubyte.gz ] &&
    gzip -t "$home/t10k-labels-idx1-ubyte.gz"
  report 'only what is missing or damaged is fetched again' $?
else
  for name in 'all four files' 'only what is missing or damaged is fetched again'; do
    count=$((count + 1))
    echo "ok $count - $name # SKIP Fashion-MNIST is not installed"
  done
fi
echo "1..$count"
