"""Files of Pipecat's evals, as PyYAML reads them: scenarios, and suites of them, in forms that were."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from checks.datafile import DataFile, Written
from checks.source import Unreadable, contents, decode

if TYPE_CHECKING:
    import yaml

# PyYAML takes a second for a megabyte; people write these files by hand.
_MOST_BYTES = 2**20
# So many nodes are read, each as often as an alias names it: a few lines of aliases can stand for any number.
_MOST_NODES = 10**5
# What a simulation has to say, in words (Pipecat 1.14.0): a bot's own settings may have a persona and a goal, too.
_SIMULATED = ("persona", "goal", "success")
_MERGE = "tag:yaml.org,2002:merge"
_MAY_BE_ONE = re.compile(rb"^(?:turns|persona)[ \t]*:|\brunner_body[ \t]*:", re.MULTILINE)


class Scenario(NamedTuple):
    """A file that is one scenario: its key that says so, the name as written, and what the name says."""

    key: Written
    name: Written
    called: str


class Body(NamedTuple):
    """A file with a bot's arguments, named where an entry of a suite says what the bot gets; ``style`` is YAML's."""

    path: Written
    style: str | None


class EvalFile(DataFile):
    """A scenario, or a suite; any other YAML has no parts."""

    @property
    def parts(self) -> list[Scenario | Body]:
        """What is written in a form that was."""
        return self._parts

    @cached_property
    def said(self) -> dict[str, Any] | None:
        """What it says, see ``as_read_now``."""
        return as_read_now(self.text)

    @cached_property
    def _parts(self) -> list[Scenario | Body]:
        root = composed(self.text)
        return [*_scenario(root, self.text), *_bodies(root, self.text)] if root is not None else []


def is_eval_file(path: Path) -> bool:
    """Tell by its name whether a file may be of evals."""
    return path.suffix in (".yaml", ".yml")


def may_be_eval(path: Path) -> bool:
    """Tell by its bytes whether a file may be of evals, in a form that was; not if they are no text."""
    try:
        data = contents(path)
        return _MAY_BE_ONE.search(data) is not None and bool(decode(data)[0])
    except (OSError, Unreadable):
        return False


def composed(text: str) -> yaml.MappingNode | None:
    """Return what a text says, if that is one mapping."""
    import yaml

    if len(text) > _MOST_BYTES:
        return None
    try:
        root: Any = cast(Any, yaml).compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError):
        return None
    return root if isinstance(root, yaml.MappingNode) else None


def as_read_now(text: str) -> dict[str, Any] | None:
    """Return what a text says, forms that were told as those that are; None if it is not one mapping, or too much."""
    root = composed(text)
    if root is None:
        return None
    try:
        said: dict[str, Any] = _plain(root, iter(range(_MOST_NODES)))
    except (StopIteration, RecursionError):
        return None
    if "scenarios" not in said and not {"turns", "persona"}.isdisjoint(said):
        said["scenarios"] = [{"name": said.get("name")}]
    suite: Any = said.get("suite")
    told: list[dict[str, Any]] = []
    if isinstance(suite, list):
        told = [one for one in cast(list[Any], suite) if isinstance(one, dict)]
    for entry in told:
        if isinstance(entry.get("runner_body"), str):
            entry["runner_body"] = {"path": entry["runner_body"]}
    return said


def _plain(node: yaml.Node, left: Iterator[int]) -> Any:
    """Return what a node says: a scalar as it is written, with its tag beside it if it is no string.

    Raises:
        StopIteration: as many nodes were read as are ``left``.
    """
    import yaml

    next(left)
    if isinstance(node, yaml.MappingNode):
        return {str(_plain(key, left)): _plain(value, left) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(one, left) for one in node.value]
    return node.value if node.tag == "tag:yaml.org,2002:str" else (node.tag, node.value)


def entries(node: yaml.Node | None) -> dict[str, tuple[yaml.ScalarNode, yaml.Node]]:
    """Return the keys and values of a mapping by what the keys say; none of anything else."""
    import yaml

    if not isinstance(node, yaml.MappingNode):
        return {}
    return {key.value: (key, value) for key, value in node.value if isinstance(key, yaml.ScalarNode)}


def _scenario(root: yaml.MappingNode, text: str) -> Iterator[Scenario]:
    import yaml

    found = entries(root)
    if any(key.tag == _MERGE for key, _ in found.values()):
        return  # the list may be among what is merged
    name = found["name"][1] if "name" in found else None
    kind = next((key for key in ("turns", "persona") if key in found), None)
    if kind is None or "scenarios" in found or not isinstance(name, yaml.ScalarNode):
        return
    turns = found[kind][1]
    if isinstance(turns, yaml.SequenceNode):
        is_one = bool(turns.value) and all(not {"user", "expect"}.isdisjoint(entries(one)) for one in turns.value)
    else:
        said = [key for key, (_, value) in found.items() if isinstance(value, yaml.ScalarNode)]
        is_one = kind == "persona" and all(key in said for key in _SIMULATED)
    if is_one:
        yield Scenario(_written(found[kind][0], text), _written(name, text), name.value)


def _bodies(root: yaml.MappingNode, text: str) -> Iterator[Body]:
    import yaml

    suite = entries(root).get("suite", (None, None))[1]
    for entry in suite.value if isinstance(suite, yaml.SequenceNode) else ():
        found = entries(entry)
        if "bot" in found and "runner_body" in found:
            key, value = found["runner_body"]
            is_here = value.start_mark.index > key.end_mark.index and value.start_mark.line == key.start_mark.line
            if isinstance(value, yaml.ScalarNode) and value.tag == "tag:yaml.org,2002:str" and is_here:
                yield Body(_written(value, text), value.style)


def _written(node: yaml.Node, text: str) -> Written:
    start, end = node.start_mark.index, node.end_mark.index
    return Written(text[start:end], start, end)
