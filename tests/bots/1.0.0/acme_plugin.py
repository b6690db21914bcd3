"""A vendor's plug-in on 1.0: settings with aliases, audio contexts, and a realtime service derived from OpenAI's."""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from pydantic import BaseModel, Field

from pipecat.frames.frames import (
    ErrorFrame,
    Frame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    StartFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
)
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.openai.base_llm import BaseOpenAILLMService
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.services.openai.realtime import events
from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService
from pipecat.services.openai.tts import OpenAITTSService
from pipecat.services.settings import NOT_GIVEN, TTSSettings, _NotGiven
from pipecat.services.tts_service import TTSService, WebsocketTTSService
from pipecat.transcriptions.language import Language, resolve_language
from pipecat.utils.tracing.service_decorators import traced_llm, traced_tts

NAMES = {Language.EN: "english", Language.DE: "german"}


@dataclass
class AcmeTTSSettings(TTSSettings):
    tempo: float | None | _NotGiven = field(default_factory=lambda: NOT_GIVEN)


class AcmeHttpTTSService(TTSService):
    class InputParams(BaseModel):
        """What Acme can be told."""

        tempo: float | None = Field(default=1.0, ge=0.5, le=2.0)
        language: Language | None = Language.EN

    def __init__(
        self,
        *,
        api_key: str,
        aiohttp_session: aiohttp.ClientSession,
        voice_id: str = "mia",
        model: str = "acme-2",
        params: InputParams | None = None,
        **kwargs,
    ):
        params = params or AcmeHttpTTSService.InputParams()
        super().__init__(
            push_start_frame=True,
            push_stop_frames=True,
            settings=AcmeTTSSettings(
                model=model,
                voice=voice_id,
                language=self.language_to_service_language(params.language) if params.language else None,
                tempo=params.tempo,
            ),
            **kwargs,
        )
        self._api_key = api_key
        self._session = aiohttp_session

    def can_generate_metrics(self) -> bool:
        return True

    def language_to_service_language(self, language: Language) -> str | None:
        return resolve_language(language, NAMES, use_base_code=True)

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame, None]:
        headers = {"Authorization": f"Bearer {self._api_key}"}
        body = {"text": text, "voice": self._settings.voice, "model": self._settings.model}
        try:
            async with self._session.post("https://acme.test/say", json=body, headers=headers) as response:
                async for frame in self._stream_audio_frames_from_iterator(
                    response.content.iter_chunked(self.chunk_size), context_id=context_id
                ):
                    await self.stop_ttfb_metrics()
                    yield frame
        except Exception as error:
            yield ErrorFrame(error=f"{error}")


class AcmeTTSService(WebsocketTTSService):
    """Several contexts over one socket."""

    def __init__(self, *, session: aiohttp.ClientSession, url: str, **kwargs):
        super().__init__(settings=TTSSettings(model="acme-2", voice="mia", language=None), **kwargs)
        self._session = session
        self._url = url
        self._socket: Any = None

    async def start(self, frame: StartFrame):
        await super().start(frame)
        await self._connect()

    async def _connect(self):
        await super()._connect()
        await self._connect_websocket()

    async def _disconnect(self):
        await super()._disconnect()
        await self._disconnect_websocket()

    async def _connect_websocket(self):
        self._socket = await self._session.ws_connect(self._url)
        await self._call_event_handler("on_connected")

    async def _disconnect_websocket(self):
        if self._socket:
            await self._socket.close()

    async def _receive_messages(self):
        async for message in self._socket:
            content = json.loads(message.data)
            context_id = content["context"]
            if not self.audio_context_available(context_id):
                continue
            if content.get("done"):
                await self.append_to_audio_context(context_id, TTSStoppedFrame(context_id=context_id))
                await self.remove_audio_context(context_id)
            else:
                audio = TTSAudioRawFrame(base64.b64decode(content["audio"]), self.sample_rate, 1)
                await self.append_to_audio_context(context_id, audio)
                await self.add_word_timestamps([(content["word"], content["at"])], context_id)

    async def on_audio_context_interrupted(self, context_id: str):
        await self._socket.send_json({"cancel": context_id})

    @traced_tts
    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame, None]:
        if not self.audio_context_available(context_id):
            await self.create_audio_context(context_id)
            yield TTSStartedFrame(context_id=context_id)
        await self._socket.send_json({"context": context_id, "text": text})
        await self.start_tts_usage_metrics(text)


class AcmeRealtimeLLMService(OpenAIRealtimeLLMService):
    """Acme's realtime API, which is OpenAI's but for the greeting."""

    def __init__(self, *, api_key: str, greeting: str = "Hi!", **kwargs):
        super().__init__(
            api_key=api_key,
            base_url="wss://acme.test/realtime",
            model="acme-rt",
            session_properties=events.SessionProperties(output_modalities=["audio"]),
            **kwargs,
        )
        self._greeting = greeting

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        if isinstance(frame, InterruptionFrame):
            self._greeting = ""
        await super().process_frame(frame, direction)

    async def _handle_evt_audio_done(self, evt):
        await super()._handle_evt_audio_done(evt)
        if self._greeting:
            await self.push_frame(LLMFullResponseEndFrame())

    async def _create_response(self):
        await super()._create_response()


class AcmeLLMService(OpenAILLMService):
    def __init__(self, *, model: str = "acme-large", params: BaseOpenAILLMService.InputParams | None = None, **kwargs):
        super().__init__(model=model, params=params, base_url="https://acme.test/v1", **kwargs)

    def build_chat_completion_params(self, params_from_context) -> dict:
        params = super().build_chat_completion_params(params_from_context)
        params.pop("service_tier", None)
        return params

    @traced_llm
    async def _process_context(self, context):
        await asyncio.wait_for(super()._process_context(context), 30)


class Loud(OpenAITTSService):
    def __init__(self, **kwargs):
        super().__init__(voice="onyx", model="gpt-4o-mini-tts", instructions="Shout.", speed=1.2, **kwargs)
