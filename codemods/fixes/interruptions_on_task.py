"""Tells the user aggregator whether and when the user may interrupt."""

from __future__ import annotations

from codemods.rewrite import fix

__all__ = ["fix"]
