"""Answers a clinic's Twilio number and books appointments."""

import os
from datetime import date

from dotenv import load_dotenv
from fastapi import FastAPI, WebSocket
from loguru import logger

from pipecat.audio.interruptions.min_words_interruption_strategy import MinWordsInterruptionStrategy
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.audio.vad.vad_analyzer import VADParams
from pipecat.frames.frames import EndTaskFrame, LLMMessagesFrame, TTSSpeakFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.openai_llm_context import OpenAILLMContext
from pipecat.processors.frame_processor import FrameDirection
from pipecat.processors.transcript_processor import TranscriptProcessor
from pipecat.runner.utils import parse_telephony_websocket
from pipecat.serializers.twilio import TwilioFrameSerializer
from pipecat.services.deepgram.stt import DeepgramSTTService, LiveOptions
from pipecat.services.elevenlabs.tts import ElevenLabsTTSService
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.transports.network.fastapi_websocket import FastAPIWebsocketParams, FastAPIWebsocketTransport

load_dotenv(override=True)
app = FastAPI()

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "book_slot",
            "description": "Books an appointment",
            "parameters": {
                "type": "object",
                "properties": {"day": {"type": "string"}, "reason": {"type": "string"}},
                "required": ["day"],
            },
        },
    },
    {"type": "function", "function": {"name": "hang_up", "description": "Ends the call", "parameters": {}}},
]


async def book_slot(function_name, tool_call_id, arguments, llm, context, result_callback):
    day = arguments["day"]
    logger.info(f"{function_name}: {day} for {arguments.get('reason', 'a check-up')}")
    await result_callback({"booked": True, "day": day})


async def hang_up(function_name, tool_call_id, args, llm, context, result_callback):
    await llm.push_frame(TTSSpeakFrame("Goodbye."))
    await llm.push_frame(EndTaskFrame(), FrameDirection.UPSTREAM)


@app.websocket("/ws")
async def call(websocket: WebSocket):
    await websocket.accept()
    _, data = await parse_telephony_websocket(websocket)
    serializer = TwilioFrameSerializer(
        stream_sid=data["stream_id"],
        call_sid=data["call_id"],
        account_sid=os.environ["TWILIO_ACCOUNT_SID"],
        auth_token=os.environ["TWILIO_AUTH_TOKEN"],
        params=TwilioFrameSerializer.InputParams(auto_hang_up=True),
    )
    transport = FastAPIWebsocketTransport(
        websocket=websocket,
        params=FastAPIWebsocketParams(
            audio_in_enabled=True,
            audio_out_enabled=True,
            add_wav_header=False,
            vad_analyzer=SileroVADAnalyzer(params=VADParams(stop_secs=0.4)),
            serializer=serializer,
        ),
    )
    await talk(transport)


async def talk(transport: FastAPIWebsocketTransport):
    stt = DeepgramSTTService(
        api_key=os.environ["DEEPGRAM_API_KEY"],
        live_options=LiveOptions(model="nova-2-phonecall", language="en-US", smart_format=True),
        audio_passthrough=True,
    )
    llm = OpenAILLMService(
        api_key=os.environ["OPENAI_API_KEY"],
        model="gpt-4o",
        params=OpenAILLMService.InputParams(temperature=0.3, max_completion_tokens=300),
    )
    llm.register_function("book_slot", book_slot)
    llm.register_function("hang_up", hang_up)
    tts = ElevenLabsTTSService(
        api_key=os.environ["ELEVENLABS_API_KEY"],
        voice_id="21m00Tcm4TlvDq8ikWAM",
        model="eleven_flash_v2_5",
        params=ElevenLabsTTSService.InputParams(stability=0.6, similarity_boost=0.8, speed=1.05),
    )

    messages = [{"role": "system", "content": f"You book appointments. Today is {date.today():%A, %d %B}."}]
    context = OpenAILLMContext(messages, TOOLS)
    aggregator = llm.create_context_aggregator(context)
    transcript = TranscriptProcessor()

    pipeline = Pipeline(
        [
            transport.input(),
            stt,
            transcript.user(),
            aggregator.user(),
            llm,
            tts,
            transport.output(),
            transcript.assistant(),
            aggregator.assistant(),
        ]
    )
    task = PipelineTask(
        pipeline,
        params=PipelineParams(
            audio_in_sample_rate=8000,
            audio_out_sample_rate=8000,
            allow_interruptions=True,
            enable_metrics=True,
            enable_usage_metrics=True,
            interruption_strategies=[MinWordsInterruptionStrategy(min_words=3)],
        ),
    )

    @transcript.event_handler("on_transcript_update")
    async def log(processor, frame):
        for message in frame.messages:
            logger.info(f"[{message.timestamp}] {message.role}: {message.content}")

    @transport.event_handler("on_client_connected")
    async def connected(transport, client):
        messages.append({"role": "system", "content": "Greet the caller."})
        await task.queue_frames([LLMMessagesFrame(messages)])

    @transport.event_handler("on_client_disconnected")
    async def disconnected(transport, client):
        await task.cancel()

    await PipelineRunner(handle_sigint=False, force_gc=True).run(task)
