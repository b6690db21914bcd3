"""What a run is about: the paths asked for, sorted into projects, each with its settings, target and files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from checks.config import Config, load
from checks.discover import files_below, is_marked, is_python_file, project_root, without
from checks.errors import UsageError
from checks.evals import is_eval_file, may_be_eval
from checks.inspect import Inspection, inspect
from checks.pipecat.releases import NEWEST, Release, UnknownRelease, parse
from checks.pipecat.variables import unread
from checks.pipecat.workspaces import pinned_around, shared, speaking, stated_for
from checks.project import Project
from checks.registry import all_rules, chosen_rules
from checks.requirements import is_requirement_file, mentions
from checks.rule import Rule
from checks.variables import is_variable_file, names_any

if TYPE_CHECKING:
    from checks.baseline import Baseline, Key
    from checks.changed import Changes

# Below this size a run parses every file it finds, not only those a rule looks at, so that a folder of a few scripts
# gets a word on each that does not parse.
_SMALL_RUN = 1024 * 1024


@dataclass(slots=True)
class Workspace:
    """One project of a run: its files to look at, the rules that look, and where its known findings are kept.

    ``is_traced``: under which paths modules are looked for is to be known. ``is_aimed``: the target is asked for, or
    what the project as a whole is pinned to.
    """

    project: Project
    config: Config
    rules: Mapping[str, Rule]
    files: list[Path] = field(default_factory=list[Path])
    thorough: set[Path] = field(default_factory=set[Path])
    baseline: Path | None = None
    is_traced: bool = False
    is_aimed: bool = True

    def inspect(self, path: Path) -> Inspection:
        """Return what the rules find in one of the files, those ignored for it left out."""
        thorough = path in self.thorough
        inspection = inspect(path, self.project, self.rules_for(path), thorough=thorough)
        if self.baseline is not None and inspection.findings:
            from checks.baseline import marks

            inspection = inspection._replace(marks=marks(inspection.findings, self.project.source(path)))
        if self.is_traced:
            inspection = inspection._replace(sought=frozenset(self.project.sought))
            self.project.sought.clear()
        return inspection

    def aimed_at(self, target: Release) -> Workspace:
        """Return the same files and rules with the project as it is once it has moved to a release."""
        return replace(self, project=self.project.aimed_at(target))

    def rules_for(self, path: Path) -> Mapping[str, Rule]:
        """Return the rules that apply to a file."""
        if not self.config.per_file_ignores:
            return self.rules
        relative = os.path.relpath(path, self.project.root).replace(os.sep, "/")
        ignored = self.config.ignored_in(relative)
        return {name: rule for name, rule in self.rules.items() if name not in ignored}


class Request(NamedTuple):
    """What the command line asks for; ``target`` None: as the project says, else the newest release.

    ``options``: those given that have a rule run which otherwise does not.
    ``baseline`` None: the one each project names, if any. ``writes_baseline``: it need not exist yet.
    ``accepts_new``: whatever is found is known from now on. ``includes_baselined``: nothing is known.
    """

    paths: tuple[str, ...]
    target: str | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    stdin_filename: str | None = None
    options: tuple[str, ...] = ()
    baseline: str | None = None
    writes_baseline: bool = False
    accepts_new: bool = False
    includes_baselined: bool = False
    since: str | None = None

    @property
    def is_narrowed(self) -> bool:
        """Whether a project has files or rules that this run leaves out though others would not."""
        return bool(self.select or self.ignore or self.exclude or self.since)


@dataclass
class Session:
    """The projects of a run, and the paths that could not be taken, each with the reason.

    ``baselines`` are those in use by the path of the file, ``changes`` what changed since ``--since`` by project root.
    """

    request: Request
    workspaces: list[Workspace] = field(default_factory=list[Workspace])
    unreadable: list[tuple[Path, str]] = field(default_factory=list[tuple[Path, str]])
    baselines: dict[Path, Baseline] = field(default_factory=dict[Path, "Baseline"])
    changes: dict[Path, Changes] = field(default_factory=dict[Path, "Changes"])

    @property
    def target(self) -> Release:
        """The release aimed at; of several projects the first one's."""
        return self.workspaces[0].project.target if self.workspaces else NEWEST

    @cached_property
    def workspace_of(self) -> dict[Path, Workspace]:
        """The project that each file of the run belongs to."""
        return {path: workspace for workspace in self.workspaces for path in workspace.files}

    def sorted_out(self, inspection: Inspection) -> Inspection:
        """Return what was found in a file with the findings apart that the run leaves alone.

        The files of a run are to be handed in once each, and in order.
        """
        path, findings = inspection.path, inspection.findings
        if inspection.error is not None:
            self.unreadable_files.add(path)
        if not (self.baselines or self.changes):
            return inspection
        workspace = self.workspace_of[path]
        baseline = self.baselines[workspace.baseline] if workspace.baseline is not None else None
        known = baseline.recognise(path, inspection.marks) if baseline else [False] * len(findings)
        changes = self.changes.get(workspace.project.root)
        fresh = [finding for finding, is_known in zip(findings, known, strict=True) if not is_known]
        kept = [finding for finding in fresh if changes is None or changes.touches(path, finding.span)]
        return inspection._replace(
            findings=kept,
            baselined=tuple(finding for finding, is_known in zip(findings, known, strict=True) if is_known),
            unchanged=tuple(finding for finding in fresh if finding not in kept),
        )

    @cached_property
    def unreadable_files(self) -> set[Path]:
        """The paths in or below which findings may be that were not seen."""
        return {path for path, _ in self.unreadable}

    def stale(self) -> list[tuple[Path, Key, int]]:
        """Return the entries of baselines that no finding of the run answers to, with how many are missing."""
        return [(path, key, count) for path, one in self.baselines.items() for key, count in one.stale(self.covers)]

    def covers(self, path: Path, rule: str) -> bool:
        """Tell whether a finding of a rule in a file, which may be gone, would have been seen."""
        known = all_rules().get(rule)
        if known is not None and known.option is not None and known.option not in self.request.options:
            return False
        if any(path.is_relative_to(unread) for unread in self.unreadable_files):
            return False
        if path in self.workspace_of:
            asked = self.request.select or self.request.ignore
            return not asked or rule in self.workspace_of[path].rules_for(path)
        folders = [Path(os.path.abspath(name)) for name in self.request.paths or (".",) if name != "-"]
        return not self.request.is_narrowed and any(path.is_relative_to(folder) for folder in folders)


