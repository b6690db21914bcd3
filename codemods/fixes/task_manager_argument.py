"""Moves an observer's task manager from its constructor to setup()."""

from __future__ import annotations

from checks.pipecat.moves import MovedImport
from checks.pipecat.owner import Ownership
from checks.pipecat.wiring import Construction, Definition
from checks.rules.task_manager_argument import LifecycleCall
from codemods.edit import Draft


def fix(facts: Construction | Definition | Ownership | MovedImport | LifecycleCall, draft: Draft) -> None:
    """Execute what the check decided for one call, class or import."""
    match facts:
        case Construction():
            draft.drop_argument(facts.call, facts.argument)
            for setup in facts.setups:
                draft.insert_before(setup.before, setup.text)
        case Definition():
            _fix_definition(facts, draft)
        case Ownership():
            for renamed in facts.renamed:
                draft.replace(renamed.span, renamed.text)
            if facts.handed_over is not None:
                draft.insert_before(facts.handed_over.before, facts.handed_over.text)
        case MovedImport():
            draft.move_import(facts)
        case LifecycleCall(statement, text):
            if text is None:
                draft.remove_statement(statement)
            else:
                draft.replace(statement, text)


def _fix_definition(facts: Definition, draft: Draft) -> None:
    draft.drop_parameter(facts.function, facts.parameter)
    for entry in facts.docstring:
        draft.remove_text(entry)
    if facts.store is not None:
        draft.remove_statement(facts.store)
    if facts.forwarded is not None:
        draft.drop_argument(*facts.forwarded)
    for use in facts.uses:
        draft.replace(use.span, use.text)
