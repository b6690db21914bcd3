"""What a file does with contexts that services made their own of, and the changes that give it the one context.

All of it changes together: a context of the one kind and aggregators of the other do not fit.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from checks.arguments import Change, Rewrite, arguments_of, check_comments
from checks.guards import tests_version
from checks.importable import check_imports
from checks.pipecat import service_contexts, timeline
from checks.pipecat.alternatives import left_out
from checks.pipecat.contexts import (
    AGGREGATORS,
    CONTEXT,
    CONTEXT_FRAME,
    GONE_SINCE,
    OLD_CONTEXT,
    OLD_FRAME,
    PAIR,
    TAKEN_BY_ALL_SINCE,
    Tools,
    check_may_import,
    is_context,
    is_guarded,
    is_taken_from,
    kind_of_tools,
    known_classes,
    lost_member,
    message_of_a_service,
    old_name,
    rows,
    tools_given,
    uses_of_method,
)
from checks.pipecat.hierarchy import is_of_library
from checks.pipecat.keywords import called_name
from checks.pipecat.moves import MovedImport, NewHome, moved_names
from checks.pipecat.needless import NeedlessName, needless_name, without_uses
from checks.pipecat.objects import classes_of
from checks.pipecat.realtime import LLM_SERVICE, REALTIME
from checks.pipecat.remedies import row_for
from checks.rule import Fix
from checks.source import Located, Source
from checks.unclear import Unclear, if_clear

CREATE, GET_FRAME = "create_context_aggregator", "get_context_frame"
# Of what was the contexts' alone, whoever holds one; the rest is looked for only where a context is known.
STORED = "get_messages_for_persistent_storage"
LOGGED = "get_messages_for_logging"
ONLY_CONTEXTS = (STORED, LOGGED, "get_messages_json", "get_messages_for_initializing_history")
_RUN_FRAME = "pipecat.frames.frames.LLMRunFrame"
_SET_TOOLS = "pipecat.frames.frames.LLMSetToolsFrame"
_OPENAI = "pipecat.services.openai.base_llm.BaseOpenAILLMService"
_TASKS = ("pipecat.pipeline.task.PipelineTask", "pipecat.pipeline.worker.PipelineWorker")
_READS = ("messages", "get_messages", "_messages", STORED)
_CHANGES = ("add_message", "add_messages", "set_messages", "set_tools", "set_tool_choice")
_PAIRS_OWN = ("user_params", "assistant_params")
_BECAME_ASYNC = ("add_image_frame_message", "add_audio_frames_message")


class ContextMove(NamedTuple):
    """Facts of all that changes in a file: the imports that move, and the texts."""

    imports: tuple[MovedImport, ...]
    rewrite: Rewrite


@dataclass(slots=True)
class Uses:
    """What in a file is gone: imported names, calls that make aggregators or frames, members of contexts.

    ``stored`` are calls for messages to keep, ``logged`` for those to be read in a log, ``late`` those that have to be
    awaited now. ``doubtful`` are uses of methods that may be something else's, ``needless`` imported names that nothing
    uses, or only together with what took their place.
    """

    imported: dict[ast.alias, str] = field(default_factory=dict[ast.alias, str])
    statements: list[ast.ImportFrom] = field(default_factory=list[ast.ImportFrom])
    makes: list[ast.Call] = field(default_factory=list[ast.Call])
    frames: list[ast.Call] = field(default_factory=list[ast.Call])
    lost: list[ast.Attribute] = field(default_factory=list[ast.Attribute])
    stored: list[ast.Call] = field(default_factory=list[ast.Call])
    logged: list[ast.Call] = field(default_factory=list[ast.Call])
    late: list[ast.Call] = field(default_factory=list[ast.Call])
    doubtful: list[ast.Attribute] = field(default_factory=list[ast.Attribute])
    needless: dict[ast.alias, NeedlessName | None] = field(default_factory=dict[ast.alias, NeedlessName | None])

    def said(self, source: Source) -> Iterator[tuple[Located, str]]:
        """Yield each place with what is to be said of it, in order of place."""
        for alias, old in self.imported.items():
            new = rows()[old]
            place = f"; {new} takes its place" if new else "; LLMContext and LLMContextAggregatorPair do its work now"
            yield alias, f"{old.rpartition('.')[2]} is gone since {GONE_SINCE}{place}"
        for call in self.makes:
            yield call, f"services make no aggregators since {GONE_SINCE}; LLMContextAggregatorPair(context) does"
        for call in self.frames:
            yield call, f"aggregators have no {GET_FRAME} since {GONE_SINCE}; an LLMRunFrame has the LLM run"
        for call in self.stored:
            yield call, f"a context has no {STORED} since {GONE_SINCE}; get_messages does it"
        for call in self.logged:
            yield call, f"a context has no {LOGGED} since {GONE_SINCE}; get_messages does it, told to truncate"
        for one in self.lost:
            yield one, f"a context has no {one.attr} since {GONE_SINCE}"
        for call in self.late:
            yield call, f"{_attribute(call)} is to be awaited since {GONE_SINCE}"


def uses(source: Source) -> Uses:
    """Return what in a file is gone at the target: nothing where the code is written for both worlds."""
    found = Uses()
    if source.project.target < GONE_SINCE or not is_of_library(OLD_CONTEXT, source):
        return found
    for node in source.nodes(ast.ImportFrom):
        old = {alias: old_name(f"{node.module}.{alias.name}", source) for alias in node.names if not node.level}
        owned = {alias: name for alias, name in old.items() if name is not None}
        if owned and (source.names.is_guarded(node) or tests_version(node, source)):
            return Uses()
        unused = {alias for alias, name in owned.items() if _may_be_needless(name) and _is_unused(alias, source)}
        found.needless |= {alias: needless_name(alias, node, source) for alias in unused}
        beside = {alias: _only_beside(alias, node, rows()[name], source) for alias, name in owned.items()}
        found.needless |= {alias: facts for alias, facts in beside.items() if facts is not None}
        used = {alias: name for alias, name in owned.items() if alias not in found.needless}
        if used:
            found.imported |= used
            found.statements.append(node)
    for name, calls in ((CREATE, found.makes), (GET_FRAME, found.frames), (STORED, found.stored)):
        for use, call in uses_of_method(name, source):
            if call is not None:
                calls.append(call)
            else:
                found.doubtful.append(use)
    for use, call in uses_of_method(LOGGED, source):
        # An adapter has one too, which is given the context.
        if call is not None and not call.args and not call.keywords:
            found.logged.append(call)
        elif call is None and not _is_given(use, source):
            found.doubtful.append(use)
    found.lost = list(_lost(source))
    found.late = [call for call in source.nodes(ast.Call) if _is_late(call, source)]
    return found


def _is_given(use: ast.Attribute, source: Source) -> bool:
    call = source.parent(use)
    return isinstance(call, ast.Call) and call.func is use and bool(call.args or call.keywords)


def _may_be_needless(old: str) -> bool:
    return not rows()[old] or old in service_contexts.CONTEXTS


def _is_unused(alias: ast.alias, source: Source) -> bool:
    """Tell whether nothing in the project uses an imported name, as far as can be seen."""
    local = alias.asname or alias.name
    is_read = any(True for _ in source.named(ast.Name, (local,)))
    return not is_read and local not in source.strings and not is_taken_from(local, source)


def _only_beside(alias: ast.alias, node: ast.ImportFrom, new: str, source: Source) -> NeedlessName | None:
    """Return the changes that leave a name out where it is used, if all that is together with the one in its place."""
    imported = (f"{one.module}.{other.name}" for one in source.nodes(ast.ImportFrom) for other in one.names)
    if new not in imported:
        return None
    facts, _ = if_clear(without_uses, alias, node, lambda use: left_out(use, new, source), source)
    return facts


def _lost(source: Source) -> Iterator[ast.Attribute]:
    for name in ONLY_CONTEXTS[2:]:
        yield from (use for use, call in uses_of_method(name, source) if call is not None)
    for node in source.nodes(ast.Attribute):
        if node.attr not in ONLY_CONTEXTS and lost_member(node.attr, source) and is_context(node.value, source):
            if not is_guarded(node, node.attr, source):
                yield node


def _is_late(call: ast.Call, source: Source) -> bool:
    """Tell whether a call on a context waits for nothing, where it has to be awaited now."""
    return (
        isinstance(call.func, ast.Attribute)
        and call.func.attr in _BECAME_ASYNC
        and not isinstance(source.parent(call), ast.Await)
        and OLD_CONTEXT in classes_of(call.func.value, source)
    )


def _attribute(call: ast.Call) -> str:
    assert isinstance(call.func, ast.Attribute)
    return call.func.attr


def moved(found: Uses, source: Source) -> tuple[ContextMove, str]:
    """Return the changes that mend all of a file's uses, and what behaves differently after them, if anything.

    Raises:
        Unclear: one of the uses has nothing that simply takes its place, or is not seen through.
    """
    _check_releases(found, source)
    _check_imports(found, source)
    _check_members(found, source)
    changes = [*_awaits(found, source), *(_kept(call, source) for call in found.stored), *_without_fields(source)]
    changes += [_truncated(call, source) for call in found.logged]
    if _has_own(found):
        service_contexts.check_uses(found.imported, source)
        changes += service_contexts.with_system_first(source)
    wanted: list[str] = []
    for value in _listed_tools(source):
        changes += _wrapped(value, found, source)
        wanted += _schema(source)
    changes += _without_tools(source)
    for call in found.makes:
        changes.append(_made(call, source))
        wanted.append(PAIR)
    for call in found.frames:
        change, dotted = _frame(call, found, source)
        changes.append(change)
        wanted.append(dotted)
    imports, left = _imports(found, dict.fromkeys(wanted), source)
    rewrite = check_imports(Rewrite(tuple(changes), imports=left), source)
    return ContextMove(imports, rewrite), _difference(found, source)


def _has_own(found: Uses) -> bool:
    return not set(service_contexts.CONTEXTS).isdisjoint(found.imported.values())


def _check_releases(found: Uses, source: Source) -> None:
    oldest = source.oldest
    if oldest < TAKEN_BY_ALL_SINCE:
        raise Unclear(f"not every service of {oldest}, which the project admits, takes an LLMContext")
    if oldest < GONE_SINCE and _is_used_elsewhere(source):
        raise Unclear(f"other files use the old contexts too, and {oldest}, which the project admits, has both")


def _is_used_elsewhere(source: Source) -> bool:
    own = (name.rpartition(".")[2] for name in service_contexts.CONTEXTS)
    words = ("OpenAILLMContext", *own, CREATE, GET_FRAME)
    return any(path != source.path for word in words for path in source.project.paths_mentioning(word))


def _check_imports(found: Uses, source: Source) -> None:
    """Raise Unclear unless every imported class has one in its place, and stands for that wherever it is used."""
    for alias, old in found.imported.items():
        if not rows()[old]:
            raise Unclear(f"{alias.name}, imported in line {alias.lineno}, has to be replaced by hand")
        local = alias.asname or alias.name
        if is_taken_from(local, source):
            raise Unclear(f"other files take {local} from here")
    contexts = {OLD_CONTEXT, OLD_FRAME, *service_contexts.CONTEXTS} & set(found.imported.values())
    for node in source.nodes(ast.ImportFrom):
        new = {f"{node.module}.{alias.name}" for alias in node.names}
        if contexts and not new.isdisjoint({CONTEXT, CONTEXT_FRAME}):
            raise Unclear(f"the file deals with both kinds of context, see line {node.lineno}")


def _check_members(found: Uses, source: Source) -> None:
    """Raise Unclear unless contexts, and the classes that went, are used only in ways that are left."""
    if found.doubtful:
        raise Unclear(f"whose {found.doubtful[0].attr} line {found.doubtful[0].lineno} means is not seen")
    if found.lost:
        raise Unclear(f"what takes the place of {found.lost[0].attr} in line {found.lost[0].lineno} is yours to say")
    for node in source.nodes(ast.ClassDef):
        if any(_old(base, source) for base in node.bases):
            raise Unclear(f"{node.name} of line {node.lineno} derives from one of the classes that went")
    for node in source.nodes(ast.Attribute):
        if _old(node, source):
            raise Unclear(f"{node.attr} is used by way of its module in line {node.lineno}")
        if _old(node.value, source):
            raise Unclear(f"{source.segment(node)} of line {node.lineno} has no counterpart")
        if node.attr == "tools" and (is_context(node.value, source) or getattr(node.value, "attr", "") == "context"):
            raise Unclear(f"the tools that line {node.lineno} asks for are no list any more")
        if is_context(node.value, source):
            release = lost_member(node.attr, source) if node.attr not in (STORED, LOGGED, *_BECAME_ASYNC) else None
            if release is not None or (node.attr.startswith("_") and node.attr != "_messages"):
                where = f"which line {node.lineno} asks for"
                raise Unclear(f"the context of {release or source.project.target} has no {node.attr}, {where}")
    is_built = OLD_CONTEXT in found.imported.values() or _has_own(found)
    message = message_of_a_service(source) if is_built else None
    if message is not None:
        raise Unclear(f"the message of line {message.lineno} is in one service's own format")
    for call in source.nodes(ast.Call):
        _check_call(call, source)


def _check_call(call: ast.Call, source: Source) -> None:
    old = _old(call.func, source)
    if old is not None and old.startswith("pipecat.processors.aggregators.llm_response."):
        if call.args or any(one.arg is None for one in call.keywords):
            raise Unclear(f"not all that {old.rpartition('.')[2]} is given in line {call.lineno} is seen")
        names = [str(one.arg) for one in call.keywords if not _is_dropped(one, old, source)]
        release = timeline.lacking(rows()[old], names, source.releases)
        if release is not None:
            given = f"{', '.join(names)} of line {call.lineno}"
            raise Unclear(f"the {old.rpartition('.')[2]} of {release} does not take all of {given}")
    elif old is not None and rows()[old] == PAIR:
        raise Unclear(f"the pair of aggregators is put together by hand in line {call.lineno}")


def _fields_dropped(source: Source) -> Iterator[tuple[ast.Call, list[ast.keyword]]]:
    """Yield the calls that build params which went, with the fields for which the new ones have nothing."""
    for call in source.nodes(ast.Call):
        old = _old(call.func, source) or ""
        if old.startswith("pipecat.processors.aggregators.llm_response."):
            dropped = [one for one in call.keywords if _is_dropped(one, old, source)]
            if dropped:
                yield call, dropped


def _is_dropped(keyword: ast.keyword, old: str, source: Source) -> bool:
    row = row_for(rows()[old], keyword, source)
    return row is not None and not row.becomes


def _without_fields(source: Source) -> Iterator[Change]:
    for call, dropped in _fields_dropped(source):
        arguments = arguments_of(call, source)
        change = arguments.changed([item for item in arguments.items if item.node not in dropped], source)
        check_comments(change, source)
        yield change


def _old(node: ast.expr, source: Source) -> str | None:
    """Return the name in the table that an expression stands for, if it is one of them."""
    dotted = source.names.resolve(node) if isinstance(node, (ast.Name, ast.Attribute)) else None
    return old_name(dotted, source) if dotted is not None else None


def _builds_context(call: ast.Call, source: Source) -> bool:
    return _old(call.func, source) in (OLD_CONTEXT, *service_contexts.CONTEXTS)


def _without_tools(source: Source) -> Iterator[Change]:
    """Yield the changes that build contexts without tools where those they are given only say so."""
    for call in source.nodes(ast.Call):
        given = tools_given(call, source) if _builds_context(call, source) else None
        if given is not None and kind_of_tools(_value(given), source) is Tools.NONE:
            arguments = arguments_of(call, source)
            change = arguments.changed([one for one in arguments.items if one.node is not given], source)
            check_comments(change, source)
            yield change


def _listed_tools(source: Source) -> Iterator[ast.expr]:
    """Yield the values given as tools, now or later, that are lists in OpenAI's format."""
    for call in source.nodes(ast.Call):
        if _builds_context(call, source):
            given = tools_given(call, source)
            if given is not None and kind_of_tools(_value(given), source) is Tools.LISTED:
                yield _value(given)
        elif called_name(call, source) == _SET_TOOLS or getattr(call.func, "attr", None) == "set_tools":
            later = [one.value for one in call.keywords if one.arg == "tools"] or call.args[:1]
            kind = kind_of_tools(later[0], source) if later else Tools.FIT
            if kind is Tools.NONE:
                raise Unclear(f"the tools of line {call.lineno} are taken away in a way that not every release has")
            if kind is Tools.LISTED:
                yield later[0]


