#!/bin/sh
# Looks for Chromium and PostgreSQL, which the tests need, and installs what is missing from
# Debian's packages where that is possible without asking. What stays missing is named; the tests
# that need it are then skipped (and fail with REQUIRE_ALL=1, which the continuous integration sets).
set -eu

have_chromium() {
    command -v chromium || command -v chromium-browser || command -v google-chrome
}

# Debian keeps the server's programs out of PATH.
have_postgresql() {
    ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null || command -v initdb
}

missing=
have_chromium >/dev/null || missing="$missing chromium fonts-liberation"
have_postgresql >/dev/null || missing="$missing postgresql"
[ -n "$missing" ] || exit 0

as_root=no
if command -v apt-get >/dev/null; then
    if [ "$(id -u)" = 0 ]; then
        as_root=
    elif sudo -n true 2>/dev/null; then
        as_root="sudo -n"
    fi
fi

if [ "$as_root" != no ]; then
    echo "Installing for the tests:$missing …"
    log=$(mktemp)
    { $as_root apt-get update -q &&
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
            -o DPkg::Lock::Timeout=300 $missing; } >"$log" 2>&1 </dev/null || tail -n 20 "$log" >&2
    rm -f "$log"
fi

have_chromium >/dev/null ||
    echo "Chromium is not installed: the browser tests are skipped (Debian: apt install chromium)." >&2
have_postgresql >/dev/null ||
    echo "PostgreSQL is not installed: its tests are skipped (Debian: apt install postgresql)." >&2