def begin(request: Request, stdin: bytes | None = None) -> Session:
    """Sort the paths of a request into projects.

    ``stdin`` stands in for the contents of the path ``-``.

    Raises:
        UsageError: an unknown rule, release or setting.
    """
    target = release_of(request.target) if request.target is not None else None
    for rule in chosen_rules(request.select, request.ignore).values():
        if request.select and rule.option is not None and rule.option not in request.options:
            raise UsageError(f"{rule.name} needs {rule.option}")
    session = Session(request)
    by_root: dict[Path, Workspace] = {}
    for name in request.paths or (".",):
        path = Path(os.path.abspath(request.stdin_filename or "stdin.py" if name == "-" else name))
        if name != "-" and not os.path.lexists(path):
            session.unreadable.append((path, "no such file or folder"))
            continue
        root = project_root(_before_links(path) if name != "-" else path.parent)
        if root not in by_root:
            by_root[root] = _workspace(root, request, target)
            session.workspaces.append(by_root[root])
        _add(path, by_root[root], session, stdin if name == "-" else None)
    for workspace in session.workspaces:
        workspace.files = sorted(set(workspace.files))
        _ask_members(workspace)
        if len(workspace.files) <= 1000 and _total_size(workspace.files) <= _SMALL_RUN:
            workspace.thorough.update(workspace.files)
    if request.since is not None:
        _leave_unchanged(request.since, session)
    if not request.includes_baselined:
        _use_baselines(session)
    return session


def _ask_members(workspace: Workspace) -> None:
    """Have a project know its folders that say what they require, and aim at what they all admit if nothing else does.

    Of these, the ones that the code of the run belongs to are asked.

    Raises:
        UsageError: they have no release in common.
    """
    project, files = workspace.project, workspace.files
    project.members = members(project, files, everywhere=not workspace.is_aimed)
    if not workspace.is_aimed:
        project.target = shared(speaking(project, files), project.root) or project.target


def members(project: Project, files: Iterable[Path], *, everywhere: bool) -> list[Path]:
    """Return the folders of a project, itself left out, that say what they require in one of some files.

    ``everywhere``: in any file. What a part of a project is aimed at, given file by file say, must not depend on which.
    """
    root = project.root
    stating = [path for path in files if is_requirement_file(path)]
    if everywhere and not project.is_listed and is_marked(root):
        stating += without(project.exclude, files_below(root, _states, root), root)
    return sorted(one for one in {stated_for(path) for path in stating} if one != root and one.is_relative_to(root))