def _wrapped(value: ast.expr, found: Uses, source: Source) -> Iterator[Change]:
    """Yield the changes that put OpenAI's list of tools, as it is, into a schema."""
    if not found.makes or not all(_OPENAI in kind for kind in _services(found, source)):
        raise Unclear("its tools are in OpenAI's format, and that they are for OpenAI is not seen")
    oldest = source.oldest
    if oldest < GONE_SINCE:
        raise Unclear(f"its tools are in OpenAI's format, which no ToolsSchema of {oldest}, which is admitted, holds")
    start, end = source.start(value), source.end(value)
    yield Change(source.span_between(start, start), "ToolsSchema(standard_tools=[], custom_tools={AdapterType.OPENAI: ")
    yield Change(source.span_between(end, end), "})")


def _schema(source: Source) -> list[str]:
    """Return the dotted names of what a schema of OpenAI's tools is made of: where the file has it from, if it does."""
    homes = [f"{module}.tools_schema" for module in ("pipecat.adapters.llm.schemas", "pipecat.adapters.schemas")]
    known = [home for home in homes if all(timeline.exists_module(home, one) for one in source.releases)]
    bound = {binding.qualified for binding in source.names.table(source.tree).get("ToolsSchema", ())}
    home = next((home for home in known if f"{home}.ToolsSchema" in bound), known[0])
    return [f"{home}.AdapterType", f"{home}.ToolsSchema"]


