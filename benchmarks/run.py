"""``python benchmarks/run.py``: how fast the project is, beside programs that do the same or nearly the same.

Sets up environments, peers and trees in a cache folder on first use, runs everything in turn, prints each goal with
what was measured, and leaves ``results.json`` and ``results.svg`` beside this file. Needs Python 3.11, a package index
and, the first time, some 1.5 GB; nothing outside the cache and the two results is written.

What is not equal work:

* ruff takes no rules of others. It runs one of its own (banned-api, a table of one name) that looks at the same nodes.
* ast-grep and ripgrep resolve no names: what they find by text or shape the others decide on.
* Fixit and libcst.tool are given one rule or codemod and the tree once: they need minutes. Their runs print diffs;
  writing the files instead would cost them no more. Neither proves its result; ``apply`` does, ``checks`` has none.
* django-upgrade runs its own fixers, and finds nothing to do in Pipecat: it reads and parses.
* All rules look past needles at what the project imports, the project's other files included. Over Pipecat's own tree
  the timeline has little to say, since a project's own copy of Pipecat answers for itself; hence ``user``, the same
  files as a package of another name.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from math import log
from pathlib import Path
from typing import Any

import corpora
from corpora import ROOT, Place
from measure import Command, Sample, Timed, alternate, ratio

HERE = Path(__file__).resolve().parent
ATTRIBUTE = ("--select", "unguarded-cr-code")
NEWEST = ("--target", "1.14.0")
ANY = (0, 1)  # nothing found, or something


@dataclass(frozen=True, slots=True)
class Goal:
    """What is to hold: ``ours`` takes at most ``factor`` times what ``theirs`` takes; without a peer, so many MiB.

    ``faster``: said the other way round, ``theirs`` takes at least ``factor`` times what ``ours`` takes.
    """

    text: str
    ours: str
    theirs: str | None
    factor: float
    what: str = "wall"
    faster: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Commands that take turns, and what is asked of them."""

    name: str
    title: str
    commands: Sequence[Command]
    turns: int
    goals: Sequence[Goal] = ()
    curves: dict[str, dict[int, str]] = field(default_factory=dict)
    after: Callable[[], dict[str, Any]] = dict


# -- commands


@dataclass(frozen=True, slots=True)
class Bench:
    """What groups are made from."""

    place: Place

    def checks(self, name: str, *arguments: str | Path, plugins: Sequence[Path] = (), **more: Any) -> Command:
        """Return a run of the project's checks."""
        return self._ours(name, "checks", arguments, plugins, more)

    def apply(self, name: str, *arguments: str | Path, plugins: Sequence[Path] = (), **more: Any) -> Command:
        """Return a run of the project's codemods."""
        return self._ours(name, "codemods", ("apply", *arguments), plugins, more)

    def _ours(
        self, name: str, module: str, arguments: Sequence[str | Path], plugins: Sequence[Path], more: dict[str, Any]
    ) -> Command:
        path = os.pathsep.join(map(str, (ROOT, *plugins)))
        argv = self.python("-m", module, *arguments)
        return Command(name, argv, **{"expected": ANY, "environment": {"PYTHONPATH": path}, **more})

    def python(self, *arguments: str | Path) -> tuple[str, ...]:
        """Return a command of the interpreter that the project runs in."""
        return (str(self.place.tool / "python"), *map(str, arguments))

    def peer(self, name: str, program: str, *arguments: str | Path, **more: Any) -> Command:
        """Return a run of a peer."""
        return Command(name, (str(self.place.peers / program), *map(str, arguments)), **{"expected": ANY, **more})

    def ruff(self, tree: Path, *arguments: str) -> Command:
        """Return a run of ruff with one rule."""
        config = HERE / "peers" / "ruff.toml"
        name = "ruff, one rule" + (", no cache" if "--no-cache" in arguments else ", warm")
        return self.peer(name, "ruff", "check", "--quiet", "--config", config, *arguments, tree)

    def ast_grep(self, tree: Path, rule: str = "ast_grep_attribute.yml") -> Command:
        """Return a run of ast-grep with one rule."""
        return self.peer("ast-grep, one rule", "ast-grep", "scan", "--rule", HERE / "peers" / rule, tree)

    def ripgrep(self, name: str, tree: Path, needles: Sequence[str]) -> Command:
        """Return a search for needles, which names the files that have one."""
        listed = corpora.written(self.place.made / "needles" / f"{name}.txt", "\n".join(needles) + "\n")
        return self.peer(name, "rg", "-l", "-F", "-f", listed, "-g", "*.py", "-g", "*.pyi", tree)

    def needles(self, *rules: str) -> list[str]:
        """Return what rules look for in a file's bytes; of all rules if none is named."""
        program = (
            "import sys; from checks.registry import chosen_rules; chosen = chosen_rules(sys.argv[1:], ()).values();"
            "print(*sorted({needle.decode() for rule in chosen for needle in rule.needles}), sep='\\n')"
        )
        done = subprocess.run(self.python("-c", program, *rules), cwd=ROOT, check=True, capture_output=True, text=True)
        return done.stdout.splitlines()


