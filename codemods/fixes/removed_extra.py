"""Puts an extra's new name in, or takes the extra out."""

from __future__ import annotations

from codemods.rewrite import fix

__all__ = ["fix"]
