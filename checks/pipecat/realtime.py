"""Pipecat's realtime LLM services: which classes they are, and what each can do with tools.

Facts from the wheels: tools registered with ``cancel_on_interruption=False`` report through messages of type
``async_tool`` in the context from 1.0.0 on; ``pipecat.processors.aggregators.async_tool_messages`` reads them from
1.2.0 on; from 1.13.0 the services send results from their own ``push_frame`` as these are produced.
"""

from __future__ import annotations

import ast

from checks.guards import is_none
from checks.pipecat.hierarchy import Lineage, lineage
from checks.pipecat.releases import Release
from checks.pipecat.timeline import ancestors
from checks.receivers import Receiver, assigned, is_self_attribute
from checks.source import Source

LLM_SERVICE = "pipecat.services.llm_service.LLMService"
OPENAI_REALTIME = "pipecat.services.openai.realtime.llm.OpenAIRealtimeLLMService"
INWORLD_REALTIME = "pipecat.services.inworld.realtime.llm.InworldRealtimeLLMService"
REALTIME = frozenset(
    {
        OPENAI_REALTIME,
        INWORLD_REALTIME,
        "pipecat.services.aws.nova_sonic.llm.AWSNovaSonicLLMService",
        "pipecat.services.azure.voice_live.llm.AzureVoiceLiveLLMService",
        "pipecat.services.gemini_multimodal_live.gemini.GeminiMultimodalLiveLLMService",
        "pipecat.services.google.gemini_live.llm.GeminiLiveLLMService",
        "pipecat.services.openai.live.llm.OpenAILiveLLMService",
        "pipecat.services.openai_realtime.openai.OpenAIRealtimeLLMService",
        "pipecat.services.openai_realtime_beta.openai.OpenAIRealtimeBetaLLMService",
        "pipecat.services.ultravox.llm.UltravoxRealtimeLLMService",
        "pipecat.services.xai.realtime.llm.GrokRealtimeLLMService",
    }
)
ASYNC_TOOL_MESSAGES = "pipecat.processors.aggregators.async_tool_messages"
ROUTED_SINCE = Release(1, 2, 0)
PUSHED_SINCE = Release(1, 13, 0)


def llm_lineage(node: ast.ClassDef, source: Source) -> Lineage | None:
    """Return a class's ancestors if it is an LLM service, through the project's classes and the target release's."""
    found = lineage(node, source)
    return found if LLM_SERVICE in found.names else None


def services_of(node: ast.expr, source: Source) -> frozenset[str]:
    """Return the dotted names of the classes, ancestors included, of the object an expression stands for.

    Known are objects built on the spot or kept in a variable that is given nothing else, parameters by their
    annotation, and ``self``. Empty where it cannot be told.
    """
    if isinstance(node, ast.Call):
        return _classes(node.func, source)
    if isinstance(node, ast.Attribute):
        owner = source.names.enclosing_class(node) if is_self_attribute(node, source) else None
        return _kept_in(Receiver(node, owner), source) if owner is not None else frozenset()
    bindings = source.names.bindings(node) if isinstance(node, ast.Name) else []
    if len(bindings) != 1 or not isinstance(node, ast.Name):
        return frozenset()
    bound = bindings[0].node
    if isinstance(bound, ast.arg):
        owner = source.names.enclosing_class(node)
        if bound.arg == "self" and bound.annotation is None and owner is not None:
            return lineage(owner, source).names
        return _annotated(bound.annotation, source)
    value = bound.value if isinstance(bound, ast.Assign) else None
    return _classes(value.func, source) if isinstance(value, ast.Call) else frozenset()


def _kept_in(receiver: Receiver, source: Source) -> frozenset[str]:
    values = [value for value in assigned(receiver, source) if not is_none(value)]
    if len(values) != 1 or not isinstance(values[0], ast.Call):
        return frozenset()
    return _classes(values[0].func, source)


def _annotated(annotation: ast.expr | None, source: Source) -> frozenset[str]:
    """Return the classes of an annotation, ``None`` beside them left out."""
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        sides = [side for side in (annotation.left, annotation.right) if not is_none(side)]
        return _annotated(sides[0], source) if len(sides) == 1 else frozenset()
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value).endswith("Optional"):
        return _annotated(annotation.slice, source)
    return _classes(annotation, source) if annotation is not None else frozenset()


def _classes(node: ast.expr, source: Source) -> frozenset[str]:
    found = source.project.resolve(node, source)
    if isinstance(found, str):
        return frozenset(ancestors(found, source.project.target))
    if found is None or not isinstance(found[1], ast.ClassDef):
        return frozenset()
    return lineage(found[1], found[0]).names