# -- what is measured


def big_tree(bench: Bench) -> Group:
    """Nothing to find in thousands of files."""
    tree = bench.place.big
    one, every = bench.needles("unguarded-cr-code"), bench.needles()
    ours, rest = "checks, one rule", "checks, all rules"
    return Group(
        "big",
        f"nothing to find in {len(corpora.files(tree)):,} files",
        [
            bench.checks(ours, *ATTRIBUTE, tree),
            bench.checks(f"{ours}, -j1", *ATTRIBUTE, "--jobs", "1", tree),
            bench.ripgrep("rg -l, the same needles", tree, one),
            bench.ruff(tree, "--no-cache"),
            bench.ast_grep(tree),
            bench.checks(rest, *NEWEST, tree),
            bench.ripgrep("rg -l, all rules' needles", tree, every),
        ],
        3,
        [
            Goal("one rule ≤ 2.5 x rg -l", ours, "rg -l, the same needles", 2.5),
            Goal("one rule ≤ 0.25 x ruff without cache", ours, "ruff, one rule, no cache", 0.25),
            Goal("one rule ≤ 0.06 x ast-grep", ours, "ast-grep, one rule", 0.06),
            Goal("one rule ≤ 40 MiB (largest process)", ours, None, 40, "peak"),
            Goal("all rules ≤ 2.5 x rg -l", rest, "rg -l, all rules' needles", 2.5),
            Goal("all rules ≤ 0.25 x ruff with one, without cache", rest, "ruff, one rule, no cache", 0.25),
            Goal("all rules ≤ 0.06 x ast-grep with one", rest, "ast-grep, one rule", 0.06),
            Goal("all rules ≤ 40 MiB (largest process)", rest, None, 40, "peak"),
        ],
    )


def pipecat(bench: Bench) -> Group:
    """Pipecat's own tree: one rule, all rules."""
    tree, user = bench.place.pipecat, bench.place.user
    upgrade = ("--target-version", "5.2", *corpora.files(tree))
    parse, cold = "ast.parse of each file", "ruff, one rule, no cache"
    every, single, own = "checks, all rules", "checks, all rules, -j1", "checks, all rules, user's tree, -j1"
    return Group(
        "pipecat",
        f"pipecat-ai 1.1.0, {len(corpora.files(tree))} files",
        [
            bench.checks("checks, one rule", *ATTRIBUTE, "--no-cache", tree),
            bench.ruff(tree, "--no-cache"),
            bench.ruff(tree),
            bench.ast_grep(tree),
            bench.checks(every, *NEWEST, tree, before=_without_caches(bench.place)),
            bench.checks(f"{every}, again", *NEWEST, tree),
            bench.checks(single, *NEWEST, "--no-cache", "--jobs", "1", tree),
            bench.checks(own, *NEWEST, "--no-cache", "--jobs", "1", user),
            Command(parse, bench.python(HERE / "peers" / "parse_all.py", tree)),
            bench.peer("django-upgrade, its fixers", "django-upgrade", *upgrade),
        ],
        5,
        [
            Goal("one rule ≤ 1.0 x ruff without cache", "checks, one rule", cold, 1.0),
            Goal("all rules ≤ 12 x ruff with one, without cache", every, cold, 12),
            Goal("all rules again (warm) ≤ 2 x ruff with one, without cache", f"{every}, again", cold, 2),
            Goal("all rules, -j1 ≤ 3 x ast.parse", single, parse, 3),
            Goal("all rules, -j1, processor time ≤ 3 x ast.parse", single, parse, 3, "cpu"),
            Goal("all rules, default jobs ≤ 3 x ast.parse", every, parse, 3),
            Goal("all rules, user's tree, -j1 ≤ 3 x ast.parse", own, parse, 3),
        ],
    )


