"""Gives analyzers of speech and turns to the user aggregator."""

from __future__ import annotations

from codemods.rewrite import fix

__all__ = ["fix"]
