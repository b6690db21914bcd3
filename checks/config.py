"""``[tool.pipecat-codemods]`` in pyproject.toml, and what the command line puts over it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from checks.errors import UsageError, unknown
from checks.source import contents

TABLE = "pipecat-codemods"


class Config(NamedTuple):
    """A project's settings.

    ``per_file_ignores`` maps .gitignore patterns to the rules ignored in matching files. ``best_effort_services``
    names classes of realtime services that take up delayed results of tools unreliably. ``baseline`` is the path of the
    file of known findings, from the project's root.
    """

    target: str | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    unsafe: bool = False
    exclude: tuple[str, ...] = ()
    baseline: str | None = None
    best_effort_services: tuple[str, ...] = ()
    per_file_ignores: Mapping[str, tuple[str, ...]] = MappingProxyType({})

    def ignored_in(self, relative: str) -> set[str]:
        """Return the rules that are ignored in a file, given its path from the project's root."""
        if not self.per_file_ignores:
            return set()
        import pathspec

        return {
            rule
            for pattern, rules in self.per_file_ignores.items()
            if pathspec.GitIgnoreSpec.from_lines([pattern]).match_file(relative)
            for rule in rules
        }


def load(root: Path) -> Config:
    """Return the settings of the project at a root; the defaults where it has none.

    Raises:
        UsageError: an unknown key, a value of the wrong kind, or TOML that does not parse.
    """
    path = root / "pyproject.toml"
    try:
        text = contents(path).decode()
    except FileNotFoundError:
        return Config()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if TABLE not in text:
        return Config()
    import tomllib

    try:
        table: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: {error}") from None
    except RecursionError:
        raise UsageError(f"{path}: nested too deeply") from None
    for name in ("tool", TABLE):
        table = cast(dict[str, Any], table).get(name, {})
        if not isinstance(table, dict):
            raise UsageError(f"{path}: {name} must be a table")
    keys = {name.replace("_", "-"): name for name in Config._fields}
    values: dict[str, Any] = {}
    for key, value in cast(dict[str, Any], table).items():
        if key not in keys:
            error = unknown("key", key, keys)
            raise UsageError(f"{path}: [tool.{TABLE}]: {error}")
        values[keys[key]] = _checked(key, value, path)
    return Config(**values)


def _checked(key: str, value: Any, path: Path) -> Any:
    if key in ("target", "baseline") and isinstance(value, str):
        return value
    if key == "unsafe" and isinstance(value, bool):
        return value
    if key in ("select", "ignore", "exclude", "best-effort-services") and _is_strings(value):
        return tuple(value)
    if key == "per-file-ignores" and isinstance(value, dict):
        table: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType]
        if all(_is_strings(rules) for rules in table.values()):
            return {pattern: tuple(rules) for pattern, rules in table.items()}
    kinds = {
        "target": "a string",
        "baseline": "a string",
        "unsafe": "true or false",
        "per-file-ignores": "a table of lists",
    }
    raise UsageError(f"{path}: [tool.{TABLE}]: {key} must be {kinds.get(key, 'a list of strings')}")


def _is_strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)  # pyright: ignore[reportUnknownVariableType]