def _value(argument: ast.expr | ast.keyword) -> ast.expr:
    return argument.value if isinstance(argument, ast.keyword) else argument


def _services(found: Uses, source: Source) -> list[frozenset[str]]:
    """Return of what classes each service is that makes aggregators."""
    return [known_classes(call.func.value, source) for call in found.makes if isinstance(call.func, ast.Attribute)]


def _awaits(found: Uses, source: Source) -> Iterator[Change]:
    for call in found.late:
        function = source.names.enclosing_function(call)
        if not isinstance(function, ast.AsyncFunctionDef) or not isinstance(source.parent(call), ast.Expr):
            raise Unclear(f"{_attribute(call)} is to be awaited, which it cannot be in line {call.lineno}")
        at = source.start(call)
        yield Change(source.span_between(at, at), "await ")


def _kept(call: ast.Call, source: Source) -> Change:
    """Return the change that has a context's messages in a list of their own, as they were for keeping."""
    assert isinstance(call.func, ast.Attribute)
    if call.args or call.keywords or source.names.lookup("list", call):
        raise Unclear(f"{STORED} is not called as it is in line {call.lineno}")
    change = Change(source.span(call), f"list({source.segment(call.func.value)}.get_messages())")
    check_comments(change, source)
    return change


def _truncated(call: ast.Call, source: Source) -> Change:
    """Return the change that asks a context for its messages as they were for a log."""
    assert isinstance(call.func, ast.Attribute)
    oldest = source.oldest
    if oldest < GONE_SINCE:
        raise Unclear(f"the context of {oldest}, which the project admits, does not truncate messages for a log")
    change = Change(source.span(call), f"{source.segment(call.func.value)}.get_messages(truncate_large_values=True)")
    check_comments(change, source)
    return change


