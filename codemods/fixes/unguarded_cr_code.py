"""Reads the name of a coroutine through ``getattr`` with defaults."""

from __future__ import annotations

import libcst as cst

from checks.rules.unguarded_cr_code import DEFAULT, Facts
from codemods.edit import Draft


def fix(facts: Facts, draft: Draft) -> None:
    """Put ``getattr(getattr(X, "cr_code", None), "co_name", "task")`` for ``X.cr_code.co_name``."""
    subject = draft.expression(facts.subject)
    if isinstance(subject, cst.Yield):
        subject = subject.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    value = _getattr(subject, facts.attribute, cst.Name("None"), facts)
    if facts.name is not None:
        value = _getattr(value, facts.name, _string(DEFAULT, facts), facts)
    if facts.hoist is None:
        draft.replace(facts.whole, value)
        return
    draft.insert_before(facts.hoist, f"{facts.variable} = {cst.Module([]).code_for_node(value)}")
    draft.replace(facts.whole, facts.variable)


def _getattr(subject: cst.BaseExpression, name: str, default: cst.BaseExpression, facts: Facts) -> cst.Call:
    arguments = [cst.Arg(subject), cst.Arg(_string(name, facts)), cst.Arg(default)]
    return cst.Call(cst.Name("getattr"), arguments)


def _string(text: str, facts: Facts) -> cst.SimpleString:
    return cst.SimpleString(f"{facts.quote}{text}{facts.quote}")
