"""Code that is understood to be wrong, but not well enough to be mended."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

ParametersT = ParamSpec("ParametersT")
FactsT = TypeVar("FactsT")


class Unclear(Exception):
    """Why a finding has no fix; the message is the end of the finding's own."""


def if_clear(
    decide: Callable[ParametersT, FactsT], *args: ParametersT.args, **kwargs: ParametersT.kwargs
) -> tuple[FactsT | None, str]:
    """Return what a function decides, and no reason; None, and the reason, where it raises Unclear."""
    try:
        return decide(*args, **kwargs), ""
    except Unclear as reason:
        return None, str(reason)
