"""Puts the form that is read from now on in the place of one that was."""

from __future__ import annotations

from codemods.rewrite import fix

__all__ = ["fix"]
