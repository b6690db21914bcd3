"""Switches between vendors at run time, in a parallel pipeline and by a switcher."""

import asyncio
import os

import aiohttp

from pipecat.audio.filters.rnnoise_filter import RNNoiseFilter
from pipecat.audio.mixers.soundfile_mixer import SoundfileMixer
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import (
    Frame,
    LLMUpdateSettingsFrame,
    ManuallySwitchServiceFrame,
    MixerEnableFrame,
    TTSSpeakFrame,
    TTSUpdateSettingsFrame,
)
from pipecat.pipeline.llm_switcher import LLMSwitcher
from pipecat.pipeline.parallel_pipeline import ParallelPipeline
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.service_switcher import ServiceSwitcher, ServiceSwitcherStrategyManual
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.processors.audio.audio_buffer_processor import AudioBufferProcessor
from pipecat.processors.filters.function_filter import FunctionFilter
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.anthropic.llm import AnthropicLLMService
from pipecat.services.assemblyai.models import AssemblyAIConnectionParams
from pipecat.services.assemblyai.stt import AssemblyAISTTService
from pipecat.services.elevenlabs.stt import ElevenLabsRealtimeSTTService
from pipecat.services.elevenlabs.tts import ElevenLabsHttpTTSService, ElevenLabsTTSService
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.services.rime.tts import RimeHttpTTSService
from pipecat.transports.livekit.transport import LiveKitParams, LiveKitTransport

english = True


async def is_english(frame: Frame) -> bool:
    return english


async def is_dutch(frame: Frame) -> bool:
    return not english


async def main():
    transport = LiveKitTransport(
        os.environ["LIVEKIT_URL"],
        os.environ["LIVEKIT_TOKEN"],
        "room",
        params=LiveKitParams(
            audio_in_enabled=True,
            audio_out_enabled=True,
            audio_in_filter=RNNoiseFilter(),
            audio_out_mixer=SoundfileMixer(sound_files={"office": "office.mp3"}, default_sound="office", volume=0.3),
            vad_analyzer=SileroVADAnalyzer(),
        ),
    )
    async with aiohttp.ClientSession() as session:
        assembly = AssemblyAISTTService(
            api_key=os.environ["ASSEMBLYAI_API_KEY"],
            connection_params=AssemblyAIConnectionParams(speech_model="u3-rt-pro"),
        )
        eleven = ElevenLabsRealtimeSTTService(api_key=os.environ["ELEVENLABS_API_KEY"], model="scribe_v2_realtime")
        stt = ServiceSwitcher([assembly, eleven], strategy_type=ServiceSwitcherStrategyManual)
        gpt = OpenAILLMService(api_key=os.environ["OPENAI_API_KEY"], model="gpt-4.1")
        claude = AnthropicLLMService(
            api_key=os.environ["ANTHROPIC_API_KEY"],
            model="claude-sonnet-4-5",
            params=AnthropicLLMService.InputParams(
                enable_prompt_caching=True,
                thinking=AnthropicLLMService.ThinkingConfig(type="enabled", budget_tokens=2048),
            ),
        )
        llm = LLMSwitcher(llms=[gpt, claude], strategy_type=ServiceSwitcherStrategyManual)
        first = ElevenLabsTTSService(
            api_key=os.environ["ELEVENLABS_API_KEY"],
            voice_id=os.environ["VOICE"],
            params=ElevenLabsTTSService.InputParams(speed=0.9, auto_mode=True),
        )
        second = RimeHttpTTSService(
            api_key=os.environ["RIME_API_KEY"], voice_id="nova", model="arcana", aiohttp_session=session
        )
        third = ElevenLabsHttpTTSService(
            api_key=os.environ["ELEVENLABS_API_KEY"], voice_id="x", aiohttp_session=session
        )
        context = LLMContext()
        pair = LLMContextAggregatorPair(context)
        recorder = AudioBufferProcessor(num_channels=2, enable_turn_audio=True)
        pipeline = Pipeline(
            [
                transport.input(),
                stt,
                pair.user(),
                llm,
                ParallelPipeline(
                    [FunctionFilter(is_english), first],
                    [FunctionFilter(is_dutch, direction=FrameDirection.DOWNSTREAM), second],
                ),
                transport.output(),
                recorder,
                pair.assistant(),
            ]
        )
        task = PipelineTask(pipeline, params=PipelineParams(allow_interruptions=True))

        @recorder.event_handler("on_audio_data")
        async def keep(buffer, audio, sample_rate, num_channels):
            print(len(audio), sample_rate, num_channels)

        @transport.event_handler("on_first_participant_joined")
        async def joined(transport, participant):
            await recorder.start_recording()
            await task.queue_frames(
                [
                    MixerEnableFrame(True),
                    ManuallySwitchServiceFrame(service=claude),
                    TTSUpdateSettingsFrame(settings={"voice": "luna"}),
                    LLMUpdateSettingsFrame(settings={"temperature": 0.2}),
                    TTSSpeakFrame("Hello there.", append_to_context=False),
                ]
            )

        print(third)
        await PipelineRunner().run(task)


if __name__ == "__main__":
    asyncio.run(main())
