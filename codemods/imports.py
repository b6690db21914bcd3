"""The one place that adds, moves and drops imports; no codemod writes an import statement itself."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import NamedTuple

from checks.importable import imported_as, is_free
from checks.names import Names
from checks.parted import has_own_line, leaving, shares_lines
from checks.pipecat.moves import MovedImport, NewHome, paired, staying_module
from checks.source import Source, Span
from checks.unclear import Unclear
from codemods.removal import block_of, removal_edits
from codemods.splice import Edit, Refused, check

_USUAL_WIDTH = 100


def import_edits(moved: Sequence[MovedImport], source: Source) -> Iterator[Edit]:
    """Yield the edits that give moved names their new homes."""
    moving = {facts.statement for facts in moved}
    for facts in moved:
        statement = next(
            (node for node in source.nodes(ast.ImportFrom) if source.span(node) == facts.statement),
            None,
        )
        if statement is None:
            raise Refused(f"line {facts.statement.line}: there is no import here")
        # A comment behind the statement speaks of it, and has to find it again.
        is_told_of = source.has_comment(source.end(statement), source.line_start(source.span(statement).end_line + 1))
        shares = shares_lines(statement, source)
        siblings = {home: None if shares else _sibling(statement, home.module, moving, source) for home in facts.homes}
        merged = dict.fromkeys(siblings) if is_told_of and facts.whole else siblings
        # Two names may have become one.
        once = {_alias(home): home for home in reversed(facts.homes)}
        is_commented = source.has_comment(source.start(statement), source.end(statement))
        if facts.whole and not any(merged.values()):
            pairs = list(zip(statement.names, facts.homes, strict=True))
            yield from _renamed_in_place(statement, facts.homes[0].module, pairs, source)
            yield from _aligned(statement, facts.homes[0].module, (), source)
            continue
        if is_commented:
            yield from _around_comments(statement, facts.homes, source)
            continue
        merged = {home: sibling for home, sibling in merged.items() if once[_alias(home)] is home}
        for home, sibling in merged.items():
            if sibling is not None:
                yield from added_name(sibling, _alias(home), source)
        separate = [home for home, sibling in merged.items() if sibling is None]
        if separate:
            yield Edit(
                source.start(statement),
                source.end(statement),
                _statements(separate, statement, source),
            )
        else:
            yield from removal_edits([statement], source)


def _sibling(statement: ast.ImportFrom, module: str, moving: Collection[Span], source: Source) -> ast.ImportFrom | None:
    """Return another import from a module in the same block, which is not to move itself."""
    for other in block_of(statement, source):
        if isinstance(other, ast.ImportFrom) and source.span(other) not in moving and not other.level:
            if other.module == module and other.names[0].name != "*" and other.lineno < statement.lineno:
                return other
    return None


def _renamed_in_place(
    statement: ast.ImportFrom, module: str, places: Iterable[tuple[ast.alias, NewHome]], source: Source
) -> Iterator[Edit]:
    start = source.text.find(str(statement.module), source.start(statement) + len("from"))
    if not source.start(statement) < start < source.start(statement.names[0]):
        raise Refused(f"line {source.span(statement).line}: the module's name is not written in one piece")
    if module != statement.module:
        yield Edit(start, start + len(str(statement.module)), module)
    for alias, home in places:
        if source.segment(alias) != _alias(home):
            yield Edit(source.start(alias), source.end(alias), _alias(home))


def _aligned(
    statement: ast.ImportFrom, module: str, cuts: Collection[tuple[int, int]], source: Source
) -> Iterator[Edit]:
    """Yield the edits that keep lines beneath the first name of an import, whose module's name has another length."""
    first = source.span(statement.names[0])
    longer = len(module) - len(str(statement.module))
    if not longer or first.line != source.span(statement).line:
        return
    for line in range(first.line + 1, source.span(statement).end_line + 1):
        at, text = source.line_start(line), source.line(line)
        width = len(text) - len(text.lstrip(" "))
        if width == first.column - 1 and text.strip() and not any(start <= at < end for start, end in cuts):
            yield Edit(at, at + max(-longer, 0), " " * max(longer, 0))


