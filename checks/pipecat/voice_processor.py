"""A pipeline without aggregators, in which a ``VADProcessor`` tells of the voice as the transport did.

Facts from the wheels: ``VADProcessor`` is there since 0.0.101, and tells by the frames by which the transport told
until 0.0.108. That a turn begins, and interrupts, aggregators alone tell since.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from checks.arguments import Argument, Change, elements_of
from checks.pipecat import timeline
from checks.pipecat.aggregators import PIPELINE, check_exist
from checks.pipecat.keywords import called_name
from checks.source import Source
from checks.unclear import Unclear

PROCESSOR = "pipecat.processors.audio.vad_processor.VADProcessor"
DIFFERENCE = "a VADProcessor tells of the voice, but of turns, and by them of interruptions, aggregators alone do"


def pipeline_of(source: Source) -> ast.List:
    """Return the elements of a file's one pipeline, of which none may be an aggregator.

    Raises:
        Unclear: there are several pipelines, or what one of the elements is is not seen.
    """
    found = [call for call in source.nodes(ast.Call) if _is_pipeline(call, source)]
    elements = found[0].args[0] if len(found) == 1 and len(found[0].args) == 1 else None
    if not isinstance(elements, ast.List):
        raise Unclear("no one pipeline is written out in this file")
    strange = next((one for one in elements.elts if not _is_end(one) and not _is_made_here(one, source)), None)
    if strange is not None:
        raise Unclear(f"what {source.segment(strange)} of the pipeline is, is not seen")
    return elements


def told_of(value: Argument, elements: ast.List, source: Source) -> Change:
    """Return the change that puts a processor with an analyzer behind the one input of a pipeline."""
    check_exist([PROCESSOR], source)
    written = elements_of(elements, source)
    inputs = [item for item in written.items if _asked_for(item.node) == "input"]
    if len(inputs) != 1:
        raise Unclear("the pipeline does not have one input")
    if (value.above or value.behind) and not written.by_line:
        raise Unclear("the comments on it have no place in the pipeline")
    at = written.items.index(inputs[0]) + 1
    new = Argument(f"VADProcessor({value.text})", value.above, value.behind)
    items: Sequence[Argument] = [*written.items[:at], new, *written.items[at:]]
    return written.changed(items, source)


def _is_pipeline(call: ast.Call, source: Source) -> bool:
    name = called_name(call, source)
    return name is not None and timeline.canonical(name, source.project.target) == PIPELINE


def _asked_for(node: ast.AST | None) -> str:
    """Return the method that an element of a pipeline is the result of, if it is of one without arguments."""
    match node:
        case ast.Call(func=ast.Attribute(attr=name), args=[], keywords=[]):
            return name
        case _:
            return ""


def _is_end(node: ast.expr) -> bool:
    return _asked_for(node) in ("input", "output")


def _is_made_here(node: ast.expr, source: Source) -> bool:
    """Tell whether an element is an object that is made in this file, as far as its name tells, and no aggregator."""
    if isinstance(node, ast.Name):
        bound = [binding.node for binding in source.names.bindings(node)]
        values = [one.value for one in bound if isinstance(one, ast.Assign)]
        return bool(values) and len(values) == len(bound) and all(_is_made(value, source) for value in values)
    return _is_made(node, source)


def _is_made(node: ast.expr, source: Source) -> bool:
    if not isinstance(node, ast.Call):
        return False
    name = source.segment(node.func).rpartition(".")[2]
    return name[:1].isupper() and "Aggregator" not in name
