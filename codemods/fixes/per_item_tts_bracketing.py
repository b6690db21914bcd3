"""Brackets a response with one pair of frames, however many audio items it has."""

from __future__ import annotations

from checks.pipecat.speech_turns import Turn
from codemods.edit import Draft


def fix(facts: Turn, draft: Draft) -> None:
    """Open the turn with its first item, close it with the response."""
    for statement in facts.dropped:
        draft.remove_statement(statement)
    draft.replace(facts.condition, facts.taken_up)
    is_open = f"self.{facts.flag}"
    pushing = draft.text(facts.started)
    draft.replace_statement(facts.started, [f"if not {is_open}:", f"    {is_open} = True", f"    {pushing}"])
    draft.replace(facts.stopped, facts.trace)
    closing = [f"if {is_open}:", f"    {is_open} = False", f"    {draft.text(facts.stopped)}"]
    draft.insert_lines(facts.response, closing)
    for statement in facts.behind:
        draft.insert_behind(statement, [f"{is_open} = False"])
    for statement in facts.before:
        draft.insert_lines(statement, [f"{is_open} = False"])
