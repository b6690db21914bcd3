#!/usr/bin/env bash
# Sets up .venv with everything the tests need and runs them, a file of tests to each processor; arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/venv.sh
install_into_venv "[dev]"
"$VENV/bin/python" -m pytest -n auto --dist loadfile "$@"
