"""Keeps a service's own dictionary under a name of its own."""

from __future__ import annotations

from codemods.rewrite import fix

__all__ = ["fix"]
