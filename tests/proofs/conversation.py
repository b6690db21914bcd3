"""A program whose model uses a tool and answers; it prints what the model is asked, and what was said at the end."""

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

CALL = {"index": 0, "id": "1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}


def told(messages):
    return [(message["role"], message.get("content")) for message in messages]


class Answers:
    """Stands in for OpenAI's client."""

    chat = completions = property(lambda self: self)

    async def create(self, **asked):
        names = [tool["function"]["name"] for tool in asked["tools"] or []]
        print("asked", told(asked["messages"]), names)
        uses = names and asked["messages"][-1]["role"] != "tool"
        return self.chunks({"tool_calls": [CALL]} if uses else {"content": "It is clear."})

    async def chunks(self, delta):
        head = {"id": "1", "created": 0, "model": "none", "object": "chat.completion.chunk"}
        yield ChatCompletionChunk.model_validate({**head, "choices": [{"index": 0, "delta": delta}]})
        if "content" in delta:
            await self.finish()


class Llm(OpenAILLMService):
    def create_client(self, *args, **kwargs):
        return Answers()


async def weather(params):
    await params.result_callback({"sky": "clear"})


async def main():
    llm = Llm(api_key="none")
    llm.register_function("weather", weather)
    messages = [{"role": "system", "content": "Be brief."}]
    tools = ToolsSchema(standard_tools=[FunctionSchema("weather", "The weather", {}, [])])
    context = OpenAILLMContext(messages, tools)
    context_aggregator = llm.create_context_aggregator(context)
    pipeline = Pipeline([context_aggregator.user(), llm, context_aggregator.assistant()])
    task = PipelineTask(pipeline)
    llm._client.finish = lambda: task.queue_frame(EndFrame())
    messages.append({"role": "user", "content": "Hello?"})
    await task.queue_frames([context_aggregator.user().get_context_frame()])
    await PipelineRunner(handle_sigint=False).run(task)
    print("holds", told(context.get_messages_for_persistent_storage()))


warnings.simplefilter("ignore")
logger.remove()
asyncio.run(main())
