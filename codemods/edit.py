"""What a codemod may do to a file: replace, remove and insert, on LibCST nodes read from exactly the text they touch.

Only the statement head or expression an edit concerns is parsed, so a file is never printed as a whole, and what
LibCST cannot print back to the letter is noticed at once.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence
from typing import TypeAlias, TypeVar, cast

import libcst as cst

from checks.pipecat.moves import MovedImport
from checks.pipecat.needless import NeedlessName
from checks.relayout import Lines
from checks.source import NEWLINE, Source, Span
from codemods.splice import Edit, Refused, check

_Element: TypeAlias = cst.Param | cst.ParamStar | cst.ParamSlash
ElementT = TypeVar("ElementT", cst.Arg, _Element)
_PRINTER = cst.Module([])


class Draft:
    """One file and the edits wanted in it. Codemods call its methods; the engine reads ``edits`` and ``imports``."""

    def __init__(self, source: Source):
        self.source = source
        self.edits: list[Edit] = []
        self.removed: list[ast.stmt] = []
        self.moved_imports: list[MovedImport] = []
        self.wanted_imports: list[tuple[str, str | None]] = []
        self.dropped_names: list[tuple[Span, Span]] = []

    # -- expressions

    def expression(self, span: Span) -> cst.BaseExpression:
        """Return the LibCST node of the expression at a span.

        Raises:
            Refused: LibCST does not read it, or would not print it back as it is.
        """
        text = NEWLINE.sub("\n", f"({self.text(span)})")
        try:
            node = cst.parse_expression(text)
        except cst.ParserSyntaxError as error:
            raise Refused(f"line {span.line}: LibCST cannot read this expression: {error.message}") from None
        if _PRINTER.code_for_node(node) != text:
            raise Refused(f"line {span.line}: LibCST would not give this expression back unchanged")
        return node.with_changes(lpar=node.lpar[1:], rpar=node.rpar[:-1])  # type: ignore[attr-defined]

    def replace(self, span: Span, new: cst.CSTNode | str) -> None:
        """Put a node or a text in the place of a span."""
        text = new if isinstance(new, str) else _PRINTER.code_for_node(new)
        start, end = self._start(span), self._end(span)
        # ``return(x)`` needs a blank once the parenthesis is gone.
        before, behind = self.source.text[:start][-1:], self.source.text[end : end + 1]
        text = f" {text}" if _are_words(before, text[:1]) else text
        text = f"{text} " if _are_words(text[-1:], behind) else text
        self._edit(start, end, text)

    def drop_argument(self, call: Span, argument: Span) -> None:
        """Take one argument out of a call, the comma and the line that were only its own with it."""
        node = self.expression(call)
        if not isinstance(node, cst.Call):
            raise Refused(f"line {call.line}: there is no call here")
        at = len(_PRINTER.code_for_node(node.func)) + len(_PRINTER.code_for_node(node.whitespace_after_func)) + 1
        at += len(_PRINTER.code_for_node(node.whitespace_before_args))
        before = self.source.text[self._start(call) : self._start(argument)]
        target = len(NEWLINE.sub("\n", before))
        for index, element in enumerate(node.args):  # noqa: B007
            code = len(_PRINTER.code_for_node(element))
            if at <= target < at + code:
                break
            at += code
        else:
            raise Refused(f"line {argument.line}: there is no argument here")
        args, space = _without(node.args, {index}, node.whitespace_before_args)
        self.replace(call, node.with_changes(args=args, whitespace_before_args=space))

    # -- functions

    def drop_parameter(self, function: Span, name: str) -> None:
        """Take one parameter out of a function's signature, and a ``*`` or ``/`` that nothing needs any more."""
        start = self._start(function)
        end = self._signature_end(function)
        head = NEWLINE.sub("\n", self.source.text[start:end])
        node = cst.parse_statement(f"{head} ...\n")
        if not isinstance(node, cst.FunctionDef) or _PRINTER.code_for_node(node) != f"{head} ...\n":
            raise Refused(f"line {function.line}: LibCST would not give this signature back unchanged")
        params, space = _without_parameter(node, name)
        changed = node.with_changes(params=params, whitespace_before_params=space)
        self._edit(start, end, _PRINTER.code_for_node(changed).removesuffix(" ...\n"))

    def _signature_end(self, function: Span) -> int:
        """Return the offset behind the colon that ends a function's head."""
        end = self.source.head_end(function)
        if end is None:
            raise Refused(f"line {function.line}: the end of this signature was not found")
        return self.source.offset(*end)

    # -- statements

    def remove_statement(self, span: Span) -> None:
        """Take a statement's lines out; a block that would be left empty gets ``pass``."""
        self.removed.append(self._statement(span))

    def insert_before(self, span: Span, text: str, *, detached: bool = False) -> None:
        """Put a statement on a line of its own in front of the one at a span, equally indented.

        If it is to be ``detached``, comments directly above that one stay with it.
        """
        at = self.source.line_start(self._first_comment(span) if detached else span.line)
        self._edit(at, at, self._block(span, [text]))

    def _first_comment(self, span: Span) -> int:
        """Return the first line of the comments directly above a statement and indented like it, else its own."""
        line = span.line
        indent = self.source.text[self.source.line_start(line) : self._start(span)]
        while line > 1 and self.source.line(line - 1).startswith(f"{indent}#"):
            line -= 1
        return line

    def insert_lines(self, span: Span, lines: Sequence[str]) -> None:
        """Put several lines in front of the statement at a span and the comments above it, indented like it.

        Four blanks are one step of indentation. A blank first line is left out where nothing stands right above.
        """
        line = self._first_comment(span)
        above = self.source.line(line - 1).strip() if line > 1 else ""
        lines = lines[1:] if not lines[0] and (not above or above.endswith(":")) else lines
        self._edit(self.source.line_start(line), self.source.line_start(line), self._block(span, lines))

    def replace_statement(self, span: Span, lines: Sequence[str]) -> None:
        """Put several lines in the place of the statement at a span, indented like it."""
        block = self._block(span, lines)
        self._edit(self._start(span), self._end(span), block.lstrip(" \t").removesuffix("\n"))

    def insert_behind(self, span: Span, lines: Sequence[str]) -> None:
        """Put several lines behind the statement at a span, indented like it; four blanks are one step."""
        if self.source.line(span.end_line)[span.end_column - 1 :].lstrip().startswith(";"):
            raise Refused(f"line {span.line}: the statement shares its lines with other code")
        at = self.source.line_start(span.end_line + 1)
        lead = "" if self.source.text[at - 1 : at] in ("\n", "\r") else "\n"
        self._edit(at, at, lead + self._block(span, lines))

    def _block(self, span: Span, lines: Sequence[str]) -> str:
        """Return lines indented like the statement at a span."""
        indent = self.source.text[self.source.line_start(span.line) : self._start(span)]
        if indent.strip(" \t"):
            raise Refused(f"line {span.line}: the statement does not stand on a line of its own")
        return "".join(f"{indent}{self.stepped(line, span)}\n" if line else "\n" for line in lines)

    def stepped(self, line: str, near: Span) -> str:
        """Return a line that is indented by fours, indented by the steps in use near a place."""
        bare = line.lstrip(" ")
        return self.source.step(near.line) * ((len(line) - len(bare)) // 4) + bare

    def relay(self, lines: Lines) -> None:
        """Take lines out, and move others to the left."""
        for line in lines.dropped:
            self._edit(self.source.line_start(line), self.source.line_start(line + 1), "")
        for line, width in lines.dedented:
            start = self.source.line_start(line)
            self._edit(start, start + width, "")

    def remove_text(self, span: Span) -> None:
        """Take out exactly what a span covers."""
        self._edit(self._start(span), self._end(span), "")

    def remove_comment(self, span: Span) -> None:
        """Take out a part of a comment: its line if nothing else is on it, else the blanks in front of it too.

        What follows in the same comment stays and remains a comment.
        """
        line = self.source.line(span.line)
        start, end = self._start(span), self._end(span)
        before, after = line[: span.column - 1], line[span.end_column - 1 :]
        if after.strip():
            kept = after.lstrip()
            self._edit(start, end + len(after) - len(kept), "" if kept.startswith("#") else "# ")
        elif before.strip():
            self._edit(start - (len(before) - len(before.rstrip())), end + len(after), "")
        else:
            first = self.source.line_start(span.line)
            self._edit(first, self.source.line_start(span.line + 1), "")

    def import_name(self, module: str, name: str | None) -> str:
        """Have the engine import a name, or a module if that is None, and return what it is called in this file."""
        from codemods.imports import local_name

        local = local_name(module, name, self.source)
        if local is None:
            self.wanted_imports.append((module, name))
        return local or name or module

    def import_as_it_is(self, module: str, name: str | None) -> None:
        """Have the engine import a name, or a module if that is None, under just that name."""
        self.wanted_imports.append((module, name))

    def move_import(self, facts: MovedImport) -> None:
        """Have the engine import names from their new homes."""
        self.moved_imports.append(facts)
        for home in facts.homes:
            for use in home.uses:
                self.replace(use, home.local)
            for change in home.left_out:
                self.replace(change.span, change.text)

    def give_up(self, facts: NeedlessName) -> None:
        """Take a name out of an import, and out of where it is used."""
        self.drop_name(facts.statement, facts.name)
        for span in facts.removed:
            self.remove_statement(span)
        for change in facts.changes:
            self.replace(change.span, change.text)

    def drop_name(self, statement: Span, name: Span) -> None:
        """Take a name out of an import, and the import with it if it has no other."""
        self.dropped_names.append((statement, name))

    # -- finishing

    def finished(self) -> list[Edit]:
        """Return all edits, those for removed statements worked out together."""
        from codemods.imports import added_imports, dropped_name, import_edits
        from codemods.removal import removal_edits

        removals = removal_edits(self.removed, self.source)
        moved = import_edits(self.moved_imports, self.source)
        edits = [*self.edits, *removals, *moved, *added_imports(self.wanted_imports, self.source)]
        for statement, name in self.dropped_names:
            edits += dropped_name(statement, name, self.source)
        for edit in edits:
            check(edit, self.source)
        return edits

    def _edit(self, start: int, end: int, text: str) -> None:
        self.edits.append(Edit(start, end, text))

    def _statement(self, span: Span) -> ast.stmt:
        for kind in (ast.Assign, ast.AnnAssign, ast.Expr, ast.ImportFrom, ast.Import, ast.If, ast.AsyncFunctionDef):
            for node in self.source.nodes(kind):
                if self.source.span(node) == span:
                    return node
        raise Refused(f"line {span.line}: there is no statement here")

    def text(self, span: Span) -> str:
        """Return what stands at a span."""
        return self.source.text[self._start(span) : self._end(span)]

    def _start(self, span: Span) -> int:
        return self.source.offset(span.line, span.column)

    def _end(self, span: Span) -> int:
        return self.source.offset(span.end_line, span.end_column)


def _are_words(left: str, right: str) -> bool:
    return bool(left and right) and (left.isalnum() or left == "_") and (right.isalnum() or right == "_")


def _without(
    elements: Sequence[ElementT], doomed: Collection[int], opening: cst.BaseParenthesizableWhitespace
) -> tuple[list[ElementT], cst.BaseParenthesizableWhitespace]:
    """Return comma-separated elements less some, and the space behind the opening parenthesis.

    What stands above an element, and behind it on its line, speaks of it and goes with it; what stands above the next
    one, or behind the last one, stays. The new last element ends as the old last one did.
    """
    kept: list[ElementT] = []
    for index, element in enumerate(elements):
        if index not in doomed:
            kept.append(element)
            continue
        behind = element.comma.whitespace_after if isinstance(element.comma, cst.Comma) else None
        if not kept:
            opening = _joined(opening, behind)
            continue
        previous = kept[-1]
        if isinstance(previous.comma, cst.Comma) and isinstance(element.comma, cst.Comma):
            space = _joined(previous.comma.whitespace_after, behind)
            if index == len(elements) - 1 and behind is not None and not _has_comment(space):
                space = behind
            kept[-1] = previous.with_changes(comma=previous.comma.with_changes(whitespace_after=space))
        elif isinstance(previous.comma, cst.Comma):
            kept[-1] = _without_comma(previous, element)
    if not kept:
        opening = opening if _has_comment(opening) else cst.SimpleWhitespace("")
    return kept, opening


def _without_comma(previous: ElementT, last: ElementT) -> ElementT:
    """Return an element that is the last one now, where the old last one had no comma behind it."""
    assert isinstance(previous.comma, cst.Comma)
    if _has_comment(previous.comma.whitespace_after):
        return previous
    changed = previous.with_changes(comma=cst.MaybeSentinel.DEFAULT)
    for name in ("whitespace_after_arg", "whitespace_after_param"):
        if hasattr(previous, name) and hasattr(last, name):
            changed = changed.with_changes(**{name: getattr(last, name)})
    return changed


def _joined(
    before: cst.BaseParenthesizableWhitespace, behind: cst.BaseParenthesizableWhitespace | None
) -> cst.BaseParenthesizableWhitespace:
    """Return the space in front of an element and the one behind it as one, once the element is gone."""
    if not isinstance(behind, cst.ParenthesizedWhitespace):
        return before
    if not isinstance(before, cst.ParenthesizedWhitespace):
        return behind
    return before.with_changes(empty_lines=behind.empty_lines, indent=behind.indent, last_line=behind.last_line)


def _has_comment(space: cst.BaseParenthesizableWhitespace) -> bool:
    return isinstance(space, cst.ParenthesizedWhitespace) and (
        space.first_line.comment is not None or any(line.comment for line in space.empty_lines)
    )


def _without_parameter(node: cst.FunctionDef, name: str) -> tuple[cst.Parameters, cst.BaseParenthesizableWhitespace]:
    parameters = node.params
    fields = ("posonly_params", "posonly_ind", "params", "star_arg", "kwonly_params", "star_kwarg")
    elements: list[_Element] = []
    homes: list[str] = []
    for field in fields:
        value: object = getattr(parameters, field)
        members = cast(Sequence[object], value) if isinstance(value, (list, tuple)) else [value]
        for member in members:
            if isinstance(member, (cst.Param, cst.ParamStar, cst.ParamSlash)):
                elements.append(member)
                homes.append(field)
    index = next(
        (i for i, e in enumerate(elements) if isinstance(e, cst.Param) and e.name.value == name),
        None,
    )
    if index is None:
        raise Refused(f"there is no parameter {name} here")
    doomed = {index}
    # A bare ``*`` needs a keyword-only parameter behind it, a ``/`` a positional one in front.
    if homes.count(homes[index]) == 1:
        needless = {"kwonly_params": cst.ParamStar, "posonly_params": cst.ParamSlash}.get(homes[index])
        doomed |= {i for i, e in enumerate(elements) if needless and isinstance(e, needless)}
    homes = [home for i, home in enumerate(homes) if i not in doomed]
    remaining, space = _without(elements, doomed, node.whitespace_before_params)
    kept = list(zip(homes, remaining, strict=True))
    changes: dict[str, object] = {}
    for field in fields:
        found = [element for home, element in kept if home == field]
        if field.endswith("_params") or field == "params":
            changes[field] = found
        elif not found:
            changes[field] = None if field == "star_kwarg" else cst.MaybeSentinel.DEFAULT
        else:
            changes[field] = found[0]
    return parameters.with_changes(**changes), space
