"""Pushes an error frame as what it is."""

from __future__ import annotations

from codemods.rewrite import fix

__all__ = ["fix"]
