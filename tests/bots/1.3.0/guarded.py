"""A library that works on old and new releases alike, by asking first."""

from importlib.metadata import version

from packaging.version import Version

try:
    from pipecat.pipeline.worker import PipelineWorker
    from pipecat.workers.runner import WorkerRunner
except ImportError:
    from pipecat.pipeline.runner import PipelineRunner as WorkerRunner
    from pipecat.pipeline.task import PipelineTask as PipelineWorker

try:
    from pipecat.processors.aggregators.openai_llm_context import OpenAILLMContext
except ImportError:
    OpenAILLMContext = None

from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.task import PipelineParams
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.services.llm_service import LLMService

NEW = Version(version("pipecat-ai")) >= Version("1.3.0")


def context_for(llm: LLMService, messages: list):
    """Return a context and its aggregators, as the release has them."""
    if OpenAILLMContext is not None and hasattr(llm, "create_context_aggregator"):
        context = OpenAILLMContext(messages)
        return context, getattr(llm, "create_context_aggregator")(context)
    from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair

    context = LLMContext(messages)
    return context, LLMContextAggregatorPair(context)


async def run(processors: list[FrameProcessor]):
    worker = PipelineWorker(Pipeline(processors), params=PipelineParams(enable_metrics=True))
    runner = WorkerRunner(handle_sigint=False)
    if NEW:
        await runner.add_workers(worker)
        await runner.run()
    else:
        await runner.run(worker)
