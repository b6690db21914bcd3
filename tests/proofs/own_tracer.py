"""A tracing decorator of one's own, which ends its span when ``run_tts`` returns."""

import functools

from opentelemetry import trace


def traced_tts(function):
    """Trace speech."""
    tracer = trace.get_tracer("own")

    @functools.wraps(function)
    async def wrapper(self, text, *args, **kwargs):
        if not getattr(self, "_tracing_enabled", False):
            async for frame in function(self, text, *args, **kwargs):
                yield frame
            return
        with tracer.start_as_current_span("tts") as span:
            span.set_attribute("voice", type(self).__name__)
            span.set_attribute("text", text)
            span.set_attribute("metrics.character_count", len(text))
            try:
                async for frame in function(self, text, *args, **kwargs):
                    yield frame
            finally:
                span.set_attribute("metrics.ttfb", self._metrics.ttfb or 0)

    return wrapper