def _made(call: ast.Call, source: Source) -> Change:
    """Return the change that makes a pair of aggregators where a service made them."""
    assert isinstance(call.func, ast.Attribute)
    if not isinstance(call.func.value, (ast.Name, ast.Attribute)):
        raise Unclear(f"the service of line {call.lineno} is built only to make aggregators")
    names = [one.arg for one in call.keywords]
    if len(call.args) > 1 or any(isinstance(one, ast.Starred) for one in call.args) or None in names:
        raise Unclear(f"not all that the aggregators of line {call.lineno} are given is seen")
    stranger = next((name for name in names if name not in ("context", *_PAIRS_OWN)), None)
    if stranger is not None:
        raise Unclear(f"LLMContextAggregatorPair takes no {stranger}, which line {call.lineno} gives it")
    for one in call.keywords:
        if one.arg in _PAIRS_OWN and not _is_params(one.value, source):
            raise Unclear(f"where its {one.arg} of line {call.lineno} are made is not seen")
    change = Change(source.span(call.func), PAIR.rpartition(".")[2])
    check_comments(change, source)
    return change


def _is_params(value: ast.expr, source: Source) -> bool:
    names = classes_of(value, source)
    return any(old_name(name, source) or name.startswith(f"{AGGREGATORS}.") for name in names)