def _around_comments(statement: ast.ImportFrom, homes: Sequence[NewHome], source: Source) -> Iterator[Edit]:
    """Yield the edits that give names new homes in an import with comments: most stay, the others leave with theirs.

    Raises:
        Refused: it cannot be told what a comment belongs to.
    """
    places = paired(statement, homes)
    module = staying_module(statement, homes)
    by_alias = dict(places)
    try:
        gone = list(leaving(statement, [alias for alias, home in places if home.module != module], source))
    except Unclear as reason:
        raise Refused(f"line {source.span(statement).line}: {reason}") from None
    lines = [f"from {home.module} import {_alias(home)}" for home in homes if not home.old]
    for one in gone:
        home = by_alias[one.alias]
        behind = f"  {one.behind}" if one.behind else ""
        lines += [*one.above, f"from {home.module} import {_alias(home)}{behind}"]
        yield from (Edit(start, end, "") for start, end in one.cuts)
    yield from _renamed_in_place(statement, module, [pair for pair in places if pair[1].module == module], source)
    yield from _aligned(statement, module, [cut for one in gone for cut in one.cuts], source)
    if lines:
        start = source.start(statement)
        indent = source.text[source.line_start(source.span(statement).line) : start]
        yield Edit(start, start, "".join(f"{line}\n{indent}" for line in lines))


def _alias(home: NewHome) -> str:
    return home.name if home.local == home.name else f"{home.name} as {home.local}"


def _statements(homes: Sequence[NewHome], statement: ast.ImportFrom, source: Source) -> str:
    first = source.start(statement)
    indent = source.text[source.line_start(source.span(statement).line) : first]
    modules = sorted({home.module for home in homes})
    if shares_lines(statement, source):
        return "; ".join(
            f"from {module} import {', '.join(_alias(home) for home in homes if home.module == module)}"
            for module in modules
        )
    step = source.step(source.span(statement).line)
    lines = [_import(module, [_alias(h) for h in homes if h.module == module], step, indent) for module in modules]
    return f"\n{indent}".join(lines)


def _import(module: str, names: Sequence[str], step: str, indent: str = "") -> str:
    """Return an import of several names, on lines of their own if it would be longer than is usual."""
    text = f"from {module} import {', '.join(names)}"
    if len(names) == 1 or len(indent) + len(text) <= _USUAL_WIDTH:
        return text
    return f"from {module} import (" + "".join(f"\n{indent}{step}{name}," for name in names) + f"\n{indent})"


def added_name(statement: ast.ImportFrom, name: str, source: Source) -> Iterator[Edit]:
    """Yield the edit that adds a name to a ``from`` import: in its place where the names are sorted, else last."""
    aliases = statement.names
    plain, _, local = name.partition(" as ")
    if (plain, local or plain) in [(alias.name, alias.asname or alias.name) for alias in aliases]:
        return
    spelled = [alias.name for alias in aliases]
    order = next((one for one in NAME_ORDERS if spelled == sorted(spelled, key=one)), None)
    following = next((a for a in aliases if order(a.name) > order(plain)), None) if order else None
    anchor = following or aliases[-1]
    own_line = source.begins_line(anchor)
    indent = source.text[source.line_start(source.span(anchor).line) : source.start(anchor)]
    if following is not None:
        gap = f"\n{indent}" if own_line else " "
        yield Edit(source.start(following), source.start(following), f"{name},{gap}")
        return
    end = source.end(anchor)
    if source.text[end : end + 1] == "," and own_line:
        yield Edit(end + 1, end + 1, f"\n{indent}{name},")
    else:
        yield Edit(end, end, f", {name}")


def _added_names(statement: ast.ImportFrom, names: Iterable[str], source: Source) -> Iterator[Edit]:
    """Yield the edits that add several names; those that come to stand in one place are one edit."""
    texts: dict[int, str] = {}
    for name in sorted(names, key=_by_kind):
        for edit in added_name(statement, name, source):
            texts[edit.start] = texts.get(edit.start, "") + edit.text
    for at, text in texts.items():
        yield Edit(at, at, text)


