"""The arguments of a call as written: taken out, changed or put into a call within it, layout and comments kept.

Two layouts are understood: every argument begins a line of its own, or no comment and no line of its own matters.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from checks.rule import Fix
from checks.source import NEWLINE, Source, Span
from checks.unclear import Unclear

USUAL_WIDTH = 100
# What stands behind an argument that ends its line: blanks and a comma, blanks and a comment.
_REST = re.compile(r"(?:(\s*),)?(\s*?)(#.*?)?\s*")


class Change(NamedTuple):
    """A stretch of text and what stands there from now on."""

    span: Span
    text: str


class Rewrite(NamedTuple):
    """Facts of changes that belong together, and whether the code behaves the same after them.

    ``imports`` are the dotted names of what the new text uses.
    """

    changes: tuple[Change, ...]
    fix: Fix = Fix.SAFE
    imports: tuple[str, ...] = ()


class Argument(NamedTuple):
    """One argument: the comments on lines above it, its text, and the comment behind it on its line.

    The lines of the text behind the first are indented relative to it. ``gap`` parts it from the one before where they
    share lines. ``blank`` stands in front of its comma, ``space`` in front of the comment behind it. ``node`` is None
    for one that is new.
    """

    text: str
    above: tuple[str, ...] = ()
    behind: str = ""
    gap: str = ", "
    node: ast.expr | ast.keyword | None = None
    blank: str = ""
    space: str = "  "

    def named(self, name: str) -> Argument:
        """Return the same value under another keyword."""
        assert isinstance(self.node, ast.keyword)
        return self._replace(text=f"{name}={self.text.partition('=')[2].lstrip()}")


class Arguments(NamedTuple):
    """What stands between the parentheses of a call.

    ``by_line``: each argument begins a line; ``indent`` is theirs. ``closing`` stands in front of the last parenthesis.
    ``tail`` are comments below the last argument. ``step`` is what is indented further than a line of the call.
    """

    span: Span
    items: tuple[Argument, ...]
    by_line: bool
    indent: str
    closing: str
    comma: bool
    tail: tuple[str, ...]
    step: str

    def of(self, node: ast.expr | ast.keyword) -> Argument:
        """Return the argument a node is."""
        return next(item for item in self.items if item.node is node)

    def changed(self, items: Sequence[Argument], source: Source) -> Change:
        """Return the change that leaves these arguments in the call, in this order."""
        old = NEWLINE.sub("\n", source.text[slice(*_offsets(self.span, source))])
        if self.by_line and items:
            new = _by_line(items, self.indent, self.comma, self.tail) + self.closing
        elif self.by_line and (self.tail or source.text[_offsets(self.span, source)[0] - 1] != "("):
            new = "".join(f"\n{self.indent}{line}" for line in self.tail) + f"\n{self.closing}"
        elif items and self._is_too_long(items, source):
            indent = _indent_of(self.span.line, source)
            new = _by_line(items, indent + self.step, True, ()) + indent
        elif items:
            first, *others = items
            gap = self.items[0].gap if self.items else ""
            new = gap + first.text + "".join(item.gap + item.text for item in others) + self.closing
        else:
            new = ""
        return _narrowed(self.span, old, new, source)

    def appended(self, item: Argument, source: Source) -> Change:
        """Return the change that puts one more argument behind the last; the others may change at the same time."""
        last = self.items[-1].node
        assert last is not None
        if self.by_line and self.comma:
            at = source.line_start(source.span(last).end_line + 1)
            text = _by_line([item], self.indent, True, ())[1:]
        elif self.by_line:
            at = source.end(last)
            text = f",\n{self.indent}{_indented(item.text, self.indent)}"
        else:
            at, text = source.end(last), f", {item.text}"
        return Change(source.span_between(at, at), text)

    def _is_too_long(self, items: Sequence[Argument], source: Source) -> bool:
        """Tell whether arguments on one line would make it longer than is usual and than it is, or cannot be."""
        line = source.line(self.span.line)
        if self.span.line == self.span.end_line and any("\n" in item.text for item in items if item.node is None):
            return True
        if not self.items or self.span.line != self.span.end_line or any("\n" in item.text for item in items):
            return False
        width = len(line) - (self.span.end_column - self.span.column) + sum(len(item.text) + 2 for item in items) - 2
        return width > max(USUAL_WIDTH, len(line))


def arguments_of(call: ast.Call, source: Source) -> Arguments:
    """Return the arguments of a call as they are written.

    Raises:
        Unclear: a comment stands where it cannot be told what it belongs to.
    """
    nodes: list[ast.expr | ast.keyword] = sorted([*call.args, *call.keywords], key=source.start)
    return _laid_out(nodes, _opening(call, source), source.end(call) - 1, source)


def elements_of(written: ast.List | ast.Tuple, source: Source) -> Arguments:
    """Return the elements of a list, or of a tuple in parentheses, as they are written, as if they were arguments.

    Raises:
        Unclear: a comment stands where it cannot be told what it belongs to.
    """
    return _laid_out(written.elts, source.start(written) + 1, source.end(written) - 1, source)


def _laid_out(nodes: Sequence[ast.expr | ast.keyword], start: int, end: int, source: Source) -> Arguments:
    closing = source.text[source.line_start(_line(end, source)) : end]
    if not nodes or closing.strip() or not all(source.begins_line(node) for node in nodes):
        return _in_running_text(nodes, start, end, source)
    first = _line(source.start(nodes[0]), source)
    indent = source.text[source.line_start(first) : source.start(nodes[0])]
    items: list[Argument] = []
    at = _line(start, source) + 1
    if source.has_comment(start, source.line_start(at)):
        start = source.line_start(at - 1) + len(source.line(at - 1))  # the comment stays where it is
    for node in nodes:
        begin, last = _line(source.start(node), source), _line(source.end(node), source)
        above = tuple(line for line in (source.line(number).strip() for number in range(at, begin)) if line)
        rest = _REST.fullmatch(source.line(last)[source.span(node).end_column - 1 :])
        if rest is None or any(not line.startswith("#") for line in above):
            raise Unclear("its arguments are not laid out one by one")
        blank, space, behind = rest.groups(default="")
        items.append(Argument(_relative(node, indent, source), above, behind, node=node, blank=blank, space=space))
        at = last + 1
    tail = tuple(source.line(number).strip() for number in range(at, _line(end, source)))
    if any(line and not line.startswith("#") for line in tail):
        raise Unclear("its arguments are not laid out one by one")
    comma = source.text[source.end(nodes[-1]) :].lstrip()[:1] == ","
    span = source.span_between(start, end)
    return Arguments(
        span, tuple(items), True, indent, closing, comma, tuple(line for line in tail if line), source.step(first)
    )


def _in_running_text(nodes: Sequence[ast.expr | ast.keyword], start: int, end: int, source: Source) -> Arguments:
    """Return arguments of which several share a line."""
    if any(NEWLINE.search(source.segment(node)) for node in nodes[:-1]):
        raise Unclear("its arguments are not laid out one by one")
    items: list[Argument] = []
    at = start
    for node in nodes:
        gap = source.text[at : source.start(node)]
        if gap.strip() != ("," if items else ""):
            raise Unclear("its arguments are not laid out one by one")
        items.append(Argument(_relative(node, "", source), gap=NEWLINE.sub("\n", gap), node=node))
        at = source.end(node)
    closing = source.text[at:end]
    if closing.strip() not in ("", ","):
        raise Unclear("its arguments are not laid out one by one")
    span = source.span_between(start, end)
    return Arguments(span, tuple(items), False, "", NEWLINE.sub("\n", closing), False, (), source.step(span.line))


def put_together(head: str, items: Iterable[Argument], step: str, *, by_line: bool, gap: str = ", ") -> Argument:
    """Return one argument ``head(items)`` of several, each on a line of its own, a step further, if asked."""
    inner = tuple(items)
    if not by_line or not inner:
        return Argument(f"{head}({', '.join(item.text for item in inner)})", gap=gap)
    return Argument(f"{head}({_by_line(inner, step, True, ())})")


def _by_line(items: Sequence[Argument], indent: str, comma: bool, tail: Sequence[str]) -> str:
    lines: list[str] = []
    for index, item in enumerate(items):
        lines += [indent + one for one in item.above]
        is_last = index == len(items) - 1
        behind = f"{item.space}{item.behind}" if item.behind else ""
        end = "" if is_last and not comma else f"{item.blank},"
        lines.append(indent + _indented(item.text, indent) + end + behind)
    lines += [indent + line for line in tail]
    return "\n" + "".join(f"{line}\n" for line in lines)


def _indented(text: str, indent: str) -> str:
    """Return a text with the lines behind its first indented, unless a string runs over its lines."""
    if _has_long_string(text):
        return text
    first, newline, rest = text.partition("\n")
    return first + newline + textwrap.indent(rest, indent)


def _relative(node: ast.expr | ast.keyword, indent: str, source: Source) -> str:
    """Return an argument's text, the lines behind its first without the indentation of the arguments."""
    text = NEWLINE.sub("\n", source.segment(node))
    if isinstance(node, ast.keyword) and node.arg is None and not text.startswith("**"):
        text = f"**{text}"
    if _has_long_string(text):
        return text
    first, *rest = text.split("\n")
    return "\n".join([first, *(line.removeprefix(indent) for line in rest)])


