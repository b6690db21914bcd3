#!/usr/bin/env bash
# Sets up .venv and shows what the tools find and would change in the released pipecat-ai 1.1.0, aiming at 1.2.0.
# Nothing but .venv is written to the repository. Without a package index it takes the fixtures instead.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/venv.sh
install_into_venv ""

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
python="$PWD/$VENV/bin/python"
if "$python" -m pip download --quiet --disable-pip-version-check --no-deps --dest "$work" pipecat-ai==1.1.0 2>/dev/null; then
    "$python" -m zipfile -e "$work"/pipecat_ai-1.1.0-*.whl "$work/pipecat-ai-1.1.0"
    cd "$work/pipecat-ai-1.1.0"
else
    echo "pipecat-ai 1.1.0 cannot be downloaded here; showing the fixtures instead" >&2
    cp -r fixtures "$work/fixtures"
    cd "$work/fixtures"
fi
# Exit code 1 says that there is something to do, which is what this shows.
"$python" -m codemods apply --diff --target 1.2.0 . || [ $? -eq 1 ]
