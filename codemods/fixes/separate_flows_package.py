"""Imports the names of flows from Pipecat."""

from __future__ import annotations

from codemods.fixes.removed_name import fix

__all__ = ["fix"]