def rename(bench: Bench) -> Group:
    """One name changed all over Pipecat: found, shown as a diff, written."""
    tree, made = bench.place.pipecat, bench.place.made / "rename"
    entries = {
        "pipecat_codemods.rules": ["r = renamed_frame"],
        "pipecat_codemods.fixes": ["renamed-frame = renamed_frame_fix"],
    }
    plugins = [HERE / "plugin", corpora.plugin(made / "plugin", entries)]
    select = ("--select", "renamed-frame", *NEWEST)
    copy = made / "written"
    codemod = ("-m", "libcst.tool", "codemod", "-x", "--no-format", "--hide-progress", "--unified-diff=3")
    names = ("--old_name", "pipecat.frames.frames.Frame", "--new_name", "pipecat.frames.frames.BenchmarkFrame")
    own = {"environment": {"PYTHONPATH": str(HERE / "peers")}, "slow": True}
    found, shown, wrote = "checks, found", "apply --diff", "apply, written"
    fixit, libcst = "fixit lint --diff", "libcst.tool codemod, diff"

    def after() -> dict[str, Any]:
        return {"files changed": corpora.changed(tree, copy)}

    return Group(
        "rename",
        "one name changed all over pipecat-ai 1.1.0",
        [
            bench.checks(found, *select, tree, plugins=plugins),
            bench.apply(shown, "--diff", *select, tree, plugins=plugins),
            bench.apply(f"{shown}, -j1", "--diff", "--jobs", "1", *select, tree, plugins=plugins),
            bench.apply(f"{shown}, -j2", "--diff", "--jobs", "2", *select, tree, plugins=plugins),
            bench.apply(wrote, *select, copy, plugins=plugins, before=corpora.fresh(tree, copy)),
            bench.ast_grep(tree, "ast_grep_rename.yml"),
            bench.peer(fixit, "fixit", "--rules", "fixit_rename:RenamedFrame", "lint", "--diff", tree, **own),
            bench.peer(libcst, "python", *codemod, "libcst.codemod.commands.rename.RenameCommand", *names, tree, **own),
        ],
        3,
        [
            Goal("found ≥ 100 x faster than Fixit", found, fixit, 100, faster=True),
            Goal("found ≥ 100 x faster than libcst.tool", found, libcst, 100, faster=True),
            Goal("proved and shown ≥ 100 x faster than Fixit", shown, fixit, 100, faster=True),
            Goal("proved and shown ≥ 100 x faster than libcst.tool", shown, libcst, 100, faster=True),
            Goal("written ≥ 12 x faster than Fixit", wrote, fixit, 12, faster=True),
            Goal("written ≥ 12 x faster than libcst.tool", wrote, libcst, 12, faster=True),
            Goal("through LibCST, -j2 ≤ 0.65 x -j1", f"{shown}, -j2", f"{shown}, -j1", 0.65),
        ],
        after=after,
    )


def one_file(bench: Bench) -> Group:
    """What it costs to start."""
    made = bench.place.made / "one"
    clean = corpora.written(made / "clean" / "clean.py", corpora.CLEAN)
    found = corpora.written(made / "found" / "found.py", corpora.FOUND)
    mended = made / "mended" / "found.py"
    bare, libcst = "python -c pass", "python -c 'import libcst'"
    return Group(
        "one",
        "one file",
        [
            Command(bare, bench.python("-c", "pass")),
            bench.checks("checks, clean file", clean, expected=(0,)),
            bench.checks("checks, one finding", found, expected=(1,)),
            Command(libcst, bench.python("-c", "import libcst")),
            bench.apply("apply, one fix", mended, expected=(1,), before=corpora.fresh(found, mended)),
        ],
        15,
        [
            Goal("clean file ≤ 5 x python -c pass", "checks, clean file", bare, 5),
            Goal("one finding ≤ 10 x python -c pass", "checks, one finding", bare, 10),
            Goal("one fix ≤ 1.6 x import libcst", "apply, one fix", libcst, 1.6),
        ],
    )


