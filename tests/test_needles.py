"""Which rules a file holds the needles of, with ahocorasick_rs and without."""

from __future__ import annotations

import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checks.needles import Needles
from checks.registry import all_rules
from checks.rule import Fix, Rule


def _rules(*needles: tuple[str, ...]) -> list[Rule]:
    return [Rule(f"rule{number}", needles=some, fix=Fix.NONE) for number, some in enumerate(needles)]


@pytest.fixture(params=["ahocorasick_rs", "without"])
def _search(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "without":
        monkeypatch.setitem(sys.modules, "ahocorasick_rs", None)
    else:
        pytest.importorskip("ahocorasick_rs")


@pytest.mark.usefixtures("_search")
def test_needles_within_each_other_are_all_found() -> None:
    rules = _rules(("settings",), ("set",), ("ttin",), ("gs",), ("missing",), (), *((f"more{n}",) for n in range(20)))
    needles = Needles(rules)
    for _ in range(30):
        assert [rule.name for rule in needles.held(b"a settings b")] == ["rule0", "rule1", "rule2", "rule3", "rule5"]
    assert needles.held(b"") == [rules[5]]


def test_both_ways_find_the_same() -> None:
    pytest.importorskip("ahocorasick_rs")
    rules = list(all_rules().values())
    words = sorted({needle for rule in rules for needle in rule.needles})
    many, few = Needles(rules), Needles(rules)
    for _ in range(30):
        many.held(b"")

    @settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(st.sampled_from([*words, b" ", b"\n", b"_", b"\xff"])).map(b"".join))
    def compare(data: bytes) -> None:
        few._searches = 0  # pyright: ignore[reportPrivateUsage]
        assert many.held(data) == few.held(data)

    compare()