def _frame(call: ast.Call, found: Uses, source: Source) -> tuple[Change, str]:
    """Return the change that makes a frame of an aggregator's context, and what it imports.

    Queued on the task, LLMRunFrame has the one aggregator send it.
    """
    assert isinstance(call.func, ast.Attribute)
    if call.args or call.keywords:
        raise Unclear(f"{GET_FRAME} is given something in line {call.lineno}")
    release = next((one for one in source.releases if not timeline.exists(_RUN_FRAME, one)), None)
    if release is not None:
        raise Unclear(f"{release}, which the project admits, has no LLMRunFrame")
    if len(found.makes) == 1 and _is_queued_on_task(call, source) and _is_beside_user(call.func.value, source):
        change, dotted = Change(source.span(call), "LLMRunFrame()"), _RUN_FRAME
    else:
        text = f"LLMContextFrame({source.segment(call.func.value)}.context)"
        change, dotted = Change(source.span(call), text), CONTEXT_FRAME
    check_comments(change, source)
    return change, dotted


def _is_queued_on_task(call: ast.Call, source: Source) -> bool:
    above = source.parent(call)
    above = source.parent(above) if isinstance(above, ast.List) else above
    if not isinstance(above, ast.Call) or not isinstance(above.func, ast.Attribute):
        return False
    queues = above.func.attr in ("queue_frame", "queue_frames")
    return queues and not classes_of(above.func.value, source).isdisjoint(_TASKS)