def rules(bench: Bench) -> Group:
    """How the number of rules tells, over Pipecat's tree: as rows of a table, and as modules with their own needles."""
    made, tree = bench.place.made / "rules", bench.place.pipecat
    commands: list[Command] = []
    curves: dict[str, dict[int, str]] = {"rules as rows": {}, "rules as modules": {}}
    for count in (1, 10, 100, 500):
        rows, modules = f"{count} as rows", f"{count} as modules"
        folder = corpora.rule_rows(made / f"rows{count}", count)
        select = ("--select", "benchmark-rows", "--jobs", "1")
        commands.append(bench.checks(rows, *select, tree, plugins=[folder], expected=(0,)))
        folder = corpora.rule_modules(made / f"modules{count}", count)
        select = ("--select", corpora.rule_names(count), "--jobs", "1")
        commands.append(bench.checks(modules, *select, tree, plugins=[folder], expected=(0,)))
        curves["rules as rows"][count] = rows
        curves["rules as modules"][count] = modules
    goals = [
        Goal("500 rows ≤ 1.2 x 1", "500 as rows", "1 as rows", 1.2),
        Goal("500 modules ≤ 1.2 x 1", "500 as modules", "1 as modules", 1.2),
    ]
    return Group("rules", "1 to 500 rules over pipecat-ai 1.1.0", commands, 3, goals, curves)


def growth(bench: Bench) -> Group:
    """Time and memory against the number of files, what is in one file, and how much is found."""
    made = bench.place.made / "growth"
    commands: list[Command] = []
    curves: dict[str, dict[int, str]] = {}

    def add(curve: str, size: int, command: Command) -> None:
        commands.append(command)
        curves.setdefault(curve, {})[size] = command.name

    mending = (*NEWEST, "--jobs", "1")
    options = (*mending, "--no-cache")
    for size in (50, 100, 200, 400):
        folder = corpora.many_files(made / f"files{size}", bench.place.user, size)
        add("files", size, bench.checks(f"{size} files", *options, folder))
    for size in (1000, 2000, 4000, 8000):
        path = corpora.reassigned(made / f"global{size}" / "module.py", size)
        add("assignments of one global", size, bench.checks(f"{size} assignments", *options, path))
    for size in (12_500, 25_000, 50_000, 100_000):
        path = corpora.long_file(made / f"lines{size}" / "module.py", size)
        add("lines of one file", size, bench.checks(f"{size} lines", *options, path))
    for size in (250, 500, 1000, 2000):
        path = corpora.with_findings(made / f"findings{size}" / "module.py", size)
        add("findings, found", size, bench.checks(f"{size} findings", *options, path, expected=(1,)))
        mend = bench.apply(f"{size} fixes", "--diff", *mending, path, expected=(1,))
        add("findings, mended", size, mend)
    return Group("growth", "growth", commands, 1, curves=curves)


GROUPS = {
    "one": one_file,
    "pipecat": pipecat,
    "rules": rules,
    "growth": growth,
    "big": big_tree,
    "rename": rename,
}


def _without_caches(place: Place) -> Callable[[], None]:
    """Return what empties every cache that the commands may have filled, so that a run is a first one."""

    def clear() -> None:
        subprocess.run(["rm", "-rf", place.home], check=True)
        place.home.mkdir()

    return clear


# -- running, and telling


def judged(goal: Goal, timed: dict[str, Timed]) -> dict[str, Any]:
    """Return a goal with what was measured and whether it is reached; ``measured`` is None where a command failed."""
    told: dict[str, Any] = {"goal": goal.text, "measured": None, "reached": False}
    ours = timed[goal.ours]
    theirs = timed[goal.theirs] if goal.theirs else None
    if goal.faster and theirs is not None:
        ours, theirs = theirs, ours
    if not ours.failure and theirs is None:
        told["measured"] = ours.median(goal.what)
    elif not ours.failure and theirs is not None and not theirs.failure:
        told |= {"measured": ratio(ours, theirs, goal.what), "cpu": ratio(ours, theirs, "cpu")}
    if value := told["measured"]:
        share = goal.factor / value if goal.faster else value / goal.factor
        told |= {"reached": share <= 1, "share": share}
    return told


