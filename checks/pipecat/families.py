"""Classes that take a task manager by constructor, with their subclasses and everyone who builds one.

A class, the subclasses that pass the manager on to it and all constructor calls in the project change together or not
at all; what stands in the way is found here.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from checks.docstring import entry_lines
from checks.pipecat.hierarchy import BASE_OBJECT, BASE_OBSERVER, Lineage, lineage, method, pipecat_name
from checks.pipecat.wiring import (
    BASE_ATTRIBUTE,
    KEYWORD_IN_BASE,
    MANAGER,
    NEEDLES,
    PARAMETER,
    TASK_METHODS,
    TASK_OBSERVER,
    Construction,
    Definition,
    Replacement,
    constructor_parameter,
    has_task_methods,
    is_plain_object,
    only_asks_whether,
    passed_manager,
    setup_calls,
)
from checks.project import Project
from checks.receivers import is_self_attribute, is_super_call, self_attributes
from checks.source import Source, Span


@dataclass(slots=True)
class Family:
    """A class that takes a manager, with its subclasses that pass it on and everyone who builds one.

    ``obstacle`` says why they cannot be moved together; ``built`` counts the constructor calls that pass a manager;
    ``patient`` objects are known not to need it before they are started.
    """

    root: str
    definitions: dict[ast.ClassDef, Definition] = field(default_factory=dict[ast.ClassDef, Definition])
    constructions: dict[ast.Call, Construction] = field(default_factory=dict[ast.Call, Construction])
    obstacle: str | None = None
    built: int = 0
    patient: bool = False

    @property
    def size(self) -> int:
        """How many findings must be mended together."""
        return len(self.definitions) + len(self.constructions)


def family_of(node: ast.ClassDef, source: Source) -> Family | None:
    """Return the family of a class that takes and keeps a manager; None if it is no such class."""
    root_source, root = _root(node, source)
    # By file and place, since a project may hold modules, and a module classes, of the same name.
    place = os.path.relpath(root_source.path, source.project.root)
    key = f"{place}:{root.lineno}:{root.name}"
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
    family.patient = pipecat_name(source, root) == TASK_OBSERVER
    members = [(root, source)]
    todo = [(root, source)]
    while todo and family.obstacle is None:
        node, where = todo.pop()
        for user, reference in _references(node, where, family):
            holder = user.parent(reference)
            if isinstance(holder, ast.ClassDef) and reference in holder.bases:
                todo.append((holder, user))
                members.append((holder, user))
                _examine_subclass(holder, user, family)
            elif isinstance(holder, ast.Call) and holder.func is reference:
                _examine_construction(holder, user, family)
            elif not _is_harmless(reference, user):
                at = user.span(reference).line
                family.obstacle = f"{node.name} is passed around at {user.path.name}:{at}"
    if family.obstacle is None:
        family.obstacle = _inner_obstacle(members)
    return family


def _examine_subclass(node: ast.ClassDef, source: Source, family: Family) -> None:
    init = method(node, "__init__")
    if constructor_parameter(node):
        if not _examine_definition(node, source, family) and family.obstacle is None:
            family.obstacle = f"{node.name} takes a task_manager and does something else"
    elif init is not None and _passes_anything_up(init):
        family.obstacle = f"{node.name}.__init__ passes arguments on that may hold the manager"


def _passes_anything_up(init: ast.AST) -> bool:
    """Tell whether a constructor hands positional, unpacked or manager arguments to a base class."""
    return any(
        isinstance(part, ast.Call)
        and isinstance(part.func, ast.Attribute)
        and part.func.attr == "__init__"
        and (part.args or any(keyword.arg in (None, PARAMETER) for keyword in part.keywords))
        for part in ast.walk(init)
    )


def _inner_obstacle(members: Sequence[tuple[ast.ClassDef, Source]]) -> str | None:
    """Return what within the classes of a family, or beside them, would be left behind."""
    for node, source in members:
        if not isinstance(source.names.scope(node), ast.Module):
            return f"{node.name} is defined inside a function or class, where its users cannot be told"
        if len(source.names.table(source.tree).get(node.name, [])) > 1:
            return f"{source.path.name} defines {node.name} more than once"
        if source.project.is_file(str(source.path.with_suffix(".pyi"))):
            return f"{source.path.name} has a stub beside it"
        if any(_has_own_contract(one) for one in _related(node, source)):
            return f"a base or subclass of {node.name} has task methods or a setup() of its own"
        for part in ast.walk(node):
            if isinstance(part, ast.Call) and _builds_own_class(part.func):
                return f"line {part.lineno} builds an object of its own class"
            if isinstance(part, ast.Constant) and part.value == PARAMETER:
                return f"line {part.lineno} names task_manager in a string"
    return None


def _related(node: ast.ClassDef, source: Source) -> Iterator[ast.ClassDef]:
    """Yield a class and its bases in the project, Pipecat's own BaseObject left out."""
    for where, one in lineage(node, source).own:
        if pipecat_name(where, one) not in (BASE_OBJECT, BASE_OBSERVER):
            yield one


