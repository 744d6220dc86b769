#!/bin/sh
# Makes .venv and installs the pinned Python packages: those of the server, and with the
# argument "dev" those of the tests and tools too. Does nothing when nothing has changed,
# which a stamp tells: where the folder lies, what the requirements say, and this script.
set -eu
cd "$(dirname "$0")/.."

what=${1:-server}
case $what in
    server) requirements=requirements.txt files="requirements.txt" ;;
    dev) requirements=requirements-dev.txt files="requirements.txt requirements-dev.txt" ;;
    *) echo "usage: tools/install.sh [dev]" >&2; exit 2 ;;
esac
stamp=.venv/.installed-$what

# The client that labs used before version 2: its module has the same name, so it lies apart, where
# only its own test looks (tests/clients).
older_client=brainstem_python_api_tools==0.2.0
older_client_in=.venv/clients/0.2.0

# The scripts in .venv/bin name the folder they were made in: a folder that was moved needs new ones.
state() { pwd -P; cat $files tools/install.sh; }

if [ -x .venv/bin/python ] && [ -f "$stamp" ] && state | cmp -s - "$stamp"; then
    exit 0
fi

if ! .venv/bin/python -c '' 2>/dev/null || ! grep -qF "$(pwd -P)/.venv/bin/python" .venv/bin/pip; then
    python=
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            python=$candidate
            break
        fi
    done
    if [ -z "$python" ]; then
        found=$(python3 --version 2>/dev/null || echo "no python3")
        echo "BrainSTEM needs Python 3.11 or newer; this machine has: $found." >&2
        echo "Install a newer one, and if it is not called python3: make run PYTHON=/path/to/python" >&2
        exit 1
    fi
    echo "Making .venv with $("$python" --version) …"
    rm -rf .venv
    if ! "$python" -m venv .venv; then
        rm -rf .venv
        echo "Python could not make a virtual environment (on Debian and Ubuntu: apt install python3-venv)." >&2
        exit 1
    fi
fi

echo "Installing the Python packages of $requirements …"
rm -f "$stamp"
# -qq: errors only. The variables of a caller's shell (an active Conda, say) do not belong here.
install() {
    env -u PYTHONHOME -u PYTHONPATH .venv/bin/python -m pip install -qq --no-input \
        --disable-pip-version-check "$@"
}
failed() {
    echo "The Python packages could not be installed: the lines above say why (is the network there?)." >&2
    exit 1
}
install -r "$requirements" || failed
if [ "$what" = dev ]; then
    rm -rf "$older_client_in"
    install --no-deps --target "$older_client_in" "$older_client" || failed
fi
state > "$stamp"
