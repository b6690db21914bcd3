"""Gemini Live on the phone by Telnyx, with Vertex as the other way in and events of the service."""

import os
from collections.abc import Sequence

from fastapi import WebSocket
from loguru import logger

from pipecat.adapters.schemas.function_schema import FunctionSchema
from pipecat.adapters.schemas.tools_schema import AdapterType, ToolsSchema
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import FunctionCallFromLLM, LLMRunFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.llm_context import LLMContext, LLMSpecificMessage
from pipecat.processors.aggregators.llm_response_universal import (
    LLMAssistantAggregatorParams,
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.serializers.telnyx import TelnyxFrameSerializer
from pipecat.services.google.gemini_live.llm import (
    ContextWindowCompressionParams,
    GeminiLiveLLMService,
    GeminiMediaResolution,
    GeminiVADParams,
    InputParams,
)
from pipecat.services.google.gemini_live.vertex.llm import GeminiLiveVertexLLMService
from pipecat.services.llm_service import FunctionCallParams, LLMService
from pipecat.transcriptions.language import Language
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport
from pipecat.utils.context.llm_context_summarization import LLMContextSummarizationConfig

SETTINGS = InputParams(
    language=Language.EN_US,
    media_resolution=GeminiMediaResolution.LOW,
    vad=GeminiVADParams(disabled=True),
    context_window_compression=ContextWindowCompressionParams(enabled=True, trigger_tokens=8000),
)


def live(vertex: bool) -> LLMService:
    if vertex:
        return GeminiLiveVertexLLMService(
            credentials_path="vertex.json",
            project_id="phone",
            location="us-east4",
            model="google/gemini-live-2.5-flash",
            voice_id="Charon",
            system_instruction="Be brief.",
            params=SETTINGS,
        )
    return GeminiLiveLLMService(
        api_key=os.environ["GOOGLE_API_KEY"],
        model="models/gemini-2.5-flash-native-audio-preview-12-2025",
        voice_id="Charon",
        system_instruction="Be brief.",
        params=SETTINGS,
        tools=ToolsSchema(standard_tools=[], custom_tools={AdapterType.GEMINI: [{"google_search": {}}]}),
    )


async def weather(params: FunctionCallParams):
    await params.result_callback({"weather": "rain"})


async def phone(websocket: WebSocket, call_data: dict, vertex: bool = False):
    serializer = TelnyxFrameSerializer(
        stream_id=call_data["stream_id"],
        outbound_encoding=call_data["outbound_encoding"],
        inbound_encoding="PCMU",
        call_control_id=call_data["call_control_id"],
        api_key=os.environ["TELNYX_API_KEY"],
    )
    transport = FastAPIWebsocketTransport(
        websocket=websocket,
        params=FastAPIWebsocketParams(audio_in_enabled=True, audio_out_enabled=True, serializer=serializer),
    )
    llm = live(vertex)
    llm.register_function("weather", weather)
    context = LLMContext(
        [{"role": "user", "content": "Hello!"}],
        ToolsSchema(standard_tools=[FunctionSchema("weather", "The weather", {}, [])]),
    )
    context.add_message(LLMSpecificMessage(llm="google", message={"role": "user", "parts": [{"text": "!"}]}))
    pair = LLMContextAggregatorPair(
        context,
        user_params=LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer()),
        assistant_params=LLMAssistantAggregatorParams(
            enable_context_summarization=True,
            context_summarization_config=LLMContextSummarizationConfig(max_context_tokens=4000),
        ),
    )
    task = PipelineTask(
        Pipeline([transport.input(), pair.user(), llm, transport.output(), pair.assistant()]),
        params=PipelineParams(audio_in_sample_rate=8000, audio_out_sample_rate=8000),
        enable_turn_tracking=True,
        additional_span_attributes={"line": "telnyx"},
    )

    @llm.event_handler("on_function_calls_started")
    async def calls(service, function_calls: Sequence[FunctionCallFromLLM]):
        for call in function_calls:
            logger.info(f"{call.function_name}({call.arguments})")

    @task.event_handler("on_pipeline_error")
    async def failed(task, frame):
        logger.error(frame.error)

    @transport.event_handler("on_client_connected")
    async def connected(transport, client):
        await task.queue_frames([LLMRunFrame()])

    if task.turn_tracking_observer:
        task.turn_tracking_observer.add_event_handler("on_turn_started", lambda *_: None)
    await PipelineRunner().run(task)
