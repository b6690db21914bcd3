"""Has a handler take what it is called with."""

from __future__ import annotations

from codemods.rewrite import fix

__all__ = ["fix"]
