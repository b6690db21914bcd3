"""Gives messages a context of their own."""

from __future__ import annotations

from codemods.rewrite import fix

__all__ = ["fix"]
