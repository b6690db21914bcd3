"""The table of contexts and aggregators that went: what the releases say of each row."""

from __future__ import annotations

import pytest

from checks.pipecat import timeline
from checks.pipecat.contexts import CONTEXT, GONE_SINCE, OLD_CONTEXT, PAIR, rows
from checks.pipecat.releases import NEWEST


@pytest.mark.parametrize("old", rows())
def test_class_is_gone_and_its_successor_is_there(old: str) -> None:
    assert timeline.gone_since(old, GONE_SINCE) == GONE_SINCE
    assert timeline.canonical(old, NEWEST) in rows()
    new = rows()[old]
    assert not new or all(timeline.exists(new, release) for release in (GONE_SINCE, NEWEST))


def test_contexts_of_every_service_are_known() -> None:
    names = {f"{module}.{name}" for module in timeline.module_names() for name in timeline.names_of(module)}
    own = {
        timeline.canonical(name, NEWEST) for name in names if name.rpartition(".")[2].endswith("ContextAggregatorPair")
    }
    assert own - {PAIR} == {old for old, new in rows().items() if new == PAIR}
    derived = {name for name in names if OLD_CONTEXT in timeline.lineage(name, NEWEST)}
    assert {timeline.canonical(name, NEWEST) for name in derived} <= rows().keys()
    assert rows()[OLD_CONTEXT] == CONTEXT
