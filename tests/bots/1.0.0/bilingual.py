"""English and Spanish side by side: languages, pronunciations, text aggregation and transforms."""

import os
import re

from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import AggregationType, LLMRunFrame, TTSUpdateSettingsFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.llm_context import LLMContext, LLMContextMessage
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.processors.aggregators.llm_text_processor import LLMTextProcessor
from pipecat.services.cartesia.stt import CartesiaLiveOptions, CartesiaSTTService
from pipecat.services.cartesia.tts import CartesiaTTSService
from pipecat.services.elevenlabs.tts import ElevenLabsTTSService
from pipecat.services.gladia.config import GladiaInputParams, LanguageConfig
from pipecat.services.gladia.stt import GladiaSTTService
from pipecat.services.google.llm import GoogleLLMService
from pipecat.services.groq.llm import GroqLLMService
from pipecat.services.llm_service import LLMService
from pipecat.services.speechmatics.stt import SpeechmaticsSTTService
from pipecat.services.stt_service import STTService
from pipecat.services.tts_service import TTSService
from pipecat.services.whisper.stt import Model, WhisperSTTService
from pipecat.transcriptions.language import Language
from pipecat.transports.daily.transport import DailyParams, DailyTransport
from pipecat.utils.text.markdown_text_filter import MarkdownTextFilter
from pipecat.utils.text.pattern_pair_aggregator import MatchAction, PatternMatch, PatternPairAggregator


def ears(which: str) -> STTService:
    if which == "gladia":
        return GladiaSTTService(
            api_key=os.environ["GLADIA_API_KEY"],
            model="solaria-1",
            params=GladiaInputParams(
                language_config=LanguageConfig(languages=["en", "es"], code_switching=True)
            ),
        )
    elif which == "cartesia":
        return CartesiaSTTService(
            api_key=os.environ["CARTESIA_API_KEY"],
            live_options=CartesiaLiveOptions(model="ink-whisper", language=Language.ES),
        )
    elif which == "speechmatics":
        return SpeechmaticsSTTService(
            api_key=os.environ["SPEECHMATICS_API_KEY"],
            params=SpeechmaticsSTTService.InputParams(language=Language.ES, enable_diarization=True),
        )
    return WhisperSTTService(model=Model.DISTIL_MEDIUM_EN, device="cuda", no_speech_prob=0.3, language=Language.EN)


def brain(which: str) -> LLMService:
    if which == "groq":
        return GroqLLMService(api_key=os.environ["GROQ_API_KEY"], model="openai/gpt-oss-20b")
    return GoogleLLMService(
        api_key=os.environ["GOOGLE_API_KEY"],
        model="gemini-2.5-flash",
        params=GoogleLLMService.InputParams(temperature=0.1, max_tokens=256, top_p=0.9),
        tools=[{"google_search": {}}],
    )


async def spell(text: str, aggregation: str) -> str:
    return re.sub(r"\b(SQL)\b", "sequel", text)


def mouth(which: str) -> TTSService:
    if which == "elevenlabs":
        return ElevenLabsTTSService(
            api_key=os.environ["ELEVENLABS_API_KEY"],
            voice_id="es",
            model="eleven_turbo_v2_5",
            params=ElevenLabsTTSService.InputParams(language=Language.ES, stability=0.7, use_speaker_boost=True),
            text_filters=[MarkdownTextFilter(params=MarkdownTextFilter.InputParams(filter_tables=True))],
            aggregate_sentences=True,
        )
    return CartesiaTTSService(
        api_key=os.environ["CARTESIA_API_KEY"],
        voice_id="en",
        model="sonic-3",
        params=CartesiaTTSService.InputParams(language=Language.EN),
        text_transforms=[("*", spell)],
        skip_aggregator_types=[AggregationType.WORD],
    )


async def run(url: str, token: str, stt: str, llm: str, tts: str):
    transport = DailyTransport(
        url,
        token,
        "Bilingual",
        params=DailyParams(
            audio_in_enabled=True,
            audio_out_enabled=True,
            video_out_enabled=True,
            video_out_width=512,
            video_out_height=512,
            camera_out_enabled=True,
        ),
    )
    speech = mouth(tts)
    messages: list[LLMContextMessage] = [{"role": "system", "content": "Answer <es>en español</es> if asked."}]
    context = LLMContext(messages)
    pair = LLMContextAggregatorPair(
        context, user_params=LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer())
    )
    patterns = PatternPairAggregator()
    patterns.add_pattern("es", "<es>", "</es>", action=MatchAction.AGGREGATE)

    async def on_es(match: PatternMatch):
        await task.queue_frame(TTSUpdateSettingsFrame(settings={"language": Language.ES, "voice": "es"}))
        print(match.text, match.type)

    patterns.on_pattern_match("es", on_es)
    task = PipelineTask(
        Pipeline(
            [
                transport.input(),
                ears(stt),
                pair.user(),
                brain(llm),
                LLMTextProcessor(text_aggregator=patterns),
                speech,
                transport.output(),
                pair.assistant(),
            ]
        ),
        params=PipelineParams(enable_metrics=True),
    )

    @transport.event_handler("on_dialin_ready")
    async def dialin(transport, sip):
        await transport.sip_refer({"toEndPoint": sip})

    @transport.event_handler("on_app_message")
    async def message(transport, message, sender):
        context.add_message({"role": "user", "content": message["text"]})
        await speech.set_voice(message.get("voice", "en"))
        await task.queue_frames([LLMRunFrame()])

    await PipelineRunner().run(task)