def measured(group: Group, place: Place, turns: int | None = None) -> dict[str, Any]:
    """Run a group and return what is kept of it."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(place.home),
        "LC_ALL": "C.UTF-8",
        "PYTHONHASHSEED": "0",
    }
    timed = alternate(group.commands, turns or group.turns, place.made, environment)
    curves = {
        name: [[size, timed[one].median("wall"), timed[one].median("peak")] for size, one in points.items()]
        for name, points in group.curves.items()
        if not any(timed[one].failure for one in points.values())
    }
    return {
        "title": group.title,
        "at": time.strftime("%Y-%m-%d %H:%M"),
        "load": os.getloadavg()[0],
        "commands": [asdict(one) for one in timed.values()],
        "goals": [judged(goal, timed) for goal in group.goals],
        "curves": curves,
        **group.after(),
    }


def _exponent(points: list[list[float]]) -> float:
    """Return the power of the size that the time grew with over the last doubling."""
    (size, wall, _), (last_size, last_wall, _) = points[-2:]
    return log(last_wall / wall) / log(last_size / size)


def told(result: dict[str, Any]) -> list[str]:
    """Return what is printed of a group."""
    lines = [f"\n{result['title']} (load {result['load']:.1f})"]
    for one in result["commands"]:
        if one["failure"]:
            lines.append(f"  {one['name']:44} failed, not counted: {one['failure']}")
            continue
        timed = Timed(one["name"], [Sample(**sample) for sample in one["samples"]])
        wall, cpu, peak = (timed.median(what) for what in ("wall", "cpu", "peak"))
        lines.append(f"  {one['name']:44} {wall:9.3f} s {cpu:9.3f} s cpu {peak:7.0f} MiB  x{len(one['samples'])}")
    for name, points in result["curves"].items():
        wall, peak = points[-1][1] / points[0][1], points[-1][2] / points[0][2]
        sizes = f"{points[0][0]:,} → {points[-1][0]:,}"
        lines.append(
            f"  {name:26} {sizes:16} time x{wall:.1f}, size^{_exponent(points):.1f} at the end, memory x{peak:.1f}"
        )
    for goal in result["goals"]:
        if goal["measured"] is None:
            lines.append(f"  NOT MEASURED  {goal['goal']}")
            continue
        cpu = f" (by processor time {goal['cpu']:.2f})" if "cpu" in goal else ""
        missed = "" if goal["reached"] else f", missed by a factor of {goal['share']:.1f}"
        verdict = "reached" if goal["reached"] else "NOT REACHED"
        lines.append(f"  {verdict:12}  {goal['goal']}: {goal['measured']:.2f}{cpu}{missed}")
    if "files changed" in result:
        lines.append(f"  {result['files changed']} files changed")
    return lines


def main() -> None:
    """Measure, print, and keep."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "pipecat-codemods-benchmarks")
    parser.add_argument("--only", action="append", choices=GROUPS, help="measure this group, keep the others' results")
    parser.add_argument("--turns", type=int, help="how many turns to take, instead of what each group is worth")
    parser.add_argument("--results", type=Path, default=HERE / "results.json")
    options = parser.parse_args()
    place = Place(options.cache.resolve())
    corpora.set_up(place)
    results: dict[str, Any] = {}
    if options.only and options.results.exists():
        results = json.loads(options.results.read_text("utf-8"))
    results |= {
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": corpora.versions(place),
    }
    groups = results.setdefault("groups", {})
    for name in options.only or GROUPS:
        groups[name] = measured(GROUPS[name](Bench(place)), place, options.turns)
        print("\n".join(told(groups[name])), flush=True)
        options.results.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print("\n" + (__doc__ or "").partition("What is not equal work:")[2].join(("What is not equal work:", "")))
    picture = options.results.with_suffix(".svg")
    subprocess.run([place.peers / "python", HERE / "plot.py", options.results, picture], check=True)
    print(f"{options.results} and {picture} written", file=sys.stderr)


if __name__ == "__main__":
    main()
