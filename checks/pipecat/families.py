"""Classes that take a task manager by constructor, with their subclasses and everyone who builds one.

A class, the subclasses that pass the manager on to it and all constructor calls in the project change together or not
at all; what stands in the way is found here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from checks.docstring import entry_lines
from checks.pipecat.hierarchy import Lineage, lineage, method
from checks.pipecat.wiring import (
    BASE_ATTRIBUTE,
    KEYWORD_IN_BASE,
    PARAMETER,
    TASK_METHODS,
    Construction,
    Definition,
    Replacement,
    constructor_parameter,
    has_task_methods,
    is_plain_object,
    passed_manager,
    setup_calls,
)
from checks.project import Project
from checks.receivers import is_self_attribute, is_super_call, self_attributes
from checks.source import Source, Span


@dataclass(slots=True)
class Family:
    """A class that takes a manager, with its subclasses that pass it on and everyone who builds one.

    ``obstacle`` says why they cannot be moved together; ``built`` counts the constructor calls that pass a manager.
    """

    root: str
    definitions: dict[ast.ClassDef, Definition] = field(default_factory=dict[ast.ClassDef, Definition])
    constructions: dict[ast.Call, Construction] = field(default_factory=dict[ast.Call, Construction])
    obstacle: str | None = None
    built: int = 0

    @property
    def size(self) -> int:
        """How many findings must be mended together."""
        return len(self.definitions) + len(self.constructions)


def family_of(node: ast.ClassDef, source: Source) -> Family | None:
    """Return the family of a class that takes and keeps a manager; None if it is no such class."""
    root_source, root = _root(node, source)
    key = root_source.names.qualified_name(root)
    memo: dict[str, Family | None] = source.project.memo.setdefault("families", {})
    if key not in memo:
        memo[key] = _examine_family(root, root_source, key)
    return memo[key]


def _root(node: ast.ClassDef, source: Source) -> tuple[Source, ast.ClassDef]:
    """Return the topmost class of the project whose constructor takes the manager."""
    takers = [(s, c) for s, c in lineage(node, source).own if constructor_parameter(c)]
    return takers[-1] if takers else (source, node)


def _examine_family(root: ast.ClassDef, source: Source, key: str) -> Family | None:
    family = Family(key)
    if not _examine_definition(root, source, family):
        return None
    todo = [(root, source)]
    while todo and family.obstacle is None:
        node, where = todo.pop()
        for user, reference in _references(node, where):
            holder = user.parent(reference)
            if isinstance(holder, ast.ClassDef) and reference in holder.bases:
                if not constructor_parameter(holder):
                    if method(holder, "__init__") and _passes_manager_up(holder):
                        family.obstacle = f"{holder.name} passes a manager of its own"
                    todo.append((holder, user))
                elif _examine_definition(holder, user, family):
                    todo.append((holder, user))
                elif family.obstacle is None:
                    family.obstacle = f"{holder.name} takes a task_manager and does something else"
            elif isinstance(holder, ast.Call) and holder.func is reference:
                _examine_construction(holder, user, family)
            elif not _is_harmless(reference, user):
                at = user.span(reference).line
                family.obstacle = f"{node.name} is passed around at {user.path.name}:{at}"
    return family


def _passes_manager_up(node: ast.ClassDef) -> bool:
    return any(
        is_super_call(part, "__init__")
        and isinstance(part, ast.Call)
        and any(keyword.arg == PARAMETER for keyword in part.keywords)
        for part in ast.walk(node)
    )


def _references(node: ast.ClassDef, source: Source) -> Iterator[tuple[Source, ast.expr]]:
    """Yield every place in the project that reads a class by name."""
    project = source.project
    for user in project.mentioning(node.name):
        for reference in user.nodes(ast.Name, ast.Attribute):
            last = reference.id if isinstance(reference, ast.Name) else reference.attr
            if not isinstance(reference.ctx, ast.Load):
                continue
            # An import may have given the class another name; only then is a name of another spelling worth a look.
            if last != node.name and not _may_be_alias(reference, node.name, user):
                continue
            found = project.resolve(reference, user)
            if isinstance(found, tuple) and found[1] is node:
                yield user, reference


def _may_be_alias(reference: ast.expr, name: str, source: Source) -> bool:
    if not isinstance(reference, ast.Name):
        return False
    qualified = source.names.resolve(reference)
    return bool(qualified) and str(qualified).rpartition(".")[2] == name


def _is_harmless(reference: ast.expr, source: Source) -> bool:
    """Tell whether a class is only named, in an annotation, an isinstance or an attribute access."""
    child: ast.AST = reference
    for above in source.ancestors(reference):
        if isinstance(above, (ast.arg, ast.AnnAssign)) and child is above.annotation:
            return True
        if isinstance(above, (ast.FunctionDef, ast.AsyncFunctionDef)) and child is above.returns:
            return True
        if isinstance(above, ast.Call) and isinstance(above.func, ast.Name):
            return above.func.id in ("isinstance", "issubclass") and child is not above.func
        if isinstance(above, ast.Attribute):
            return True
        if isinstance(above, ast.stmt):
            return False
        child = above
    return False


def _examine_definition(node: ast.ClassDef, source: Source, family: Family) -> bool:
    """Add a class to a family; False if it does not keep the manager it takes."""
    taken = constructor_parameter(node)
    line = lineage(node, source)
    if taken is None or not is_plain_object(line) or _has_own_contract(node):
        return False
    init, parameter = taken
    uses = [
        name
        for name in source.nodes(ast.Name)
        if name.id == PARAMETER
        and [binding.node for binding in source.names.bindings(name)] == [parameter]
        and isinstance(name.ctx, ast.Load)
    ]
    stores = {use: _store_of(use, init, source) for use in uses}
    forwards = {use: _forward_of(use, source) for use in uses}
    kept = [store for store in stores.values() if store]
    passed = [forward for forward in forwards.values() if forward]
    if not kept and not (passed and _swallowed_above(line, source.project)):
        return False
    if not has_task_methods(line, source.project):
        family.obstacle = "BaseObject in this tree has no setup(), create_task() and cancel_task() yet"
    elif len(kept) > 1 or len(passed) > 1 or len(kept) + len(passed) != len(uses):
        family.obstacle = f"{node.name}.__init__ uses task_manager in other ways too"
    elif len(source.names.table(init).get(PARAMETER, [])) > 1:
        family.obstacle = f"{node.name}.__init__ gives task_manager another value"
    elif not source.begins_line(init) and not init.decorator_list:
        family.obstacle = f"{node.name}.__init__ does not stand on lines of its own"
    else:
        _describe_definition(node, source, family, init, kept, passed)
    return True


def _has_own_contract(node: ast.ClassDef) -> bool:
    """Tell whether a class has task methods, a property or a setter of its own; such a class is left alone."""
    return any(method(node, name) for name in (*TASK_METHODS, PARAMETER, "set_task_manager"))


def _swallowed_above(line: Lineage, project: Project) -> bool:
    """Tell whether a manager handed to ``super().__init__`` is dropped there in silence."""
    above = any(constructor_parameter(node) for _, node in line.own[1:])
    return above or project.target < KEYWORD_IN_BASE


def _store_of(use: ast.Name, init: ast.FunctionDef, source: Source) -> ast.stmt | None:
    """Return the statement ``self.x = task_manager`` of a constructor's body."""
    parent = source.parent(use)
    if not isinstance(parent, (ast.Assign, ast.AnnAssign)) or parent.value is not use:
        return None
    targets = parent.targets if isinstance(parent, ast.Assign) else [parent.target]
    alone = len(targets) == 1 and is_self_attribute(targets[0], source)
    return parent if alone and parent in init.body and source.begins_line(parent) else None


