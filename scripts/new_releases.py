"""Say which released versions of pipecat-ai checks/pipecat knows nothing of, and take them in.

    python scripts/new_releases.py            # exit code 1 if there are any, and what to run
    python scripts/new_releases.py --update   # fetches the wheels of all releases and writes the data anew

Asks the package index through pip. Wheels are kept in the folder given as ``--wheels``, by default in .wheels.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parent.parent
KNOWN = ROOT / "checks" / "pipecat" / "releases.txt"
PACKAGE = "pipecat-ai"
_LISTED = re.compile(r"^Available versions: (.+)$", re.MULTILINE)
_FINAL = re.compile(r"\d+\.\d+\.\d+")


def unknown(listed: str, known: Iterable[str]) -> list[str]:
    """Return the releases in what ``pip index versions`` prints that are not known, oldest first.

    What is older than everything known does not count, and pre-releases do not.

    Raises:
        ValueError: the text lists no versions.
    """
    found = _LISTED.search(listed)
    if found is None:
        raise ValueError("pip lists no versions")
    have = sorted(map(_order, known))
    versions = (one.strip() for one in found[1].split(","))
    new = {one for one in versions if _FINAL.fullmatch(one) and _order(one) >= have[0] and _order(one) not in have}
    return sorted(new, key=_order)


def _order(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def fetch(versions: Iterable[str], folder: Path) -> None:
    """Download the wheels that a folder does not hold yet.

    Raises:
        subprocess.CalledProcessError: pip cannot.
    """
    folder.mkdir(exist_ok=True)
    for version in versions:
        if not any(folder.glob(f"pipecat_ai-{version}-*.whl")):
            command = ["download", "--quiet", "--no-deps", "--dest", str(folder), f"{PACKAGE}=={version}"]
            subprocess.run([sys.executable, "-m", "pip", *command], check=True)


def main() -> int:
    """Report, or with ``--update`` write, and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--update", action="store_true", help="fetch all wheels and write the data anew")
    parser.add_argument("--wheels", type=Path, default=ROOT / ".wheels", help="where wheels are kept")
    options = parser.parse_args()
    command = [sys.executable, "-m", "pip", "index", "versions", PACKAGE]
    done = subprocess.run(command, capture_output=True, text=True)
    known = KNOWN.read_text(encoding="ascii").split()
    try:
        new = unknown(done.stdout, known)
    except ValueError as error:
        said = done.stderr.strip().splitlines()
        print(f"error: {error}; {said[-1] if said else 'and says nothing'}", file=sys.stderr)
        return 2
    if not new:
        print(f"Every release of {PACKAGE} is known; the newest is {known[-1]}.")
        return 0
    print(f"Not known yet: {', '.join(new)}")
    if not options.update:
        print("Run `python scripts/new_releases.py --update`, then the tests, and read what the diff says.")
        return 1
    fetch([*known, *new], options.wheels)
    # The last reads what the others write.
    for script in ("build_timeline.py", "build_events.py", "build_deprecations.py"):
        subprocess.run([sys.executable, str(ROOT / "scripts" / script), str(options.wheels)], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
