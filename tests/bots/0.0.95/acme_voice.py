"""Services of one's own: a TTS over HTTP, a segmented STT, and an OpenAI-compatible LLM."""

from collections.abc import AsyncGenerator
from typing import Optional

import aiohttp
from loguru import logger

from pipecat.frames.frames import (
    CancelFrame,
    EndFrame,
    ErrorFrame,
    Frame,
    StartFrame,
    StartInterruptionFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
)
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.ai_services import LLMService, STTService, TTSService
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.services.stt_service import SegmentedSTTService
from pipecat.transcriptions.language import Language
from pipecat.utils.text.base_text_filter import BaseTextFilter
from pipecat.utils.time import time_now_iso8601
from pipecat.utils.tracing.service_decorators import traced_stt, traced_tts


class Shout(BaseTextFilter):
    async def update_settings(self, settings):
        pass

    async def filter(self, text: str) -> str:
        return text.upper()

    async def handle_interruption(self):
        pass

    async def reset_interruption(self):
        pass


class AcmeTTSService(TTSService):
    """Reads aloud by Acme."""

    def __init__(
        self,
        *,
        url: str,
        session: aiohttp.ClientSession,
        voice_id: str = "ann",
        model: str = "acme-1",
        language: Optional[Language] = Language.EN,
        sample_rate: Optional[int] = None,
        **kwargs,
    ):
        super().__init__(
            sample_rate=sample_rate,
            aggregate_sentences=True,
            push_stop_frames=True,
            text_filters=[Shout()],
            **kwargs,
        )
        self._url = url
        self._session = session
        self.set_voice(voice_id)
        self.set_model_name(model)
        self._settings = {"language": self.language_to_service_language(language) if language else "en"}

    def can_generate_metrics(self) -> bool:
        return True

    def language_to_service_language(self, language: Language) -> Optional[str]:
        return language.value.split("-")[0]

    async def start(self, frame: StartFrame):
        await super().start(frame)
        logger.debug(f"{self} at {self.sample_rate}")

    async def stop(self, frame: EndFrame):
        await super().stop(frame)

    async def cancel(self, frame: CancelFrame):
        await super().cancel(frame)

    @traced_tts
    async def run_tts(self, text: str) -> AsyncGenerator[Frame, None]:
        logger.debug(f"{self}: generating [{text}]")
        try:
            await self.start_ttfb_metrics()
            payload = {"text": text, "voice": self._voice_id, **self._settings}
            async with self._session.post(self._url, json=payload) as response:
                if response.status != 200:
                    yield ErrorFrame(error=f"{response.status}")
                    return
                await self.start_tts_usage_metrics(text)
                yield TTSStartedFrame()
                async for chunk in response.content.iter_chunked(self.chunk_size):
                    await self.stop_ttfb_metrics()
                    yield TTSAudioRawFrame(audio=chunk, sample_rate=self.sample_rate, num_channels=1)
        except aiohttp.ClientError as error:
            await self.push_error(ErrorFrame(f"cannot reach {self._url}: {error}"))
        finally:
            await self.stop_ttfb_metrics()
            yield TTSStoppedFrame()


class AcmeSTTService(SegmentedSTTService):
    """Hears by Acme."""

    def __init__(self, *, url: str, session: aiohttp.ClientSession, **kwargs):
        super().__init__(**kwargs)
        self._url = url
        self._session = session

    @traced_stt
    async def _handle_transcription(self, transcript: str, is_final: bool, language: Optional[Language] = None):
        pass

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame, None]:
        await self.start_processing_metrics()
        async with self._session.post(self._url, data=audio) as response:
            text = (await response.json())["text"]
        await self.stop_processing_metrics()
        await self._handle_transcription(text, True, Language.EN)
        yield TranscriptionFrame(text, "", time_now_iso8601(), Language.EN)


class AcmeLLMService(OpenAILLMService):
    """Acme speaks OpenAI's protocol."""

    def __init__(self, *, api_key: str, model: str = "acme-large", base_url: str = "https://llm.acme.test/v1", **kwargs):
        super().__init__(api_key=api_key, base_url=base_url, model=model, **kwargs)

    async def process_frame(self, frame: Frame, direction: FrameDirection):
        if isinstance(frame, StartInterruptionFrame):
            logger.debug("cut off")
        await super().process_frame(frame, direction)


def everything(url: str, session: aiohttp.ClientSession) -> tuple[STTService, LLMService, TTSService]:
    return (
        AcmeSTTService(url=f"{url}/hear", session=session),
        AcmeLLMService(api_key="none", params=OpenAILLMService.InputParams(temperature=0.1)),
        AcmeTTSService(url=f"{url}/say", session=session, voice_id="bob"),
    )
