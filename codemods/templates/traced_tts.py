"""The decorator ``run-scoped-tts-span`` writes: one span for each synthesis of a TTS service.

The three classes are copied into the module that is mended; what the functions above them do is put in terms of what
that module has already. The lines are short and broken so that ruff format leaves them alone at any
width from 88 on.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import logging
import time
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from pipecat.frames.frames import ErrorFrame, TTSAudioRawFrame, TTSStoppedFrame
from pipecat.metrics.metrics import TTFBMetricsData

if TYPE_CHECKING:
    from opentelemetry import trace

has_opentelemetry = find_spec("opentelemetry") is not None
if has_opentelemetry:
    from opentelemetry import trace


def is_tracing_available() -> bool:
    """Tell whether OpenTelemetry is installed."""
    return has_opentelemetry


def _is_tracing(service: Any) -> bool:
    """Tell whether spans are wanted from a service at this moment."""
    return getattr(service, "_tracing_enabled", False)


def _open_tts_span(service: Any, name: str | None) -> Any:
    """Open a span with the attributes that hold for the whole synthesis."""
    span = trace.get_tracer("pipecat").start_span(name or "tts")
    span.set_attribute("gen_ai.system", type(service).__name__)
    return span


def _describe_tts_span(span: Any, service: Any, text: str, characters: int):
    """Tell a span what is said in all, again with each further text."""
    span.set_attribute("text", text)
    span.set_attribute("metrics.character_count", characters)


def traced_tts(
    func: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
) -> Any:
    """Trace a TTS service's ``run_tts``: one span for each synthesis.

    Args:
        func: The ``run_tts`` method.
        name: Name of the span, if another one is wanted.

    Returns:
        What stands for the method in the class body.
    """
    if not is_tracing_available():
        return _untraced if func is None else func
    if func is None:
        return functools.partial(traced_tts, name=name)
    open_span = functools.partial(_open_tts_span, name=name)
    return _TracedSynthesis(func, open_span, _describe_tts_span)


def _untraced(function: Callable[..., Any]) -> Callable[..., Any]:
    return function


class _TracedSynthesis:
    """Stands for ``run_tts`` in a class body, with one span for each synthesis.

    The span lasts from the creation of the audio context until its audio has all
    arrived, however long before that ``run_tts`` returns. It ends once: when the
    service says that it is done, or when the audio has been played, the user
    interrupts (``tts.interrupted``), the synthesis fails or the service shuts down.

    It must be the outermost decorator in a class body: the class is told of it when
    it is made, and its ``setup()`` is where an instance begins to be traced.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        open_span: Callable[[Any], Any],
        describe: Callable[..., None] | None = None,
    ):
        functools.update_wrapper(self, function)
        self._function = function
        self._open_span = open_span
        self._describe = describe

    def __set_name__(self, owner: type, attribute: str):
        opening: Any = staticmethod(self._open_span)
        describing: Any = staticmethod(self._describe) if self._describe else None
        setattr(owner, attribute, self._with_text())
        owner._opens_synthesis = opening
        owner._describes_synthesis = describing
        setup: Any = getattr(owner, "setup", None)
        if setup is None or getattr(setup, "_traces_synthesis", False):
            return

        @functools.wraps(setup)
        async def traced_setup(self: Any, *args: Any, **kwargs: Any):
            await setup(self, *args, **kwargs)
            if getattr(self, "_synthesis_spans", None) is None:
                self._synthesis_spans = _SynthesisSpans(self)

        vars(traced_setup)["_traces_synthesis"] = True
        owner.setup = traced_setup

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        # Assigned from outside a class body: the method works, untraced.
        return self._function.__get__(instance, owner)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._function(*args, **kwargs)

    def _with_text(self) -> Callable[..., Any]:
        """Return the method, which tells the span of its context what it says."""
        function = self._function

        if inspect.isasyncgenfunction(function):

            @functools.wraps(function)
            async def generate(self: Any, text: str, *args: Any, **kwargs: Any):
                spans = _is_tracing(self) and getattr(self, "_synthesis_spans", None)
                frames = function(self, text, *args, **kwargs)
                async with contextlib.aclosing(frames):
                    if not spans:
                        async for frame in frames:
                            yield frame
                        return
                    context_id = args[0] if args else kwargs.get("context_id")
                    with spans.saying(context_id, text):
                        async for frame in frames:
                            yield frame

            return generate

        @functools.wraps(function)
        async def run(self: Any, text: str, *args: Any, **kwargs: Any):
            spans = _is_tracing(self) and getattr(self, "_synthesis_spans", None)
            if not spans:
                return await function(self, text, *args, **kwargs)
            context_id = args[0] if args else kwargs.get("context_id")
            with spans.saying(context_id, text):
                return await function(self, text, *args, **kwargs)

        return run


