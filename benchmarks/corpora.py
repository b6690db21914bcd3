"""What is measured on: released wheels, unpacked, and files made for the growth curves; all kept in a cache."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEERS = ("ruff", "ast-grep-cli", "fixit", "libcst", "django-upgrade", "ripgrep", "matplotlib")
BIG = ("django", "homeassistant", "numpy", "scipy")
PIPECAT = "pipecat-ai==1.1.0"


@dataclass(frozen=True, slots=True)
class Place:
    """The cache folder, and what stands where in it."""

    folder: Path

    @property
    def tool(self) -> Path:
        """The programs of the environment that the project runs in."""
        return self.folder / "tool" / "bin"

    @property
    def peers(self) -> Path:
        """The programs of the environment that the peers run in; Fixit wants an older click than the project."""
        return self.folder / "peers" / "bin"

    @property
    def big(self) -> Path:
        """Thousands of files that have nothing to do with Pipecat."""
        return self.folder / "trees" / "big"

    @property
    def pipecat(self) -> Path:
        """Pipecat as released."""
        return self.folder / "trees" / "pipecat"

    @property
    def user(self) -> Path:
        """The same files as a package of another name, which imports Pipecat as a user's code does."""
        return self.folder / "trees" / "user"

    @property
    def made(self) -> Path:
        """Files made for one measurement; written anew by every run."""
        return self.folder / "made"

    @property
    def home(self) -> Path:
        """What the commands take for their home, caches and journals with it."""
        return self.folder / "home"


