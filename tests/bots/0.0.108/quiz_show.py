"""A quiz: idle contestants, muting while the host talks, and a running transcript."""

import asyncio
import os
from typing import Optional

from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    Frame,
    FunctionCallResultProperties,
    InterruptionFrame,
    LLMMessagesAppendFrame,
    LLMRunFrame,
    TranscriptionFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    AssistantTurnStoppedMessage,
    LLMAssistantAggregatorParams,
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
    UserTurnStoppedMessage,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.google.llm import GoogleLLMService
from pipecat.services.google.tts import GeminiTTSService
from pipecat.services.llm_service import FunctionCallParams, LLMService
from pipecat.services.soniox.stt import SonioxInputParams, SonioxSTTService
from pipecat.transcriptions.language import Language
from pipecat.transports.daily.transport import DailyParams, DailyTransport
from pipecat.turns.user_mute import FunctionCallUserMuteStrategy, MuteUntilFirstBotCompleteUserMuteStrategy
from pipecat.turns.user_start import MinWordsUserTurnStartStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.utils.context.llm_context_summarization import (
    LLMAutoContextSummarizationConfig,
    LLMContextSummaryConfig,
)


class Scoreboard(FrameProcessor):
    """Gives a point for each answer with the magic word."""

    def __init__(self, word: str, name: Optional[str] = None):
        super().__init__(name=name)
        self._word = word
        self.points = 0

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        await super().process_frame(frame, direction)
        match frame:
            case TranscriptionFrame(text=text) if self._word in text:
                self.points += 1
            case InterruptionFrame() | BotStartedSpeakingFrame():
                pass
        await self.push_frame(frame, direction)


class Quiz:
    def __init__(self, room: str):
        self.transport = DailyTransport(
            room, None, "Quiz", DailyParams(audio_in_enabled=True, audio_out_enabled=True)
        )
        self.stt = SonioxSTTService(
            api_key=os.environ["SONIOX_API_KEY"],
            params=SonioxInputParams(
                model="stt-rt-v4", language_hints=[Language.EN, Language.NL], enable_speaker_diarization=True
            ),
        )
        self.llm = GoogleLLMService(
            api_key=os.environ["GOOGLE_API_KEY"],
            model="gemini-2.5-flash",
            system_instruction="You host a quiz.",
            params=GoogleLLMService.InputParams(
                temperature=0.9, thinking=GoogleLLMService.ThinkingConfig(thinking_budget=0)
            ),
        )
        self.tts = GeminiTTSService(
            credentials_path="google.json",
            model="gemini-2.5-flash-tts",
            voice_id="Kore",
            params=GeminiTTSService.InputParams(language=Language.EN_US, prompt="Excited"),
        )
        self.context = LLMContext([{"role": "user", "content": "Begin."}])
        self.pair = LLMContextAggregatorPair(
            self.context,
            user_params=LLMUserAggregatorParams(
                vad_analyzer=SileroVADAnalyzer(),
                user_idle_timeout=8.0,
                user_turn_strategies=UserTurnStrategies(start=[MinWordsUserTurnStartStrategy(min_words=2)]),
                user_mute_strategies=[
                    MuteUntilFirstBotCompleteUserMuteStrategy(),
                    FunctionCallUserMuteStrategy(),
                ],
            ),
            assistant_params=LLMAssistantAggregatorParams(
                enable_auto_context_summarization=True,
                auto_context_summarization_config=LLMAutoContextSummarizationConfig(
                    max_unsummarized_messages=30,
                    summary_config=LLMContextSummaryConfig(target_context_tokens=2000),
                ),
            ),
        )
        self.board = Scoreboard("answer", name="board")
        self.llm.register_function(None, self.answer)
        self.task: Optional[PipelineTask] = None

    async def answer(self, params: FunctionCallParams):
        async def later():
            print("result is in the context")

        await params.result_callback(
            {"points": self.board.points}, properties=FunctionCallResultProperties(on_context_updated=later)
        )

    async def run(self):
        user, assistant = self.pair.user(), self.pair.assistant()
        self.task = task = PipelineTask(
            Pipeline(
                [
                    self.transport.input(),
                    self.stt,
                    self.board,
                    user,
                    self.llm,
                    self.tts,
                    self.transport.output(),
                    assistant,
                ]
            ),
            params=PipelineParams(enable_metrics=True),
        )

        @user.event_handler("on_user_turn_idle")
        async def idle(aggregator):
            message = {"role": "user", "content": "The contestant thinks. Give a hint."}
            await aggregator.push_frame(LLMMessagesAppendFrame([message], run_llm=True))

        @user.event_handler("on_user_turn_stopped")
        async def stopped(aggregator, strategy, message: UserTurnStoppedMessage):
            print(message.timestamp, message.content)

        @assistant.event_handler("on_assistant_turn_stopped")
        async def said(aggregator, message: AssistantTurnStoppedMessage):
            print(message.timestamp, message.content)

        @self.transport.event_handler("on_first_participant_joined")
        async def joined(transport, participant):
            await task.queue_frames([LLMRunFrame()])

        await PipelineRunner().run(task)


def quiet(llm: LLMService) -> bool:
    return not llm.has_function("answer")


if __name__ == "__main__":
    asyncio.run(Quiz(os.environ["DAILY_ROOM"]).run())
