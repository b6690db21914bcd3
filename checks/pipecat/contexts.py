"""Contexts that services made their own of, and the one context that took their place.

Facts from the wheels: ``OpenAILLMContext``, the services' own contexts and aggregators, ``create_context_aggregator``
and ``get_context_frame`` are gone since 1.0.0. ``LLMContext`` and ``LLMContextAggregatorPair`` are there since 0.0.82,
and every service takes such a context since 0.0.92. ``LLMContext`` refuses tools that are neither a ``ToolsSchema`` nor
its own ``NOT_GIVEN`` (from 1.4.0 on also lists of ``FunctionSchema``), which 1.14.0 has apart from OpenAI's.

Each row of contexts.tsv is a class that went, and the one to use instead; nothing where a human has to choose.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from enum import Enum
from functools import cache

from checks.guards import asks_for, is_none, tests_version
from checks.pipecat import tables, timeline
from checks.pipecat.hierarchy import is_of_library
from checks.pipecat.objects import classes_of
from checks.pipecat.releases import Release
from checks.source import Source
from checks.unclear import Unclear

GONE_SINCE = Release(1, 0, 0)
TAKEN_BY_ALL_SINCE = Release(0, 0, 92)
OLD_CONTEXT = "pipecat.processors.aggregators.openai_llm_context.OpenAILLMContext"
OLD_FRAME = f"{OLD_CONTEXT}Frame"
CONTEXT = "pipecat.processors.aggregators.llm_context.LLMContext"
CONTEXT_FRAME = "pipecat.frames.frames.LLMContextFrame"
MESSAGES_FRAME = "pipecat.frames.frames.LLMMessagesFrame"
AGGREGATORS = "pipecat.processors.aggregators.llm_response_universal"
PAIR = f"{AGGREGATORS}.LLMContextAggregatorPair"
_LAST_OLD = Release(0, 0, 108)
_NOT_GIVEN = "pipecat.processors.aggregators.llm_context.NOT_GIVEN"
# What the content of a message is made of in every service's context; anything else is one service's own.
_CONTENT_TYPES = ("text", "image_url", "input_audio", "file", "refusal")


@cache
def rows() -> dict[str, str]:
    """Return the table: the dotted name of each class that went, and of the one to use instead, or ``""``."""
    return tables.pairs("contexts.tsv")


def old_name(dotted: str, source: Source) -> str | None:
    """Return the name in the table of a class that is gone at the target, wherever it was passed on; else None."""
    target = source.project.target
    if target < GONE_SINCE or not is_of_library(dotted, source):
        return None
    name = timeline.canonical(dotted, target)
    return name if name in rows() else None


def is_owned(dotted: str, source: Source) -> bool:
    """Tell whether it is for the rules about contexts to say that an imported name is gone."""
    if old_name(dotted, source) is not None:
        return True
    if not is_of_library(dotted, source):
        return False
    return source.project.target >= GONE_SINCE and timeline.canonical(dotted, source.project.target) == MESSAGES_FRAME


def is_taken_from(local: str, source: Source) -> bool:
    """Tell whether other files of the project import a name from this one, or may."""
    return source.is_package or any(
        alias.name == local
        and source.project.find_module(str(other.names.import_base(node)), other.path) == source.path
        for other in source.project.mentioning(local)
        if other.path != source.path
        for node in other.nodes(ast.ImportFrom)
        for alias in node.names
    )


def check_may_import(source: Source) -> None:
    """Raise Unclear where a file imports Pipecat only when it needs it, so that it may not be there at the start."""
    imports = source.nodes(ast.ImportFrom, ast.Import)
    ours = [node for node in imports if "pipecat." in source.segment(node) and is_of_library("pipecat", source)]
    if ours and not any(source.names.runs_first(node) for node in ours):
        raise Unclear("Pipecat is not imported at the top of this file")


def is_context(node: ast.expr, source: Source) -> bool:
    """Tell whether an expression is known to stand for a context."""
    return not {OLD_CONTEXT, CONTEXT}.isdisjoint(known_classes(node, source))


def known_classes(node: ast.expr, source: Source) -> frozenset[str]:
    """Return the dotted names of an object's classes, ancestors included: those it has however its name is bound."""
    found = classes_of(node, source)
    if found or not isinstance(node, ast.Name):
        return found
    bound = [binding.node for binding in source.names.bindings(node)]
    values = [one.value for one in bound if isinstance(one, ast.Assign)]
    if not values or len(values) < len(bound):
        return frozenset()
    kinds = [classes_of(value, source) for value in values]
    return frozenset(name for name in kinds[0] if all(name in kind for kind in kinds))


def is_guarded(node: ast.AST, name: str, source: Source) -> bool:
    """Tell whether a use of a name that may be missing is one that looked first, or is ready for its being so."""
    return tests_version(node, source) or asks_for(name, node, source)


def uses_of_method(name: str, source: Source) -> Iterator[tuple[ast.Attribute, ast.Call | None]]:
    """Yield where a file uses a method that only Pipecat's old classes have, with the call where that is beyond doubt.

    It is in doubt where the project has a method of that name itself, where the code looked whether it is there, and
    where the method is not called at once.
    """
    if name not in source.text:
        return
    for use in source.nodes(ast.Attribute):
        if use.attr == name:
            call = source.parent(use)
            is_called = isinstance(call, ast.Call) and call.func is use
            is_certain = is_called and not is_defined(name, source) and not is_guarded(use, name, source)
            yield use, call if is_certain and isinstance(call, ast.Call) else None


