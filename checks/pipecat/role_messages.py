"""A flow node's role, which was a list of messages and is one text that the LLM is told as its instruction.

Facts of the wheels: from 1.5.0 on ``role_message`` goes to the LLM in an ``LLMUpdateSettingsFrame`` and lasts until
another node has one; ``role_messages`` are put in front of the node's own in the context.
"""

from __future__ import annotations

import ast

from checks.arguments import Change, Rewrite, check_comments
from checks.rule import Fix
from checks.source import NEWLINE, Source
from checks.unclear import Unclear

OLD, NEW, BESIDE = "role_messages", "role_message", "task_messages"
_SPEAKERS = ("system", "developer")
_TEXTS = (ast.Constant, ast.JoinedStr, ast.Name, ast.Attribute)


def content(value: ast.expr, source: Source) -> str:
    """Return the text of the one message of a list, as it is written.

    Raises:
        Unclear: it is not a list of one message written out, of the system's.
    """
    match value:
        case ast.List(elts=[ast.Dict(keys=keys, values=values)]):
            said = {key.value: one for key, one in zip(keys, values, strict=True) if isinstance(key, ast.Constant)}
        case _:
            raise Unclear("it is not a list of one message written out")
    speaker, text = said.get("role"), said.get("content")
    if len(said) != len(keys) or said.keys() != {"role", "content"} or not isinstance(text, _TEXTS):
        raise Unclear("it is not a list of one message written out")
    if not isinstance(speaker, ast.Constant) or speaker.value not in _SPEAKERS:
        raise Unclear("its message is not the system's")
    if isinstance(text, ast.Constant) and not isinstance(text.value, str):
        raise Unclear("it is not a list of one message written out")
    return _laid_out(NEWLINE.sub("\n", source.segment(text)), value, source)


def _laid_out(written: str, value: ast.expr, source: Source) -> str:
    """Return a text whose parts stand on lines of their own in parentheses, indented for where the list began."""
    if "\n" not in written or '"""' in written or "'''" in written:
        return written
    number = source.span(value).line
    line = source.line(number)
    indent = line[: len(line) - len(line.lstrip())]
    parts = "".join(f"{indent}{source.step(number)}{part.strip()}\n" for part in written.split("\n"))
    return f"(\n{parts}{indent})"


def key_of(node: ast.Dict) -> ast.Constant | None:
    """Return the key of a dict that is a node, by the key that each has, for its role's messages."""
    keys = {key.value: key for key in node.keys if isinstance(key, ast.Constant)}
    return keys.get(OLD) if BESIDE in keys and len(keys) == len(node.keys) else None


def with_one(node: ast.Dict, key: ast.Constant, source: Source) -> Rewrite:
    """Return the change that gives a node its role as one text.

    Raises:
        Unclear: it has that too, or its messages are not one text.
    """
    if any(isinstance(one, ast.Constant) and one.value == NEW for one in node.keys):
        raise Unclear(f"{NEW} is given too")
    value = node.values[node.keys.index(key)]
    written = source.segment(key).replace(OLD, NEW)
    change = Change(source.span_between(source.start(key), source.end(value)), f"{written}: {content(value, source)}")
    check_comments(change, source)
    return Rewrite((change,), Fix.UNSAFE)
