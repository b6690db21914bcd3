"""Puts in what takes the place of a deprecated keyword, or takes it out."""

from __future__ import annotations

from codemods.rewrite import fix

__all__ = ["fix"]
