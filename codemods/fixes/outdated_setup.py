"""Has a ``setup`` take what it is given."""

from __future__ import annotations

from codemods.rewrite import fix

__all__ = ["fix"]
