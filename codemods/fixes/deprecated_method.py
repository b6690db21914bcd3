"""Puts in the name that took a member's place."""

from __future__ import annotations

from codemods.rewrite import fix

__all__ = ["fix"]
