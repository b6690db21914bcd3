"""Bots as people write them, moved to newer releases: what the real pyright still says of each is known, and why.

``bots/<release>/`` holds bots written for that release. ``bots/left.tsv`` has a row for each error that is left:

* the bot, and the target it was moved to by ``apply --unsafe``, or ``own``: as written, beside the release it was
  written for, at which only Pipecat's own annotations may be at fault;
* the rules that have a finding in that statement after the move, or ``-``: nobody tells the user;
* what the error is of, one of ``KINDS``;
* pyright's rule and the first line of its message.

An error counts if it is of Pipecat: an import of somebody else's module that is not installed does not, and at a target
no error that pyright gives, word for word, of the same bot at its own release.

``python -m tests.test_bots`` writes the table as things are now; a row it cannot name has the kind ``?``.
"""

from __future__ import annotations

import ast
import csv
import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import pytest

from checks.pipecat.releases import NEWEST, parse
from checks.report import Ledger
from checks.rule import Finding, Fix
from checks.session import Request
from codemods import apply
from codemods.journal import Journal
from tests.trees import released

BOTS = Path(__file__).parent / "bots"
TABLE = BOTS / "left.tsv"
TARGETS = ("1.0.0", str(NEWEST))
NOBODY = "-"
OWN = "own"

# What an error that is left is of. The first ones are a human's part, of which a finding tells.
KINDS = {
    "context": "the context of old goes together with what makes its aggregators and with all that is asked of it",
    "element": "a processor is gone whose work a parameter of the aggregators does now; the pipeline is to be redone",
    "interruptions": "whether and when the user may cut the bot off is the aggregators' to know now",
    "turn-taking": "no aggregator in the file can take the analyzer, or a realtime service tells turns by itself",
    "frame": "a frame is gone without one that does the same",
    "keyword": "a parameter is gone, and where its value goes is not for a tool to say",
    "service": "a vendor's service is gone, or another one took its place that is told other things",
    "hook": "an override that is never called",
    "home": "a module is gone, and where its names are now no table says",
    # Not told of by any rule yet.
    "removed-method": "a method or attribute is gone from a class of Pipecat's that the code derives from or holds",
    "changed-method": "a method takes other parameters, or has become a coroutine",
    # Nothing to do.
    "guarded": "the code asks first",
    "typing": "Pipecat's own annotations are at fault; it runs",
    "vendor": "Pipecat has the name from a module that is not installed",
}
# Kinds that may be left without a finding.
UNTOLD = {
    *("context", "removed-method", "changed-method", "hook"),
    *("guarded", "typing", "vendor"),
}

# The findings left after the move that no fix is for, by target and rule; that is how much is left to a human.
HUMAN = {
    "1.0.0": {
        "became-async": 1,
        "deprecated-keyword": 2,
        "deprecated-name": 10,
        "interruptions-on-task": 1,
        "messages-past-context": 1,
        "removed-attribute": 1,
        "removed-processor": 5,
        "service-made-context": 8,
        "settings-as-arguments": 30,
        "turn-taking-on-transport": 1,
    },
    "1.14.0": {
        "became-async": 1,
        "dead-audio-done-override": 1,
        "deprecated-keyword": 8,
        "deprecated-method": 4,
        "deprecated-name": 39,
        "interruptions-on-task": 1,
        "messages-past-context": 1,
        "removed-attribute": 1,
        "removed-name": 1,
        "removed-processor": 5,
        "service-made-context": 8,
        "settings-as-arguments": 27,
        "turn-taking-on-transport": 1,
        "worker-passed-to-run": 1,
    },
}
# Bots of which some fix was refused, by target.
REFUSED: dict[str, set[str]] = {"1.0.0": set(), "1.14.0": set()}


@dataclass(frozen=True, order=True)
class Left:
    """One row: an error that pyright gives of a bot beside a release."""

    bot: str
    release: str
    rules: str
    kind: str
    error: str


@dataclass
class Move:
    """What became of the bots on their way to a target."""

    first: Ledger
    again: Ledger
    root: Path

    def name(self, path: Path) -> str:
        """Return what the table calls a bot."""
        return path.relative_to(self.root).with_suffix("").as_posix()


@dataclass
class Outcome:
    """The moves by target, and each error as it stands in the table, without its kind."""

    moves: dict[str, Move] = field(default_factory=dict[str, Move])
    rows: list[Left] = field(default_factory=list[Left])

    def at(self, targets: Iterable[str]) -> list[Left]:
        """Return the rows of the moved bots."""
        return [row for row in self.rows if row.release in targets and not own(row)]


def own(row: Left) -> bool:
    """Return whether a row is of a bot beside the release it was written for."""
    return row.release == OWN


def releases() -> list[str]:
    """Return the releases that bots are written for."""
    return sorted((folder.name for folder in BOTS.iterdir() if folder.is_dir()), key=parse)


def move(target: str, scratch: Path) -> Move:
    """Copy the bots that are not newer than a target and mend them for it, twice."""
    root = scratch / target / "to"
    for release in releases():
        if parse(release) <= parse(target):
            shutil.copytree(BOTS / release, root / release)
    (root / "pyproject.toml").touch()
    runs: list[Ledger] = []
    for _ in range(2):
        plan = apply.mended(Request((str(root),), target=target), unsafe=True, jobs=2)
        runs.append(apply.write(plan, Journal(scratch / "journal")))
    return Move(runs[0], runs[1], root)


