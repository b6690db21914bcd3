"""Handlers of a turn strategy's events; prints which of them heard of a turn's end, and what the log says."""

import asyncio
import sys

from loguru import logger
from pipecat.turns.user_stop.base_user_turn_stop_strategy import BaseUserTurnStopStrategy

logger.remove()
logger.add(sys.stdout, level="WARNING", format=lambda record: f"log {record['message'].partition('/')[0]}\n")
heard: list[str] = []
strategy = BaseUserTurnStopStrategy(name="strategy")


@strategy.event_handler("on_user_turn_inference_triggered")
async def triggered(strategy):
    heard.append("triggered")


@strategy.event_handler("on_user_turn_stopped")
async def stopped(strategy, params):
    heard.append("stopped")


@strategy.event_handler("on_user_turn_stopped")
async def stopped_before(strategy):
    heard.append("never")


@strategy.event_handler("on_user_turn_stoped")
async def misspelt(strategy, params):
    heard.append("never")


asyncio.run(strategy.trigger_user_turn_stopped())
print("heard", heard)