class _OpenSpan:
    """The span of one synthesis, and what is known of it."""

    def __init__(self, span: Any):
        self.span = span
        self.has_audio = False
        self.has_ttfb = False
        self.done_at: int | None = None


class _SynthesisSpans:
    """The open spans of one service, by audio context, and the hooks that keep them.

    The time to the first byte is the service's own measurement. It belongs to the
    context that was being started when the measurement began, and is kept only if
    that context's audio ended it.
    """

    def __init__(self, service: Any):
        self._service = service
        # Those of the nearest class that is decorated.
        self._open_span = service._opens_synthesis
        self._describe = service._describes_synthesis
        self._open: dict[str, _OpenSpan] = {}
        self._texts: dict[str, list[str]] = {}
        self._saying: set[str] = set()
        self._latest: str | None = None
        self._measured: str | None = None
        self._ttfb: tuple[str, float] | None = None
        self._hook(service, "create_audio_context", before=self._created)
        self._hook(service, "append_to_audio_context", self._appending, self._appended)
        self._hook(service, "remove_audio_context", before=self._completed)
        self._hook(service, "on_audio_context_completed", before=self._ended)
        self._hook(service, "on_audio_context_interrupted", before=self._interrupted)
        self._hook(service, "reset_active_audio_context", before=self._reset)
        self._hook(service, "cancel", after=self._shut_down)
        self._hook(service, "cleanup", after=self._shut_down)
        metrics = getattr(service, "_metrics", None)
        if metrics is not None:
            self._hook(metrics, "start_ttfb_metrics", before=self._measuring)
            self._hook(metrics, "stop_ttfb_metrics", after=self._measured_ttfb)

    def _hook(
        self,
        target: Any,
        method: str,
        before: Callable[..., None] | None = None,
        after: Callable[..., None] | None = None,
    ):
        """Have a method of one object call the tracer before and after it runs."""
        original = getattr(target, method, None)
        if original is None:
            return

        def tell(listener: Callable[..., None] | None, *args: Any):
            if listener is None or not _is_tracing(self._service):
                return
            try:
                listener(*args)
            except Exception as e:
                logging.warning(f"Error in TTS tracing: {e}")

        @functools.wraps(original)
        async def traced(*args: Any, **kwargs: Any):
            arguments = (*args, *kwargs.values())
            tell(before, *arguments)
            result = await original(*args, **kwargs)
            tell(after, result, *arguments)
            return result

        @functools.wraps(original)
        def traced_at_once(*args: Any, **kwargs: Any):
            arguments = (*args, *kwargs.values())
            tell(before, *arguments)
            result = original(*args, **kwargs)
            tell(after, result, *arguments)
            return result

        is_async = inspect.iscoroutinefunction(original)
        setattr(target, method, traced if is_async else traced_at_once)

    # -- a synthesis begins and ends

    @contextlib.contextmanager
    def saying(self, context_id: str, text: str):
        """Add what ``run_tts`` is given to say, and end the span if that fails."""
        if context_id in self._saying:
            # A parent's run_tts, called by its child's.
            yield
            return
        self._saying.add(context_id)
        self._latest = context_id
        self._texts.setdefault(context_id, []).append(text)
        try:
            self._write_text(context_id)
            yield
        except Exception as e:
            self._failed(context_id, e)
            raise
        finally:
            self._saying.discard(context_id)

    def _write_text(self, context_id: str):
        entry = self._open.get(context_id)
        texts = self._texts.get(context_id)
        if entry is None or not texts or self._describe is None:
            return
        # Tokens bring their blanks along, sentences do not.
        streaming = getattr(self._service, "_is_streaming_tokens", False)
        text = ("" if streaming else " ").join(texts)
        self._describe(entry.span, self._service, text, sum(map(len, texts)))

    def _created(self, context_id: str):
        self._latest = context_id
        if context_id not in self._open:
            self._open[context_id] = _OpenSpan(self._open_span(self._service))
            self._write_text(context_id)

    def _appending(self, context_id: str, frame: Any):
        entry = self._open.get(context_id)
        if entry is None:
            return
        if isinstance(frame, ErrorFrame):
            self._mark_failed(entry, str(frame.error))
        elif isinstance(frame, TTSAudioRawFrame) and not entry.has_audio:
            entry.has_audio = True
            if self._ttfb is not None and self._ttfb[0] == context_id:
                self._record_ttfb(context_id, self._ttfb[1])

    def _appended(self, result: Any, context_id: str, frame: Any):
        if isinstance(frame, TTSStoppedFrame):
            self._completed(context_id)

    def _completed(self, context_id: str):
        """End a span, or note its end while its first byte is still to be measured."""
        entry = self._open.get(context_id)
        if entry is None:
            return
        if entry.has_audio and not entry.has_ttfb and self._measured == context_id:
            entry.done_at = entry.done_at or time.time_ns()
        else:
            self._ended(context_id)

    def _ended(self, context_id: str, interrupted: bool = False):
        entry = self._open.pop(context_id, None)
        self._texts.pop(context_id, None)
        if entry is None:
            return
        if interrupted and entry.done_at is None:
            entry.span.set_attribute("tts.interrupted", True)
        entry.span.end(end_time=entry.done_at)

    def _interrupted(self, context_id: str):
        self._ended(context_id, interrupted=True)

    def _reset(self):
        playing = getattr(self._service, "_playing_context_id", None)
        if playing is not None:
            self._ended(playing, interrupted=True)

    def _failed(self, context_id: str, error: Exception):
        entry = self._open.get(context_id)
        try:
            if entry is not None:
                entry.span.record_exception(error)
                self._mark_failed(entry, str(error))
            self._ended(context_id)
        except Exception as e:
            logging.warning(f"Error in TTS tracing: {e}")

    def _mark_failed(self, entry: _OpenSpan, why: str):
        import opentelemetry.trace as api

        entry.span.set_status(api.StatusCode.ERROR, why)

    def _shut_down(self, *_: Any):
        for context_id in list(self._open):
            self._ended(context_id)

    # -- the time to the first byte

    def _measuring(self, *_: Any):
        self._measured = self._latest
        self._ttfb = None

    def _measured_ttfb(self, frame: Any, *_: Any):
        data = frame.data if frame is not None else ()
        values = [one.value for one in data if isinstance(one, TTFBMetricsData)]
        context_id = self._measured
        if not values or context_id is None:
            return
        self._measured = None
        entry = self._open.get(context_id)
        if entry is None:
            return
        player = getattr(self._service, "_audio_context_task", None)
        if player is not None and asyncio.current_task() is player:
            if self._service.get_active_audio_context_id() == context_id:
                self._record_ttfb(context_id, values[0])
            elif entry.done_at is not None:
                self._ended(context_id)
        elif entry.has_audio:
            self._record_ttfb(context_id, values[0])
        else:
            self._ttfb = (context_id, values[0])

    def _record_ttfb(self, context_id: str, value: float):
        entry = self._open[context_id]
        entry.has_ttfb = True
        entry.span.set_attribute("metrics.ttfb", value)
        if entry.done_at is not None:
            self._ended(context_id)
