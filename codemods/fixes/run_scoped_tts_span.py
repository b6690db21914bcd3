"""Writes the decorator that ends a span with its synthesis in the place of one that ends it with the call."""

from __future__ import annotations

import ast
from importlib.resources import files

from checks.rules.run_scoped_tts_span import Facts
from codemods.edit import Draft

_OPENING = "Open a span with what holds for the whole synthesis."


def fix(facts: Facts, draft: Draft) -> None:
    """Put the template's code in the function's place, under its old head and with its old way to open a span."""
    for module, name in facts.imports:
        draft.import_name(module, name)
    parts = _template()
    body = parts["traced_tts"].partition('"""')
    lines = "\n".join(f"    {line}" for line in facts.opening.lines)
    opened = f'def _open_tts_span(service, name):\n    """{_OPENING}"""\n{lines}'
    order = ("_is_tracing", "", "traced_tts", "_untraced", "_TracedSynthesis", "_OpenSpan", "_SynthesisSpans")
    texts = {**parts, "": opened, "traced_tts": f'{facts.head}\n    """{body[2]}'}
    draft.replace(facts.function, "\n\n\n".join(texts[name] for name in order))


def _template() -> dict[str, str]:
    """Return the source text of each definition of the template, by name."""
    text = files("codemods.templates").joinpath("traced_tts.py").read_text("utf-8")
    tree = ast.parse(text)
    definitions = (node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef)))
    return {node.name: ast.get_source_segment(text, node) or "" for node in definitions}
