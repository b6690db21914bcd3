# Sourced by the other scripts: puts a virtual environment with this project into .venv, or into $VENV.
#   install_into_venv EXTRAS     e.g. "" or "[dev]"

VENV="${VENV:-.venv}"

find_python() {
    for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11; do
        if [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "error: Python 3.11 or newer is needed; name one with PYTHON=…" >&2
    exit 2
}

install_into_venv() {
    if [ ! -x "$VENV/bin/python" ]; then
        python="$(find_python)"
        "$python" -m venv "$VENV"
    fi
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --editable ".$1"
}