def is_defined(name: str, source: Source) -> bool:
    """Tell whether the project has a function of a name."""
    memo = source.project.memo
    key = f"defines {name}"
    if key not in memo:
        memo[key] = any(
            node.name == name
            for other in source.project.mentioning(name)
            for node in other.nodes(ast.FunctionDef, ast.AsyncFunctionDef)
        )
    return memo[key]


def lost_member(name: str, source: Source) -> Release | None:
    """Return the release, of those concerned, whose context lacks what the old one had by that name; else None."""
    if not timeline.defines(OLD_CONTEXT, name, _LAST_OLD):
        return None
    return next((one for one in source.releases if not timeline.defines(CONTEXT, name, one)), None)


class Tools(Enum):
    """What a value given as a context's tools is: fit as it is, a way to say that there are none, or OpenAI's list."""

    FIT = "fit"
    NONE = "none"
    LISTED = "listed"


def tools_given(call: ast.Call, source: Source) -> ast.expr | ast.keyword | None:
    """Return the argument of a call that builds a context which holds its tools, if any.

    Raises:
        Unclear: not all that the context is given is seen, or what it is given says more than it seems to.
    """
    if any(isinstance(one, ast.Starred) for one in call.args) or any(one.arg is None for one in call.keywords):
        raise Unclear(f"not all that the context of line {call.lineno} is given is seen")
    if len(call.args) > 2:
        raise Unclear(f"its tool_choice is given by position in line {call.lineno}")
    for one in call.keywords:
        if one.arg == "tool_choice" and not isinstance(one.value, (ast.Constant, ast.Dict)):
            raise Unclear(f"its tool_choice of line {call.lineno} is worked out elsewhere")
    named = next((one for one in call.keywords if one.arg == "tools"), None)
    return call.args[1] if len(call.args) > 1 else named


def kind_of_tools(value: ast.expr, source: Source) -> Tools:
    """Return what a value given as a context's tools is.

    Raises:
        Unclear: nothing that a context takes, or it cannot be told.
    """
    named = source.names.resolve(value) or ""
    if named == _NOT_GIVEN or any(name.endswith(".tools_schema.ToolsSchema") for name in known_classes(value, source)):
        return Tools.FIT
    if named.startswith("openai.") and named.endswith(".NOT_GIVEN"):
        return Tools.NONE
    if isinstance(value, ast.List) and not value.elts:
        return Tools.NONE
    if is_none(value):
        raise Unclear(f"its tools in line {value.lineno} are None, which LLMContext refuses")
    if _is_openai_list(value, source):
        return Tools.LISTED
    if isinstance(value, (ast.List, ast.Tuple, ast.Dict)):
        raise Unclear(f"its tools in line {value.lineno} are in a service's own format; LLMContext takes a ToolsSchema")
    raise Unclear(f"its tools in line {value.lineno} are not seen to be a ToolsSchema, which LLMContext wants")


def _is_openai_list(value: ast.expr, source: Source) -> bool:
    """Tell whether a value is a list of tools in OpenAI's format, written out here or where its name is bound."""
    if isinstance(value, ast.Name):
        written = _written(value, source)
        return written is not None and _is_openai_list(written, source)
    return isinstance(value, ast.List) and bool(value.elts) and all(_is_openai_tool(one, source) for one in value.elts)


def _is_openai_tool(value: ast.expr, source: Source) -> bool:
    if isinstance(value, ast.Name):
        written = _written(value, source)
        return written is not None and _is_openai_tool(written, source)
    if isinstance(value, ast.Call):
        return (source.names.resolve(value.func) or "").endswith(".ChatCompletionToolParam")
    return isinstance(value, ast.Dict) and {"type", "function"} == dict(_items(value)).keys()


def _written(name: ast.Name, source: Source) -> ast.expr | None:
    """Return what a name is given, where that happens once."""
    bound = [binding.node for binding in source.names.bindings(name)]
    if len(bound) != 1:
        return None
    statement = bound[0] if isinstance(bound[0], ast.Assign) else source.parent(bound[0])
    value = statement.value if isinstance(statement, (ast.Assign, ast.AnnAssign)) else None
    return value if not isinstance(value, ast.Name) else None


def message_of_a_service(source: Source) -> ast.Dict | None:
    """Return a message written out in a file that only one service's context understands, if any."""
    return next((node for node in source.nodes(ast.Dict) if _is_of_a_service(node)), None)


def _is_of_a_service(node: ast.Dict) -> bool:
    items = dict(_items(node))
    if "role" not in items:
        return False
    content = items.get("content")
    parts = content.elts if isinstance(content, ast.List) else []
    return "parts" in items or any(isinstance(part, ast.Dict) and not _is_universal(part) for part in parts)


def _is_universal(part: ast.Dict) -> bool:
    if None in part.keys:
        return True  # as far as can be seen
    kind = dict(_items(part)).get("type")
    return kind is not None and (not isinstance(kind, ast.Constant) or kind.value in _CONTENT_TYPES)


def _items(node: ast.Dict) -> Iterator[tuple[str, ast.expr]]:
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield key.value, value
