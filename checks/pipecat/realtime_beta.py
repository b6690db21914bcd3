"""OpenAI's realtime service as it spoke to the vendor's beta, and the one that took its place.

Facts of the wheels: ``pipecat.services.openai_realtime_beta`` is gone since 1.0.0; ``pipecat.services.openai.realtime``
is there from 0.0.90 on. The properties of a session had all their fields side by side; now what is of sound stands in
``audio``, in its ``input`` and ``output``. A session answers in sound or in text, no longer in both, takes no
temperature, and a ``TurnDetection`` waits for 500 ms of silence by default instead of 800.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from checks.arguments import Argument, Arguments, Change, Rewrite, arguments_of, check_comments, put_together
from checks.guards import is_none
from checks.pipecat import timeline
from checks.pipecat.context_moves import ContextMove
from checks.pipecat.keywords import called_name
from checks.pipecat.moves import MovedImport, NewHome, is_annotation, moved_names
from checks.pipecat.remedies import check_imports
from checks.rule import Fix
from checks.source import Source
from checks.unclear import Unclear

MODULE = "pipecat.services.openai_realtime_beta"
DIFFERENCE = "the vendor's interface is another, and so are the models that are used by default"
_EVENTS = "pipecat.services.openai.realtime.events"
_SERVICE = "OpenAIRealtimeBetaLLMService"
_PROPERTIES, _TURNS = "SessionProperties", "TurnDetection"
_SAME = ("InputAudioNoiseReduction", "InputAudioTranscription", "SemanticTurnDetection", _PROPERTIES, _TURNS)
_HOMES = {
    _SERVICE: "pipecat.services.openai.realtime.llm.OpenAIRealtimeLLMService",
    **{name: f"{_EVENTS}.{name}" for name in _SAME},
}
# Where each field is now: in the session, or in the input or output of its audio.
_FIELDS = {
    "instructions": ("", "instructions"),
    "tools": ("", "tools"),
    "tool_choice": ("", "tool_choice"),
    "modalities": ("", "output_modalities"),
    "max_response_output_tokens": ("", "max_output_tokens"),
    "input_audio_format": ("input", "format"),
    "input_audio_transcription": ("input", "transcription"),
    "input_audio_noise_reduction": ("input", "noise_reduction"),
    "turn_detection": ("input", "turn_detection"),
    "output_audio_format": ("output", "format"),
    "voice": ("output", "voice"),
}
_FORMATS = {"pcm16": "PCMAudioFormat", "g711_ulaw": "PCMUAudioFormat", "g711_alaw": "PCMAAudioFormat"}
_SIDES = {"input": "AudioInput", "output": "AudioOutput"}
_AUDIO = "AudioConfiguration"
_SILENCE = "silence_duration_ms"


def imports(source: Source) -> list[ast.ImportFrom]:
    """Return the statements that import names from the old modules."""
    return [node for node in source.nodes(ast.ImportFrom) if not node.level and is_of_it(node.module)]


def is_of_it(module: str | None) -> bool:
    """Tell whether a module is the old package or one in it."""
    return module is not None and f"{module}.".startswith(f"{MODULE}.")


def moved(source: Source) -> ContextMove:
    """Return the move of a file to the service of now: its imports, its calls.

    Raises:
        Unclear: something of the old one is used in a way of which it is not known what becomes of it.
    """
    nodes = imports(source)
    used = [use for node in nodes for alias in node.names for use in _uses(node, alias, source)]
    if any(is_of_it(alias.name) for node in source.nodes(ast.Import) for alias in node.names):
        raise Unclear("the module itself is imported too")
    for release in source.releases:
        if any(timeline.exists(home, release) is not True for home in _HOMES.values()):
            raise Unclear(f"{release}, which the project admits, does not have it")
    moving = [moved_names(node, {alias: _HOMES[alias.name] for alias in node.names}, source) for node in nodes]
    changes: list[Change] = []
    wanted: dict[str, None] = {}
    within: set[ast.Call] = set()
    for name, call in sorted(used, key=lambda one: source.start(one[1])):
        if call in within:
            continue  # which the change around it has in it
        if name == _SERVICE:
            _check_service(call, source)
        elif name == _TURNS:
            changes += _patient(call, source)
        elif name == _PROPERTIES:
            change, names = _of_properties(call, source)
            check_imports([f"{_EVENTS}.{one}" for one in names], call, source)
            check_comments(change, source)
            changes.append(change)
            wanted |= dict.fromkeys(names)
            within |= {part for part in ast.walk(call) if isinstance(part, ast.Call)}
    host = next((index for index, node in enumerate(nodes) if _brings_events(node, source)), None)
    if host is not None and not any(source.names.lookup(name, nodes[host]) for name in wanted):
        moving[host] = _with_names(moving[host], wanted)
        wanted = {}
    return ContextMove(tuple(moving), Rewrite(tuple(changes), Fix.UNSAFE, tuple(f"{_EVENTS}.{one}" for one in wanted)))


def _brings_events(node: ast.ImportFrom, source: Source) -> bool:
    """Tell whether an import is seen by the whole file and goes on to be one of the classes of a session."""
    return isinstance(source.names.scope(node), ast.Module) and any(alias.name in _SAME for alias in node.names)


def _with_names(moving: MovedImport, names: Iterable[str]) -> MovedImport:
    """Return an import that brings more classes of a session."""
    homes = [*moving.homes, *(NewHome("", _EVENTS, name, name, ()) for name in names)]
    return moving._replace(homes=tuple(sorted(homes, key=lambda home: home.name)), whole=False)


def _uses(node: ast.ImportFrom, alias: ast.alias, source: Source) -> Iterator[tuple[str, ast.Call]]:
    """Yield the calls of an imported class; what else it is used for, it must be the same for in its new place."""
    if alias.name not in _HOMES:
        raise Unclear(f"{alias.name} has to be moved along by hand")
    local = alias.asname or alias.name
    for use in source.nodes(ast.Name):
        if use.id != local:
            continue
        if [one.node for one in source.names.bindings(use)] != [node]:
            raise Unclear(f"{local} means something else too")
        call = source.parent(use)
        if isinstance(call, ast.Call) and call.func is use:
            yield alias.name, call
        elif not is_annotation(use, source):
            raise Unclear(f"{local} is not only called")


def _check_service(call: ast.Call, source: Source) -> None:
    """Raise Unclear for a call that gives the service what it does not take now."""
    if call.args or any(one.arg is None for one in call.keywords):
        raise Unclear("not all that the service is given is seen")
    given = [str(one.arg) for one in call.keywords]
    release = timeline.lacking(_HOMES[_SERVICE], given, source.releases)
    if release is not None:
        raise Unclear(f"{_HOMES[_SERVICE].rpartition('.')[2]} of {release} does not take all that it is given")


def _patient(call: ast.Call, source: Source) -> Iterator[Change]:
    """Yield what makes a ``TurnDetection`` wait as long as it did."""
    text = _with_silence(call, source.segment(call), source)
    if text != source.segment(call):
        yield Change(source.span(call), text)


def _with_silence(call: ast.Call, text: str, source: Source) -> str:
    """Return the text that ends with the call of ``TurnDetection``, with the silence that it waited for by default."""
    if call.args or any(one.arg is None for one in call.keywords):
        raise Unclear(f"not all that {_TURNS} is given is seen")
    if any(one.arg == _SILENCE for one in call.keywords):
        return text
    if not call.keywords:
        return f"{text[:-1]}{_SILENCE}=800)"
    last = source.segment(call.keywords[-1])
    if "\n" in last or "#" in text:
        raise Unclear(f"{_TURNS} is laid out so that nothing can be added")
    start = text.rindex(last)
    lead = text[text.rfind("\n", 0, start) + 1 : start]
    gap = f",\n{lead}" if "\n" in text and not lead.strip() else ", "
    at = start + len(last)
    return f"{text[:at]}{gap}{_SILENCE}=800{text[at:]}"


def _of_properties(call: ast.Call, source: Source) -> tuple[Change, list[str]]:
    """Return the change that gives a session's properties as they are now, and the classes that it takes."""
    if call.args or any(one.arg is None for one in call.keywords):
        raise Unclear("not all the properties of the session are seen")
    _check_handed_on(call, source)
    arguments = arguments_of(call, source)
    if arguments.tail:
        raise Unclear("a comment stands behind the last property")
    items: list[Argument] = []
    sides: dict[str, list[Argument]] = {}
    names: dict[str, None] = {}
    audio = 0
    for item in arguments.items:
        assert isinstance(item.node, ast.keyword)
        side, name = _FIELDS.get(str(item.node.arg), (None, ""))
        if side is None:
            raise Unclear(f"{item.node.arg} has no counterpart in the properties of a session")
        text, made = _value(item, source)
        names |= dict.fromkeys(made)
        new = item._replace(text=f"{name}={text}")
        if side:
            audio = audio if sides else len(items)
            sides.setdefault(side, []).append(new)
        else:
            items.append(new)
    if sides:
        items.insert(audio, _audio(sides, arguments))
        names |= dict.fromkeys([_AUDIO, *(_SIDES[side] for side in sides)])
    if not arguments.by_line:
        items = [one._replace(gap=", ") for one in items]
    return arguments.changed(items, source), list(names)


