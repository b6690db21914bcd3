"""Has an override take what it is called with, and hand it on."""

from __future__ import annotations

from codemods.rewrite import fix

__all__ = ["fix"]
