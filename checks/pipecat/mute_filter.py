"""``STTMuteFilter``, which is gone, and the strategies of the aggregators that mute the user instead.

Facts from the wheels: until 0.0.108 the filter, told by the strategies of an ``STTMuteConfig``, kept back the user's
audio, speech and transcriptions where it stood. From 1.0.0 on the user's aggregator keeps back the same frames, told by
``user_mute_strategies``; ``pipecat.turns.user_mute`` has a class for each of the old strategies but ``CUSTOM``.
"""

from __future__ import annotations

import ast

from checks.arguments import Argument, Rewrite
from checks.pipecat.aggregators import Wanted, check_exist, given_to_each
from checks.pipecat.stages import Leaving, bound_by, element_of, reads_of, stage_of, the_one, uses_of
from checks.rule import Fix
from checks.source import Source, Span
from checks.unclear import Unclear

MODULE = "pipecat.processors.filters.stt_mute_filter"
NAMES = ("STTMuteConfig", "STTMuteFilter", "STTMuteStrategy")
DIFFERENCE = "the user is muted at the aggregator, so what is in front of it, such as the STT service, goes on hearing"
_NEW = {
    "FIRST_SPEECH": "FirstSpeechUserMuteStrategy",
    "MUTE_UNTIL_FIRST_BOT_COMPLETE": "MuteUntilFirstBotCompleteUserMuteStrategy",
    "FUNCTION_CALL": "FunctionCallUserMuteStrategy",
    "ALWAYS": "AlwaysUserMuteStrategy",
}


def leaving(source: Source) -> Leaving:
    """Return the changes that mute the user at the aggregator instead.

    Raises:
        Unclear: the filter is more than an element of a pipeline, or is told something that no strategy says.
    """
    made = the_one(f"{MODULE}.STTMuteFilter", source)
    config = the_one(f"{MODULE}.STTMuteConfig", source)
    removed = _kept(config, made, source)
    element, kept = element_of(made, source)
    stage = stage_of(element, source)
    stage.check_in_front(element)
    strategies = _strategies(config, source)
    owned = {"STTMuteFilter": 1, "STTMuteConfig": 1, "STTMuteStrategy": len(strategies)}
    if any(len(uses_of(f"{MODULE}.{name}", source)) != number for name, number in owned.items()):
        raise Unclear("more is done with the filter's names than to make one")
    dotted = tuple(f"pipecat.turns.user_mute.{name}" for name in strategies)
    check_exist(dotted, source)
    made_of = [f"{name}()" for name in strategies]
    step = source.step(stage.pairs[0].lineno)
    text = f"[{made_of[0]}]" if len(made_of) == 1 else "".join(["[\n", *(f"{step}{one},\n" for one in made_of), "]"])
    wanted = Wanted(fields=(Argument(f"user_mute_strategies={text}"),), imports=tuple(sorted(dotted)))
    told, imports = given_to_each(stage.pairs, wanted, source)
    changes = (stage.without([element], source), *told)
    return Leaving(Rewrite(changes, Fix.UNSAFE, imports), (*removed, *kept))


def _kept(config: ast.Call, made: ast.Call, source: Source) -> list[Span]:
    """Return the statement that keeps the configuration, where it is not written into the filter's call."""
    given_as = next((one for one in made.keywords if one.arg == "config"), None)
    if given_as is None or made.args or len(made.keywords) > 1:
        raise Unclear("not all that the filter is given is seen")
    if given_as.value is config:
        return []
    bound = bound_by(config, source)
    if bound is None or reads_of(bound[0], source) != [given_as.value]:
        raise Unclear("where its configuration is made is not seen")
    return [source.span(bound[0])]


def _strategies(config: ast.Call, source: Source) -> list[str]:
    """Return the classes that do what the old strategies said."""
    keywords = {one.arg: one.value for one in config.keywords}
    if "should_mute_callback" in keywords:
        raise Unclear("a class of your own, derived from BaseUserMuteStrategy, does what should_mute_callback did")
    written = keywords.get("strategies")
    if config.args or keywords.keys() != {"strategies"} or not isinstance(written, (ast.Set, ast.List, ast.Tuple)):
        raise Unclear("its strategies are not written out")
    found: list[str] = []
    for one in written.elts:
        owner, _, name = (source.names.resolve(one) or "").rpartition(".")
        if owner != f"{MODULE}.STTMuteStrategy" or name not in _NEW:
            raise Unclear(f"nothing is known to do what {source.segment(one)} does")
        found.append(_NEW[name])
    if not found:
        raise Unclear("it has no strategies")
    return found
