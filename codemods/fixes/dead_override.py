"""Has an override take the place of the method that is called now."""

from __future__ import annotations

from codemods.rewrite import fix

__all__ = ["fix"]