def _forward_of(use: ast.Name, source: Source) -> tuple[ast.Call, ast.keyword] | None:
    """Return ``super().__init__(task_manager=task_manager)`` around a use."""
    keyword = source.parent(use)
    call = source.parent(keyword) if isinstance(keyword, ast.keyword) else None
    if not isinstance(keyword, ast.keyword) or not isinstance(call, ast.Call):
        return None
    return (call, keyword) if keyword.arg == PARAMETER and is_super_call(call, "__init__") else None


def _describe_definition(
    node: ast.ClassDef,
    source: Source,
    family: Family,
    init: ast.FunctionDef,
    kept: list[ast.stmt],
    passed: list[tuple[ast.Call, ast.keyword]],
) -> None:
    uses: list[Replacement] = []
    if kept:
        target = kept[0].targets[0] if isinstance(kept[0], ast.Assign) else kept[0].target  # type: ignore[attr-defined]
        assert isinstance(target, ast.Attribute)
        attribute = target.attr
        if attribute not in (BASE_ATTRIBUTE, PARAMETER) and _is_read_elsewhere(node, attribute, source):
            family.obstacle = f"{node.name}.{attribute} is also read from outside the class"
            return
        for use in self_attributes(node, attribute, source):
            if use is target:
                continue
            if not isinstance(use.ctx, ast.Load):
                family.obstacle = f"{node.name}.{attribute} is assigned more than once"
                return
            if _runs_in_constructor(use, init, node, source):
                line = source.span(use).line
                family.obstacle = f"line {line} uses the manager during construction, before setup()"
                return
            uses += rewritten_use(use, node, source)
    own_setup = method(node, "setup")
    if own_setup is not None and not any(is_super_call(p, "setup") for p in ast.walk(own_setup)):
        family.obstacle = f"{node.name}.setup() does not call super().setup(task_manager)"
        return
    documented = [entry_lines(where, PARAMETER, source) for where in (init, node)]
    family.definitions[node] = Definition(
        function=source.span(init),
        parameter=PARAMETER,
        docstring=tuple(_line_span(lines, source) for lines in documented if lines),
        store=source.span(kept[0]) if kept else None,
        forwarded=(source.span(passed[0][0]), source.span(passed[0][1])) if passed else None,
        uses=tuple(uses),
    )


def _line_span(lines: range, source: Source) -> Span:
    return source.span_between(source.line_start(lines.start), source.line_start(lines.stop))


