"""``UserIdleProcessor``, which is gone, and the aggregators' event that tells when the user is idle.

Facts from the wheels: until 0.0.108 the processor called back each time that ``timeout`` seconds had passed without a
word, with itself and, if two parameters were there to take it, how often it had done so since the user spoke last; a
callback of that kind said whether to go on. From 1.0.0 on (``user_idle_timeout`` is there since 0.0.100) the user's
aggregator calls the handlers of ``on_user_turn_idle`` with itself, once after the bot has stopped speaking.
"""

from __future__ import annotations

import ast

from checks.arguments import Argument, Change, Rewrite
from checks.hoist import unused_name
from checks.pipecat.aggregators import Wanted, check_means_the_same, given_to_each
from checks.pipecat.contexts import AGGREGATORS
from checks.pipecat.realtime import makes_one
from checks.pipecat.stages import Leaving, Stage, element_of, stage_of, the_one, uses_of
from checks.rule import Fix
from checks.source import Source
from checks.unclear import Unclear

MODULE = "pipecat.processors.user_idle_processor"
NAMES = ("UserIdleProcessor",)
DIFFERENCE = "the time begins when the bot has stopped speaking, and again only when it has spoken"
_CLASS = f"{MODULE}.UserIdleProcessor"
_USER = f"{AGGREGATORS}.LLMUserAggregator"
# What a callback may ask of the processor that an aggregator does as well.
_SAME = ("push_frame", "name")


def leaving(source: Source) -> Leaving:
    """Return the changes that have the aggregator call back.

    Raises:
        Unclear: the processor is more than an element of a pipeline, or what it calls is not seen through.
    """
    made = the_one(_CLASS, source)
    keywords = {one.arg: one.value for one in made.keywords}
    if made.args or keywords.keys() != {"callback", "timeout"}:
        raise Unclear("not all that the processor is given is seen")
    element, kept = element_of(made, source)
    if makes_one(source):
        raise Unclear("a realtime service takes by itself what is pushed behind the user's aggregator")
    stage = stage_of(element, source)
    stage.check_in_front(element)
    callback = _callback(keywords["callback"], source)
    changes, imports = _annotated(callback, source)
    if len(uses_of(_CLASS, source)) != 1 + len(changes):
        raise Unclear("more is done with its name than to make one")
    timeout = keywords["timeout"]
    for pair in stage.pairs:
        check_means_the_same(timeout, pair, source)
    field = Argument(f"user_idle_timeout={source.segment(timeout)}")
    told, more = given_to_each(stage.pairs, Wanted(fields=(field,)), source)
    rewrite = Rewrite((stage.without([element], source), *told, *changes), Fix.UNSAFE, (*more, *imports))
    lines = _registered(keywords["callback"], callback, stage, source)
    at = source.span(stage.statement(source))
    return Leaving(rewrite, tuple(kept), ((at, tuple(lines)),))


def _callback(value: ast.expr, source: Source) -> ast.AsyncFunctionDef:
    """Return the function that is called back, where all that it asks of the processor is what an aggregator does."""
    bound = [binding.node for binding in source.names.bindings(value)] if isinstance(value, ast.Name) else []
    function = bound[0] if len(bound) == 1 else None
    if not isinstance(function, ast.AsyncFunctionDef) or function.decorator_list:
        raise Unclear("what it calls back is no function of this file")
    taken = function.args
    if taken.vararg or taken.kwarg or taken.kwonlyargs or taken.defaults or len(taken.posonlyargs + taken.args) > 2:
        raise Unclear(f"{function.name} takes other parameters than it is called with")
    parameters = [*taken.posonlyargs, *taken.args]
    if not parameters:
        raise Unclear(f"{function.name} takes no processor")
    for use in source.nodes(ast.Name):
        if use.id == parameters[0].arg and parameters[0] in [one.node for one in source.names.bindings(use)]:
            asked = source.parent(use)
            if not isinstance(asked, ast.Attribute) or asked.attr not in _SAME:
                raise Unclear(f"line {use.lineno} does more with the processor than push frames")
    return function


def _annotated(function: ast.AsyncFunctionDef, source: Source) -> tuple[list[Change], tuple[str, ...]]:
    """Return the changes that say in the callback's annotations what it takes now, and what they import."""
    first = [*function.args.posonlyargs, *function.args.args][0]
    if first.annotation is None:
        return [], ()
    if source.names.resolve(first.annotation) != _CLASS:
        raise Unclear(f"what {function.name} takes is annotated in a way of its own")
    return [Change(source.span(first.annotation), "LLMUserAggregator")], (_USER,)


def _registered(value: ast.expr, function: ast.AsyncFunctionDef, stage: Stage, source: Source) -> list[str]:
    """Return the lines that have the aggregator call back."""
    user = source.segment(stage.user)
    if len([*function.args.posonlyargs, *function.args.args]) == 1:
        return [f'{user}.add_event_handler("on_user_turn_idle", {source.segment(value)})']
    if source.names.enclosing_function(stage.elements) is None:
        raise Unclear("its count of calls has no function to be kept in")
    count, goes_on = unused_name("idle_count", source), unused_name("idle_goes_on", source)
    return [
        f"{count}, {goes_on} = 0, True",
        "",
        f'@{user}.event_handler("on_user_turn_started")',
        f"async def {unused_name('on_user_turn_started', source)}(aggregator, strategy):",
        f"    nonlocal {count}",
        f"    {count} = 0",
        "",
        f'@{user}.event_handler("on_user_turn_idle")',
        f"async def {unused_name('on_user_turn_idle', source)}(aggregator):",
        f"    nonlocal {count}, {goes_on}",
        f"    if {goes_on}:",
        f"        {count} += 1",
        f"        {goes_on} = await {source.segment(value)}(aggregator, {count})",
        "",
    ]