def _is_beside_user(half: ast.expr, source: Source) -> bool:
    """Tell whether of the pair that an aggregator is half of the user's one is handed on: to the pipeline, it seems."""
    match half:
        case ast.Call(func=ast.Attribute(value=pair, attr="user" | "assistant")):
            text = f"{source.segment(pair)}.user()"
        case _:
            return False
    handed_on = (one for one in source.nodes(ast.Call) if not isinstance(source.parent(one), ast.Attribute))
    return any(source.segment(one) == text for one in handed_on)


def _imports(found: Uses, wanted: Collection[str], source: Source) -> tuple[tuple[MovedImport, ...], tuple[str, ...]]:
    """Return the imports that move, of which one brings what is new; and what is left to be imported otherwise."""
    news = {old: rows()[old] for old in found.imported.values()}
    left = [dotted for dotted in wanted if dotted not in news.values()]
    for node in found.statements:
        brought = {news[found.imported[alias]] for alias in node.names if alias in found.imported}
        if not brought.isdisjoint(wanted) and not _is_seen(node, [*found.makes, *found.frames], source):
            raise Unclear(f"what the import of line {node.lineno} brings is needed where it is not seen")
    imports: list[MovedImport] = []
    for node in found.statements:
        new = {alias: news[found.imported[alias]] for alias in node.names if alias in found.imported}
        facts = moved_names(node, new, source)
        lasting = [home for home in facts.homes if home.local != home.name and f"{home.module}.{home.name}" in wanted]
        if lasting:
            raise Unclear(f"{lasting[0].name} would not go by that name here")
        imports.append(facts)
    host = _host(imports, found, source)
    if host is not None and PAIR in left and not _is_bound(PAIR.rpartition(".")[2], source):
        left.remove(PAIR)
        module, _, name = PAIR.rpartition(".")
        homes = sorted([*imports[host].homes, NewHome("", module, name, name, ())], key=lambda home: home.name)
        imports[host] = MovedImport(imports[host].statement, tuple(homes), False)
    if left:
        check_may_import(source)
    return tuple(imports), tuple(left)