def _is_read_elsewhere(node: ast.ClassDef, attribute: str, source: Source) -> bool:
    inside = set(self_attributes(node, attribute, source))
    return any(
        access.attr == attribute and access not in inside
        for user in source.project.mentioning(attribute)
        for access in user.nodes(ast.Attribute)
    )


def _runs_in_constructor(use: ast.AST, init: ast.FunctionDef, node: ast.ClassDef, source: Source) -> bool:
    """Tell whether an expression runs while ``__init__`` does: in it, or in a method it calls."""
    reached: set[ast.AST] = {init}
    todo: list[ast.AST] = [init]
    while todo:
        for part in ast.walk(todo.pop()):
            if isinstance(part, ast.Call) and is_self_attribute(part.func, source):
                assert isinstance(part.func, ast.Attribute)
                called = method(node, part.func.attr)
                # Calling an ``async def`` only makes a coroutine; its body runs later.
                if isinstance(called, ast.FunctionDef) and called not in reached:
                    reached.add(called)
                    todo.append(called)
    return any(above in reached for above in source.ancestors(use))


def rewritten_use(use: ast.Attribute, node: ast.ClassDef, source: Source) -> Iterator[Replacement]:
    """Yield what a read of the kept manager becomes once the base class keeps it."""
    assert isinstance(use.value, ast.Name)
    this = use.value.id
    parent = source.parent(use)
    call = source.parent(parent) if parent is not None else None
    if (
        isinstance(parent, ast.Attribute)
        and parent.attr in TASK_METHODS
        and isinstance(call, ast.Call)
        and call.func is parent
    ):
        yield Replacement(source.span(parent), f"{this}.{parent.attr}")
        if parent.attr == "create_task":
            yield from _shorter_name(call, node, source)
    elif _only_asks_whether(use, source):
        if use.attr != BASE_ATTRIBUTE:
            yield Replacement(source.span(use), f"{this}.{BASE_ATTRIBUTE}")
    elif use.attr != PARAMETER:
        yield Replacement(source.span(use), f"{this}.{PARAMETER}")


def _only_asks_whether(use: ast.Attribute, source: Source) -> bool:
    """Tell whether a read only asks if there is a manager; the property would raise where there is none."""
    parent = source.parent(use)
    match parent:
        case ast.If() | ast.While() | ast.IfExp() | ast.Assert():
            return parent.test is use
        case ast.UnaryOp(op=ast.Not()):
            return True
        case ast.BoolOp():
            return use is not parent.values[-1] or _is_tested(parent, source)
        case ast.Compare(ops=[ast.Is() | ast.IsNot()]):
            return True
        case _:
            return False


def _is_tested(node: ast.expr, source: Source) -> bool:
    parent = source.parent(node)
    return isinstance(parent, (ast.If, ast.While, ast.IfExp, ast.Assert)) and parent.test is node


def _shorter_name(call: ast.Call, node: ast.ClassDef, source: Source) -> Iterator[Replacement]:
    """Yield the removal of a prefix BaseObject.create_task adds by itself: ``{self}::``, ``ClassName::``."""
    name = call.args[1] if len(call.args) > 1 else None
    name = next((keyword.value for keyword in call.keywords if keyword.arg == "name"), name)
    if not isinstance(name, (ast.JoinedStr, ast.Constant)):
        return
    text = source.segment(name)
    this = r"self(?:\.name|\._name)?|self\.__class__\.__name__|type\(self\)\.__name__"
    match = re.match(
        rf"(?P<prefix>[fF]?)(?P<quote>[\"'])(?P<name>\{{(?:{this})\}}|{re.escape(node.name)})"
        r"(?P<mark>::|[:\-./ ]+|_)(?P<rest>[^\"'\\]+)(?P=quote)$",
        text,
    )
    if match is None:
        return
    start = source.start(name)
    yield Replacement(source.span_between(start + match.start("name"), start + match.end("mark")), "")
    if match["prefix"] and "{" not in match["rest"] and "}" not in match["rest"]:
        yield Replacement(source.span_between(start, start + len(match["prefix"])), "")


def _examine_construction(call: ast.Call, source: Source, family: Family) -> None:
    definition = source.project.resolve(call.func, source)
    init = None
    if isinstance(definition, tuple) and isinstance(definition[1], ast.ClassDef):
        taker = next(
            (c for _, c in lineage(definition[1], definition[0]).own if constructor_parameter(c)),
            None,
        )
        taken = constructor_parameter(taker) if taker else None
        init = taken[0] if taken else None
    argument = passed_manager(call, init)
    where = f"{source.path.name}:{source.span(call).line}"
    if argument is None:
        if any(k.arg is None for k in call.keywords) or any(isinstance(a, ast.Starred) for a in call.args):
            family.obstacle = f"{where} passes its arguments by unpacking"
        return
    family.built += 1
    setups = setup_calls(call, argument, source)
    if isinstance(setups, str):
        family.obstacle = f"{where}: {setups}"
    else:
        family.constructions[call] = Construction(source.span(call), source.span(argument), tuple(setups))