def _states(path: Path) -> bool:
    return is_requirement_file(path) and mentions(path)


def _leave_unchanged(ref: str, session: Session) -> None:
    """Have a session look only at files that changed since a branch left a ref."""
    from checks.changed import changes

    for workspace in session.workspaces:
        project = workspace.project
        files = {path: project.read(path) if path in project.stand_ins else None for path in workspace.files}
        found = session.changes[project.root] = changes(ref, project.root, files)
        workspace.files = [path for path in workspace.files if path in found.files]


def _use_baselines(session: Session) -> None:
    request = session.request
    for workspace in session.workspaces:
        if request.baseline is not None:
            path = Path(os.path.abspath(request.baseline))
        elif workspace.config.baseline is not None:
            path = Path(os.path.abspath(workspace.project.root / workspace.config.baseline))
        elif request.writes_baseline:
            raise UsageError(
                f"no baseline to write for {workspace.project.root}; name it with --baseline or the key baseline"
            )
        else:
            continue
        if path not in session.baselines:
            from checks.baseline import load

            session.baselines[path] = load(path, may_be_new=request.writes_baseline, grows=request.accepts_new)
        workspace.baseline = path


def _before_links(path: Path) -> Path:
    """Return a path as far as it goes without following a symbolic link below the current folder.

    A link's own place says which project it belongs to, not the place it leads to.
    """
    here = Path.cwd()
    if not path.is_relative_to(here):
        return path.parent if path.is_symlink() else path
    for part in path.relative_to(here).parts:
        if (here / part).is_symlink():
            return here
        here = here / part
    return path


def _workspace(root: Path, request: Request, target: Release | None) -> Workspace:
    config = load(root)
    if target is None and config.target is not None:
        try:
            target = release_of(config.target)
        except UsageError as error:
            raise UsageError(f"{root / 'pyproject.toml'}: {error}") from None
    exclude = (*config.exclude, *request.exclude)
    aim = target or pinned_around(root)
    project = Project(root, aim or NEWEST, exclude=exclude, best_effort_services=config.best_effort_services)
    project.is_asked = target is not None
    try:
        chosen_rules(config.select, config.ignore)
        for ignored in config.per_file_ignores.values():
            chosen_rules(ignored, ())
    except UsageError as error:
        raise UsageError(f"{root / 'pyproject.toml'}: {error}") from None
    rules = chosen_rules(request.select or config.select, (*config.ignore, *request.ignore))
    asked = {name: rule for name, rule in rules.items() if rule.option is None or rule.option in request.options}
    return Workspace(project, config, asked, is_aimed=aim is not None)


def release_of(text: str) -> Release:
    """Return the release a text names.

    Raises:
        UsageError: no such release is known.
    """
    try:
        return parse(text)
    except UnknownRelease as error:
        raise UsageError(str(error)) from None


def _add(path: Path, workspace: Workspace, session: Session, stdin: bytes | None) -> None:
    project = workspace.project
    if stdin is not None:
        project.stand_in(path, stdin)
    else:
        inside = _own_name(path, project.root)
        if inside is None:
            session.unreadable.append((path, f"is a link that leads out of {project.root}"))
            return
        if inside.is_dir():
            unlisted: list[OSError] = []
            found = files_below(inside, _is_looked_at, project.root, unlisted)
            if inside == project.root:
                project.files = [path for path in found if is_python_file(path)]
            workspace.files += without(project.exclude, found, project.root)
            for error in unlisted:
                session.unreadable.append((Path(error.filename), f"cannot be listed: {error.strerror}"))
            return
        if not inside.is_file():
            session.unreadable.append((path, "is not a regular file"))
            return
        path = inside
    workspace.files.append(path)
    workspace.thorough.add(path)


def _is_looked_at(path: Path) -> bool:
    if is_python_file(path):
        return True
    if is_variable_file(path):
        return names_any(path, unread())
    if is_eval_file(path):
        return may_be_eval(path)
    return _states(path)


def _own_name(path: Path, root: Path) -> Path | None:
    """Return the name of what a path leads to within a root, symbolic links followed; None if it leads out."""
    real, real_root = Path(os.path.realpath(path)), Path(os.path.realpath(root))
    return root / real.relative_to(real_root) if real.is_relative_to(real_root) else None


def _total_size(files: Sequence[Path]) -> int:
    total = 0
    for path in files:
        try:
            total += path.stat().st_size
        except OSError:
            continue
    return total
