"""How people test their processors: pipecat.tests, patches by name, and a mocked service."""

import unittest
from unittest.mock import AsyncMock, patch

from pipecat.frames.frames import EndFrame, Frame, LLMTextFrame, TextFrame, TTSSpeakFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.filters.identity_filter import IdentityFilter
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.llm_service import FunctionCallParams
from pipecat.tests.utils import SleepFrame, run_test


class Upper(FrameProcessor):
    async def process_frame(self, frame: Frame, direction: FrameDirection):
        await super().process_frame(frame, direction)
        if isinstance(frame, TextFrame):
            frame = TextFrame(frame.text.upper())
        await self.push_frame(frame, direction)


class TestUpper(unittest.IsolatedAsyncioTestCase):
    async def test_upper(self):
        down, up = await run_test(
            Upper(),
            frames_to_send=[TextFrame("a"), SleepFrame(0.1), TextFrame("b")],
            expected_down_frames=[TextFrame, TextFrame],
            pipeline_params=PipelineParams(start_metadata={"x": 1}),
        )
        self.assertEqual([frame.text for frame in down if isinstance(frame, TextFrame)], ["A", "B"])
        self.assertEqual(len(up), 0)

    async def test_task(self):
        task = PipelineTask(Pipeline([IdentityFilter()]), cancel_on_idle_timeout=False)
        await task.queue_frames([LLMTextFrame("x"), TTSSpeakFrame("y"), EndFrame()])
        with patch("pipecat.pipeline.task.PipelineTask.cancel", new=AsyncMock()) as cancel:
            runner = PipelineRunner(handle_sigint=False)
            await runner.run(task)
            cancel.assert_not_called()
        self.assertTrue(task.has_finished())

    @patch("pipecat.services.openai.llm.OpenAILLMService.run_inference")
    async def test_inference(self, run_inference: AsyncMock):
        run_inference.return_value = "fine"
        from pipecat.services.openai.llm import OpenAILLMService

        llm = OpenAILLMService(api_key="x", model="gpt-4o")
        self.assertEqual(await llm.run_inference(LLMContext()), "fine")

    async def test_handler(self):
        told = AsyncMock()
        params = FunctionCallParams(
            function_name="f",
            tool_call_id="1",
            arguments={},
            llm=AsyncMock(),
            pipeline_worker=AsyncMock(),
            context=LLMContext(),
            result_callback=told,
        )
        await params.result_callback("x")
        told.assert_awaited_once_with("x")