def _pip(python: Path, *arguments: str) -> None:
    command = [python, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    subprocess.run(command, check=True, stdout=sys.stderr)


def _once(target: Path, make: Callable[[Path], object], stated: str = "") -> None:
    """Make a folder if it was not made before, of what is stated; one that was left half made does not count."""
    done = target.with_name(f"{target.name}.done")
    if done.exists() and done.read_text("utf-8") == stated:
        return
    print(f"setting up {target}", file=sys.stderr, flush=True)
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    make(target)
    done.write_text(stated, "utf-8")


def _environment(packages: Sequence[str]) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        venv.create(folder, with_pip=True, symlinks=True)
        _pip(folder / "bin" / "python", "install", "--only-binary=:all:", *packages)

    return make


def _unpacked(*requirements: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        wheels = folder.with_name("wheels")
        for requirement in requirements:
            name = requirement.partition("=")[0].replace("-", "_")
            if not (found := list(wheels.glob(f"{name}-*.whl"))):
                _pip(Path(sys.executable), "download", "--no-deps", f"--dest={wheels}", requirement)
                found = list(wheels.glob(f"{name}-*.whl"))
            with zipfile.ZipFile(found[0]) as archive:
                archive.extractall(folder / name if len(requirements) > 1 else folder)

    return make


def set_up(place: Place) -> None:
    """Install the project's requirements and the peers, and fetch the trees, as far as they are not there yet."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["fast"]]
    _once(place.folder / "tool", _environment(needed), "\n".join(needed))
    _once(place.folder / "peers", _environment(PEERS))
    _once(place.big, _unpacked(*BIG))
    _once(place.pipecat, _unpacked(PIPECAT))
    _once(place.user, lambda folder: shutil.copytree(place.pipecat / "pipecat", folder / "acme"))
    for folder in (place.made, place.home):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()


def versions(place: Place) -> dict[str, str]:
    """Return what is measured against, by name."""
    listed = subprocess.run(
        [place.peers / "python", "-m", "pip", "--disable-pip-version-check", "list", "--format=freeze"],
        capture_output=True,
        text=True,
        check=True,
    )
    found = dict(line.split("==") for line in listed.stdout.splitlines() if "==" in line)
    wheels = (wheel.name.split("-")[:2] for wheel in (place.folder / "trees" / "wheels").glob("*.whl"))
    return {name: found[name] for name in PEERS} | dict(wheels)


# -- files made


def files(folder: Path) -> list[Path]:
    """Return the Python files below a folder."""
    return sorted(folder.rglob("*.py"))


def fresh(source: Path, copy: Path) -> Callable[[], None]:
    """Return what lays a copy of a file or folder anew before a run that writes."""

    def lay() -> None:
        if source.is_dir():
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(source, copy)
        else:
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)

    return lay


def changed(source: Path, copy: Path) -> int:
    """Return how many Python files differ between a folder and its copy."""
    return sum(path.read_bytes() != (copy / path.relative_to(source)).read_bytes() for path in files(source))


def written(path: Path, text: str) -> Path:
    """Write a file, its folders with it, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


HEAD = "from pipecat.processors.frame_processor import FrameProcessor\n\n\n"
CLEAN = HEAD + "class Echo(FrameProcessor):\n    async def process_frame(self, frame, direction):\n        pass\n"
FOUND = "def name_of(coroutine):\n    return coroutine.cr_code.co_name\n"


def many_files(folder: Path, tree: Path, count: int) -> Path:
    """Make a tree of about so many files: the services of a user's tree, as often as needed."""
    services = [path for path in files(tree / "acme" / "services") if path.name != "__init__.py"][:50]
    for number in range(count // len(services)):
        for path in services:
            written(folder / f"part{number}" / f"{path.parent.name}_{path.name}", path.read_text("utf-8"))
    return folder


def reassigned(path: Path, count: int) -> Path:
    """Make a file in which one global is assigned so many times, each time from itself."""
    return written(path, HEAD + "state = FrameProcessor()\n" + "state = state.link(state)\n" * count)


def long_file(path: Path, lines: int) -> Path:
    """Make a file of about so many lines: classes that derive from Pipecat's."""
    body = "".join(
        f"\n\nclass Echo{number}(FrameProcessor):\n"
        "    async def process_frame(self, frame, direction):\n"
        "        await super().process_frame(frame, direction)\n"
        f"        self.seen = {number}\n"
        "        for one in self.waiting:\n"
        "            if one is not frame:\n"
        "                await self.push_frame(one, direction)\n"
        for number in range(lines // 9)
    )
    return written(path, HEAD.rstrip() + "\n" + body)


def with_findings(path: Path, count: int) -> Path:
    """Make a file with so many findings, each of which can be mended."""
    return written(path, "\n\n".join(FOUND.replace("name_of", f"name_of_{number}") for number in range(count)))


# -- rules made


def plugin(folder: Path, entries: dict[str, list[str]]) -> Path:
    """Make a folder on the module path look like an installed package that adds rules, by entry point group."""
    lines = [line for group, values in entries.items() for line in (f"[{group}]", *values)]
    written(folder / "benchmark-0.dist-info" / "entry_points.txt", "\n".join(lines) + "\n")
    written(folder / "benchmark-0.dist-info" / "METADATA", "Metadata-Version: 2.1\nName: benchmark\nVersion: 0\n")
    return folder


_RULE = '''"""A rule of the benchmark's: uses of a name that does not occur."""

import ast

from checks.rule import Fix, Rule

ROWS = {{{rows}}}
RULE = Rule(__name__, needles={needles}, about=None, fix=Fix.NONE)


@RULE.on(ast.Attribute)
def used(node, source):
    if node.attr in ROWS and source.names.resolve(node) == ROWS[node.attr]:
        yield RULE.finding(source, node, "renamed")
'''


def rule_modules(folder: Path, count: int) -> Path:
    """Make so many rules, each a module that looks for a literal of its own, as rules of other packages are."""
    for number in range(count):
        word = f"absent_name_{number}"
        text = _RULE.format(rows=f'"{word}": "pipecat.frames.frames.{word}"', needles=f'("{word}",)')
        written(folder / f"benchmark_{number}.py", text)
    return plugin(folder, {"pipecat_codemods.rules": [f"r{n} = benchmark_{n}" for n in range(count)]})


def rule_rows(folder: Path, count: int) -> Path:
    """Make one rule with so many rows in its table, as the project keeps its own."""
    rows = ", ".join(f'"absent_name_{n}": "pipecat.frames.frames.absent_name_{n}"' for n in range(count))
    written(folder / "benchmark_rows.py", _RULE.format(rows=rows, needles='("pipecat",)'))
    return plugin(folder, {"pipecat_codemods.rules": ["rows = benchmark_rows"]})


def rule_names(count: int) -> str:
    """Return the names of the rules that ``rule_modules`` made, as ``--select`` takes them."""
    return ",".join(f"benchmark-{number}" for number in range(count))
