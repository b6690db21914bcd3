"""A bot from the days when services were imported from their packages."""

import asyncio
import os
from typing import Any

from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.audio.vad.vad_analyzer import VADParams
from pipecat.frames.frames import EndFrame, TTSSpeakFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.llm_response import LLMUserAggregatorParams
from pipecat.processors.aggregators.openai_llm_context import OpenAILLMContext, OpenAILLMContextFrame
from pipecat.serializers.plivo import PlivoFrameSerializer
from pipecat.serializers.telnyx import TelnyxFrameSerializer
from pipecat.services.aws import AWSBedrockLLMService, AWSPollyTTSService, AWSTranscribeSTTService
from pipecat.services.azure import AzureSTTService, AzureTTSService
from pipecat.services.openai import OpenAILLMService, OpenAISTTService, OpenAITTSService
from pipecat.services.together import TogetherLLMService
from pipecat.transcriptions.language import Language
from pipecat.transports.network.fastapi_websocket import FastAPIWebsocketParams, FastAPIWebsocketTransport
from pipecat.transports.network.websocket_server import WebsocketServerParams, WebsocketServerTransport


def services(vendor: str) -> tuple[Any, Any, Any]:
    if vendor == "aws":
        return (
            AWSTranscribeSTTService(region="eu-west-1", language=Language.DE),
            AWSBedrockLLMService(
                model="us.amazon.nova-lite-v1:0",
                aws_region="us-east-1",
                params=AWSBedrockLLMService.InputParams(temperature=0.5, latency="optimized"),
            ),
            AWSPollyTTSService(
                region="eu-west-1",
                voice_id="Vicki",
                params=AWSPollyTTSService.InputParams(engine="generative", rate="1.1"),
            ),
        )
    if vendor == "azure":
        return (
            AzureSTTService(api_key=os.environ["AZURE_KEY"], region="westeurope", language=Language.DE),
            TogetherLLMService(api_key=os.environ["TOGETHER_KEY"], model="meta-llama/Llama-3.3-70B-Instruct-Turbo"),
            AzureTTSService(
                api_key=os.environ["AZURE_KEY"],
                region="westeurope",
                voice="de-DE-KatjaNeural",
                params=AzureTTSService.InputParams(language=Language.DE, style="cheerful"),
            ),
        )
    return (
        OpenAISTTService(model="gpt-4o-mini-transcribe", prompt="Names of towns."),
        OpenAILLMService(model="gpt-4o-mini"),
        OpenAITTSService(voice="nova", model="tts-1", instructions="calm"),
    )


def phone(websocket, data: dict[str, str], carrier: str) -> FastAPIWebsocketTransport:
    if carrier == "telnyx":
        serializer = TelnyxFrameSerializer(
            stream_id=data["stream_id"],
            call_control_id=data["call_control_id"],
            outbound_encoding="PCMU",
            inbound_encoding="PCMU",
            api_key=os.getenv("TELNYX_API_KEY"),
        )
    else:
        serializer = PlivoFrameSerializer(
            data["stream_id"],
            call_id=data["call_id"],
            auth_id=os.getenv("PLIVO_ID"),
            auth_token=os.getenv("PLIVO_TOKEN"),
            params=PlivoFrameSerializer.InputParams(plivo_sample_rate=8000),
        )
    vad = SileroVADAnalyzer(sample_rate=8000, params=VADParams(start_secs=0.1, stop_secs=0.6))
    params = FastAPIWebsocketParams(
        audio_in_enabled=True, audio_out_enabled=True, vad_analyzer=vad, serializer=serializer, session_timeout=300
    )
    return FastAPIWebsocketTransport(websocket, params)


async def main(vendor: str = "openai"):
    transport = WebsocketServerTransport(
        params=WebsocketServerParams(
            audio_in_enabled=True,
            audio_out_enabled=True,
            add_wav_header=True,
            vad_analyzer=SileroVADAnalyzer(),
        ),
        port=8765,
    )
    stt, llm, tts = services(vendor)
    context = OpenAILLMContext()
    context.set_messages([{"role": "system", "content": "You answer in German."}])
    aggregator = llm.create_context_aggregator(
        context, user_params=LLMUserAggregatorParams(aggregation_timeout=0.3)
    )
    task = PipelineTask(
        Pipeline([transport.input(), stt, aggregator.user(), llm, tts, transport.output(), aggregator.assistant()]),
        params=PipelineParams(allow_interruptions=True, observers=[]),
    )

    @transport.event_handler("on_client_connected")
    async def greet(transport, client):
        await tts.say("Guten Tag!")
        await task.queue_frames([OpenAILLMContextFrame(context), TTSSpeakFrame("Na?")])

    @transport.event_handler("on_session_timeout")
    async def late(transport, client):
        await task.queue_frame(EndFrame())

    await PipelineRunner().run(task)


if __name__ == "__main__":
    asyncio.run(main())
