"""A service that takes what Pipecat keeps in ``_settings`` for a dictionary.

What it finds:
    In a class derived from one of Pipecat's services: a dictionary assigned to ``self._settings``, or an item of it
    asked for where nothing else in the project is put there. It has been an object since 0.0.104.

Why it matters:
    ``AttributeError`` as soon as the service starts, or ``TypeError`` where the item is asked for.

Example:
    ::

        super().__init__(**kwargs)
        self._settings = {"speed": speed}

    becomes::

        super().__init__(**kwargs)
        self._own_settings = {"speed": speed}

Fix safety:
    Unsafe: settings that a frame brings no longer reach the dictionary. Left to a human where it is used by other
    classes, or otherwise than as a dictionary, and where the project still admits a release before 0.0.104.

References:
    https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.pipecat.own_settings import (
    DIFFERENCE,
    SETTINGS,
    has_no_items,
    is_used_as_dictionary,
    line_of,
    makes_dictionary,
    renamed,
    since,
)
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source
from checks.unclear import if_clear

RULE = Rule(
    __name__,
    needles=("_settings",),
    fix=Fix.UNSAFE,
    impact=Impact.BREAKS,
    since="0.0.104",
    url="https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md",
    unless_own="pipecat",
)


@RULE.on(ast.Attribute, named=(SETTINGS,))
def used(node: ast.Attribute, source: Source) -> Iterator[Finding]:
    """Decide on ``self._settings``."""
    line = line_of(node, source) if is_used_as_dictionary(node, source) else None
    if line is None:
        return
    story = f"Pipecat keeps an object in {SETTINGS} since {since(source.project.target)}"
    if isinstance(node.ctx, ast.Load):
        if has_no_items(node, line, source):
            yield RULE.finding(source, node, f"{story}, which has no items: TypeError")
    elif makes_dictionary(node, line, source):
        facts, why = if_clear(renamed, node, line, source)
        why = DIFFERENCE if facts is not None else why or "keep the dictionary under another name"
        yield RULE.finding(source, node, f"{story}, and asks it at the start: AttributeError", facts=facts, why=why)
