"""Services of one's own as of 0.0.108: settings dataclasses, context ids, websocket bases."""

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any, Optional

from loguru import logger

from pipecat.frames.frames import (
    CancelFrame,
    EndFrame,
    ErrorFrame,
    Frame,
    InterimTranscriptionFrame,
    StartFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
)
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.settings import NOT_GIVEN, STTSettings, TTSSettings, _NotGiven
from pipecat.services.stt_service import WebsocketSTTService
from pipecat.services.tts_service import InterruptibleTTSService, TTSService
from pipecat.transcriptions.language import Language
from pipecat.utils.time import time_now_iso8601
from pipecat.utils.tracing.service_decorators import traced_stt, traced_tts

try:
    from websockets.asyncio.client import connect as websocket_connect
except ModuleNotFoundError as error:
    raise Exception(f"Missing module: {error}") from error


@dataclass
class WhistleSettings(TTSSettings):
    pitch: float | _NotGiven = field(default_factory=lambda: NOT_GIVEN)


class WhistleTTSService(TTSService):
    """Whistles what it is given, without the net."""

    Settings = WhistleSettings
    _settings: WhistleSettings

    def __init__(self, *, settings: Optional[WhistleSettings] = None, **kwargs):
        given = WhistleSettings(model="tin", voice="penny", language=None, pitch=1.0)
        if settings:
            given.apply_update(settings)
        super().__init__(settings=given, push_stop_frames=True, pause_frame_processing=True, **kwargs)

    def can_generate_metrics(self) -> bool:
        return True

    @traced_tts
    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame, None]:
        await self.start_ttfb_metrics()
        yield TTSStartedFrame(context_id=context_id)
        for _ in text.split():
            await self.stop_ttfb_metrics()
            yield TTSAudioRawFrame(bytes(320), self.sample_rate, 1, context_id=context_id)
        yield TTSStoppedFrame(context_id=context_id)


class FluteTTSService(InterruptibleTTSService):
    """Plays over a websocket."""

    def __init__(self, *, url: str, voice_id: str = "alto", aggregate_sentences: Optional[bool] = True, **kwargs):
        super().__init__(
            aggregate_sentences=aggregate_sentences,
            push_text_frames=False,
            settings=TTSSettings(model=None, voice=voice_id, language=None),
            **kwargs,
        )
        self._url = url
        self._reading: Any = None

    async def start(self, frame: StartFrame):
        await super().start(frame)
        await self._connect()

    async def stop(self, frame: EndFrame):
        await super().stop(frame)
        await self._disconnect()

    async def cancel(self, frame: CancelFrame):
        await super().cancel(frame)
        await self._disconnect()

    async def _connect(self):
        await self._connect_websocket()
        self._reading = self.create_task(self._receive_task_handler(self._report_error))

    async def _disconnect(self):
        if self._reading:
            await self.cancel_task(self._reading)
        await self._disconnect_websocket()

    async def _connect_websocket(self):
        self._websocket = await websocket_connect(self._url)

    async def _disconnect_websocket(self):
        if self._websocket:
            await self._websocket.close()
        self._websocket = None

    async def flush_audio(self, context_id: Optional[str] = None):
        if self._websocket:
            await self._websocket.send(json.dumps({"flush": True}))

    async def _receive_messages(self):
        assert self._websocket
        async for message in self._websocket:
            if isinstance(message, bytes):
                await self.push_frame(TTSAudioRawFrame(message, self.sample_rate, 1))
            else:
                await self.push_error(error_msg=f"odd message: {message}")

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame, None]:
        assert self._websocket
        yield TTSStartedFrame(context_id=context_id)
        await self._websocket.send(json.dumps({"text": text, "id": context_id}))


class EarSTTService(WebsocketSTTService):
    """Listens over a websocket."""

    def __init__(self, *, url: str, language: Language = Language.EN, sample_rate: Optional[int] = None, **kwargs):
        super().__init__(
            sample_rate=sample_rate,
            ttfs_p99_latency=0.8,
            settings=STTSettings(model="ear-1", language=language),
            **kwargs,
        )
        self._url = url

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        await super().process_frame(frame, direction)

    async def _connect(self):
        await super()._connect()
        await self._connect_websocket()

    async def _disconnect(self):
        await super()._disconnect()
        await self._disconnect_websocket()

    async def _connect_websocket(self):
        self._websocket = await websocket_connect(self._url)

    async def _disconnect_websocket(self):
        if self._websocket:
            await self._websocket.close()

    @traced_stt
    async def _trace(self, transcript: str, is_final: bool, language: Optional[Language] = None):
        pass

    async def _receive_messages(self):
        assert self._websocket
        async for message in self._websocket:
            content = json.loads(message)
            stamp = time_now_iso8601()
            if content["final"]:
                await self._trace(content["text"], True)
                await self.push_frame(TranscriptionFrame(content["text"], self._user_id, stamp))
            else:
                await self.push_frame(InterimTranscriptionFrame(content["text"], self._user_id, stamp))

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Optional[Frame], None]:
        if self._websocket:
            try:
                await self._websocket.send(audio)
            except OSError as error:
                logger.error(error)
                yield ErrorFrame(error=str(error))
        yield None
