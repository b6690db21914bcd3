"""An attribute only native coroutines have, read from any awaitable.

What it finds:
    ``X.cr_code``, ``cr_frame``, ``cr_await`` and the like (``gi_*`` of generators, ``ag_*`` of asynchronous ones) where
    nothing shows that X is a native coroutine. Silent where the code looked first: ``hasattr``, ``getattr`` with a
    default, ``isinstance(x, CoroutineType)``, ``inspect.iscoroutine(x)``, ``asyncio.iscoroutine(x)``, a handler for
    AttributeError, a parameter annotated ``types.CoroutineType``, or X made by calling an ``async def`` of the file.

Why it matters:
    ``collections.abc.Coroutine`` promises ``send``, ``throw`` and ``close``, no more. A Cython coroutine, a wrapper
    class or an awaitable mock has no ``cr_code``, and the line that only wanted a task's name raises AttributeError
    and takes the task down with it. pyright reports ``reportAttributeAccessIssue`` at the same place.

Example:
    ::

        name = f"{self}::{coroutine.cr_code.co_name}"

    becomes::

        name = f"{self}::{getattr(getattr(coroutine, 'cr_code', None), 'co_name', 'task')}"

Fix safety:
    Safe: for a native coroutine the name is the same, anything else gets the name "task" instead of a crash. A bare
    ``X.cr_code`` is mended only where None is as good as a code object: a truth test, a comparison with None, the first
    argument of a ``getattr`` with a default. Frames, other code attributes and identity with ``f.__code__`` are left to
    a human.

References:
    Pipecat 1.2.0 made the same change in its own ``create_task``:
    https://github.com/pipecat-ai/pipecat/releases/tag/v1.2.0
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from checks.fstring import free_quotes, is_labelled
from checks.guards import tolerates_none
from checks.hoist import hoistable, unused_name
from checks.natives import is_guarded, is_native
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import NEWLINE, Source, Span

_NAMES = {"co_name", "co_qualname"}
DEFAULT = "task"

RULE = Rule(
    __name__,
    needles=(
        "cr_code",
        "cr_frame",
        "cr_await",
        "cr_running",
        "cr_origin",
        "cr_suspended",
        "gi_code",
        "gi_frame",
        "gi_running",
        "gi_yieldfrom",
        "gi_suspended",
        "ag_code",
        "ag_frame",
        "ag_running",
        "ag_await",
        "ag_suspended",
    ),
    about=None,
    fix=Fix.SAFE,
    impact=Impact.DEFECT,
    url="https://github.com/pipecat-ai/pipecat/releases/tag/v1.2.0",
)
ATTRIBUTES = frozenset(needle.decode() for needle in RULE.needles)


class Facts(NamedTuple):
    """What is to be read safely.

    ``whole`` is replaced; ``subject`` is the expression read from; ``name`` is the attribute of the code object, None
    for the code object alone; ``quote`` is the quote that is free at the place. ``hoist``: neither quote is free, so
    the value is computed in front of the statement at ``hoist`` under the name ``variable``.
    """

    whole: Span
    subject: Span
    attribute: str
    name: str | None
    quote: str
    hoist: Span | None = None
    variable: str = ""


@RULE.on(ast.Attribute, named=ATTRIBUTES)
def attribute(node: ast.Attribute, source: Source) -> Iterator[Finding]:
    """Decide on one attribute access."""
    if not isinstance(node.ctx, ast.Load):
        return
    if is_guarded(node, source) or is_native(node.value, node.attr, source):
        return
    whole = _named(node, source) or node
    what = NEWLINE.split(source.segment(node.value))[0]
    message = f"{what!r} has {node.attr} only if it is a native {_noun(node.attr)}"
    facts = _facts(node, whole, source) if node.attr == "cr_code" else None
    if facts is None:
        message += f"; {_advice(node, whole, source)}"
    yield RULE.finding(source, whole, message, facts=facts)


def _noun(attribute: str) -> str:
    return {"cr": "coroutine", "gi": "generator", "ag": "async generator"}[attribute[:2]]


def _named(node: ast.Attribute, source: Source) -> ast.Attribute | None:
    """Return ``X.cr_code.co_name`` around ``X.cr_code``."""
    parent = source.parent(node)
    if isinstance(parent, ast.Attribute) and isinstance(parent.ctx, ast.Load):
        return parent if parent.attr in _NAMES else None
    return None


def _facts(node: ast.Attribute, whole: ast.Attribute, source: Source) -> Facts | None:
    """Return what the fix needs, or None where there is no safe one."""
    if whole is node and not tolerates_none(node, source):
        return None
    subject = node.value
    if source.has_comment(source.start(whole), source.end(whole)) or is_labelled(whole, source):
        return None
    name = whole.attr if whole is not node else None
    spans = source.span(whole), source.span(subject)
    free = free_quotes(whole, source)
    if free:
        return Facts(*spans, node.attr, name, free[0])
    statement = hoistable(whole, subject, source)
    if statement is None:
        return None
    variable = unused_name("task_name" if name else "task_code", source)
    return Facts(*spans, node.attr, name, '"', source.span(statement), variable)


def _advice(node: ast.Attribute, whole: ast.Attribute, source: Source) -> str:
    default = f'use getattr(…, "{node.attr}", None) and handle None'
    if node.attr != "cr_code":
        return default
    if source.has_comment(source.start(whole), source.end(whole)):
        return "a comment stands inside the expression: use getattr with defaults"
    if is_labelled(whole, source):
        return "the f-string prints the expression itself: use getattr with defaults and write the label out"
    if isinstance(source.parent(node), ast.Compare):
        return "which code object it runs is an identity no default can stand in for: test hasattr first"
    if whole is not node:
        return "both quotes are taken here: read the name into a variable first"
    return default
