"""Two workers that hand a caller to each other, and one that does jobs."""

import asyncio
import os

from pipecat.bus import BusBridgeProcessor, BusJobRequestMessage
from pipecat.frames.frames import EndTaskFrame, LLMMessagesAppendFrame, TTSSpeakFrame
from pipecat.pipeline.job_context import JobStatus
from pipecat.pipeline.job_decorator import job
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.registry.types import WorkerReadyData
from pipecat.services.cartesia.tts import CartesiaTTSService
from pipecat.services.deepgram.stt import DeepgramSTTService
from pipecat.services.llm_service import FunctionCallParams
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.transports.local.audio import LocalAudioTransport, LocalAudioTransportParams
from pipecat.workers.base_worker import BaseWorker
from pipecat.workers.llm import LLMContextWorker, LLMWorker, LLMWorkerActivationArgs, tool
from pipecat.workers.runner import WorkerRunner


def gpt(instruction: str) -> OpenAILLMService:
    return OpenAILLMService(
        api_key=os.environ["OPENAI_API_KEY"],
        settings=OpenAILLMService.Settings(model="gpt-4.1", system_instruction=instruction),
    )


class Reception(LLMWorker):
    def __init__(self):
        super().__init__("reception", llm=gpt("You are the reception."), active=True, bridged=())

    @tool
    async def to_sales(self, params: FunctionCallParams, reason: str):
        """Hand over to sales.

        Args:
            reason: Why.
        """
        await self.activate_worker(
            "sales",
            args=LLMWorkerActivationArgs(messages=[{"role": "developer", "content": reason}]),
            deactivate_self=True,
            result_callback=params.result_callback,
        )

    @tool(cancel_on_interruption=False, timeout=20)
    async def ask_research(self, params: FunctionCallParams, question: str):
        """Have something looked up.

        Args:
            question: What.
        """
        async with self.job("research", name="look_up", payload={"question": question}, timeout=15) as t:
            async for event in t:
                print(event.type)
        await params.result_callback(t.response)

    @tool
    async def bye(self, params: FunctionCallParams):
        """Say goodbye."""
        await self.queue_frame(TTSSpeakFrame("Goodbye!"))
        await self.end(reason="bye", result_callback=params.result_callback)


class Sales(LLMContextWorker):
    def __init__(self):
        super().__init__("sales", llm=gpt("You are sales."), bridged=())

    async def on_activated(self, args: dict | None):
        await super().on_activated(args)
        await self.queue_frame(
            LLMMessagesAppendFrame(messages=[{"role": "developer", "content": "Offer something."}], run_llm=True)
        )

    @tool
    async def back(self, params: FunctionCallParams):
        """Hand back to the reception."""
        await self.activate_worker("reception", deactivate_self=True)


class Research(BaseWorker):
    @job(name="look_up", sequential=True)
    async def look_up(self, message: BusJobRequestMessage):
        question = (message.payload or {}).get("question")
        await self.send_job_update(message.job_id, {"looking": question})
        await asyncio.sleep(1)
        await self.send_job_response(message.job_id, {"answer": 42}, status=JobStatus.COMPLETED)

    async def on_worker_ready(self, data: WorkerReadyData):
        await super().on_worker_ready(data)
        print(data.worker_name)


async def main():
    transport = LocalAudioTransport(LocalAudioTransportParams(audio_in_enabled=True, audio_out_enabled=True))
    stt = DeepgramSTTService(api_key=os.environ["DEEPGRAM_API_KEY"])
    tts = CartesiaTTSService(
        api_key=os.environ["CARTESIA_API_KEY"], settings=CartesiaTTSService.Settings(voice="x")
    )
    runner = WorkerRunner(name="calls")
    context = LLMContext()
    user, assistant = LLMContextAggregatorPair(
        context, user_params=LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer())
    )
    bridge = BusBridgeProcessor(bus=runner.bus, worker_name="main")
    main_worker = PipelineWorker(
        Pipeline([transport.input(), stt, user, bridge, tts, transport.output(), assistant]),
        name="main",
        params=PipelineParams(enable_metrics=True),
        cancel_runner_on_idle_timeout=False,
    )

    @main_worker.event_handler("on_pipeline_started")
    async def started(worker, frame):
        await worker.activate_worker("reception")

    @main_worker.event_handler("on_idle_timeout")
    async def idle(worker):
        await worker.queue_frame(EndTaskFrame())

    await runner.add_workers(Research("research"), Reception(), Sales(), main_worker)
    await runner.run()


if __name__ == "__main__":
    asyncio.run(main())
