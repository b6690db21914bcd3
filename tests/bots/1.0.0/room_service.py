"""Several callers at once: one room each, recorded, with RTVI messages and heartbeats."""

import asyncio
import io
import os
import wave
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from fastapi import BackgroundTasks, FastAPI, Request

from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import CancelTaskFrame, EndTaskFrame, LLMRunFrame, TTSSpeakFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMAssistantAggregator,
    LLMUserAggregator,
    LLMUserAggregatorParams,
)
from pipecat.processors.audio.audio_buffer_processor import AudioBufferProcessor
from pipecat.processors.frameworks.rtvi import (
    RTVIObserver,
    RTVIObserverParams,
    RTVIProcessor,
    RTVIServerMessageFrame,
)
from pipecat.runner.daily import configure
from pipecat.services.fireworks.llm import FireworksLLMService
from pipecat.services.lmnt.tts import LmntTTSService
from pipecat.services.openai.stt import OpenAISTTService
from pipecat.services.sarvam.stt import SarvamSTTService
from pipecat.transcriptions.language import Language
from pipecat.transports.daily.transport import DailyParams, DailyTransport
from pipecat.transports.daily.utils import DailyRESTHelper, DailyRoomParams, DailyRoomProperties
from pipecat.transports.smallwebrtc.connection import IceServer
from pipecat.transports.smallwebrtc.request_handler import SmallWebRTCRequestHandler


@dataclass
class Rooms:
    """Who talks now."""

    session: aiohttp.ClientSession
    running: dict[str, PipelineTask] = field(default_factory=dict)

    async def open(self) -> tuple[str, str]:
        rest = DailyRESTHelper(
            daily_api_key=os.environ["DAILY_API_KEY"],
            daily_api_url=os.getenv("DAILY_API_URL", "https://api.daily.co/v1"),
            aiohttp_session=self.session,
        )
        room = await rest.create_room(DailyRoomParams(properties=DailyRoomProperties(enable_chat=True)))
        return room.url, await rest.get_token(room.url)

    async def close(self):
        for task in list(self.running.values()):
            await task.cancel()


async def talk(rooms: Rooms, url: str, token: str):
    transport = DailyTransport(url, token, "Room service", DailyParams(audio_in_enabled=True, audio_out_enabled=True))
    stt = OpenAISTTService(model="gpt-4o-transcribe", language=Language.EN, prompt="Menu items", temperature=0.0)
    if os.getenv("HINDI"):
        stt = SarvamSTTService(
            api_key=os.environ["SARVAM_API_KEY"],
            model="saarika:v2.5",
            params=SarvamSTTService.InputParams(language=Language.HI_IN),
        )
    llm = FireworksLLMService(
        api_key=os.environ["FIREWORKS_API_KEY"], model="accounts/fireworks/models/firefunction-v2"
    )
    tts = LmntTTSService(api_key=os.environ["LMNT_API_KEY"], voice_id="morgan", language=Language.EN, model="blizzard")
    context = LLMContext([{"role": "system", "content": "You take orders for room service."}])
    user = LLMUserAggregator(context, params=LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer()))
    assistant = LLMAssistantAggregator(context)
    rtvi = RTVIProcessor(transport=transport)
    buffer = AudioBufferProcessor(sample_rate=16000, num_channels=1, buffer_size=16000 * 10)
    task = PipelineTask(
        Pipeline([transport.input(), rtvi, stt, user, llm, tts, transport.output(), buffer, assistant]),
        params=PipelineParams(enable_heartbeats=True, enable_usage_metrics=True),
        observers=[RTVIObserver(rtvi, params=RTVIObserverParams(user_transcription_enabled=False))],
        enable_rtvi=False,
    )
    rooms.running[url] = task

    @rtvi.event_handler("on_client_message")
    async def on_client_message(rtvi, message):
        if message.type == "order":
            await rtvi.send_server_response(message, {"ok": True})
            await task.queue_frame(RTVIServerMessageFrame({"order": message.data}))
        else:
            await rtvi.send_error_response(message, "what?")

    @rtvi.event_handler("on_client_ready")
    async def on_client_ready(rtvi):
        await rtvi.set_bot_ready({"name": "room service"})
        await task.queue_frames([TTSSpeakFrame("Good evening."), LLMRunFrame()])

    @buffer.event_handler("on_audio_data")
    async def on_audio_data(buffer, audio: bytes, rate: int, channels: int):
        with io.BytesIO() as file:
            with wave.open(file, "wb") as wav:
                wav.setsampwidth(2)
                wav.setnchannels(channels)
                wav.setframerate(rate)
                wav.writeframes(audio)

    @transport.event_handler("on_participant_left")
    async def left(transport, participant, reason):
        await transport.stop_recording()
        await task.queue_frame(EndTaskFrame() if reason == "left" else CancelTaskFrame())

    try:
        await PipelineRunner(handle_sigint=False, handle_sigterm=True).run(task)
    finally:
        del rooms.running[url]


@asynccontextmanager
async def lifespan(app: FastAPI):
    async with aiohttp.ClientSession() as session:
        app.state.rooms = Rooms(session)
        app.state.handler = SmallWebRTCRequestHandler(ice_servers=[IceServer(urls="stun:stun.l.google.com:19302")])
        yield
        await app.state.rooms.close()


app = FastAPI(lifespan=lifespan)


@app.post("/call")
async def call(request: Request, background: BackgroundTasks):
    url, token = await request.app.state.rooms.open()
    background.add_task(talk, request.app.state.rooms, url, token)
    return {"room": url}


async def once():
    async with aiohttp.ClientSession() as session:
        room = await configure(session)
        await talk(Rooms(session), room.room_url, room.token)


if __name__ == "__main__":
    asyncio.run(once())