def errors(scratch: Path) -> list[tuple[Path, int, str]]:
    """Return what one run of pyright says of all bots: file, line, rule with the first line of the message.

    ``scratch`` has a folder for each release, in which ``own`` holds the bots as written and ``to`` those moved there.
    The release is put in there beside them: what a file of Pipecat's imports is looked for in the folder it is in.
    """
    read = sorted({*releases(), *TARGETS})
    for release in read:
        shutil.copytree(released(release) / "pipecat", scratch / release / "pipecat")
    config = {
        "executionEnvironments": [{"root": release} for release in read],
        "exclude": ["**/pipecat"],
        "reportMissingModuleSource": False,
    }
    (scratch / "pyrightconfig.json").write_text(json.dumps(config), encoding="utf-8")
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable, "."]
    done = subprocess.run(command, cwd=scratch, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    found: list[tuple[Path, int, str]] = []
    for one in json.loads(done.stdout)["generalDiagnostics"]:
        message = one["message"].partition("\n")[0]
        if one["severity"] == "error" and not is_of_others(message):
            line = one["range"]["start"]["line"] + 1
            found.append((Path(one["file"]), line, f"{one.get('rule', 'syntax')}: {message}"))
    return found


def is_of_others(message: str) -> bool:
    """Return whether a message is of a module that is not installed and not Pipecat's."""
    return message.startswith('Import "') and not message.startswith('Import "pipecat.') and "resolved" in message


def told(findings: list[Finding], line: int, tree: ast.Module) -> str:
    """Return the rules that have a finding on a line, or anywhere in the import that the line is part of."""
    lines = {line}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and node.lineno <= line <= (node.end_lineno or line):
            lines |= set(range(node.lineno, (node.end_lineno or line) + 1))
    rules = {one.rule for one in findings if lines & set(range(one.span.line, one.span.end_line + 1))}
    return ",".join(sorted(rules)) or NOBODY


def work_out(scratch: Path) -> Outcome:
    """Move the bots, have pyright read them, and return what came of it."""
    outcome = Outcome({target: move(target, scratch) for target in TARGETS})
    for release in releases():
        shutil.copytree(BOTS / release, scratch / release / OWN)
    found = errors(scratch)
    known: Counter[tuple[str, str]] = Counter()
    for path, _, error in found:
        release, place, *_ = path.relative_to(scratch).parts
        if place == OWN:
            bot = f"{release}/{path.stem}"
            known[bot, error] += 1
            outcome.rows.append(Left(bot, OWN, NOBODY, "", error))
    for target, moved in outcome.moves.items():
        as_before = Counter(known)
        findings: dict[Path, list[Finding]] = {}
        for finding, _ in moved.again.findings():
            findings.setdefault(Path(finding.path), []).append(finding)
        for path, line, error in found:
            if not path.is_relative_to(moved.root):
                continue
            bot = moved.name(path)
            if as_before[bot, error]:
                as_before[bot, error] -= 1
                continue
            rules = told(findings.get(path, []), line, ast.parse(path.read_bytes()))
            outcome.rows.append(Left(bot, target, rules, "", error))
    return outcome


@cache
def table() -> list[Left]:
    """Return the rows of the table."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return [Left(*row) for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]


def without_kind(rows: Iterable[Left]) -> Counter[tuple[str, str, str, str]]:
    """Return rows as a run finds them, to be held against those of the table."""
    return Counter((row.bot, row.release, row.rules, row.error) for row in rows)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    for release in {*releases(), *TARGETS}:
        released(release)
    return work_out(tmp_path_factory.mktemp("bots"))


def test_bots_are_real_code_for_their_release(outcome: Outcome) -> None:
    assert without_kind(filter(own, outcome.rows)) == without_kind(filter(own, table()))
    assert {row.kind for row in table() if own(row)} <= {"guarded", "typing", "vendor"}


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_left_is_known(target: str, outcome: Outcome) -> None:
    known = [row for row in table() if row.release == target and not own(row)]
    found = without_kind(outcome.at([target]))
    assert found - without_kind(known) == Counter()
    assert without_kind(known) - found == Counter()


def test_every_error_is_told_of_or_accounted_for() -> None:
    assert {row.kind for row in table()} <= KINDS.keys()
    assert [row for row in table() if row.rules == NOBODY and row.kind not in UNTOLD] == []


@pytest.mark.parametrize("target", TARGETS)
def test_a_second_run_changes_nothing(target: str, outcome: Outcome) -> None:
    assert outcome.moves[target].again.summary()["applied"] == 0


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_left_to_a_human_is_counted(target: str, outcome: Outcome) -> None:
    moved = outcome.moves[target]
    assert dict(Counter(f.rule for f, _ in moved.again.findings() if f.fix is Fix.NONE)) == HUMAN[target]
    assert {moved.name(entry.path) for entry in moved.first.entries if entry.failed} == REFUSED[target]


def main() -> None:
    """Write the table as things are now, the kinds of known rows kept, and print the counts."""
    rows = table() if TABLE.exists() else []
    kinds = {(row.bot, row.release, row.error): row.kind for row in rows}
    # Equal errors of a bot may be of different kinds by what tells of them.
    exact = {(row.bot, row.release, row.error, row.rules): row.kind for row in rows}
    with tempfile.TemporaryDirectory() as scratch:
        outcome = work_out(Path(scratch).resolve())
    rows = sorted(
        replace(row, kind=exact.get((*key, row.rules), kinds.get(key, "?")))
        for row in outcome.rows
        for key in [(row.bot, row.release, row.error)]
    )
    lines = ["\t".join((row.bot, row.release, row.rules, row.kind, row.error)) for row in rows]
    TABLE.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    for target, moved in outcome.moves.items():
        human = Counter(f.rule for f, _ in moved.again.findings() if f.fix is Fix.NONE)
        print(target, dict(sorted(human.items())))
        print(target, sorted(moved.name(entry.path) for entry in moved.first.entries if entry.failed))


if __name__ == "__main__":
    main()
