"""An observer that gets its task manager by constructor instead of setup().

What it finds:
    ``TaskObserver(task_manager=…)``; a class of yours that derives from BaseObserver (or directly from BaseObject),
    takes ``task_manager`` in ``__init__`` and keeps it, with every call that builds one; and a class that makes a
    manager of its own and keeps it in ``self._task_manager``, where its base class now keeps the one given to
    ``setup()``. For targets from 1.3.0 also the import of TaskObserver, which is WorkerObserver there; from 1.8.0 also
    its ``start()`` and ``stop()``, which are ``setup()`` and ``cleanup()`` there.

Why it matters:
    From 1.2.0 the constructor passes an unknown ``task_manager`` up to ``BaseObject.__init__(**kwargs)``, which drops
    it without a word (until 1.5.0, where BaseObject has that parameter again). Construction works; ``start()`` raises
    "TaskManager is not initialized" later, and only if there is an observer to start.

Example:
    ::

        self._observer = TaskObserver(observers=observers, task_manager=self._task_manager)
        ...
        await self._observer.start()

    becomes::

        self._observer = TaskObserver(observers=observers)
        ...
        await self._observer.setup(self._task_manager)
        await self._observer.start()

Fix safety:
    Safe where every object of the class is built and started within the project, so that setup() can be called right
    before start(). Unsafe where the project defines such a class and never builds one: callers elsewhere still pass
    the argument. ``cancel_task`` of BaseObject gives up after one second, the manager's own waits for ever. No fix
    where an object is handed on before it is started, where the manager is used during construction, or where the
    tree carries a BaseObject without ``setup()``, ``create_task()`` and ``cancel_task()``.

References:
    https://github.com/pipecat-ai/pipecat/pull/4449
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from checks.guards import tests_version
from checks.pipecat.families import family_of, nearest_taker
from checks.pipecat.hierarchy import BASE_OBJECT, lineage, method, pipecat_name
from checks.pipecat.moves import move_of, moved_import
from checks.pipecat.owner import makes_manager, ownership
from checks.pipecat.releases import Release
from checks.pipecat.wiring import (
    BASE_ATTRIBUTE,
    KEYWORD_IN_BASE,
    OBSERVERS,
    PARAMETER,
    TASKS_IN_BASE,
    Construction,
    constructor_parameter,
    has_task_methods,
    is_plain_object,
    manager_at,
    passed_manager,
    setup_calls,
)
from checks.receivers import (
    Receiver,
    awaited_statement,
    calls_on,
    goes_by_another_name,
    is_self_attribute,
    is_super_call,
    receiver_of,
)
from checks.rule import Finding, Fix, Impact, Rule
from checks.source import Source, Span

STARTED_BY_SETUP = Release(1, 8, 0)

RULE = Rule(
    __name__,
    needles=("task_manager", "TaskObserver", "WorkerObserver", "task_observer", "TaskManager"),
    fix=Fix.SAFE,
    impact=Impact.BREAKS,
    since="1.2.0",
    removed_in="1.2.0",
    url="https://github.com/pipecat-ai/pipecat/pull/4449",
)


class LifecycleCall(NamedTuple):
    """Facts of ``await observer.start()`` or ``.stop()`` on 1.8.0: the statement goes, or becomes ``text``."""

    statement: Span
    text: str | None


@RULE.on(ast.ClassDef)
def definition(node: ast.ClassDef, source: Source) -> Iterator[Finding]:
    """Decide on a class that takes the manager."""
    taken = constructor_parameter(node) if source.project.target >= TASKS_IN_BASE else None
    family = family_of(node, source) if taken else None
    if taken is None or family is None:
        return
    message = f"{node.name} takes its task manager by constructor; BaseObject.setup() gives it one"
    if family.obstacle is None and node not in family.definitions:
        return
    obstacle = family.obstacle or _obstacle_of_pin(TASKS_IN_BASE, source)
    if obstacle is not None:
        yield RULE.finding(source, taken[1], f"{message}; no fix: {obstacle}")
        return
    fix = Fix.SAFE if family.built else Fix.UNSAFE
    facts = family.definitions[node]
    yield RULE.finding(source, taken[1], message, facts=facts, fix=fix, group=family.root, group_size=family.size)


@RULE.on(ast.Call)
def construction(node: ast.Call, source: Source) -> Iterator[Finding]:
    """Decide on a call that builds an object and passes it the manager."""
    if source.project.target < TASKS_IN_BASE:
        return
    built = source.project.resolve(node.func, source)
    found: Iterator[Finding] = iter(())
    if isinstance(built, tuple) and isinstance(built[1], ast.ClassDef):
        found = _of_own_class(node, built[1], built[0], source)
    elif built in OBSERVERS and source.project.target < KEYWORD_IN_BASE:
        found = _swallowed(node, str(built).rpartition(".")[2], source)
    yield from (one for one in found if not tests_version(node, source))


def _of_own_class(node: ast.Call, built: ast.ClassDef, where: Source, source: Source) -> Iterator[Finding]:
    init = nearest_taker(built, where)
    if init is None:
        if _swallows(built, where):
            yield from _swallowed(node, built.name, source)
        return
    family = family_of(built, where)
    argument = passed_manager(node, init)
    if family is None or argument is None:
        return
    message = f"{built.name} gets its task manager by constructor; call setup() before start()"
    obstacle = family.obstacle or _obstacle_of_pin(TASKS_IN_BASE, source)
    if obstacle is not None or node not in family.constructions:
        message += f"; no fix: {obstacle}" if obstacle else ""
        yield RULE.finding(source, argument, message)
        return
    facts = family.constructions[node]
    yield RULE.finding(source, argument, message, facts=facts, group=family.root, group_size=family.size)


def _swallows(built: ast.ClassDef, where: Source) -> bool:
    """Tell whether a class of the project lets an unknown keyword fall through to BaseObject, which drops it."""
    line = lineage(built, where)
    if not is_plain_object(line) or not has_task_methods(line, where.project):
        return False
    if any(not name.startswith(("pipecat.", "abc.", "typing.")) and name != "object" for name in line.outside):
        return False
    for own_source, one in line.own:
        if pipecat_name(own_source, one) == BASE_OBJECT:
            return constructor_parameter(one) is None
        if one.decorator_list or not _passes_keywords_on(one):
            return False
    return where.project.target < KEYWORD_IN_BASE


def _passes_keywords_on(node: ast.ClassDef) -> bool:
    """Tell whether a class does nothing with unknown keywords but pass them to its base."""
    if any(isinstance(part, ast.Constant) and part.value == PARAMETER for part in ast.walk(node)):
        return False
    init = method(node, "__init__")
    if init is None:
        return not any(isinstance(one, ast.AnnAssign) for one in node.body)
    kwarg = init.args.kwarg
    if kwarg is None:
        return False
    uses = [part for part in ast.walk(init) if isinstance(part, ast.Name) and part.id == kwarg.arg]
    calls = [part for part in ast.walk(init) if is_super_call(part, "__init__") and isinstance(part, ast.Call)]
    passed = [k.value for call in calls for k in call.keywords if k.arg is None]
    return uses == passed and len(passed) == 1


def _swallowed(node: ast.Call, name: str, source: Source) -> Iterator[Finding]:
    argument = passed_manager(node, None)
    if argument is None:
        return
    message = f"{name} drops task_manager= without a word from 1.2.0; call setup() before start()"
    setups = _obstacle_of_pin(TASKS_IN_BASE, source) or setup_calls(node, argument, source, patient=True)
    if isinstance(setups, str):
        yield RULE.finding(source, argument, f"{message}; no fix: {setups}")
        return
    facts = Construction(source.span(node), source.span(argument), tuple(setups))
    yield RULE.finding(source, argument, message, facts=facts)


def _obstacle_of_pin(since: Release, source: Source) -> str | None:
    """Return why a way that some release brought cannot be taken: the project admits an older one."""
    return f"{source.oldest}, which the project admits, does it the old way" if source.oldest < since else None


@RULE.on(ast.Attribute, named=(BASE_ATTRIBUTE,))
def owner(node: ast.Attribute, source: Source) -> Iterator[Finding]:
    """Decide on ``self._task_manager = TaskManager()``."""
    store = source.parent(node)
    if not isinstance(store, (ast.Assign, ast.AnnAssign)):
        return
    cls = source.names.enclosing_class(node)
    if source.project.target < TASKS_IN_BASE or cls is None or store.value is None:
        return
    if not is_self_attribute(node, source) or not makes_manager(store.value, source):
        return
    facts = ownership(cls, store, source)
    if facts is not None:
        facts = _obstacle_of_pin(TASKS_IN_BASE, source) or facts
    message = f"{cls.name} keeps a manager of its own in self.{BASE_ATTRIBUTE}, which BaseObject uses from 1.2.0"
    if isinstance(facts, str):
        yield RULE.finding(source, node, f"{message}; no fix: {facts}")
    elif facts is not None:
        yield RULE.finding(source, node, message, facts=facts)


@RULE.on(ast.ImportFrom)
def moved(node: ast.ImportFrom, source: Source) -> Iterator[Finding]:
    """Decide on an import from the module that is gone in 1.3.0."""
    if node.level or source.names.is_guarded(node) or tests_version(node, source):
        return
    for alias in node.names:
        gone = move_of(f"{node.module}.{alias.name}", source)
        if gone is not None:
            message = f"{gone.module} is gone from {gone.since}; import its names from their new homes"
            yield RULE.finding(source, alias, message, removed_in=str(gone.since))
    move = move_of(node.module, source)
    if move is None:
        return
    message = f"{move.module} is gone from {move.since}"
    facts = moved_import(node, move, source)
    removed_in = str(move.since)
    if isinstance(facts, str):
        message += f"; no fix: {facts}"
        yield RULE.finding(source, node, message, removed_in=removed_in)
    else:
        yield RULE.finding(source, node, message, facts=facts, removed_in=removed_in)


@RULE.on(ast.Import)
def moved_module(node: ast.Import, source: Source) -> Iterator[Finding]:
    """Decide on ``import`` of the module that is gone in 1.3.0."""
    for alias in node.names:
        move = move_of(alias.name, source)
        if move is not None and not source.names.is_guarded(node):
            message = f"{move.module} is gone from {move.since}; import its names from their new homes"
            yield RULE.finding(source, alias, message, removed_in=str(move.since))


@RULE.on(ast.Call)
def lifecycle(node: ast.Call, source: Source) -> Iterator[Finding]:
    """Decide on start() and stop() of the observers an observer call builds, gone in 1.8.0."""
    if source.project.target < STARTED_BY_SETUP or source.project.resolve(node.func, source) not in OBSERVERS:
        return
    if tests_version(node, source):
        return
    receiver = receiver_of(node, source)
    if receiver is None:
        return
    obstacle = _obstacle_of_pin(STARTED_BY_SETUP, source)
    why = f"; no fix: {obstacle}" if obstacle is not None else ""
    removed_in = str(STARTED_BY_SETUP)
    renamed = goes_by_another_name(receiver, source)
    if renamed is not None:
        message = "start() and stop() are gone from 1.8.0; look for them where the observer goes by another name"
        yield RULE.finding(source, renamed, message, removed_in=removed_in)
    for call in calls_on(receiver, "start", source):
        message = f"start() is gone from 1.8.0; setup() starts the observers{why}"
        facts = _started_by_setup(node, call, receiver, source) if obstacle is None else None
        yield RULE.finding(source, call, message, facts=facts, removed_in=removed_in)
    for call in calls_on(receiver, "stop", source):
        message = f"stop() is gone from 1.8.0; cleanup() stops the observers{why}"
        facts = _stopped_by_cleanup(call, receiver, source) if obstacle is None else None
        yield RULE.finding(source, call, message, facts=facts, removed_in=removed_in)


def _started_by_setup(built: ast.Call, call: ast.Call, receiver: Receiver, source: Source) -> LifecycleCall | None:
    statement = awaited_statement(call, source)
    if not isinstance(statement, ast.Expr):
        return None
    setups = [awaited_statement(setup, source) for setup in calls_on(receiver, "setup", source)]
    if setups:
        return LifecycleCall(source.span(statement), None) if _comes_before(setups, statement, source) else None
    argument = passed_manager(built, None)
    manager = argument.value if isinstance(argument, ast.keyword) else None
    text = manager_at(manager, statement, source) if manager else None
    if text is None or not isinstance(call.func, ast.Attribute):
        return None
    name = source.segment(call.func.value)
    return LifecycleCall(source.span(statement), f"await {name}.setup({text})")


def _comes_before(setups: Sequence[ast.stmt | None], start: ast.stmt, source: Source) -> bool:
    """Tell whether one of the setup() calls stands in front of start() in the same block."""
    return any(
        setup is not None and source.parent(setup) is source.parent(start) and source.start(setup) < source.start(start)
        for setup in setups
    )


def _stopped_by_cleanup(call: ast.Call, receiver: Receiver, source: Source) -> LifecycleCall | None:
    statement = awaited_statement(call, source)
    if not isinstance(statement, ast.Expr) or not isinstance(call.func, ast.Attribute):
        return None
    cleanups = list(calls_on(receiver, "cleanup", source))
    if not cleanups:
        return LifecycleCall(source.span(statement), f"await {source.segment(call.func.value)}.cleanup()")
    function = source.names.enclosing_function(call)
    same = all(source.names.enclosing_function(cleanup) is function for cleanup in cleanups)
    # Elsewhere, cleanup() may come much later than the observers were to stop.
    return LifecycleCall(source.span(statement), None) if same else None
