"""Sources made from text, for tests of what the rules ask."""

from __future__ import annotations

from pathlib import Path

from checks.pipecat.releases import NEWEST
from checks.project import Project
from checks.source import Source


def source_of(text: str | bytes, path: str = "/nowhere/package/module.py") -> Source:
    """Return a source that stands in no folder: module ``package.module`` of a project at /nowhere."""
    data = text.encode() if isinstance(text, str) else text
    place = Path(path)
    project = Project(Path("/nowhere"), NEWEST, overlay={place: data})
    return project.source(place)
