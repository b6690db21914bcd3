"""Gives a service its settings in one argument."""

from __future__ import annotations

from codemods.rewrite import fix

__all__ = ["fix"]
