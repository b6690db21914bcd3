"""Has a handler take the event that comes in its own's place."""

from __future__ import annotations

from codemods.rewrite import fix

__all__ = ["fix"]
