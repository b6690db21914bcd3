"""What the rules found in a project, kept so that a run over the same files need not look again.

What a rule finds in one file depends on others, on which of them are not there, and on what the project requires. So
findings are kept for a project as a whole, under a digest of all that went into them, and are used again only as long
as every part of it is the same. There is one file for each project and way to look at it, written in one go.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from checks.inspect import Inspection
from checks.project import MORE
from checks.rule import Finding, Fix
from checks.source import Span, contents

if TYPE_CHECKING:
    from checks.session import Workspace

_FORM = 1
# Looking at fewer files takes no longer than making sure that they are the same.
_FEW = 20
_SECONDS_KEPT = 30 * 24 * 60 * 60


class LookUp(NamedTuple):
    """What a cache says of a project: the digest its findings go under, and, if they are known, what each file's are.

    They come without the facts that a mend goes by.
    """

    key: str
    found: list[Inspection] | None


class Cache:
    """The findings kept in a folder; None: below the platform's folder for what can be made again.

    A folder that cannot be read or written, and a file in it that makes no sense, are passed over without a word.
    """

    def __init__(self, folder: Path | None = None):
        self._given = folder

    @cached_property
    def _folder(self) -> Path:
        if self._given is not None:
            return self._given / "findings"
        from platformdirs import user_cache_path

        return user_cache_path("pipecat-codemods") / "findings"

    def look_up(self, workspace: Workspace) -> LookUp | None:
        """Return what is known of a project; None where nothing is to be kept of it.

        The project is traced from now on.
        """
        key = _digest(workspace) if _is_worthwhile(workspace) else None
        if key is None:
            return None
        workspace.is_traced = True
        try:
            kept = json.loads(self._place(workspace).read_bytes())
            if kept["key"] != key or not _are_as_they_were(kept["sought"]):
                return LookUp(key, None)
            return LookUp(key, [_inspection(path, kept["found"].get(str(path))) for path in workspace.files])
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return LookUp(key, None)

    def keep(self, workspace: Workspace, key: str, found: Sequence[Inspection]) -> None:
        """Write down what was found in each file of a traced project.

        Nothing is kept of a run in which a file could not be read, or changed, or in which more was searched than code.
        """
        if any(one.error is not None for one in found) or _digest(workspace) != key:
            return
        listed = {str(path) for path in workspace.project.files}
        sought = workspace.project.sought.union(*(one.sought for one in found)) - listed
        if MORE in sought:
            return
        text = json.dumps(
            {
                "key": key,
                "sought": {path: _state(path) for path in sorted(sought)},
                "found": {str(one.path): _written(one) for one in found if one.findings},
            }
        )
        place = self._place(workspace)
        draft = place.with_suffix(f".{os.getpid()}")
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft.write_bytes(text.encode())
            os.replace(draft, place)
            self._drop_old()

    def _place(self, workspace: Workspace) -> Path:
        return self._folder / f"{_settings(workspace)}.json"

    def _drop_old(self) -> None:
        """Remove what has not been written for long: projects come and go."""
        for entry in os.scandir(self._folder):
            if entry.stat().st_mtime < time.time() - _SECONDS_KEPT:
                os.unlink(entry)


def _is_worthwhile(workspace: Workspace) -> bool:
    """Tell whether what is found in a project is kept: it is asked for as a whole, is not small, and knows of Pipecat.

    With rules from other packages it is not, since what these go by is not known.
    """
    project = workspace.project
    if len(workspace.files) < _FEW or not project.is_listed or project.stand_ins:
        return False
    if not all(rule.module.startswith("checks.") for rule in workspace.rules.values()):
        return False
    return any(rule.about is not None and project.holds(rule.about) for rule in workspace.rules.values())


def _settings(workspace: Workspace) -> str:
    """Return a digest of what a project is looked at with: there is a file of the cache for each."""
    project, config = workspace.project, workspace.config
    said = (
        *(str(project.root), project.target, project.exclude, project.best_effort_services),
        *(list(workspace.rules), sorted(config.per_file_ignores.items()), workspace.baseline is not None),
    )
    return blake2b(repr(said).encode(errors="surrogatepass"), digest_size=16).hexdigest()


def _digest(workspace: Workspace) -> str | None:
    """Return what a project's findings are kept under, as its files are now; None if one cannot be read."""
    project = workspace.project
    said = (_FORM, sys.version, _own_files(), _settings(workspace))
    whole = blake2b(repr(said).encode(errors="surrogatepass"))
    asked = set(workspace.files)
    try:
        for path in sorted(asked.union(project.files)):
            role = (str(path), path in asked, path in workspace.thorough, project.oldest_for(path))
            whole.update(repr(role).encode(errors="surrogatepass"))
            whole.update(blake2b(contents(path)).digest())
    except OSError:
        return None
    return whole.hexdigest()


def _own_files() -> list[tuple[str, int, int]]:
    """Return name, size and time of the files that rules are made of: who works on them has no version to go by."""
    here = os.path.dirname(__file__)
    entries = [entry for name in ("", "pipecat", "rules") for entry in os.scandir(os.path.join(here, name))]
    states = [(entry.path, entry.stat()) for entry in entries if entry.is_file()]
    return sorted((path, state.st_size, state.st_mtime_ns) for path, state in states)


def _state(path: str) -> str | None:
    """Return a digest of what a file holds, None where there is none."""
    try:
        return blake2b(contents(Path(path))).hexdigest()
    except OSError:
        return None


def _are_as_they_were(sought: Mapping[str, str | None]) -> bool:
    return all(_state(path) == was if was is not None else not os.path.isfile(path) for path, was in sought.items())


def _written(inspection: Inspection) -> list[Any]:
    return [[finding._replace(facts=None) for finding in inspection.findings], inspection.marks]


def _inspection(path: Path, kept: Any) -> Inspection:
    if kept is None:
        return Inspection(path)
    from checks.baseline import Mark

    findings, marks = kept
    restored = [Finding(*row)._replace(span=Span(*row[1]), fix=Fix(row[4])) for row in findings]
    return Inspection(path, restored, marks=tuple(Mark(*mark) for mark in marks))
