"""What a human is told: of names that are gone, and to use names that are there."""

from __future__ import annotations

import re

import pytest

from checks.pipecat import timeline
from checks.pipecat.advice import advice, rows
from checks.pipecat.releases import NEWEST, RELEASES, Release


@pytest.mark.parametrize("name", rows())
def test_row(name: str) -> None:
    owner, _, last = name.rpartition(".")
    built = [timeline.constructor(owner, release) for release in RELEASES]
    if any(one is not None for one in built):
        assert built[-1] is None or last not in built[-1].keywords
    elif (signature := timeline.signature(*owner.rsplit(".", 1), NEWEST)) is not None:
        assert last not in (*signature.by_place, *signature.by_keyword)
    else:
        assert timeline.exists(name, NEWEST) is False
    named = re.findall(r"pipecat(?:\.\w+)+", rows()[name])
    assert [one for one in named if not timeline.exists(one, NEWEST)] == []


def test_a_module_speaks_for_its_names() -> None:
    said = advice("pipecat.processors.filters.stt_mute_filter.STTMuteConfig", Release(1, 0, 0))
    assert said is not None
    assert "user_mute_strategies" in said
    assert advice("pipecat.frames.frames.TextFrame", Release(1, 0, 0)) is None
