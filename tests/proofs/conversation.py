"""A program that answers once; it prints what the model is asked, and what the conversation holds at the end."""

import asyncio
import warnings

from loguru import logger
from openai.types.chat import ChatCompletionChunk
from pipecat.adapters.schemas.function_schema import FunctionSchema
from pipecat.adapters.schemas.tools_schema import ToolsSchema
from pipecat.frames.frames import EndFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineTask
from pipecat.processors.aggregators.openai_llm_context import OpenAILLMContext
from pipecat.services.openai.llm import OpenAILLMService


class Answers:
    """Stands in for OpenAI's client."""

    chat = completions = property(lambda self: self)

    async def create(self, **asked):
        print("asked", asked["messages"], [tool["function"]["name"] for tool in asked["tools"] or []])
        return self.chunks()

    async def chunks(self):
        delta = {"index": 0, "delta": {"content": "Hello."}}
        head = {"id": "1", "created": 0, "model": "none", "object": "chat.completion.chunk"}
        yield ChatCompletionChunk.model_validate({**head, "choices": [delta]})


class Llm(OpenAILLMService):
    def create_client(self, *args, **kwargs):
        return Answers()


async def main():
    llm = Llm(api_key="none")
    messages = [{"role": "system", "content": "Be brief."}]
    tools = ToolsSchema(standard_tools=[FunctionSchema("weather", "The weather", {}, [])])
    context = OpenAILLMContext(messages, tools)
    context_aggregator = llm.create_context_aggregator(context)
    pipeline = Pipeline([context_aggregator.user(), llm, context_aggregator.assistant()])
    task = PipelineTask(pipeline)
    messages.append({"role": "user", "content": "Hello?"})
    await task.queue_frames([context_aggregator.user().get_context_frame(), EndFrame()])
    await PipelineRunner(handle_sigint=False).run(task)
    print("holds", context.get_messages_for_persistent_storage())


warnings.simplefilter("ignore")
logger.remove()
asyncio.run(main())
