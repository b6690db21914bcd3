"""What a run is about: the paths asked for, sorted into projects, each with its settings, target and files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from checks.config import Config, load
from checks.discover import project_root, python_files
from checks.errors import UsageError
from checks.inspect import Inspection, inspect
from checks.pipecat.releases import NEWEST, Release, UnknownRelease, parse, pinned
from checks.project import Project
from checks.rule import Rule, chosen_rules

# Below this size a run parses every file it finds, not only those a rule looks at, so that a folder of a few scripts
# gets a word on each that does not parse.
_SMALL_RUN = 1024 * 1024


@dataclass(slots=True)
class Workspace:
    """One project of a run: its files to look at, and the rules that look."""

    project: Project
    config: Config
    rules: Mapping[str, Rule]
    files: list[Path] = field(default_factory=list[Path])
    thorough: set[Path] = field(default_factory=set[Path])

    def inspect(self, path: Path) -> Inspection:
        """Return what the rules find in one of the files, those ignored for it left out."""
        thorough = path in self.thorough
        return inspect(path, self.project, self.rules_for(path), thorough=thorough)

    def rules_for(self, path: Path) -> Mapping[str, Rule]:
        """Return the rules that apply to a file."""
        if not self.config.per_file_ignores:
            return self.rules
        relative = os.path.relpath(path, self.project.root).replace(os.sep, "/")
        ignored = self.config.ignored_in(relative)
        return {name: rule for name, rule in self.rules.items() if name not in ignored}


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asks for; ``target`` None: as the project says, else the newest release."""

    paths: tuple[str, ...]
    target: str | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    stdin_filename: str | None = None


@dataclass(slots=True)
class Session:
    """The projects of a run, and the paths that could not be taken, each with the reason."""

    workspaces: list[Workspace]
    unreadable: list[tuple[Path, str]]

    @property
    def target(self) -> Release:
        """The release aimed at; of several projects the first one's."""
        return self.workspaces[0].project.target if self.workspaces else NEWEST


def begin(request: Request, stdin: bytes | None = None) -> Session:
    """Sort the paths of a request into projects.

    ``stdin`` stands in for the contents of the path ``-``.

    Raises:
        UsageError: an unknown rule, release or setting.
    """
    target = _release(request.target) if request.target else None
    chosen_rules(request.select, request.ignore)
    session = Session([], [])
    by_root: dict[Path, Workspace] = {}
    for name in request.paths or (".",):
        path = Path(os.path.abspath(request.stdin_filename or "stdin.py" if name == "-" else name))
        if name != "-" and not os.path.lexists(path):
            session.unreadable.append((path, "no such file or folder"))
            continue
        root = project_root(path if name != "-" else path.parent)
        if root not in by_root:
            by_root[root] = _workspace(root, request, target)
            session.workspaces.append(by_root[root])
        _add(path, by_root[root], session, stdin if name == "-" else None)
    for workspace in session.workspaces:
        workspace.files = sorted(set(workspace.files))
        if len(workspace.files) <= 1000 and _total_size(workspace.files) <= _SMALL_RUN:
            workspace.thorough.update(workspace.files)
    return session


def _workspace(root: Path, request: Request, target: Release | None) -> Workspace:
    config = load(root)
    if target is None and config.target is not None:
        target = _release(config.target)
    exclude = (*config.exclude, *request.exclude)
    project = Project(root, target or pinned(root) or NEWEST, exclude=exclude)
    rules = chosen_rules(request.select or config.select, (*config.ignore, *request.ignore))
    for ignored in config.per_file_ignores.values():
        chosen_rules(ignored, ())
    return Workspace(project, config, rules)


def _release(text: str) -> Release:
    try:
        return parse(text)
    except UnknownRelease as error:
        raise UsageError(str(error)) from None


def _add(path: Path, workspace: Workspace, session: Session, stdin: bytes | None) -> None:
    project = workspace.project
    if stdin is not None:
        project.stand_in(path, stdin)
    elif path.is_dir():
        workspace.files += python_files(path, project.exclude, project.root)
        return
    elif path.is_symlink() and not _stays_inside(path, project.root):
        session.unreadable.append((path, f"is a link that leads out of {project.root}"))
        return
    elif not path.is_file():
        session.unreadable.append((path, "is not a regular file"))
        return
    workspace.files.append(path)
    workspace.thorough.add(path)


def _stays_inside(path: Path, root: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


def _total_size(files: Sequence[Path]) -> int:
    total = 0
    for path in files:
        try:
            total += path.stat().st_size
        except OSError:
            continue
    return total
