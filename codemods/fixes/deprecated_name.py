"""Imports names from the modules that take the place of deprecated ones, or has something else called."""

from __future__ import annotations

from codemods.fixes.removed_name import fix

__all__ = ["fix"]