def _builds_own_class(function: ast.expr) -> bool:
    """Tell whether a callee is ``cls``, ``type(self)`` or ``self.__class__``."""
    if isinstance(function, ast.Call):
        return isinstance(function.func, ast.Name) and function.func.id == "type"
    if isinstance(function, ast.Attribute):
        return function.attr == "__class__"
    return isinstance(function, ast.Name) and function.id == "cls"


def _references(node: ast.ClassDef, source: Source, family: Family) -> Iterator[tuple[Source, ast.expr]]:
    """Yield every place in the project that reads a class by name; what cannot be told becomes the obstacle."""
    words, todo = {node.name}, [node.name]
    seen: set[ast.AST] = set()
    while todo:
        word = todo.pop()
        for path in source.project.paths_mentioning(word):
            user = source.project.readable(path)
            if user is None:
                family.obstacle = family.obstacle or f"{path.name} names {word} and cannot be read"
                continue
            for renamed in _renamings(word, user):
                if renamed not in words:
                    words.add(renamed)
                    todo.append(renamed)
            unclear = _unclear_mention(word, user)
            for reference in user.nodes(ast.Name, ast.Attribute):
                last = reference.id if isinstance(reference, ast.Name) else reference.attr
                if last != word or not isinstance(reference.ctx, ast.Load) or reference in seen:
                    continue
                seen.add(reference)
                found = source.project.resolve(reference, user)
                if isinstance(found, tuple) and found[1] is node:
                    yield user, reference
                elif found is None or (isinstance(found, str) and _may_be_file(found, source)):
                    unclear = unclear or user.span(reference).line
            if unclear is not None and family.obstacle is None:
                family.obstacle = f"{user.path.name}:{unclear} may mean {node.name} too"


def _renamings(word: str, user: Source) -> Iterator[str]:
    """Yield the other names a file gives to what it imports, or assigns, under a word."""
    for statement in user.nodes(ast.ImportFrom):
        yield from (alias.asname for alias in statement.names if alias.name == word and alias.asname)
    for statement in user.nodes(ast.Assign):
        if isinstance(statement.value, ast.Name) and statement.value.id == word:
            yield from (target.id for target in statement.targets if isinstance(target, ast.Name))


def _unclear_mention(word: str, user: Source) -> int | None:
    """Return a line that may use a class in a way that cannot be followed: a string, a star import, a mock's call."""
    for constant in user.nodes(ast.Constant):
        value = constant.value
        if isinstance(value, str) and (value == word or value.endswith(f".{word}")):
            if not _is_in_all(constant, user):
                return constant.lineno
    for statement in user.nodes(ast.ImportFrom):
        base = user.names.import_base(statement)
        if statement.names[0].name == "*" and base and user.project.find_module(base, user.path):
            return statement.lineno
    for call in user.nodes(ast.Call):
        if isinstance(call.func, ast.Attribute) and call.func.attr.startswith("assert_"):
            if any(keyword.arg == PARAMETER for keyword in call.keywords):
                return call.lineno
    return None


def _is_in_all(constant: ast.Constant, user: Source) -> bool:
    for above in user.ancestors(constant):
        if isinstance(above, (ast.Assign, ast.AugAssign)):
            target = above.targets[0] if isinstance(above, ast.Assign) else above.target
            return isinstance(target, ast.Name) and target.id == "__all__"
    return False


def _may_be_file(dotted: str, source: Source) -> bool:
    """Tell whether a name that leads out of the project may yet lead to one of its files, by another import path."""
    module = dotted.rpartition(".")[0]
    ending = "/" + module.replace(".", "/")
    return bool(module) and any(
        path.with_suffix("").as_posix().removesuffix("/__init__").endswith(ending) for path in source.project.files
    )


