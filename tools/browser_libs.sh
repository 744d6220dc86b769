#!/bin/sh
# Fetches the browser libraries with npm and copies what the pages load, with the licences, to
# static/vendor. Every page works without them, so whatever goes wrong here is said in one line
# and never stops the server. Does nothing when package-lock.json has not changed since.
set -eu
cd "$(dirname "$0")/.."

vendor=static/vendor
stamp=$vendor/.installed

# What decides the outcome: the locked versions, and which files this script copies.
state() { cat package-lock.json tools/browser_libs.sh; }

without() {
    echo "No browser libraries: $1. Everything works without them, with less comfort (no dragging, no search in select fields)."
    exit 0
}

if [ -f "$stamp" ] && state | cmp -s - "$stamp"; then
    exit 0
fi

command -v node >/dev/null && command -v npm >/dev/null || without "Node.js 18 or newer with npm is not installed"
version=$(node --version 2>/dev/null) || without "node does not run"
major=${version#v}
[ "${major%%.*}" -ge 18 ] 2>/dev/null || without "Node.js 18 or newer is needed, this is $version"

echo "Installing the browser libraries …"
# One short try: behind a closed network the server should not wait for minutes.
npm ci --ignore-scripts --prefer-offline --fetch-retries=0 --fetch-timeout=10000 >/dev/null 2>&1 \
    || without "npm could not fetch them ('npm ci' says why; the next start tries again)"

rm -rf "$vendor"
mkdir -p "$vendor"
cp node_modules/sortablejs/Sortable.min.js "$vendor"
cp node_modules/sortablejs/LICENSE "$vendor/sortablejs.LICENSE"
cp node_modules/tom-select/dist/js/tom-select.base.min.js "$vendor"
cp node_modules/tom-select/dist/css/tom-select.bootstrap5.min.css "$vendor"
cp node_modules/tom-select/LICENSE "$vendor/tom-select.LICENSE"
state > "$stamp"
