"""A method, property or field that the target release does not have.

What it finds:
    A public member of a class of Pipecat's, called or read on an object whose class is plain, on the class itself, or
    on ``self`` or ``super()`` in a class derived from it, which an earlier release had and the target release has not.
    Of a pydantic model's field, also where it is given a value. And a member, private or not, that is named in a string
    for ``patch``, ``patch.object`` or ``monkeypatch.setattr``, or as a keyword for ``patch.multiple``.

Why it matters:
    ``AttributeError`` as soon as the line runs, which may be in the middle of a call.

Example:
    ::

        async def setup(self, setup: FrameProcessorSetup):
            self._worker = setup.pipeline_task

    becomes::

        async def setup(self, setup: FrameProcessorSetup):
            self._worker = setup.pipeline_worker

Fix safety:
    Safe where the member has another name now. Unsafe: the name given by ``set_model_name`` goes to the metrics, and to
    the traces only where the constructor of a service can put it into ``self._settings.model`` behind its base's. Left
    to a human otherwise, and where the project still admits a release without the new name.

References:
    https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from checks.pipecat import timeline
from checks.pipecat.advice import advice_on_keyword
from checks.pipecat.context_moves import CREATE, GET_FRAME, ONLY_CONTEXTS
from checks.pipecat.kept_settings import read
from checks.pipecat.members import gone_at, is_in_dead_override, refused_at, renamed
from checks.pipecat.model_names import SET_MODEL_NAME, told
from checks.pipecat.patched import gone_in_strings
from checks.receivers import is_super_call
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source
from checks.unclear import if_clear

# service-made-context tells of these.
_OF_CONTEXTS = (CREATE, GET_FRAME, *ONLY_CONTEXTS)
RULE = Rule(
    __name__,
    needles=("pipecat",),
    fix=Fix.SAFE,
    impact=Impact.BREAKS,
    url="https://github.com/pipecat-ai/pipecat/blob/main/CHANGELOG.md",
    unless_own="pipecat",
)


@RULE.on(ast.Attribute, named=timeline.lost)
def used(node: ast.Attribute, source: Source) -> Iterator[Finding]:
    """Decide on ``object.member``."""
    refused = refused_at(node, source)
    if refused is not None:
        advised = advice_on_keyword(refused.owner, node.attr, source.project.target)
        message = f"{refused.story}, and its objects cannot be given one: ValueError"
        yield RULE.finding(source, node, f"{message}; {advised}" if advised else message)
        return
    known = gone_at(node, source) if node.attr not in _OF_CONTEXTS else None
    if known is None:
        return
    found, gone = known
    call = source.parent(node)
    if call is not None and is_super_call(call, node.attr) and is_in_dead_override(node, source):
        return  # which dead-override tells of
    if node.attr == SET_MODEL_NAME:
        facts, why = told(node, source)
    else:
        facts, why = if_clear(read, node, source)
        if facts is None:
            facts, why = if_clear(renamed, node, gone.owner, found, source)
    if facts is None:
        why = why or advice_on_keyword(gone.owner, node.attr, source.project.target) or ""
    fix = facts.fix if facts is not None else None
    yield RULE.finding(source, node, f"{gone.story}: AttributeError", facts=facts, why=why, fix=fix)


@RULE.on(ast.Module)
def patched(_: ast.Module, source: Source) -> Iterator[Finding]:
    """Decide on ``patch("pipecat.module.Class.member")`` and the like."""
    for text, gone in gone_in_strings(source):
        advised = advice_on_keyword(gone.owner, gone.member, source.project.target) or ""
        yield RULE.finding(source, text, f"{gone.story}: AttributeError", why=advised)