def _by_kind(name: str) -> tuple[int, str]:
    """Return the key isort and ruff sort imported names by: constants, classes, then the rest, in no case's order."""
    if len(name) > 1 and name.isupper():
        return 0, name.lower()
    return (1 if name[:1].isupper() else 2), name.lower()


def _by_kind_and_case(name: str) -> tuple[int, str]:
    return _by_kind(name)[0], name


def _by_letter(name: str) -> tuple[int, str]:
    return 0, name.lower()


def _by_letter_and_case(name: str) -> tuple[int, str]:
    return 0, name


# How isort and ruff put imported names in order, and how they do if told otherwise.
NAME_ORDERS = (_by_kind, _by_kind_and_case, _by_letter, _by_letter_and_case)


def local_name(module: str, name: str | None, source: Source) -> str | None:
    """Return what a file calls an imported name, or module, at its top level; None if it does not import it there.

    Raises:
        Refused: the file uses the name for something else.
    """
    qualified = f"{module}.{name}" if name else module
    local = imported_as(qualified, source)
    if local is None and not is_free(qualified, (), source, local=name or module):
        raise Refused(f"{name or module} means something else in this file")
    return local


def added_imports(wanted: Iterable[tuple[str, str | None]], source: Source) -> Iterator[Edit]:
    """Yield the edits that import names, or modules where the name is None, at the top level.

    A name joins an import from its module; else a new import stands among those of the same package, else of its
    section, in order.
    """
    head = list(_head(source))
    by_module: dict[str, list[str | None]] = {}
    new: list[_New] = []
    for module, name in dict.fromkeys(wanted):
        by_module.setdefault(module, []).append(name)
    for module, names in by_module.items():
        sibling = next((one for one in head if isinstance(one, ast.ImportFrom) and _joins(one, module)), None)
        plain = [name for name in names if name is not None]
        if sibling is not None and plain:
            yield from _added_names(sibling, plain, source)
        elif plain:
            new.append(_New(module, f"{_import(module, plain, source.step(1))}\n", _section(module, source)))
        if None in names:
            new.append(_New(module, f"import {module}\n", _section(module, source)))
    yield from _new_imports(new, head, source)


class _New(NamedTuple):
    """An import statement to add, and the section of imports it belongs to."""

    module: str
    text: str
    section: int

    @property
    def order(self) -> tuple[int, bool, str]:
        """The key isort and ruff sort imports by."""
        return self.section, self.text.startswith("from"), self.module.lower()


def _section(module: str, source: Source) -> int:
    """Return which of the sections a module's import stands in: the future, the stdlib's, others', the project's."""
    if module == "__future__":
        return 0
    if module.partition(".")[0] in sys.stdlib_module_names:
        return 1
    is_own = not module or source.project.find_module(module.partition(".")[0], source.path) is not None
    return 3 if is_own else 2


def _new_imports(new: Iterable[_New], head: list[ast.Import | ast.ImportFrom], source: Source) -> Iterator[Edit]:
    """Yield the edits that put new imports where isort and ruff would, if they find the file's own in order."""
    standing = [(order_of(one, source), one) for one in head]
    places: dict[tuple[int, int], list[_New]] = {}
    for one in sorted(new, key=lambda one: one.order):
        places.setdefault((_place(one, standing, source), one.section), []).append(one)
    text = dict.fromkeys((at for at, _ in places), "")
    for (at, section), ones in places.items():
        new_text = "".join(one.text for one in ones)
        is_last = not any(order[0] > section for order, _ in standing)
        if not any(order[0] == section for order, _ in standing):
            new_text = _set_apart(new_text, text[at], at, source, is_last=is_last)
        elif at == len(source.text) and not text[at] and source.line(source.line_count):
            new_text = f"\n{new_text}"
        text[at] += new_text
    for at, whole in text.items():
        yield Edit(at, at, whole)


def _set_apart(text: str, before: str, at: int, source: Source, *, is_last: bool) -> str:
    """Return a section's text with a blank line above and below, where none stands there, nor in what comes before."""
    line = source.span_between(at, at).line
    is_apart = before.endswith("\n\n") if before else not at or not (is_last or source.line(line - 1).strip())
    above = "" if is_apart else "\n"
    follows = at < len(source.text) and source.line(line).strip()
    return above + text + ("\n" if follows and (above or before or not is_last) else "")


