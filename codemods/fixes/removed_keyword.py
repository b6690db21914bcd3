"""Puts in what took the place of a keyword that is refused, or takes it out."""

from __future__ import annotations

from codemods.rewrite import fix

__all__ = ["fix"]