def _is_harmless(reference: ast.expr, source: Source) -> bool:
    """Tell whether a class is only named: in an annotation, an isinstance, or to read one of its attributes."""
    child: ast.AST = reference
    for above in source.ancestors(reference):
        if isinstance(above, (ast.arg, ast.AnnAssign)) and child is above.annotation:
            return True
        if isinstance(above, (ast.FunctionDef, ast.AsyncFunctionDef)) and child is above.returns:
            return True
        if isinstance(above, ast.Call) and isinstance(above.func, ast.Name):
            return above.func.id in ("isinstance", "issubclass") and child is not above.func
        if isinstance(above, ast.Attribute):
            return above.attr not in ("__init__", "__new__", "__call__")
        if isinstance(above, ast.Assign):
            # An alias; its own uses are followed by name.
            return isinstance(above.value, ast.Name) and isinstance(source.parent(above), ast.Module)
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
    if parameter.annotation is not None and not _names_manager(parameter.annotation, source):
        return False
    uses = [
        name
        for name in source.nodes(ast.Name)
        if name.id == PARAMETER
        and isinstance(name.ctx, ast.Load)
        and parameter in [binding.node for binding in source.names.bindings(name)]
    ]
    stores = {use: _store_of(use, init, source) for use in uses}
    forwards = {use: _forward_of(use, source) for use in uses}
    kept = [store for store in stores.values() if store]
    passed = [forward for forward in forwards.values() if forward]
    if not kept and not (passed and _swallowed_above(line, source.project)):
        if not any(_is_kept_somehow(use, source) for use in uses):
            return False
        family.obstacle = f"{node.name}.__init__ keeps task_manager in a way of its own"
    elif not has_task_methods(line, source.project):
        family.obstacle = "BaseObject in this tree has no setup(), create_task() and cancel_task() yet"
    elif len(source.names.table(init).get(PARAMETER, [])) > 1:
        family.obstacle = f"{node.name}.__init__ gives task_manager another value"
    elif len(kept) > 1 or len(passed) > 1 or len(kept) + len(passed) != len(uses):
        family.obstacle = f"{node.name}.__init__ uses task_manager in other ways too"
    elif not source.begins_line(init) or init.decorator_list or _count(node, "__init__") > 1:
        family.obstacle = f"{node.name}.__init__ is decorated, overloaded or not on lines of its own"
    else:
        _describe_definition(node, source, family, init, kept, passed)
    return True


def _count(node: ast.ClassDef, name: str) -> int:
    return sum(isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef)) and one.name == name for one in node.body)


def _names_manager(annotation: ast.expr, source: Source) -> bool:
    """Tell whether an annotation can mean Pipecat's task manager: it names it, or a name that cannot be told."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return "TaskManager" in annotation.value
    for part in ast.walk(annotation):
        if isinstance(part, (ast.Name, ast.Attribute)):
            meant = source.project.resolve(part, source)
            if isinstance(meant, tuple) and isinstance(meant[1], ast.ClassDef):
                if MANAGER in lineage(meant[1], meant[0]).names:
                    return True
            elif isinstance(meant, str) and meant.startswith("pipecat.") and meant.endswith("TaskManager"):
                return True
    return False


def _has_own_contract(node: ast.ClassDef) -> bool:
    """Tell whether a class has task methods, a property, a setter or another setup(); such a class is left alone."""
    if any(method(node, name) for name in (*TASK_METHODS, PARAMETER, "set_task_manager")):
        return True
    setup = method(node, "setup")
    if setup is None:
        return False
    parameters = [argument.arg for argument in (*setup.args.posonlyargs, *setup.args.args)]
    return parameters[1:] != [PARAMETER] or not any(is_super_call(part, "setup") for part in ast.walk(setup))


def _is_kept_somehow(use: ast.Name, source: Source) -> bool:
    """Tell whether a parameter ends up in an attribute of self by a statement of another form."""
    statement = next((above for above in source.ancestors(use) if isinstance(above, ast.stmt)), None)
    if not isinstance(statement, ast.Assign):
        return False
    if isinstance(statement.value, ast.BoolOp):
        return False  # ``task_manager or TaskManager()``: an owner's
    targets = [part for target in statement.targets for part in ast.walk(target)]
    return any(isinstance(part, ast.Attribute) and is_self_attribute(part, source) for part in targets)


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
    elif isinstance(parent, ast.Attribute) and not only_asks_whether(use, source):
        if use.attr != PARAMETER:
            yield Replacement(source.span(use), f"{this}.{PARAMETER}")
    elif use.attr not in (BASE_ATTRIBUTE, PARAMETER):
        # The attribute of the base class: it may be None, where the property would raise.
        yield Replacement(source.span(use), f"{this}.{BASE_ATTRIBUTE}")


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
    built = source.project.resolve(call.func, source)
    init = None
    if isinstance(built, tuple) and isinstance(built[1], ast.ClassDef):
        init = nearest_taker(built[1], built[0])
        if init is None:
            return  # a subclass with a constructor of its own
    argument = passed_manager(call, init)
    where = f"{source.path.name}:{source.span(call).line}"
    if argument is None:
        if any(k.arg is None for k in call.keywords) or any(isinstance(a, ast.Starred) for a in call.args):
            family.obstacle = f"{where} passes its arguments by unpacking"
        return
    family.built += 1
    setups = setup_calls(call, argument, source, patient=family.patient)
    if isinstance(setups, str):
        family.obstacle = f"{where}: {setups}"
    elif not any(needle.encode() in source.data for needle in NEEDLES):
        family.obstacle = f"{where} passes the manager in a file that does not name it"
    else:
        family.constructions[call] = Construction(source.span(call), source.span(argument), tuple(setups))


def nearest_taker(node: ast.ClassDef, source: Source) -> ast.FunctionDef | None:
    """Return the constructor that a call of a class runs, if it takes the manager."""
    found = lineage(node, source).method("__init__")
    taken = constructor_parameter(found[1]) if found else None
    return taken[0] if taken else None