def order_of(statement: ast.Import | ast.ImportFrom, source: Source) -> tuple[int, bool, str]:
    """Return the key isort and ruff sort the imports of a file by."""
    module = _module_of(statement)
    is_relative = isinstance(statement, ast.ImportFrom) and statement.level > 0
    return 3 if is_relative else _section(module, source), isinstance(statement, ast.ImportFrom), module.lower()


def _place(
    new: _New, standing: Sequence[tuple[tuple[int, bool, str], ast.Import | ast.ImportFrom]], source: Source
) -> int:
    """Return the offset of the line in front of which an import belongs."""
    section = [(order, one) for order, one in standing if order[0] == new.section]
    beside = [(order, one) for order, one in section if order[1] == new.order[1]]
    package = new.module.partition(".")[0].lower()
    family = [(order, one) for order, one in beside if order[2].partition(".")[0] == package] or beside
    among = family or section or standing
    following = _following(new, [(order, one) for order, one in among if source.begins_line(one)])
    if following is not None:
        return source.line_start(source.span(following).line)
    last = among[-1][1] if among else _behind_docstring(source)
    line = source.span(last).end_line + 1 if last is not None else _behind_comments(source)
    return source.line_start(line)


def _following(
    new: _New, among: Sequence[tuple[tuple[int, bool, str], ast.Import | ast.ImportFrom]]
) -> ast.Import | ast.ImportFrom | None:
    """Return the import in front of which a new one belongs, None for behind the last.

    One that does not stand in order itself, as it is when it was renamed in its place, does not tell.
    """

    def misplaced(at: int) -> int:
        before, behind = among[:at], among[at:]
        return sum(order > new.order for order, _ in before) + sum(order < new.order for order, _ in behind)

    best = min(range(len(among), -1, -1), key=misplaced)
    return among[best][1] if best < len(among) else None


def _module_of(statement: ast.Import | ast.ImportFrom) -> str:
    return str(statement.module) if isinstance(statement, ast.ImportFrom) else statement.names[0].name


def _joins(statement: ast.ImportFrom, module: str) -> bool:
    return not statement.level and statement.module == module and statement.names[0].name != "*"


