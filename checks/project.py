"""The files a file stands among: module names, definitions across files, classes and who mentions them.

Nothing is read before a rule asks. Reading is by path and content only; no module is ever imported.
"""

from __future__ import annotations

import ast
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from checks.discover import python_files
from checks.kinds import opened
from checks.source import Source, Unreadable, contents

if TYPE_CHECKING:
    from checks.pipecat.releases import Release
    from checks.pyright import Diagnostic

_WORD = re.compile(rb"\w+")
# Every byte that is part of no word made a blank: to split at blanks takes half as long as to look for words.
_WORDS_APART = bytes(byte if _WORD.match(bytes((byte,))) else ord(" ") for byte in range(256))
# From how many words on it is quicker to know where each is than to search for one more.
_FEW_WORDS = 2
# Stands for files of which no list is kept.
MORE = ""
Definition: TypeAlias = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


class Project:
    """The Python files below one root, read on demand.

    ``target`` is the Pipecat release the run aims at, ``best_effort_services`` are what the configuration calls so.
    ``like`` is the same project under another target, or with other contents of the files ``differing``: what depends
    on neither is asked of it. ``overlay`` holds contents that stand in for what is on disk, so that a change can be
    checked before it is written.
    """

    def __init__(
        self,
        root: Path,
        target: Release,
        *,
        overlay: Mapping[Path, bytes] | None = None,
        exclude: tuple[str, ...] = (),
        best_effort_services: tuple[str, ...] = (),
        like: Project | None = None,
        differing: Iterable[Path] = (),
    ):
        self.root = root
        self.target = target
        self.exclude = exclude
        self.best_effort_services = best_effort_services
        # What rules worked out once about the project as a whole, each under a key of its own.
        self.memo: dict[str, Any] = {}
        # What pyright says of each file, where it was asked.
        self.diagnostics: dict[Path, list[Diagnostic]] = {}
        self._overlay = dict(overlay or {})
        self._sources: dict[Path, Source] = {}
        self._mentions: dict[str, list[Path]] = {}
        self._matching: dict[re.Pattern[bytes], list[Path]] = {}
        self._modules: dict[tuple[str, tuple[str, ...]], Path | None] = {}
        self._definitions: dict[tuple[str, Path], tuple[Source, Definition] | str] = {}
        self._import_places: dict[str, tuple[str, ...]] = {}
        self._places_near: dict[Path, tuple[str, ...]] = {}
        self._packages: dict[str, str] = {}
        self._like = like
        self._differing = frozenset(differing)
        self._words: dict[bytes, list[Path]] = {}
        self._held: dict[bytes, bool] = like._held if like is not None else {}
        # What the project has been searched for in vain, see ``holds``.
        self.lacking: frozenset[bytes] = like.lacking if like is not None else frozenset()
        # The paths under which modules were looked for, found or not; ``MORE`` among them where all was searched.
        self.sought: set[str] = set()
        # Whether the requirement moves to the target, whatever it says now.
        self.moves = False
        # Whether the target was asked for, so that requirements that exclude it are to move there.
        self.is_asked = True
        # The folders of the project that say themselves what they require.
        self.members: list[Path] = []
        self._oldest: dict[Path, Release | None] = {}
        self._oldest_for: dict[str, Release] = {}

    def changed(self, contents: Mapping[Path, bytes]) -> Project:
        """Return the same project with other contents for some files; what is unchanged is not read again."""
        fresh = Project(
            self.root,
            self.target,
            overlay={**self._overlay, **contents},
            exclude=self.exclude,
            best_effort_services=self.best_effort_services,
            like=self,
            differing=contents,
        )
        fresh._oldest = self._oldest
        fresh.moves, fresh.members, fresh.is_asked = self.moves, self.members, self.is_asked
        return fresh

    def take_over(self, source: Source) -> None:
        """Have a file that says what it says in the project not be parsed again; what does not parse is, and tells."""
        with suppress(Unreadable):
            self._sources[source.path] = source.within(self)

    def aimed_at(self, target: Release) -> Project:
        """Return the same project once its requirement has moved to a release; no file is read or parsed again."""
        fresh = Project(
            self.root,
            target,
            overlay=self._overlay,
            exclude=self.exclude,
            best_effort_services=self.best_effort_services,
            like=self,
        )
        fresh.moves = True
        return fresh

    def stand_in(self, path: Path, data: bytes) -> None:
        """Have these bytes stand in for a file, which need not exist."""
        self._overlay[path] = data
        for known in (self._mentions, self._matching, self._definitions, self._words, self._held):
            known.clear()
        self.lacking = frozenset()

    @property
    def stand_ins(self) -> Iterable[Path]:
        """The files that bytes stand in for."""
        return self._overlay.keys()

    def oldest_for(self, path: Path) -> Release:
        """Return the oldest Pipecat release a file must work with beside the target.

        That is for the nearest folder above to say that requires Pipecat: a project may hold others. A package belongs
        to what stands above it, which has to be minded too. Where none says so, it may come with any of the others.
        """
        if self.moves:
            return self.target
        folder = os.path.dirname(path)
        if folder not in self._oldest_for:
            inside = [one for one in (Path(folder), *Path(folder).parents) if one.is_relative_to(self.root)]
            stated = list(self._stated(inside)) or self._stated_by_others
            self._oldest_for[folder] = min(stated, default=self.target)
        return self._oldest_for[folder]

    @cached_property
    def _stated_by_others(self) -> list[Release]:
        """What the members of a project require, or where there is none, what stands around it."""
        from checks.pipecat.workspaces import around

        members = self.members or around(self.root)
        return [oldest for member in members if (oldest := self._oldest_in(member)) is not None]

    def _stated(self, folders: Iterable[Path]) -> Iterator[Release]:
        """Yield what folders require, each within the next, up to the first that does and is no package."""
        for folder in folders:
            found = self._oldest_in(folder)
            if found is not None:
                yield found
                if not self._is_package(folder):
                    return

    def _oldest_in(self, folder: Path) -> Release | None:
        if folder not in self._oldest:
            from checks.pipecat.releases import oldest_beside

            self._oldest[folder] = oldest_beside(folder, self.target, moves=self.is_asked)
        return self._oldest[folder]

    @cached_property
    def files(self) -> list[Path]:
        """Every Python file of the project, sorted; also those a run leaves out, since they may use what it changes."""
        return self._like.files if self._like is not None else python_files(self.root)

    @property
    def is_listed(self) -> bool:
        """Whether the project's files have been listed."""
        return "files" in self.__dict__

    def is_file(self, path: str) -> bool:
        """Tell whether there is such a file, and remember that it was asked."""
        self.sought.add(path)
        return os.path.isfile(path)

    def read(self, path: Path) -> bytes:
        """Return a file's bytes, or those that stand in for them."""
        return self._overlay[path] if path in self._overlay else contents(path)

    def source(self, path: Path, data: bytes | None = None) -> Source:
        """Return a file, parsed at most once; ``data``: its bytes, where they have been read already.

        Raises:
            Unreadable: it is not Python that can be read.
            OSError: it cannot be opened.
        """
        known = self._sources.get(path)
        if known is None:
            if self._like is not None and path not in self._differing:
                known = self._like.source(path, data).within(self)
            else:
                data = self.read(path) if data is None else data
                known = opened(path, data, module=self.module_name(path), project=self)
            self._sources[path] = known
        return known

    def readable(self, path: Path) -> Source | None:
        """Return a file whose tree can be had, else None: looking around must not fail a run."""
        try:
            source = self.source(path)
            source.tree  # noqa: B018
        except (Unreadable, OSError):
            return None
        return source

    # -- modules

    def module_name(self, path: Path) -> str:
        """Return the dotted name a file is imported under.

        It counts from the folder that holds the topmost package above the file; without a package, from the root.
        """
        folder, name = os.path.split(path)
        package = self._package(folder)
        stem = os.path.splitext(name)[0]
        if stem == "__init__" and package:
            return package
        return f"{package}.{stem}" if package else stem

    def _package(self, folder: str) -> str:
        """Return what the names of a folder's modules begin with."""
        if folder not in self._packages:
            self._packages[folder] = ".".join(self._parts(folder))
        return self._packages[folder]

    def _parts(self, folder: str) -> tuple[str, ...]:
        inside = [one for one in (Path(folder), *Path(folder).parents) if one.is_relative_to(self.root)]
        packages = [one for one in inside if self._is_package(one)]
        if packages:
            return Path(folder).relative_to(packages[-1].parent).parts
        return Path(folder).relative_to(self.root).parts if inside else ()

    def find_module(self, dotted: str, near: Path) -> Path | None:
        """Return the project file a module name leads to from another file, or None for one from outside."""
        places = self._places_near.get(near)
        if places is None:
            places = self._places_near[near] = self._places(os.path.dirname(near))
        key = (dotted, places)
        if key not in self._modules:
            self._modules[key] = self._search_module(dotted, places)
        return self._modules[key]

    def _search_module(self, dotted: str, places: Iterable[str]) -> Path | None:
        relative = dotted.replace(".", os.sep)
        for place in places:
            for name in (f"{relative}.py", os.path.join(relative, "__init__.py")):
                candidate = os.path.join(place, name)
                if self.is_file(candidate) or Path(candidate) in self._overlay:
                    return Path(candidate)
        return None

    def _places(self, folder: str) -> tuple[str, ...]:
        """Return the folders in which a module that a file of a folder imports may be, in order."""
        if folder not in self._import_places:
            above = [one for one in (Path(folder), *Path(folder).parents) if one.is_relative_to(self.root)]
            # A module never shadows an installed package from within a package, so a plain folder is asked before
            # one that is itself a package, and the root and its src come last.
            self._import_places[folder] = tuple(
                str(place)
                for place in dict.fromkeys((*above, self.root, self.root / "src"))
                if place == self.root or not self._is_package(place)
            )
        return self._import_places[folder]

    def _is_package(self, folder: Path) -> bool:
        return self.is_file(os.path.join(folder, "__init__.py"))

    # -- definitions

    def definition(self, qualified: str, near: Path) -> tuple[Source, Definition] | str:
        """Follow a dotted name through the project's own imports.

        Returns the file and node that define it, or, where it leads outside the project, the dotted name it has there.
        """
        key = (qualified, near)
        if key not in self._definitions:
            self._definitions[key] = self._followed(qualified, near)
        return self._definitions[key]

    def _followed(self, qualified: str, near: Path) -> tuple[Source, Definition] | str:
        for _ in range(8):
            module, _, name = qualified.rpartition(".")
            path = self.find_module(module, near) if module else None
            source = self.readable(path) if path else None
            if source is None:
                return qualified
            bindings = source.names.table(source.tree).get(name, [])
            nodes = [b.node for b in bindings if isinstance(b.node, Definition)]
            if nodes:
                return source, nodes[-1]
            onward = {binding.qualified for binding in bindings} - {None}
            if len(onward) != 1:
                return self._through_stars(source, name) or qualified
            qualified, near = str(onward.pop()), source.path
        return qualified

    def _through_stars(self, source: Source, name: str) -> tuple[Source, Definition] | None:
        for node in source.nodes(ast.ImportFrom):
            base = source.names.import_base(node) if node.names[0].name == "*" else None
            if base and self.find_module(base, source.path):
                found = self.definition(f"{base}.{name}", source.path)
                if not isinstance(found, str):
                    return found
        return None

    def resolve(self, node: ast.AST, source: Source) -> tuple[Source, Definition] | str | None:
        """Return what an expression stands for: a definition in the project, a dotted name outside it, or None."""
        qualified = source.names.resolve(node)
        return self.definition(qualified, source.path) if qualified else None

    def mentioning(self, word: str, *more: str) -> Iterator[Source]:
        """Yield every file of the project in which these words occur, in order of path.

        Those that cannot be read are left out.
        """
        others = [set(self.paths_mentioning(one)) for one in more]
        return self._readable_of(path for path in self.paths_mentioning(word) if all(path in other for other in others))

    def matching(self, pattern: re.Pattern[bytes]) -> Iterator[Source]:
        """Yield every file of the project whose bytes a pattern is found in, as ``mentioning`` does."""
        return self._readable_of(self._paths_matching(pattern))

    def _readable_of(self, paths: Iterable[Path]) -> Iterator[Source]:
        for path in paths:
            source = self.readable(path)
            if source is not None:
                yield source

    def paths_mentioning(self, word: str) -> list[Path]:
        """Return the path of every file of the project in which a word occurs; they are searched once for each word."""
        if word not in self._mentions:
            self._mentions[word] = self._searched(word.encode())
        return self._mentions[word]

    def _paths_matching(self, pattern: re.Pattern[bytes]) -> list[Path]:
        if pattern not in self._matching:
            if self._like is not None:
                known = [path for path in self._like._paths_matching(pattern) if path not in self._differing]
                fresh = [path for path in self._differing if pattern.search(self._data(path))]
                self._matching[pattern] = sorted([*known, *fresh])
            else:
                self._matching[pattern] = [path for path in self.files if pattern.search(self._data(path))]
        return self._matching[pattern]

    def _searched(self, word: bytes) -> list[Path]:
        if self._like is not None:
            known = [path for path in self._like.paths_mentioning(word.decode()) if path not in self._differing]
            return sorted([*known, *(path for path in self._differing if _is_in(word, self._data(path)))])
        if _WORD.fullmatch(word) and len(self._mentions) >= _FEW_WORDS:
            if not self._words:
                self._words = self._indexed()
            return self._words.get(word, [])
        return [path for path in self.files if _is_in(word, self._data(path))]

    def _indexed(self) -> dict[bytes, list[Path]]:
        """Return which files each word of the project occurs in."""
        found: dict[bytes, list[Path]] = defaultdict(list)
        for path in self.files:
            for word in set(self._data(path).translate(_WORDS_APART).split()):
                found[word].append(path)
        return found

    def _data(self, path: Path) -> bytes:
        """Return a file's bytes, none where it cannot be read."""
        if path in self._sources:
            return self._sources[path].data
        try:
            return self.read(path)
        except OSError:
            return b""

    def holds(self, needle: bytes) -> bool:
        """Tell whether some bytes occur in a Python file of the project."""
        if needle not in self._held:
            paths = dict.fromkeys((*self._overlay, *self.files))
            self._held[needle] = any(needle in self._data(path) for path in paths)
            self.lacking = frozenset(one for one, is_held in self._held.items() if not is_held)
        return self._held[needle]


def _is_in(word: bytes, data: bytes) -> bool:
    return word in data and re.search(rb"\b" + re.escape(word) + rb"\b", data) is not None
