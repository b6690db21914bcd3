"""Gives a variable the name that is read now."""

from __future__ import annotations

from codemods.rewrite import fix

__all__ = ["fix"]