def _head(source: Source) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the imports at the top of a file, up to the first definition."""
    for statement in source.tree.body:
        if isinstance(statement, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            return
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            yield statement


def _behind_docstring(source: Source) -> ast.stmt | None:
    first = source.tree.body[0] if source.tree.body else None
    return first if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) else None


def _behind_comments(source: Source) -> int:
    """Return the line behind the comments a file begins with, of which the first may be read by the system."""
    line = 1
    while source.line(line).startswith("#"):
        line += 1
    return line


def needless_imports(before: Source, after: Source) -> Iterator[Edit]:
    """Yield the edits to ``after`` that drop imported names which were used before and are used no more, or came twice.

    Left alone: packages' ``__init__``, re-exports (``as`` the same name, ``__all__``, another file importing the name
    from here), imports in a ``try``, and those marked ``noqa``.
    """
    if after.is_package:
        return
    doomed: dict[ast.Import | ast.ImportFrom, list[ast.alias]] = {}
    for statement, alias in _imported(after):
        local = alias.asname or alias.name.partition(".")[0]
        if _is_used(local, before) and not _is_used(local, after):
            if not _is_kept(statement, alias, local, after):
                doomed.setdefault(statement, []).append(alias)
    for statement, alias in _repeated(before, after):
        if alias not in doomed.get(statement, ()):
            doomed.setdefault(statement, []).append(alias)
    for statement, aliases in doomed.items():
        # An import that cannot be taken out cleanly may stay: it is needless, not wrong.
        with suppress(Refused):
            edits = list(_dropped(statement, aliases, after))
            for edit in edits:
                check(edit, after)
            yield from edits


def _repeated(before: Source, after: Source) -> Iterator[tuple[ast.ImportFrom, ast.alias]]:
    """Yield the names that an import brings once more to a block, which were brought less often before."""
    known = Counter(place[1:] for _, _, place in _places(before))
    found = Counter(place[1:] for _, _, place in _places(after))
    seen: set[tuple[int, str, str, str]] = set()
    for statement, alias, place in _places(after):
        local = alias.asname or alias.name
        bound = {binding.qualified for binding in after.names.table(after.names.scope(statement)).get(local, ())}
        is_more = found[place[1:]] > known[place[1:]]
        behind = after.line_start(after.span(statement).end_line + 1)
        is_commented = after.has_comment(after.start(statement), behind)
        if place in seen and is_more and len(bound) == 1 and not is_commented:
            if not _is_kept(statement, alias, local, after):
                yield statement, alias
        seen.add(place)


def _places(source: Source) -> Iterator[tuple[ast.ImportFrom, ast.alias, tuple[int, str, str, str]]]:
    """Yield each name of an import with the block that gets it, the module, and what it is called there and here."""
    for statement, alias in _imported(source):
        if isinstance(statement, ast.ImportFrom) and not statement.level:
            block = source.start(block_of(statement, source)[0])
            yield statement, alias, (block, str(statement.module), alias.name, alias.asname or alias.name)


def _imported(source: Source) -> Iterator[tuple[ast.Import | ast.ImportFrom, ast.alias]]:
    for statement in source.nodes(ast.Import, ast.ImportFrom):
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            continue
        for alias in statement.names:
            if alias.name != "*":
                yield statement, alias


def _is_used(local: str, source: Source) -> bool:
    if any(isinstance(node.ctx, ast.Load) for node in source.named(ast.Name, (local,))):
        return True
    return local in source.strings and any(_may_name(node.value, local) for node in source.nodes(ast.Constant))


def _may_name(value: object, local: str) -> bool:
    """Tell whether a string may be an annotation, or an entry of ``__all__``, that uses a name."""
    if not isinstance(value, str) or local not in value or len(value) > 500:
        return False
    try:
        tree = ast.parse(value.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(isinstance(node, ast.Name) and node.id == local for node in ast.walk(tree))


def _is_kept(statement: ast.Import | ast.ImportFrom, alias: ast.alias, local: str, source: Source) -> bool:
    if alias.asname == alias.name or isinstance(source.parent(statement), ast.Try):
        return True
    span = source.span(statement)
    lines = range(span.line, span.end_line + 1)
    if any(at.line in lines and "noqa" in text for at, text in source.comments):
        return True
    return any(
        other is not source and local in _names_taken_from(source, other) for other in source.project.mentioning(local)
    )


def _names_taken_from(source: Source, user: Source) -> Iterable[str]:
    names: Names = user.names
    for statement in user.nodes(ast.ImportFrom):
        base = names.import_base(statement)
        if base and source.project.find_module(base, user.path) == source.path:
            yield from (alias.name for alias in statement.names)


def dropped_name(statement: Span, name: Span, source: Source) -> Iterator[Edit]:
    """Yield the edits that take a name, told by its place, out of an import."""
    for node in source.nodes(ast.ImportFrom):
        if source.span(node) == statement:
            yield from _dropped(node, [alias for alias in node.names if source.span(alias) == name], source)


def _dropped(statement: ast.Import | ast.ImportFrom, aliases: Sequence[ast.alias], source: Source) -> Iterator[Edit]:
    names = statement.names
    if len(aliases) == len(names):
        yield from removal_edits([statement], source)
        return
    on_lines = [alias for alias in aliases if has_own_line(alias, source)]
    for alias in on_lines:
        line = source.span(alias).line
        yield Edit(source.line_start(line), source.line_start(line + 1), "")
    inline = [alias for alias in aliases if alias not in on_lines]
    if any(source.has_comment(source.start(one), source.start(two)) for one, two in pairwise(names) if one in inline):
        raise Refused(f"line {source.span(statement).line}: a comment stands inside the import")
    last_kept = max(index for index, alias in enumerate(names) if alias not in aliases)
    tail = [alias for alias in inline if names.index(alias) > last_kept]
    for alias in inline:
        if alias not in tail:
            following = names[names.index(alias) + 1]
            yield Edit(source.start(alias), source.start(following), "")
    if tail:
        yield Edit(source.end(names[names.index(tail[0]) - 1]), source.end(tail[-1]), "")
