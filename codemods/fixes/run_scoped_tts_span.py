"""Hands a span over to a tracer that ends it with its synthesis, not with the call."""

from __future__ import annotations

import ast
from importlib.resources import files

from checks.pipecat.openings import TTFB, Opening
from checks.pipecat.span_decorators import Form
from checks.rules.run_scoped_tts_span import Facts, Replaced, TakenOver
from checks.source import Span
from codemods.edit import Draft

_OPENING = "Open a span with what holds for the whole synthesis."
_DESCRIBING = "Tell a span what is said in all, again with each further text."
_WANTED = "Tell whether spans are wanted from a service at this moment."
_APART = "\n\n\n"


def fix(facts: Facts, draft: Draft) -> None:
    """Write the tracer, what opens and describes its spans, and put it in the place of what traced before."""
    for module, name in facts.imports:
        draft.import_as_it_is(module, name)
    if facts.tracer is not None:
        draft.insert_before(facts.tracer, _block(_tracer(facts), draft, facts.tracer), detached=True)
    own = _functions(facts.key, facts.opening)
    match facts.change:
        case Replaced() as change:
            draft.insert_before(change.definition, _block(own, draft, change.definition))
            lines = (draft.stepped(line, change.definition) for line in _indented(_returns(change, facts)).split("\n"))
            draft.replace(change.body, "\n".join(lines))
        case TakenOver() as change:
            own.append(_decorator(change, facts))
            draft.insert_before(change.definition, _block(own, draft, change.definition), detached=True)
            draft.insert_before(change.decorated, f"@{change.name}")
            draft.relay(change.lines)


def _block(definitions: list[str], draft: Draft, near: Span) -> str:
    """Return definitions with what parts them, indented as the file is there."""
    lines = _APART.join(definitions).split("\n")
    return "\n".join(draft.stepped(line, near) for line in lines) + "\n\n"


def _indented(lines: list[str]) -> str:
    return "".join(f"\n    {line}".rstrip(" ") for line in lines)


def _tracer(facts: Facts) -> list[str]:
    """Return the definitions the tracer consists of, in terms of the module."""
    parts = _template()
    wanted = facts.opening.wanted or "True"
    asked = f'def _is_tracing(service: Any) -> bool:\n    """{_WANTED}"""\n    return {wanted}'
    spans = parts["_SynthesisSpans"].replace(TTFB, facts.opening.ttfb)
    texts = [asked, parts["_TracedSynthesis"], parts["_OpenSpan"], spans]
    return [text.replace("logging.warning(", f"{facts.logger}.warning(") for text in texts]


def _template() -> dict[str, str]:
    """Return the source text of each definition of the template, by name."""
    text = files("codemods.templates").joinpath("traced_tts.py").read_text("utf-8")
    tree = ast.parse(text)
    definitions = (node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef)))
    return {node.name: ast.get_source_segment(text, node) or "" for node in definitions}


def _functions(key: str, opening: Opening) -> list[str]:
    options = "".join(f", {name}: Any" for name in opening.options)
    head = f'def _open_{key}_span(service: Any{options}) -> Any:\n    """{_OPENING}"""'
    texts = [head + _indented([*opening.opened])]
    if opening.described:
        head = f"def _describe_{key}_span(span: Any, service: Any, text: str, characters: int):"
        texts.append(f'{head}\n    """{_DESCRIBING}"""' + _indented([*opening.described]))
    return texts


def _returns(change: Replaced, facts: Facts) -> list[str]:
    """Return the statements that end a decorator."""
    lines: list[str] = []
    if change.form is Form.OPTIONAL:
        # Called with its options only, it waits for the method.
        again = f"functools.partial({change.name}{_handed(facts)})" if facts.opening.options else change.name
        lines = [f"if {change.function} is None:", f"    return {again}"]
    opened = f"_open_{facts.key}_span"
    if facts.opening.options:
        lines.append(f"open_span = functools.partial({opened}{_handed(facts)})")
        opened = "open_span"
    arguments = f"{opened}, {_describing(facts)}" if facts.opening.described else opened
    # Callers see what they saw: a method like the one that is decorated.
    local = next(name for name in ("traced", "with_spans") if name not in (change.name, change.function))
    if change.form is not Form.FACTORY:
        return [*lines, f"{local}: Any = _TracedSynthesis({change.function}, {arguments})", f"return {local}"]
    made = [f"def {local}(function: Any) -> Any:", f"    return _TracedSynthesis(function, {arguments})", ""]
    return [*lines, "", *made, f"return {local}"] if lines else [*made, f"return {local}"]


def _handed(facts: Facts) -> str:
    return "".join(f", {name}={name}" for name in facts.opening.options)


def _describing(facts: Facts) -> str:
    return f"_describe_{facts.key}_span"


def _decorator(change: TakenOver, facts: Facts) -> str:
    arguments = f"_open_{facts.key}_span" + (f", {_describing(facts)}" if facts.opening.described else "")
    doc = "Trace a ``run_tts``: one span for each synthesis."
    return (
        f'def {change.name}(function: Callable[..., Any]) -> Any:\n    """{doc}"""\n'
        f"    return _TracedSynthesis(function, {arguments})"
    )