def _audio(sides: dict[str, list[Argument]], arguments: Arguments) -> Argument:
    """Return the configuration of a session's audio, laid out as the arguments are that it stands among."""
    step, by_line = arguments.step, arguments.by_line
    given = {f"{side}={_SIDES[side]}": sides[side] for side in _SIDES if side in sides}
    parts = [put_together(head, items, step, by_line=by_line) for head, items in given.items()]
    return put_together(f"audio={_AUDIO}", parts, step, by_line=by_line)


def _value(item: Argument, source: Source) -> tuple[str, Sequence[str]]:
    """Return what a property is given now, and the classes that it takes."""
    assert isinstance(item.node, ast.keyword)
    field, value = str(item.node.arg), item.node.value
    text = item.text.partition("=")[2].lstrip()
    if is_none(value):
        return text, ()
    if field.endswith("_format"):
        made = _FORMATS.get(value.value) if isinstance(value, ast.Constant) and isinstance(value.value, str) else None
        if made is None:
            raise Unclear(f"what {field} is given is not seen")
        return f"{made}()", (made,)
    if field == "modalities":
        return _modality(value), ()
    turns = [part for part in ast.walk(value) if isinstance(part, ast.Call) and _is_turns(part.func, source)]
    if turns == [value]:
        return _with_silence(turns[0], text, source), ()
    if turns:
        raise Unclear(f"which {field} there is told on the way")
    return text, ()


