"""What kind of file a path is, by its name: Python, or what is read otherwise."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from checks.datafile import DataFile
from checks.evals import EvalFile, is_eval_file
from checks.requirements import RequirementFile, is_requirement_file
from checks.source import Source
from checks.variables import VariableFile, is_variable_file

if TYPE_CHECKING:
    from checks.project import Project


_KINDS: tuple[tuple[Callable[[Path], bool], type[DataFile]], ...] = (
    (is_requirement_file, RequirementFile),
    (is_variable_file, VariableFile),
    (is_eval_file, EvalFile),
)


def opened(path: Path, data: bytes, *, module: str, project: Project) -> Source:
    """Return a file as what its name says it is: one of those that are no Python, or else that.

    Raises:
        Unreadable: it is not text.
    """
    kind = next((kind for is_one, kind in _KINDS if is_one(path)), Source)
    return kind(path, data, module=module, project=project)


def is_data_file(path: Path) -> bool:
    """Tell whether a file is one that rules read and that is no Python."""
    return any(is_one(path) for is_one, _ in _KINDS)
