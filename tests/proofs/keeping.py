"""A service as written for 0.0.103, which keeps its settings in a dictionary; starts it and prints what it says."""

import asyncio

from loguru import logger
from pipecat.frames.frames import StartFrame
from pipecat.services.ai_service import AIService

logger.remove()


class Translator(AIService):
    def __init__(self, *, to: str = "fr"):
        super().__init__()
        self._settings = {"to": to}

    def translated(self, text: str) -> str:
        return f"{text} {self._settings['to']}"


async def main():
    translator = Translator()
    await translator.start(StartFrame())
    print("said", translator.translated("hello"))


asyncio.run(main())
