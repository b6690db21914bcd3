"""The mends, one module each: ``unguarded_cr_code.py`` executes what the check of that name decided.

A mend has ``fix(facts, draft)``; installed packages add theirs beside their rules through the entry point group
``pipecat_codemods.fixes``, each entry named for its rule.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from codemods.edit import Draft


@cache
def fix_for(rule: str) -> Callable[[Any, Draft], None] | None:
    """Return the function that mends a rule's findings, or None for a rule that only finds."""
    module = f"codemods.fixes.{rule.replace('-', '_')}"
    if importlib.util.find_spec(module) is None:
        from importlib.metadata import entry_points

        entries = list(entry_points(group="pipecat_codemods.fixes", name=rule))
        if not entries:
            return None
        module = entries[0].value
    return importlib.import_module(module).fix
