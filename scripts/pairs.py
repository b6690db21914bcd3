"""Mend old releases of packages that build on Pipecat, and compare with what their authors did by hand.

    python scripts/pairs.py           # fetches the pairs, prints the counts that docs/pairs.md states
    python scripts/pairs.py -v        # also each finding that is left in ours and not in theirs

Both releases are aimed at the oldest and at the newest release of Pipecat that the newer one's requirement admits. What
is left in the mended old one, of what breaks or goes unheard, is to be found in the newer one too.

Asks the package index through pip. Wheels are kept in the folder given as ``--wheels``, by default in .wheels/pairs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from checks.pipecat.releases import RELEASES, Release
from checks.registry import all_rules
from checks.rule import Impact

ROOT = Path(__file__).parent.parent
PAIRS = (
    ("nvidia-pipecat", "0.1.0", "0.4.0"),
    ("pipecat-ai-flows", "0.0.22", "1.4.0"),
    ("pipecat-anam", "0.0.4a2", "0.1.0"),
    ("pipecat-boson", "0.1.1", "0.1.4"),
    ("pipecat-lokutor", "0.1.0", "0.2.0"),
    ("pipecat-respeecher", "0.1.0", "1.0.2"),
    ("pipecat-sonex", "0.1.0", "0.2.7"),
    ("pipecat-tts-cache", "0.0.2", "1.0.1"),
)
HEADINGS = ("package", "Pipecat", "found", "mended", "left", "left and theirs too", "theirs alone")


def unpack(package: str, version: str, wheels: Path, folder: Path) -> Path:
    """Fetch the wheel of one version, unless a folder holds it, and return where it is unpacked.

    Raises:
        subprocess.CalledProcessError: pip cannot fetch it.
    """
    pattern = f"{package.replace('-', '_')}-{version}-*.whl"
    if not any(wheels.glob(pattern)):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        where = ["--ignore-requires-python", "--dest", str(wheels), f"{package}=={version}"]
        subprocess.run([*command, *where], check=True)
    target = folder / f"{package}-{version}"
    with zipfile.ZipFile(next(wheels.glob(pattern))) as archive:
        archive.extractall(target)
    return target


def admitted(unpacked: Path) -> list[Release]:
    """Return the known releases of Pipecat that an unpacked wheel's requirement admits, oldest first."""
    (metadata,) = unpacked.glob("*.dist-info/METADATA")
    for line in metadata.read_text(encoding="utf-8").splitlines():
        if line.startswith("Requires-Dist: pipecat-ai"):
            required = Requirement(line.partition(": ")[2])
            if required.name == "pipecat-ai" and required.marker is None:
                return [release for release in RELEASES if required.specifier.contains(str(release))]
    return []


def findings(folder: Path, release: Release) -> list[dict[str, Any]]:
    """Return what the checks find at a release."""
    return report("checks", folder, "--target", str(release))["findings"]


def report(command: str, folder: Path, *options: str) -> dict[str, Any]:
    """Run one of the project's commands on a folder and return its report."""
    words = [sys.executable, "-m", *command.split(), *options, "--output-format", "json", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT)
    return json.loads(done.stdout)


def linkage(found: list[dict[str, Any]]) -> Counter[str]:
    """Return what of the findings breaks or goes unheard, by rule and the first part of the message."""
    hard = {name for name, rule in all_rules().items() if rule.impact in (Impact.BREAKS, Impact.SILENT)}
    return Counter(f"{one['rule']}: {one['message'].partition(';')[0]}" for one in found if one["rule"] in hard)


def compared(old: Path, new: Path, release: Release) -> tuple[list[int], list[str]]:
    """Return the numbers of one row, and what is left in the mended old one alone."""
    before = linkage(findings(old, release))
    report("codemods apply --unsafe", old, "--target", str(release))
    left, theirs = linkage(findings(old, release)), linkage(findings(new, release))
    both = left & theirs
    numbers = [before, before - left, left, both, theirs - both]
    return [one.total() for one in numbers], sorted((left - both).elements())


def rows(wheels: Path) -> Iterator[tuple[str, str, list[int], list[str]]]:
    """Yield the package, the release, and what ``compared`` says of them."""
    for package, old, new in PAIRS:
        with tempfile.TemporaryDirectory() as folder:
            theirs = unpack(package, new, wheels, Path(folder))
            known = admitted(theirs)
            for release in dict.fromkeys([known[0], known[-1]]):
                ours = unpack(package, old, wheels, Path(folder) / str(release))
                yield f"{package} {old} -> {new}", str(release), *compared(ours, theirs, release)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--wheels", type=Path, default=ROOT / ".wheels" / "pairs", help="where wheels are kept")
    parser.add_argument("-v", "--verbose", action="store_true", help="also say what is left in ours alone")
    options = parser.parse_args()
    options.wheels.mkdir(parents=True, exist_ok=True)
    print(f"| {' | '.join(HEADINGS)} |\n|{' --- |' * len(HEADINGS)}")
    for pair, release, numbers, alone in rows(options.wheels):
        print(f"| {' | '.join([pair, release, *map(str, numbers)])} |", flush=True)
        for message in alone if options.verbose else ():
            print(f"    {message}")


if __name__ == "__main__":
    main()
