"""Shared by all tests: no run may touch journal or cache of the person who runs them; ``--promise`` picks tests."""

from __future__ import annotations

import signal
import tomllib
from pathlib import Path

import pytest

# Started by nohup or in the background, Python and all that it starts would pass over Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

pytest.register_assert_rewrite("tests.cases")

HERE = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--promise", metavar="N", help="Run only the tests of one of the promises in promises.toml.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    number = config.getoption("--promise")
    if number is None:
        return
    table = tomllib.loads((HERE / "promises.toml").read_text("utf-8"))
    if number not in table:
        raise pytest.UsageError(f"there is no promise {number}; there are {', '.join(table)}")
    wanted = {tuple(test.split("::")) for test in table[number]["tests"]}
    kept = [item for item in items if {name_of(item), (name_of(item)[0], "*")} & wanted]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def name_of(item: pytest.Item) -> tuple[str, str]:
    """Return the file and the function of a test, as promises.toml has them."""
    return item.path.relative_to(HERE).as_posix(), item.name.partition("[")[0]


@pytest.fixture(autouse=True)
def _own_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("PIPECAT_CODEMODS_CACHE_DIR", str(tmp_path / "cache"))