def _is_turns(node: ast.expr, source: Source) -> bool:
    return source.names.resolve(node) in (f"{MODULE}.{_TURNS}", f"{MODULE}.events.{_TURNS}")


def _modality(value: ast.expr) -> str:
    """Return the one way in which a session answers."""
    given = [one.value for one in value.elts if isinstance(one, ast.Constant)] if isinstance(value, ast.List) else []
    if not isinstance(value, ast.List) or len(given) < len(value.elts) or not set(given) <= {"audio", "text"}:
        raise Unclear("what modalities is given is not seen")
    return '["audio"]' if "audio" in given or not given else '["text"]'


def _check_handed_on(call: ast.Call, source: Source) -> None:
    """Raise Unclear where properties may be read or changed later on by their old names."""
    above = source.parent(call)
    if _is_handed_on(call, source):
        return
    if isinstance(above, ast.Assign) and len(above.targets) == 1 and isinstance(above.targets[0], ast.Name):
        name = above.targets[0].id
        uses = [use for use in source.nodes(ast.Name) if use.id == name and use is not above.targets[0]]
        is_known_elsewhere = any(user.path != source.path for user in source.project.mentioning(name))
        if all(_is_handed_on(use, source) for use in uses) and not is_known_elsewhere:
            return
    raise Unclear("the properties of the session may be read or changed later on")


def _is_handed_on(node: ast.expr, source: Source) -> bool:
    """Tell whether a value is the argument of a call of Pipecat's."""
    above = source.parent(node)
    outer = source.parent(above) if isinstance(above, ast.keyword) else above
    return isinstance(outer, ast.Call) and outer.func is not node and called_name(outer, source) is not None
