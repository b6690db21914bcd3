"""Calls out for a survey by Plivo; its questions are a small machine of states."""

import os
from enum import Enum, auto

from fastapi import APIRouter, WebSocket

from pipecat.adapters.schemas.direct_function import DirectFunction
from pipecat.adapters.schemas.tools_schema import ToolsSchema
from pipecat.audio.turn.smart_turn.base_smart_turn import SmartTurnParams
from pipecat.audio.turn.smart_turn.local_smart_turn_v3 import LocalSmartTurnAnalyzerV3
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.audio.vad.vad_analyzer import VADParams
from pipecat.frames.frames import (
    EndFrame,
    LLMMessagesAppendFrame,
    LLMMessagesUpdateFrame,
    LLMSetToolsFrame,
    OutputDTMFUrgentFrame,
)
from pipecat.audio.dtmf.types import KeypadEntry
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.dtmf_aggregator import DTMFAggregator
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.runner.utils import parse_telephony_websocket
from pipecat.serializers.plivo import PlivoFrameSerializer
from pipecat.services.azure.llm import AzureLLMService
from pipecat.services.azure.stt import AzureSTTService
from pipecat.services.azure.tts import AzureTTSService
from pipecat.services.llm_service import FunctionCallParams
from pipecat.transcriptions.language import Language
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport
from pipecat.turns.user_mute import AlwaysUserMuteStrategy, FirstSpeechUserMuteStrategy
from pipecat.turns.user_start import TranscriptionUserTurnStartStrategy, VADUserTurnStartStrategy
from pipecat.turns.user_stop import TurnAnalyzerUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies

router = APIRouter()


class Step(Enum):
    AGE = auto()
    TOWN = auto()
    DONE = auto()


class Survey:
    """Which question is next, and what was answered."""

    def __init__(self, language: Language):
        self.language = language
        self.step = Step.AGE
        self.answers: dict[str, str] = {}
        self.task: PipelineTask | None = None

    def tools(self) -> ToolsSchema:
        functions: list[DirectFunction] = [self.age] if self.step is Step.AGE else [self.town]
        return ToolsSchema(standard_tools=list(functions))

    async def age(self, params: FunctionCallParams, **kwargs):
        """Note the age."""
        self.answers["age"] = str(kwargs)
        await self.next(params, Step.TOWN, "Ask for the town.")

    async def town(self, params: FunctionCallParams, **kwargs):
        """Note the town."""
        self.answers["town"] = str(kwargs)
        await self.next(params, Step.DONE, "Say thank you.")

    async def next(self, params: FunctionCallParams, step: Step, prompt: str):
        self.step = step
        assert self.task
        await params.result_callback({"ok": True})
        await self.task.queue_frames(
            [
                LLMMessagesAppendFrame(messages=[{"role": "developer", "content": prompt}], run_llm=True),
                LLMSetToolsFrame(tools=self.tools()),
            ]
        )
        if step is Step.DONE:
            await self.task.queue_frame(EndFrame())

    async def call(self, websocket: WebSocket, data: dict):
        key, region = os.environ["AZURE_KEY"], "northeurope"
        transport = FastAPIWebsocketTransport(
            websocket,
            FastAPIWebsocketParams(
                serializer=PlivoFrameSerializer(
                    stream_id=data["stream_id"],
                    call_id=data["call_id"],
                    auth_id=os.environ["PLIVO_ID"],
                    auth_token=os.environ["PLIVO_TOKEN"],
                ),
                audio_in_enabled=True,
                audio_out_enabled=True,
                audio_out_10ms_chunks=10,
            ),
        )
        stt = AzureSTTService(api_key=key, region=region, language=self.language)
        llm = AzureLLMService(
            api_key=key, endpoint="https://survey.openai.azure.com", model="gpt-4o-mini", api_version="2025-03-01-preview"
        )
        llm.register_direct_function(self.age)
        llm.register_direct_function(self.town, timeout_secs=5)
        tts = AzureTTSService(
            api_key=key,
            region=region,
            voice="en-IE-EmilyNeural",
            params=AzureTTSService.InputParams(rate="1.1", role="YoungAdultFemale", language=self.language),
        )
        context = LLMContext(tools=self.tools())
        user, assistant = LLMContextAggregatorPair(
            context,
            user_params=LLMUserAggregatorParams(
                vad_analyzer=SileroVADAnalyzer(params=VADParams(stop_secs=0.2)),
                user_turn_strategies=UserTurnStrategies(
                    start=[VADUserTurnStartStrategy(), TranscriptionUserTurnStartStrategy(use_interim=False)],
                    stop=[
                        TurnAnalyzerUserTurnStopStrategy(
                            turn_analyzer=LocalSmartTurnAnalyzerV3(params=SmartTurnParams(stop_secs=2))
                        )
                    ],
                ),
                user_mute_strategies=[AlwaysUserMuteStrategy(), FirstSpeechUserMuteStrategy()],
                user_turn_stop_timeout=3.0,
            ),
        )
        self.task = PipelineTask(
            Pipeline(
                [
                    transport.input(),
                    DTMFAggregator(timeout=1.5, prefix="Keys: "),
                    stt,
                    user,
                    llm,
                    tts,
                    transport.output(),
                    assistant,
                ]
            ),
            params=PipelineParams(audio_in_sample_rate=8000, audio_out_sample_rate=8000),
            idle_timeout_secs=60,
        )
        await self.task.queue_frames(
            [
                OutputDTMFUrgentFrame(KeypadEntry.ONE),
                LLMMessagesUpdateFrame(messages=[{"role": "system", "content": "Ask for the age."}], run_llm=True),
            ]
        )
        await PipelineRunner(handle_sigint=False).run(self.task)


@router.websocket("/survey")
async def survey(websocket: WebSocket):
    await websocket.accept()
    kind, data = await parse_telephony_websocket(websocket)
    if kind == "plivo":
        await Survey(Language.EN_IE).call(websocket, dict(data))