def _host(imports: list[MovedImport], found: Uses, source: Source) -> int | None:
    """Return which import that moves is to bring the pair of aggregators: the one from the same module, if any."""
    able = [index for index, node in enumerate(found.statements) if _is_seen(node, found.makes, source)]
    same = [index for index in able if any(home.module == AGGREGATORS for home in imports[index].homes)]
    return next(iter([*same, *able]), None)


def _is_seen(node: ast.ImportFrom, calls: Collection[ast.Call], source: Source) -> bool:
    """Tell whether what an import brings is there where all of some calls are made."""
    if source.names.is_for_types_only(node):
        return False
    scope = source.names.scope(node)
    return source.names.runs_first(node) or all(source.names.scope(call) is scope for call in calls)


def _is_bound(name: str, source: Source) -> bool:
    tables = (source.names.table(scope) for scope in source.names.scopes())
    return any(name in table for table in tables) or any(use.id == name for use in source.nodes(ast.Name))


def difference_without(name: NeedlessName, source: Source) -> str:
    """Return what behaves differently once a name is left out where it is used; ``""`` for nothing."""
    oldest = source.oldest
    return f"{oldest}, which the project admits, has it" if name.changes and oldest < GONE_SINCE else ""


def _difference(found: Uses, source: Source) -> str:
    """Return what behaves differently after the changes; ``""`` for nothing."""
    for call, dropped in _fields_dropped(source):
        for one in dropped:
            row = row_for(rows()[_old(call.func, source) or ""], one, source)
            if row is not None and row.fix is Fix.UNSAFE:
                return f"nothing takes the place of its {one.arg}"
    if found.logged:
        return "what is left out of messages for a log reads otherwise then"
    oldest = source.oldest
    if oldest < GONE_SINCE:
        return f"in {oldest}, which the project admits, the new aggregators tell turns in their own way"
    if _has_own(found):
        systems = (one.system for one in service_contexts.built(source))
        return service_contexts.LOST if any(systems) else service_contexts.OWN_FORMAT
    kinds = _services(found, source)
    if any(not kind.isdisjoint(REALTIME) for kind in kinds):
        return "the aggregators of a realtime service told turns in their own way"
    if any(LLM_SERVICE not in kind for kind in kinds):
        return "what service it is for is not seen, and a realtime one's told turns in their own way"
    if not kinds or not all(_OPENAI in kind for kind in kinds):
        if any(_touches_messages(node, source) for node in source.nodes(ast.Attribute)):
            return service_contexts.OWN_FORMAT
    return ""


def _touches_messages(node: ast.Attribute, source: Source) -> bool:
    """Tell whether a context is asked for its messages or, where it is known for one, changed."""
    if node.attr in _READS and isinstance(node.value, ast.Attribute) and node.value.attr == "context":
        return True
    return node.attr in (*_READS, *_CHANGES) and is_context(node.value, source)


def fix_of(difference: str) -> Fix:
    """Return how safe a mend is that makes a difference, or none."""
    return Fix.UNSAFE if difference else Fix.SAFE
