"""A traced_tts where it never takes effect.

What it finds:
    From 1.2.0 on ``traced_tts`` acts when its class is made, through ``__set_name__``, which Python calls only for what
    a class body binds directly; a tracer of the project's own may do so at any release. Found are: such a decorator
    under another one, on a function outside a class, and its result assigned to a class from outside
    (``Service.run_tts = traced_tts(f)``). ``@override`` hands on what it is given and does not count.

Why it matters:
    Under another decorator the method is replaced by a descriptor that was never told of its class, so that calling
    ``run_tts`` fails or nothing is traced. From outside a class nothing is traced either.

Example:
    ::

        @retry
        @traced_tts
        async def run_tts(self, text: str, context_id: str):

    becomes::

        @traced_tts
        @retry
        async def run_tts(self, text: str, context_id: str):

Fix safety:
    Safe: the decorators between stay in their order around the method, the tracer moves outside them. Left to a human
    where a comment stands among the decorators, or where the method is put on the class from outside.

References:
    https://docs.python.org/3/reference/datamodel.html#object.__set_name__
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from checks.pipecat.tracing import DESCRIPTOR_SINCE, TRACED_TTS, hands_on, is_set_name_tracer, meaning
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source, Span

RULE = Rule(
    __name__,
    needles=("traced_tts", "run_tts"),
    fix=Fix.SAFE,
    impact=Impact.BREAKS,
    since="1.2.0",
    url="https://docs.python.org/3/reference/datamodel.html#object.__set_name__",
)


class Facts(NamedTuple):
    """The decorators from the outermost to the tracer, whose texts are put in another order."""

    decorators: tuple[Span, ...]


@RULE.on(ast.AsyncFunctionDef)
def decorated(node: ast.AsyncFunctionDef, source: Source) -> Iterator[Finding]:
    """Decide on a decorated function."""
    for index, decorator in enumerate(node.decorator_list):
        if not _acts_on_its_class(decorator, source):
            continue
        name = _written(decorator)
        if not isinstance(source.names.scope(node), ast.ClassDef):
            if _is_bound_in_a_class(node, source):
                continue
            message = f"@{name} on a function outside a class: it is never told of a class, so nothing is traced"
            yield RULE.finding(source, decorator, message)
        elif any(not hands_on(above, source) for above in node.decorator_list[:index]):
            message = f"@{name} under another decorator: it is never told of its class; it must be the outermost"
            above = node.decorator_list[: index + 1]
            hidden = source.has_comment(source.start(above[0]), source.end(above[-1]))
            facts = None if hidden else Facts(tuple(source.span(one) for one in above))
            yield RULE.finding(source, decorator, message, facts=facts)


@RULE.on(ast.Call)
def called(node: ast.Call, source: Source) -> Iterator[Finding]:
    """Decide on ``traced_tts(function)`` written as a call."""
    if not node.args or not str(meaning(node, source)).endswith(".traced_tts") or not _acts_on_its_class(node, source):
        return
    parent = source.parent(node)
    if isinstance(parent, ast.AsyncFunctionDef) and node in parent.decorator_list:
        return
    if isinstance(source.names.scope(node), ast.ClassDef) and not isinstance(parent, ast.Call):
        return
    message = "traced_tts(…) outside a class body: it is never told of a class; decorate run_tts where it is defined"
    yield RULE.finding(source, node, message)


def _is_bound_in_a_class(function: ast.AsyncFunctionDef, source: Source) -> bool:
    """Tell whether a class body gives a function a name of its own, which counts as being told of the class."""
    for node in source.nodes(ast.Assign):
        if isinstance(node.value, ast.Name) and node.value.id == function.name:
            if isinstance(source.names.scope(node), ast.ClassDef):
                return True
    return False


def _acts_on_its_class(decorator: ast.expr, source: Source) -> bool:
    """Tell whether a decorator is Pipecat's tracer from 1.2.0 on, or one like it in the project."""
    if meaning(decorator, source) == TRACED_TTS and isinstance(source.project.resolve(_callee(decorator), source), str):
        return source.project.target >= DESCRIPTOR_SINCE
    return is_set_name_tracer(decorator, source)


def _callee(node: ast.expr) -> ast.expr:
    return node.func if isinstance(node, ast.Call) else node


def _written(node: ast.expr) -> str:
    return ast.unparse(_callee(node))
