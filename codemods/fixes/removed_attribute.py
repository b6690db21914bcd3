"""Puts in the property that gives what a private attribute held."""

from __future__ import annotations

from codemods.rewrite import fix

__all__ = ["fix"]