def _has_long_string(text: str) -> bool:
    return "\n" in text and ('"""' in text or "'''" in text or "\\\n" in text)


def _narrowed(span: Span, old: str, new: str, source: Source) -> Change:
    """Return a change without the lines that stay as they are at its beginning and end."""
    before, after = old.split("\n"), new.split("\n")
    head = 0
    while head < min(len(before), len(after)) - 1 and before[head] == after[head]:
        head += 1
    foot = 0
    while foot < min(len(before), len(after)) - head - 1 and before[-1 - foot] == after[-1 - foot]:
        foot += 1
    middle = after[head : len(after) - foot]
    start = source.line_start(span.line + head) if head else source.offset(span.line, span.column)
    end = source.line_start(span.end_line - foot + 1) if foot else source.offset(span.end_line, span.end_column)
    text = "".join(f"{line}\n" for line in middle) if foot else "\n".join(middle)
    return Change(source.span_between(start, end), text)


def _opening(call: ast.Call, source: Source) -> int:
    """Return the offset behind the parenthesis that opens a call's arguments."""
    text = source.text
    at = source.end(call.func)
    while text[at] != "(":
        # ``(f)(x)`` and comments between the two are all that can stand here.
        at = source.line_start(_line(at, source) + 1) if text[at] == "#" else at + 1
    return at + 1


def _indent_of(number: int, source: Source) -> str:
    line = source.line(number)
    return line[: len(line) - len(line.lstrip())]


def _line(offset: int, source: Source) -> int:
    return source.span_between(offset, offset).line


def _offsets(span: Span, source: Source) -> tuple[int, int]:
    return source.offset(span.line, span.column), source.offset(span.end_line, span.end_column)


def check_comments(change: Change, source: Source) -> None:
    """Raise Unclear if a comment that stands where a change is made is not in the new text."""
    start, end = _offsets(change.span, source)
    for at, comment in source.comments:
        if start <= source.offset(at.line, at.column) < end and comment not in change.text:
            raise Unclear("a comment in it would have no place")
