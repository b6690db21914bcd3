"""What kind of file a path is, by its name: Python, or what is read otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from checks.requirements import RequirementFile, is_requirement_file
from checks.source import Source
from checks.variables import VariableFile, is_variable_file

if TYPE_CHECKING:
    from checks.project import Project


def opened(path: Path, data: bytes, *, module: str, project: Project) -> Source:
    """Return a file as what its name says it is: one with requirements or variables, or else Python.

    Raises:
        Unreadable: it is not text.
    """
    kind = RequirementFile if is_requirement_file(path) else VariableFile if is_variable_file(path) else Source
    return kind(path, data, module=module, project=project)


def is_data_file(path: Path) -> bool:
    """Tell whether a file is one that rules read and that is no Python."""
    return is_requirement_file(path) or is_variable_file(path)
