"""Puts the new name in the place of the old one."""

from __future__ import annotations

import libcst
from renamed_frame import NEW, Facts

from codemods.edit import Draft


def fix(facts: Facts, draft: Draft) -> None:
    """Replace the name that LibCST reads there."""
    name = draft.expression(facts.name)
    draft.replace(facts.name, libcst.ensure_type(name, libcst.Name).with_changes(value=NEW))
