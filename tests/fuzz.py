"""Puts mutated projects through every rule, and holds what comes out against what the tools promise.

``python -m tests.fuzz --minutes 30`` runs for as long as it is told, and keeps every project that broke a promise in a
folder of its own. ``--seed N --count 1`` repeats one. ``test_fuzz`` runs a few by the same functions.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import libcst

from checks import session as sessions
from checks.cli import inspect_all
from checks.registry import chosen_rules
from checks.report import Ledger, Status
from checks.rule import Rule
from checks.session import Request, begin
from checks.source import decode
from codemods import apply, mend
from codemods.journal import Journal, undo
from codemods.splice import Edit, splice
from tests.cases import FIXTURES, cases, contents
from tests.mutations import BYTES, TEXT, compiles, mutated

CORPUS = Path.home() / "wheels" / "corpus"
TARGETS = ("0.0.99", "1.0.0", "1.2.0", "1.8.0", "1.14.0")
# What is said of a file whose fix or rule failed, or whose result was not sound: withheld, but a bug all the same.
FAULTS = (
    "failed:",
    "does not settle",
    "would not",
    "ended the process",
    "not compile",
    "LibCST cannot read the result",
)


class Broken(AssertionError):
    """A promise that did not hold; the message begins with its number in DESIGN.md, section 3."""


@dataclass(frozen=True)
class Tree:
    """A small project: its files and what to aim at."""

    files: Mapping[str, bytes]
    target: str
    label: str


@dataclass
class Tally:
    """What has been run: counted, and what was withheld by reason."""

    trees: int = 0
    files: int = 0
    bytes: int = 0
    changed: int = 0
    mended: int = 0
    faults: Counter[str] = field(default_factory=Counter[str])


# -- projects


def fixture_trees() -> list[Tree]:
    """Return the project of every fixture as it is before it is mended."""
    found: list[Tree] = []
    for folder in sorted(FIXTURES.iterdir()):
        for case in cases(folder.name):
            files = dict(contents(case.folder / "before").items())
            # Those that are mended stand there more often: they have more to lose.
            found += [Tree(files, case.target, f"{folder.name}/{case}")] * (3 if case.changes else 1)
    return found


def corpus_trees() -> list[Tree]:
    """Return every Python file of the packages in the corpus as a project of its own; none where there is no corpus."""
    files = [path for path in sorted(CORPUS.rglob("*.py")) if b"pipecat" in (data := path.read_bytes()) and data]
    return [
        Tree({path.name: path.read_bytes()}, "1.14.0", str(path.relative_to(CORPUS)))
        for path in files
        if path.stat().st_size < 60_000
    ]


def odd_tree(trees: Sequence[Tree], random: Random) -> Tree:
    """Return one of several projects with its files mutated, now and then with a part of another one in it."""
    tree = random.choice(trees)
    names = random.sample([*TEXT, *BYTES], random.choice([1, 1, 2, 2, 3, 4, 6, 9]))
    files = dict(tree.files)
    if random.random() < 0.2:
        files = _grafted(files, random.choice(trees).files, random)
    for name, data in files.items():
        if name.endswith(".py") and random.random() < 0.9:
            files[name] = mutated(data, names, random)
    target = random.choice(TARGETS) if random.random() < 0.2 else tree.target
    return Tree(files, target, f"{tree.label} [{' '.join(names)}]")


def _grafted(files: dict[str, bytes], others: Mapping[str, bytes], random: Random) -> dict[str, bytes]:
    graft = random.choice(sorted(others))
    ours = [name for name in files if name.endswith(".py")]
    if not graft.endswith(".py") or not ours:
        return files
    name = random.choice(ours)
    pair = [files[name], others[graft]]
    random.shuffle(pair)
    joined = b"\n".join(pair)
    return {**files, name: joined} if compiles(joined) else files


# -- promises


def put(tree: Tree, root: Path) -> dict[str, bytes]:
    """Write a project to a folder that does not exist yet, and return what stands there."""
    for name, data in {"pyproject.toml": b"", **tree.files}.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    return contents(root)


def worked_out(root: Path, tree: Tree, *paths: str, jobs: int = 1, select: tuple[str, ...] = ()) -> apply.Plan:
    """Return what a run would change, unsafe mends too."""
    names = tuple(str(root / path) for path in paths) or (str(root),)
    return apply.mended(Request(names, target=tree.target, select=select), unsafe=True, jobs=jobs)


def results(plan: apply.Plan, root: Path) -> dict[str, bytes]:
    """Return the new bytes of each file that a run would change."""
    changed = (file for files in plan.sets for file in files if file.changed)
    return {file.path.relative_to(root).as_posix(): file.after for file in changed}


def hold(tree: Tree, scratch: Path, random: Random, tally: Tally | None = None) -> None:
    """Run everything on a project and hold it against promises 1, 2, 4, 5, 6 and 7.

    Raises:
        Broken: one of them does not hold.
    """
    root = scratch / "project"
    before = put(tree, root)
    with exact_splices():
        plan = worked_out(root, tree)
    wanted = results(plan, root)
    for name, data in wanted.items():
        assert_sound(name, before[name], data)
    ledger = apply.write(plan, Journal(scratch / "journal"))
    after = contents(root)
    assert_true(ledger, root, before, after)
    if after != before | wanted:
        raise Broken("3: what was written is not what was worked out")
    again = worked_out(root, tree)
    if results(again, root):
        raise Broken(f"2: a second run changes {sorted(results(again, root))}")
    assert_silent(root, tree, ledger)
    done = undo([root], scratch / "journal")
    if contents(root) != before or (done is None) != (not wanted):
        raise Broken("4: undo does not restore")
    assert_order_free(root, tree, wanted, random)
    assert_newlines_do_not_matter(tree, wanted, scratch)
    if tally is not None:
        tally.trees += 1
        tally.files += len(before)
        tally.bytes += sum(map(len, before.values()))
        tally.changed += len(wanted)
        tally.mended += ledger.summary()["applied"]
        for entry in ledger.entries:
            data = before[entry.path.relative_to(root).as_posix()]
            if any(fault in (entry.reason or "") for fault in FAULTS) and is_read_by_libcst(data):
                tally.faults[re.sub(r"line \d+|\d+", "N", entry.reason)[:160]] += 1


@contextmanager
def exact_splices() -> Iterator[None]:
    """Hold every splice against promise 1 in a way of its own: by characters, each with the bytes it came from."""

    def checked(source: Any, edits: Any) -> bytes:
        asked = list(edits)
        data = splice(source, asked)
        if data != _by_characters(source, asked):
            raise Broken(f"1: bytes outside the edits changed in {source.path.name}")
        return data

    mend.splice = checked  # type: ignore[assignment]
    try:
        yield
    finally:
        mend.splice = splice


def _by_characters(source: Any, edits: Sequence[Edit]) -> bytes:
    text: str = source.text
    mark = 3 if source.data[:3] == b"\xef\xbb\xbf" else 0
    ends = [mark]
    for character in text:
        ends.append(ends[-1] + len(character.encode(source.encoding)))
    parts, done = [source.data[:mark]], 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        here = re.findall(r"\r\n|\r|\n", text[edit.start : edit.end])
        line = re.search(r"\r\n|\r|\n", text[edit.start :])
        above = re.findall(r"\r\n|\r|\n", text[: edit.start])
        newline = here[0] if here else line[0] if line else above[-1] if above else "\n"
        parts.append(source.data[ends[done] : ends[edit.start]])
        parts.append(re.sub(r"\r\n|\r|\n", lambda _, newline=newline: newline, edit.text).encode(source.encoding))
        done = edit.end
    return b"".join([*parts, source.data[ends[done] :]])


def assert_sound(name: str, before: bytes, after: bytes) -> None:
    """Hold a result against promise 2, as far as one file shows it, and against what no edit may touch."""
    if not name.endswith(".py"):
        return
    if not compiles(after):
        raise Broken(f"2: {name} does not compile")
    libcst.parse_module(decode(after)[0])
    if before[:3] == b"\xef\xbb\xbf" != after[:3]:
        raise Broken(f"1: {name} lost its byte order mark")
    if before.count(b"\f") > after.count(b"\f"):
        raise Broken(f"1: {name} lost a form feed")
    kinds = [set(re.findall(rb"\r\n|\r|\n", data)) for data in (before, after)]
    if len(kinds[0]) == 1 and kinds[1] - kinds[0]:
        raise Broken(f"1: {name} ended its lines by {kinds[0]}, now by {kinds[1]}")
    if (
        after.endswith((b"\r", b"\n")) != before.endswith((b"\r", b"\n"))
        and before[-20:].strip() == after[-20:].strip()
    ):
        raise Broken(f"1: the final newline of {name} came or went")


def is_read_by_libcst(data: bytes) -> bool:
    """Tell whether LibCST reads a file; of some it does not, Python does."""
    try:
        libcst.parse_module(decode(data)[0])
    except Exception:
        return False
    return True


def assert_true(ledger: Ledger, root: Path, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> None:
    """Hold a ledger against promise 6: what it says is what became of the files."""
    names = [entry.path.relative_to(root).as_posix() for entry in ledger.entries]
    if len(names) != len(set(names)):
        raise Broken("6: a file stands twice in the ledger")
    for name, entry in zip(names, ledger.entries, strict=True):
        if (before[name] != after[name]) != (entry.status is Status.CHANGED):
            raise Broken(f"6: {name} is said to be {entry.status}")
        withheld = entry.status in (Status.ERROR, Status.REFUSED) or (before[name] != after[name] and entry.reason)
        if bool(withheld) != entry.failed:
            raise Broken(f"6: {name} has failed and is not said to")
        if re.search(r"\brule \S+ failed", entry.reason or ""):
            raise Broken(f"5: {name}: {entry.reason}")
    for name, data in before.items():
        if name not in names and after[name] != data:
            raise Broken(f"8: {name} was changed and is not in the ledger")
    if set(before) != set(after):
        raise Broken(f"3: files came or went: {sorted(set(before) ^ set(after))}")
    found = [applied for _, applied in ledger.findings()]
    failed = any(entry.failed for entry in ledger.entries)
    if ledger.exit_code() != (2 if failed else 1 if found else 0):
        raise Broken(f"6: exit code {ledger.exit_code()}")
    if ledger.summary()["applied"] != found.count(True):
        raise Broken("6: the summary does not count")


def assert_silent(root: Path, tree: Tree, ledger: Ledger) -> None:
    """Hold a mended project against promise 2: nothing is left that could be mended, but what was named."""
    session = begin(Request((str(root),), target=tree.target))
    named = {entry.path for entry in ledger.entries if entry.reason}
    for _, inspection in inspect_all(session, 1):
        left = [finding for finding in inspection.findings if finding.facts is not None]
        if left and inspection.path not in named:
            raise Broken(f"2: left in {inspection.path.name}: {left[0].rule} on line {left[0].span.line}")


@contextmanager
def shuffled_rules(random: Random) -> Iterator[None]:
    """Have the rules run in another order."""

    def chosen(select: Any, ignore: Any) -> dict[str, Rule]:
        rules = list(chosen_rules(select, ignore).items())
        random.shuffle(rules)
        return dict(rules)

    sessions.chosen_rules = chosen
    try:
        yield
    finally:
        sessions.chosen_rules = chosen_rules


def assert_order_free(root: Path, tree: Tree, wanted: Mapping[str, bytes], random: Random) -> None:
    """Hold a run against promise 7: the order of rules and files, and now and then the number of processes."""
    session = begin(Request((str(root),), target=tree.target))
    names = [str(path.relative_to(root)) for workspace in session.workspaces for path in workspace.files]
    random.shuffle(names)
    with shuffled_rules(random):
        other = results(worked_out(root, tree, ".", *names, jobs=2 if random.random() < 0.03 else 1), root)
    if other != wanted:
        differ = sorted(name for name in {*other, *wanted} if other.get(name) != wanted.get(name))
        raise Broken(f"7: the order of rules or files decides on {differ}")


def assert_newlines_do_not_matter(tree: Tree, wanted: Mapping[str, bytes], scratch: Path) -> None:
    """Hold a run against promise 1: the same project with other newlines is mended to the same with those newlines."""
    changes: list[Callable[[bytes], bytes]] = [
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: data.replace(b"\n", b"\r"),
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data + b"the_last = 1  \n\x0c\n",  # no blank line, of which one goes with a statement above it
    ]
    if any(b"\r" in data or data[:3] == b"\xef\xbb\xbf" or b"coding" in data for data in tree.files.values()):
        return
    if not all(data.endswith(b"\n") for data in tree.files.values()):
        return
    for number, change in enumerate(changes):
        root = scratch / f"other{number}"
        other = {n: change(d) if n.endswith(".py") and d else d for n, d in tree.files.items()}
        if not all(compiles(d) for n, d in other.items() if n.endswith(".py") and compiles(tree.files[n])):
            continue
        put(Tree(other, tree.target, tree.label), root)
        found = results(worked_out(root, tree), root)
        for name in sorted({*found, *wanted}):
            expected = change(wanted[name]) if name in wanted and name.endswith(".py") else wanted.get(name)
            if found.get(name) != expected:
                raise Broken(f"1: {name} with other newlines, a mark or more lines ({number}) is mended otherwise")


# -- the long run


def main() -> None:
    """Run for some minutes or some projects; exit code 1 if a promise broke."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--count", type=int, default=10**9, help="stop after as many projects")
    parser.add_argument("--seed", type=int, default=0, help="the first project's; each has the next one")
    parser.add_argument("--keep", type=Path, default=Path("broken-promises"), help="where broken ones are kept")
    options = parser.parse_args()
    warnings.simplefilter("ignore", SyntaxWarning)
    trees = [*fixture_trees(), *corpus_trees()]
    tally, broken = Tally(), 0
    end = time.monotonic() + options.minutes * 60
    seed: int = options.seed
    while seed < options.seed + options.count and time.monotonic() < end:
        scratch = Path(tempfile.mkdtemp(prefix="fuzz-"))
        try:
            tree = odd_tree(trees, Random(seed))
            withheld = sum(tally.faults.values())
            hold(tree, scratch, Random(seed), tally)
            if sum(tally.faults.values()) > withheld:
                put(tree, options.keep / f"withheld-{seed}")
        except Exception as error:
            broken += 1
            kept = options.keep / str(seed)
            put(tree, kept)
            told = f"seed {seed}, {tree.label}, target {tree.target}: {type(error).__name__}: {error}"
            (kept / "TOLD").write_text(f"{told}\n{'' if isinstance(error, Broken) else traceback.format_exc()}")
            print(told, flush=True)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        seed += 1
        if seed % 1000 == 0:
            print(f"{seed}: {tally}", file=sys.stderr, flush=True)
    print(
        f"{tally.trees + broken} projects of {tally.files} files and {tally.bytes} bytes; "
        f"{tally.changed} files changed by {tally.mended} mends; {broken} promises broken; "
        f"withheld for a fault: {sum(tally.faults.values())}"
    )
    for reason, count in tally.faults.most_common(40):
        print(f"  {count}: {reason}")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    os.umask(0o077)
    main()
