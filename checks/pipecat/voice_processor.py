"""A pipeline without aggregators, in which a ``VADProcessor`` tells of the voice as the transport did.

Facts from the wheels: ``VADProcessor`` is there since 0.0.101, and tells by the frames by which the transport told
until 0.0.108. That a turn begins, and interrupts, aggregators alone tell since.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from checks.arguments import Argument, Change, elements_of
from checks.pipecat import timeline
from checks.pipecat.aggregators import PIPELINE, check_exist
from checks.pipecat.keywords import called_name
from checks.source import Source
from checks.unclear import Unclear

PROCESSOR = "pipecat.processors.audio.vad_processor.VADProcessor"
_TASKS = ("pipecat.pipeline.task.PipelineTask", "pipecat.pipeline.worker.PipelineWorker")
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


def own_pipelines(source: Source) -> Iterator[tuple[ast.List, ast.Name]]:
    """Yield the elements of pipelines that hold no aggregator, whatever else the file makes, and whose input is first.

    Beside it, there are only outputs and objects of Pipecat's own, made in this file, of which none tells of the voice;
    and a task runs just this pipeline, which is no part of another.
    """
    for call in source.nodes(ast.Call):
        elements = call.args[0] if len(call.args) == 1 and _is_pipeline(call, source) else None
        if isinstance(elements, ast.List) and elements.elts and _is_run(call, source):
            asked = [_input_of(one) for one in elements.elts]
            others = [one for one, found in zip(elements.elts, asked, strict=True) if found is None]
            if asked[0] is not None and all(_is_end(one) or _is_of_pipecat(one, source) for one in others):
                yield elements, asked[0]


def _is_run(pipeline: ast.Call, source: Source) -> bool:
    """Tell whether a task is all that a pipeline is given to, by itself or by its name."""
    above = source.parent(pipeline)
    if isinstance(above, ast.Assign) and len(above.targets) == 1 and isinstance(above.targets[0], ast.Name):
        bound = source.names.bindings(above.targets[0])
        named = source.named(ast.Name, (above.targets[0].id,))
        reads = [one for one in named if isinstance(one.ctx, ast.Load) and source.names.bindings(one) == bound]
        return bool(reads) and len(bound) == 1 and all(_is_tasks(one, source) for one in reads)
    return _is_tasks(pipeline, source)


def _is_tasks(node: ast.expr, source: Source) -> bool:
    call = source.parent(node)
    call = source.parent(call) if isinstance(call, ast.keyword) else call
    return isinstance(call, ast.Call) and called_name(call, source) in _TASKS


def _input_of(node: ast.expr) -> ast.Name | None:
    """Return the name of the transport whose input an element is."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name() as name, attr="input"), args=[], keywords=[]):
            return name
        case _:
            return None


def _is_of_pipecat(node: ast.expr, source: Source) -> bool:
    """Tell whether an element is an object of a class of Pipecat's that holds no other elements."""
    if isinstance(node, ast.Name):
        bound = [binding.node for binding in source.names.bindings(node)]
        value = bound[0].value if len(bound) == 1 and isinstance(bound[0], ast.Assign) else None
        return isinstance(value, ast.Call) and _is_of_pipecat(value, source)
    name = called_name(node, source) if isinstance(node, ast.Call) else None
    leaf = (name or "").rpartition(".")[2]
    holds = any(isinstance(one, (ast.List, ast.Tuple)) for one in ast.walk(node))
    return leaf[:1].isupper() and "Aggregator" not in leaf and name != PROCESSOR and not holds


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
