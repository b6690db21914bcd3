"""What a codemod may do to a file: replace, remove and insert, on LibCST nodes read from exactly the text they touch.

Only the statement head or expression an edit concerns is parsed, so a file is never printed as a whole, and what
LibCST cannot print back to the letter is noticed at once.
"""

from __future__ import annotations

import ast
import tokenize
from collections.abc import Sequence
from typing import TypeAlias, TypeVar, cast

import libcst as cst

from checks.pipecat.moves import MovedImport
from checks.source import Source, Span
from codemods.splice import Edit, Refused

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

    # -- expressions

    def expression(self, span: Span) -> cst.BaseExpression:
        """Return the LibCST node of the expression at a span.

        Raises:
            Refused: LibCST does not read it, or would not print it back as it is.
        """
        text = f"({self._text(span)})"
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
        self._edit(self._start(span), self._end(span), text)

    def drop_argument(self, call: Span, argument: Span) -> None:
        """Take one argument out of a call, the comma and the line that were only its own with it."""
        node = self.expression(call)
        if not isinstance(node, cst.Call):
            raise Refused(f"line {call.line}: there is no call here")
        at = len(_PRINTER.code_for_node(node.func)) + self._start(call)
        at += len(_PRINTER.code_for_node(node.whitespace_after_func)) + 1
        at += len(_PRINTER.code_for_node(node.whitespace_before_args))
        target = self._start(argument)
        for index, element in enumerate(node.args):  # noqa: B007
            code = len(_PRINTER.code_for_node(element))
            if at <= target < at + code:
                break
            at += code
        else:
            raise Refused(f"line {argument.line}: there is no argument here")
        args = _without(node.args, index)
        changed = node.with_changes(args=args)
        if not args:
            changed = changed.with_changes(whitespace_before_args=cst.SimpleWhitespace(""))
        self.replace(call, changed)

    # -- functions

    def drop_parameter(self, function: Span, name: str) -> None:
        """Take one parameter out of a function's signature, and a ``*`` or ``/`` that nothing needs any more."""
        start = self._start(function)
        end = self._signature_end(function)
        head = self.source.text[start:end]
        node = cst.parse_statement(f"{head} ...\n")
        if not isinstance(node, cst.FunctionDef) or _PRINTER.code_for_node(node) != f"{head} ...\n":
            raise Refused(f"line {function.line}: LibCST would not give this signature back unchanged")
        changed = node.with_changes(params=_without_parameter(node.params, name))
        self._edit(start, end, _PRINTER.code_for_node(changed).removesuffix(" ...\n"))

    def _signature_end(self, function: Span) -> int:
        """Return the offset behind the colon that ends a function's head."""
        depth = 0
        begin = (function.line, function.column - 1)
        for token in self.source.tokens:
            if token.start < begin or token.type != tokenize.OP:
                continue
            if token.string in "([{":
                depth += 1
            elif token.string in ")]}":
                depth -= 1
            elif token.string == ":" and depth == 0:
                return self.source.offset(token.end[0], token.end[1] + 1)
        raise Refused(f"line {function.line}: the end of this signature was not found")

    # -- statements

    def remove_statement(self, span: Span) -> None:
        """Take a statement's lines out; a block that would be left empty gets ``pass``."""
        self.removed.append(self._statement(span))

    def insert_before(self, span: Span, text: str) -> None:
        """Put a statement on a line of its own in front of the one at a span, equally indented."""
        at = self.source.line_start(span.line)
        indent = self.source.text[at : self._start(span)]
        if indent.strip(" \t"):
            raise Refused(f"line {span.line}: the statement does not stand on a line of its own")
        self._edit(at, at, f"{indent}{text}\n")

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

    def move_import(self, facts: MovedImport) -> None:
        """Have the engine import names from their new homes."""
        self.moved_imports.append(facts)
        for home in facts.homes:
            for use in home.uses:
                self.replace(use, home.local)

    # -- finishing

    def finished(self) -> list[Edit]:
        """Return all edits, those for removed statements worked out together."""
        from codemods.imports import import_edits
        from codemods.removal import removal_edits

        removals = removal_edits(self.removed, self.source)
        return [*self.edits, *removals, *import_edits(self.moved_imports, self.source)]

    def _edit(self, start: int, end: int, text: str) -> None:
        if "\f" in self.source.text[start:end]:
            raise Refused("the edit would touch a form feed")
        self.edits.append(Edit(start, end, text))

    def _statement(self, span: Span) -> ast.stmt:
        for kind in (ast.Assign, ast.AnnAssign, ast.Expr, ast.ImportFrom, ast.Import):
            for node in self.source.nodes(kind):
                if self.source.span(node) == span:
                    return node
        raise Refused(f"line {span.line}: there is no statement here")

    def _text(self, span: Span) -> str:
        return self.source.text[self._start(span) : self._end(span)]

    def _start(self, span: Span) -> int:
        return self.source.offset(span.line, span.column)

    def _end(self, span: Span) -> int:
        return self.source.offset(span.end_line, span.end_column)


def _without(elements: Sequence[ElementT], *indices: int) -> list[ElementT]:
    """Return comma-separated elements less some; the new last one ends as the old last one did."""
    kept = [element for index, element in enumerate(elements) if index not in indices]
    if kept and len(elements) - 1 in indices:
        kept[-1] = _ended_like(kept[-1], elements[-1])
    return kept


def _ended_like(element: ElementT, removed: ElementT) -> ElementT:
    comma, last = element.comma, removed.comma
    if isinstance(comma, cst.Comma) and _has_comment(comma.whitespace_after):
        # A comment behind the comma stays; only what follows its line is taken over.
        space = comma.whitespace_after
        end = last.whitespace_after if isinstance(last, cst.Comma) else None
        assert isinstance(space, cst.ParenthesizedWhitespace)
        if isinstance(end, cst.ParenthesizedWhitespace):
            space = space.with_changes(indent=end.indent, last_line=end.last_line)
        return element.with_changes(comma=comma.with_changes(whitespace_after=space))
    changed = element.with_changes(comma=last)
    for name in ("whitespace_after_arg", "whitespace_after_param"):
        if hasattr(element, name) and hasattr(removed, name):
            changed = changed.with_changes(**{name: getattr(removed, name)})
    return changed


def _has_comment(space: cst.BaseParenthesizableWhitespace) -> bool:
    return isinstance(space, cst.ParenthesizedWhitespace) and (
        space.first_line.comment is not None or any(line.comment for line in space.empty_lines)
    )


def _without_parameter(parameters: cst.Parameters, name: str) -> cst.Parameters:
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
    kept = list(zip(homes, _without(elements, *doomed), strict=True))
    changes: dict[str, object] = {}
    for field in fields:
        found = [element for home, element in kept if home == field]
        if field.endswith("_params") or field == "params":
            changes[field] = found
        elif not found:
            changes[field] = None if field == "star_kwarg" else cst.MaybeSentinel.DEFAULT
        else:
            changes[field] = found[0]
    return parameters.with_changes(**changes)
