"""AWS throughout, with Nova Sonic as the other way to talk, memory and tools from an MCP server."""

import os

from pipecat.adapters.schemas.tools_schema import AdapterType, ToolsSchema
from pipecat.audio.vad.vad_analyzer import VADParams
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import TTSSpeakFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineTask, PipelineParams
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.processors.frameworks.langchain import LangchainProcessor
from pipecat.services.aws.llm import AWSBedrockLLMService
from pipecat.services.aws.nova_sonic.llm import AWSNovaSonicLLMService, Params
from pipecat.services.aws.stt import AWSTranscribeSTTService
from pipecat.services.aws.tts import AWSPollyTTSService
from pipecat.services.mcp_service import MCPClient
from pipecat.services.mem0.memory import Mem0MemoryService
from pipecat.transcriptions.language import Language
from pipecat.transports.local.audio import LocalAudioTransport, LocalAudioTransportParams


def speech_to_speech() -> AWSNovaSonicLLMService:
    return AWSNovaSonicLLMService(
        secret_access_key=os.environ["AWS_SECRET_ACCESS_KEY"],
        access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
        region="us-east-1",
        voice_id="tiffany",
        params=Params(temperature=0.4),
        system_instruction="You are at the desk.",
    )


async def cascade(server, chain=None):
    transport = LocalAudioTransport(
        LocalAudioTransportParams(
            audio_in_enabled=True, audio_out_enabled=True, input_device_index=1, vad_enabled=True
        )
    )
    llm = LangchainProcessor(chain) if chain else AWSBedrockLLMService(
        aws_region="us-west-2",
        model="us.anthropic.claude-haiku-4-5-20251001-v1:0",
        params=AWSBedrockLLMService.InputParams(temperature=0.3, max_tokens=400),
        retry_on_timeout=True,
    )
    stt = AWSTranscribeSTTService(region="us-west-2", language=Language.EN, sample_rate=16000)
    tts = AWSPollyTTSService(
        region="us-west-2",
        voice_id="Joanna",
        params=AWSPollyTTSService.InputParams(engine="neural", language=Language.EN, rate="1.05"),
    )
    memory = Mem0MemoryService(
        api_key=os.environ["MEM0_API_KEY"],
        user_id="guest",
        params=Mem0MemoryService.InputParams(search_limit=5),
    )
    mcp = MCPClient(server_params=server)
    tools: ToolsSchema = (
        await mcp.register_tools(llm) if isinstance(llm, AWSBedrockLLMService) else ToolsSchema(standard_tools=[])
    )
    tools.custom_tools = {AdapterType.GEMINI: [{"google_search": {}}]}
    context = LLMContext(messages=[{"role": "system", "content": "You are at the desk."}], tools=tools)
    vad = SileroVADAnalyzer(params=VADParams(confidence=0.8))
    user, assistant = LLMContextAggregatorPair(
        context, user_params=LLMUserAggregatorParams(vad_analyzer=vad, filter_incomplete_user_turns=True)
    )
    task = PipelineTask(
        Pipeline([transport.input(), stt, user, memory, llm, tts, transport.output(), assistant]),
        params=PipelineParams(start_metadata={"desk": 1}),
    )
    await task.queue_frame(TTSSpeakFrame("Next please!"))
    await PipelineRunner().run(task)
