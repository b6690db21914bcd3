"""Executes changes of text that a check worked out whole."""

from __future__ import annotations

import re

from checks.arguments import Rewrite
from codemods.edit import Draft


def fix(facts: Rewrite | tuple[()], draft: Draft) -> None:
    """Put in the new texts, names imported; of findings mended together the first has all that is to be done."""
    if not isinstance(facts, Rewrite):
        return
    imported = (dotted.rpartition(".") for dotted in facts.imports)
    names = {name: draft.import_name(module, name) for module, _, name in imported}
    for change in facts.changes:
        text = change.text
        for name, local in names.items():
            text = re.sub(rf"\b{name}\b", local, text) if local != name else text
        draft.replace(change.span, text)
