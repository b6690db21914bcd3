"""Puts in the await."""

from __future__ import annotations

from codemods.rewrite import fix

__all__ = ["fix"]
