"""Takes orders over LiveKit; what the desk does next is kept in states, each with its own tools."""

import asyncio
import os
from dataclasses import dataclass, field

from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.adapters.schemas.tools_schema import ToolsSchema
from pipecat.frames.frames import LLMMessagesAppendFrame, LLMSetToolsFrame, LLMMessagesUpdateFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.services.assemblyai.models import AssemblyAIConnectionParams
from pipecat.services.assemblyai.stt import AssemblyAISTTService
from pipecat.services.azure.llm import AzureLLMService
from pipecat.services.llm_service import FunctionCallParams
from pipecat.services.rime.tts import RimeTTSService
from pipecat.transcriptions.language import Language
from pipecat.transports.services.livekit import LiveKitParams, LiveKitTransport


@dataclass
class Desk:
    """The order so far, and where the talk is."""

    task: PipelineTask
    state: str = "open"
    items: list[str] = field(default_factory=list)

    async def go(self, state: str, task_message: str):
        self.state = state
        await self.task.queue_frames(
            [
                LLMMessagesUpdateFrame(messages=[{"role": "system", "content": task_message}]),
                LLMSetToolsFrame(tools=ToolsSchema(standard_tools=[])),
            ]
        )


desks: dict[str, Desk] = {}


async def add_item(params: FunctionCallParams, item: str, amount: int = 1):
    """Put something on the order.

    Args:
        item: What.
        amount: How many.
    """
    desks["now"].items += [item] * amount
    await params.result_callback({"items": desks["now"].items})


async def finish(params: FunctionCallParams):
    """Close the order."""
    await desks["now"].go("closed", "Thank the customer.")
    await params.result_callback({"closed": True})


async def main():
    transport = LiveKitTransport(
        url=os.environ["LIVEKIT_URL"],
        token=os.environ["LIVEKIT_TOKEN"],
        room_name="orders",
        params=LiveKitParams(audio_in_enabled=True, audio_out_enabled=True, vad_analyzer=SileroVADAnalyzer()),
    )
    stt = AssemblyAISTTService(
        api_key=os.environ["ASSEMBLYAI_API_KEY"],
        connection_params=AssemblyAIConnectionParams(formatted_finals=True, end_of_turn_confidence_threshold=0.7),
        vad_force_turn_endpoint=True,
        language=Language.EN,
    )
    llm = AzureLLMService(
        api_key=os.environ["AZURE_KEY"],
        endpoint=os.environ["AZURE_ENDPOINT"],
        model="gpt-4o",
        params=AzureLLMService.InputParams(temperature=0.2, seed=7),
    )
    llm.register_direct_function(add_item)
    llm.register_direct_function(finish, cancel_on_interruption=False)
    tts = RimeTTSService(
        api_key=os.environ["RIME_API_KEY"],
        voice_id="luna",
        model="mistv2",
        params=RimeTTSService.InputParams(language=Language.EN, speed_alpha=1.1, reduce_latency=True),
    )
    context = LLMContext(
        [{"role": "system", "content": "You take orders for a bakery."}],
        tools=ToolsSchema(standard_tools=[add_item, finish]),
    )
    pair = LLMContextAggregatorPair(context)
    pipeline = Pipeline(
        [transport.input(), stt, pair.user(), llm, tts, transport.output(), pair.assistant()]
    )
    task = PipelineTask(pipeline, params=PipelineParams(allow_interruptions=True))
    desks["now"] = Desk(task)

    @transport.event_handler("on_first_participant_joined")
    async def on_first_participant_joined(transport, participant_id):
        await asyncio.sleep(1)
        await task.queue_frame(
            LLMMessagesAppendFrame(messages=[{"role": "user", "content": "Hello?"}], run_llm=True)
        )

    @llm.event_handler("on_function_calls_started")
    async def on_function_calls_started(service, function_calls):
        print([call.function_name for call in function_calls])

    @task.event_handler("on_pipeline_ended")
    async def ended(task, frame):
        print(desks["now"].items)

    await PipelineRunner().run(task)


if __name__ == "__main__":
    asyncio.run(main())
