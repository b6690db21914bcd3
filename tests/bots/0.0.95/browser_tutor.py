"""A language tutor in the browser: SmallWebRTC, RTVI, Gemini, and a nudge when the pupil is quiet."""

import os

from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import LLMMessagesAppendFrame, TTSSpeakFrame, EndFrame
from pipecat.observers.base_observer import BaseObserver, FramePushed
from pipecat.observers.loggers.llm_log_observer import LLMLogObserver
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.frames.frames import BotStoppedSpeakingFrame
from pipecat.processors.frameworks.rtvi import RTVIConfig, RTVIObserver, RTVIProcessor
from pipecat.processors.user_idle_processor import UserIdleProcessor
from pipecat.runner.types import RunnerArguments, SmallWebRTCRunnerArguments
from pipecat.services.google.llm import GoogleLLMService
from pipecat.services.google.llm_openai import OpenAILLMContext
from pipecat.services.google.stt import GoogleSTTService
from pipecat.services.google.tts import GoogleTTSService
from pipecat.transcriptions.language import Language
from pipecat.transports.base_transport import TransportParams
from pipecat.transports.network.small_webrtc import SmallWebRTCTransport


class TurnCounter(BaseObserver):
    def __init__(self):
        super().__init__()
        self.turns = 0

    async def on_push_frame(self, data: FramePushed):
        if isinstance(data.frame, BotStoppedSpeakingFrame):
            self.turns += 1


async def nudge(processor: UserIdleProcessor, retry_count: int) -> bool:
    if retry_count == 1:
        message = {"role": "system", "content": "The pupil is quiet. Ask kindly whether they are still there."}
        await processor.push_frame(LLMMessagesAppendFrame([message], run_llm=True))
        return True
    await processor.push_frame(TTSSpeakFrame("See you next time!"))
    await processor.push_frame(EndFrame())
    return False


async def run_bot(args: SmallWebRTCRunnerArguments):
    transport = SmallWebRTCTransport(
        webrtc_connection=args.webrtc_connection,
        params=TransportParams(
            audio_in_enabled=True,
            audio_out_enabled=True,
            audio_out_10ms_chunks=2,
            vad_analyzer=SileroVADAnalyzer(),
        ),
    )
    stt = GoogleSTTService(
        credentials_path=os.getenv("GOOGLE_CREDENTIALS"),
        params=GoogleSTTService.InputParams(languages=[Language.FR, Language.EN], model="chirp_2"),
        location="us-central1",
    )
    llm = GoogleLLMService(
        api_key=os.getenv("GOOGLE_API_KEY", ""),
        model="gemini-2.0-flash",
        system_instruction="You teach French to beginners.",
        params=GoogleLLMService.InputParams(temperature=0.7, max_tokens=200),
    )
    tts = GoogleTTSService(
        voice_id="fr-FR-Chirp3-HD-Aoede",
        params=GoogleTTSService.InputParams(language=Language.FR, speaking_rate=0.9),
        credentials_path=os.getenv("GOOGLE_CREDENTIALS"),
    )
    context = OpenAILLMContext([{"role": "user", "content": "Start with a greeting."}])
    aggregators = llm.create_context_aggregator(context)
    rtvi = RTVIProcessor(config=RTVIConfig(config=[]))
    idle = UserIdleProcessor(callback=nudge, timeout=15.0)
    observer = TurnCounter()

    task = PipelineTask(
        Pipeline(
            [
                transport.input(),
                rtvi,
                stt,
                idle,
                aggregators.user(),
                llm,
                tts,
                transport.output(),
                aggregators.assistant(),
            ]
        ),
        params=PipelineParams(enable_metrics=True, enable_usage_metrics=True),
        observers=[RTVIObserver(rtvi), LLMLogObserver(), observer],
    )

    @rtvi.event_handler("on_client_ready")
    async def ready(rtvi):
        await rtvi.set_bot_ready()
        await task.queue_frames([aggregators.user().get_context_frame()])

    @transport.event_handler("on_client_disconnected")
    async def gone(transport, client):
        await task.cancel()

    runner = PipelineRunner(handle_sigint=args.handle_sigint)
    await runner.run(task)


async def bot(runner_args: RunnerArguments):
    if isinstance(runner_args, SmallWebRTCRunnerArguments):
        await run_bot(runner_args)


if __name__ == "__main__":
    from pipecat.runner.run import main

    main()
