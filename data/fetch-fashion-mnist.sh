#!/bin/sh
# Fetches Fashion-MNIST and checks the SHA-256 of its decompressed content.
# Usage: fetch-fashion-mnist.sh [FOLDER]
# FOLDER defaults to $LUANAS_DATA, else ${XDG_DATA_HOME:-~/.local/share}/luanas/fashion-mnist.
# FASHION_MNIST_URL names another address to load from. Files that are there and right are kept.
set -eu

url=${FASHION_MNIST_URL:-http://fashion-mnist.s3-website.eu-central-1.amazonaws.com}
url=${url%/}

fail() {
  echo "fetch-fashion-mnist: $*" >&2
  exit 1
}

has() {
  command -v "$1" >/dev/null 2>&1
}

# download ADDRESS FILE
download() {
  if has curl; then
    curl --fail --location --silent --show-error --retry 3 --output "$2" "$1"
  else
    wget --quiet --tries=3 --output-document="$2" "$1"
  fi
}

# The SHA-256 of the decompressed content of a file; nothing if it is damaged.
content_sum() {
  gzip -t <"$1" 2>/dev/null || return 0
  if has sha256sum; then
    gzip -dc <"$1" | sha256sum | cut -c 1-64
  else
    gzip -dc <"$1" | shasum -a 256 | cut -c 1-64
  fi
}

# fetch NAME SUM: nothing gets its final name before its content was checked.
fetch() {
  if [ -f "$folder/$1" ] && [ "$(content_sum "$folder/$1")" = "$2" ]; then
    echo "$1: already there"
    return
  fi
  download "$url/$1" "$part/$1" || fail "$url/$1 could not be downloaded"
  found=$(content_sum "$part/$1")
  [ -n "$found" ] || fail "$url/$1 gave no sound gzip file"
  [ "$found" = "$2" ] || fail "$url/$1 has another content: SHA-256 expected $2, found $found"
  chmod 644 "$part/$1"
  mv "$part/$1" "$folder/$1"
  echo "$1: fetched"
}

case ${1-} in
-*)
  echo "usage: $0 [FOLDER]" >&2
  exit 2
  ;;
esac
[ $# -le 1 ] || fail "one folder at most; $# given"
has curl || has wget || fail "curl or wget is needed"
has gzip || fail "gzip is needed"
has sha256sum || has shasum || fail "sha256sum or shasum is needed"

folder=${1:-${LUANAS_DATA:-${XDG_DATA_HOME:-$HOME/.local/share}/luanas/fashion-mnist}}
mkdir -p -- "$folder" || fail "$folder cannot be made"
# Beside the final files, so that the last step is a rename.
part=$(mktemp -d "$folder/.fetch.XXXXXX") || fail "$folder cannot be written to"
trap 'rm -rf -- "$part"' EXIT
trap 'exit 130' INT
trap 'exit 143' HUP TERM

fetch train-images-idx3-ubyte.gz c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888
fetch train-labels-idx1-ubyte.gz bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9
fetch t10k-images-idx3-ubyte.gz 5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b
fetch t10k-labels-idx1-ubyte.gz 0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34
echo "Fashion-MNIST is in $folder"
