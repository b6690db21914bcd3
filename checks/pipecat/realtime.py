"""Pipecat's realtime LLM services: which classes they are, and what each can do with tools.

Facts from the wheels: tools registered with ``cancel_on_interruption=False`` report through messages of type
``async_tool`` in the context from 1.0.0 on; ``pipecat.processors.aggregators.async_tool_messages`` reads them from
1.2.0 on; from 1.13.0 the services send results from their own ``push_frame`` as these are produced.
"""

from __future__ import annotations

import ast

from checks.pipecat import timeline
from checks.pipecat.hierarchy import Lineage, lineage
from checks.pipecat.keywords import called_name
from checks.pipecat.releases import Release
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


def makes_one(source: Source) -> bool:
    """Tell whether a file makes a realtime service."""
    names = {called_name(call, source) for call in source.nodes(ast.Call)}
    target = source.project.target
    return any(not REALTIME.isdisjoint(timeline.lineage(name, target)) for name in names if name is not None)


def llm_lineage(node: ast.ClassDef, source: Source) -> Lineage | None:
    """Return a class's ancestors if it is an LLM service, through the project's classes and the target release's."""
    found = lineage(node, source)
    return found if LLM_SERVICE in found.names else None
