"""What each name in a file stands for: imports, definitions and plain aliases resolved to dotted names.

One table of bindings per scope, filled from the nodes the source's single walk has sorted by type. A name that is
bound in more than one way within its scope resolves to nothing: better silent than wrong.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast

if TYPE_CHECKING:
    from checks.source import Source

Scope: TypeAlias = (
    ast.Module
    | ast.ClassDef
    | ast.FunctionDef
    | ast.AsyncFunctionDef
    | ast.Lambda
    | ast.ListComp
    | ast.SetComp
    | ast.DictComp
    | ast.GeneratorExp
)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_WITHIN_EXPRESSIONS = frozenset((ast.Lambda, *COMPREHENSIONS))
# A name that is bound more often than this in one scope stands for nothing in particular: generated code has thousands.
MOST_BINDINGS = 50
_IMPORT_ERRORS = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


class Binding(NamedTuple):
    """One place that binds a name.

    ``qualified`` is the dotted name bound where that is known; ``node`` the import, definition or target.
    """

    qualified: str | None
    node: ast.AST


class Names:
    """The bindings of one file, scope by scope."""

    def __init__(self, source: Source):
        self._source = source
        self._known_scopes: dict[ast.stmt, Scope] = {}
        self._resolved: dict[ast.AST, str | None] = {}

    def resolve(self, node: ast.AST) -> str | None:
        """Return the dotted name an expression stands for, or None where it cannot be told.

        Only names and attribute chains resolve: ``TaskObserver``, ``task_observer.TaskObserver``.
        """
        if not isinstance(node, (ast.Name, ast.Attribute)):
            return None
        if node not in self._resolved:
            self._resolved[node] = self._resolve(node, 0)
        return self._resolved[node]

    def resolve_text(self, text: str, place: ast.AST) -> str | None:
        """Return the dotted name that a name or attribute chain, as text, would stand for at a place."""
        root, dot, rest = text.partition(".")
        qualified = {self._qualified(binding, 0) for binding in self.lookup(root, place)}
        found = qualified.pop() if len(qualified) == 1 else None
        return f"{found}{dot}{rest}" if found else None

    def _resolve(self, node: ast.AST, hops: int) -> str | None:
        if isinstance(node, ast.Attribute):
            base = self._resolve(node.value, hops)
            return f"{base}.{node.attr}" if base else None
        if not isinstance(node, ast.Name) or hops > 4:
            return None
        bindings = self.bindings(node)
        if len(bindings) > MOST_BINDINGS:
            return None
        qualified = {self._qualified(binding, hops) for binding in bindings}
        return qualified.pop() if len(qualified) == 1 else None

    def _qualified(self, binding: Binding, hops: int) -> str | None:
        if binding.qualified is None and isinstance(binding.node, ast.Assign):
            return self._resolve(binding.node.value, hops + 1)
        return binding.qualified

    def bindings(self, node: ast.Name) -> list[Binding]:
        """Return every binding of a name in the scope it is looked up in; none for a builtin or a star import."""
        return self.lookup(node.id, node)

    def lookup(self, name: str, place: ast.AST) -> list[Binding]:
        """Return every binding a name would have if it were read at a place."""
        homes = self._homes.get(name)
        if homes is None:
            return []
        if homes == [self._source.tree]:
            return self._tables[self._source.tree][name]
        scope: Scope | None = self.scope(place)
        first = True
        while scope is not None:
            # A class body's names are not seen from the functions inside it.
            if scope in homes and (first or not isinstance(scope, ast.ClassDef)):
                return self._tables[scope][name]
            first = False
            scope = self.scope(scope) if not isinstance(scope, ast.Module) else None
        return []

    def table(self, scope: Scope) -> dict[str, list[Binding]]:
        """Return the names bound in one scope."""
        return self._tables.get(scope, {})

    def scopes(self) -> Iterator[Scope]:
        """Yield every scope that binds a name."""
        yield from self._tables

    def scope(self, node: ast.AST) -> Scope:
        """Return the scope in which the names of a node are looked up.

        Decorators, defaults, annotations and base classes belong to the scope around their function or class.
        """
        parent = self._source.parent
        child = node
        while not isinstance(child, ast.stmt):
            above = parent(child)
            if above is None:
                return self._source.tree
            if type(above) in _WITHIN_EXPRESSIONS and (not isinstance(above, ast.Lambda) or child is above.body):
                return cast(Scope, above)
            child = above
        return self._known_scopes.get(child) or self._scope_of_statement(child)

    def _scope_of_statement(self, node: ast.stmt) -> Scope:
        # A loop, not a recursion: each ``elif`` of a chain stands within the one before.
        passed: list[ast.stmt] = []
        known = self._known_scopes.get(node)
        above: ast.AST | None = node
        while known is None:
            if isinstance(above, ast.stmt):
                passed.append(above)
            above = self._source.parent(above) if above is not None else None
            if above is None:
                known = self._source.tree
            elif isinstance(above, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                known = above
            elif isinstance(above, ast.stmt):
                known = self._known_scopes.get(above)
        for one in passed:
            self._known_scopes[one] = known
        return known

    def reaching(self, package: str) -> set[str]:
        """Return the names that may stand for something of a package: imports from it, and other names for them."""
        found: set[str] = set()
        for table in self._tables.values():
            for name, bindings in table.items():
                if any(_may_reach(binding, package) for binding in bindings):
                    found.add(name)
        return found

    def enclosing_function(self, node: ast.AST) -> ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | None:
        """Return the innermost function whose body holds the node."""
        scope = self.scope(node)
        while not isinstance(scope, (ast.Module, *FUNCTIONS)):
            scope = self.scope(scope)
        return None if isinstance(scope, ast.Module) else scope

    def enclosing_class(self, node: ast.AST) -> ast.ClassDef | None:
        """Return the class whose method holds the node, through functions nested in the method."""
        scope = self.scope(node)
        while not isinstance(scope, (ast.Module, ast.ClassDef)):
            scope = self.scope(scope)
        return scope if isinstance(scope, ast.ClassDef) else None

    def qualified_name(self, node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> str:
        """Return the dotted name of a definition in this file."""
        parts = [node.name]
        scope = self.scope(node)
        while not isinstance(scope, ast.Module):
            if isinstance(scope, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                parts.append(scope.name)
            scope = self.scope(scope)
        return ".".join([self._source.module, *reversed(parts)])

    # -- filling the tables

    @cached_property
    def _homes(self) -> dict[str, list[Scope]]:
        """The scopes that bind each name."""
        homes: dict[str, list[Scope]] = {}
        for scope, table in self._tables.items():
            for name in table:
                homes.setdefault(name, []).append(scope)
        return homes

    @cached_property
    def _tables(self) -> dict[Scope, dict[str, list[Binding]]]:
        tables: dict[Scope, dict[str, list[Binding]]] = {}
        outer = self._declared_elsewhere()
        for name, scope, binding in self._all_bindings():
            if isinstance(scope, COMPREHENSIONS) and not isinstance(binding.node, ast.comprehension):
                # A walrus in a comprehension binds in the function around it.
                while isinstance(scope, COMPREHENSIONS):
                    scope = self.scope(scope)
            kind = outer.get((scope, name))
            if kind == "global":
                scope = self._source.tree
            elif kind == "nonlocal":
                scope = self.scope(scope)
                while not isinstance(scope, ast.Module) and name not in tables.get(scope, {}):
                    scope = self.scope(scope)
            tables.setdefault(scope, {}).setdefault(name, []).append(binding)
        return tables

    def _declared_elsewhere(self) -> dict[tuple[Scope, str], str]:
        declared: dict[tuple[Scope, str], str] = {}
        for node in self._source.nodes(ast.Global):
            declared |= {(self.scope(node), name): "global" for name in node.names}
        for node in self._source.nodes(ast.Nonlocal):
            declared |= {(self.scope(node), name): "nonlocal" for name in node.names}
        return declared

    def _all_bindings(self) -> Iterator[tuple[str, Scope, Binding]]:
        yield from self._imports()
        source = self._source
        for node in source.nodes(ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef):
            yield node.name, self.scope(node), Binding(self.qualified_name(node), node)
        for node in source.nodes(ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda):
            for argument in parameters(node.args):
                yield argument.arg, node, Binding(None, argument)
        for node in source.nodes(ast.Name):
            if not isinstance(node.ctx, ast.Load):
                yield node.id, self.scope(node), Binding(None, self._bound_by(node))
        for node in source.nodes(ast.ExceptHandler):
            if node.name:
                yield node.name, self.scope(node), Binding(None, node)
        for node in source.nodes(ast.MatchAs, ast.MatchStar):
            if node.name:
                yield node.name, self.scope(node), Binding(None, node)
        for node in source.nodes(ast.MatchMapping):
            if node.rest:
                yield node.rest, self.scope(node), Binding(None, node)

    def _bound_by(self, node: ast.Name) -> ast.AST:
        """Return the plain assignment ``name = value`` that binds a name, else the comprehension or the name."""
        parent = self._source.parent(node)
        if isinstance(parent, ast.Assign) and len(parent.targets) == 1:
            return parent
        for above in self._source.ancestors(node):
            if isinstance(above, ast.comprehension):
                return above
            if isinstance(above, (ast.stmt, ast.NamedExpr)):
                break
        return node

    def _imports(self) -> Iterator[tuple[str, Scope, Binding]]:
        for node in self._source.nodes(ast.Import, ast.ImportFrom):
            scope = self.scope(node)
            base = self.import_base(node) if isinstance(node, ast.ImportFrom) else ""
            for alias in node.names:
                if alias.name == "*":
                    continue
                if isinstance(node, ast.ImportFrom):
                    name = alias.asname or alias.name
                    qualified = f"{base}.{alias.name}" if base else None
                else:
                    name = alias.asname or alias.name.partition(".")[0]
                    qualified = alias.name if alias.asname else name
                yield name, scope, Binding(qualified, node)

    def is_guarded(self, node: ast.Import | ast.ImportFrom) -> bool:
        """Tell whether an import may fail and the program goes on: code that handles both worlds."""
        child: ast.AST = node
        for above in self._source.ancestors(node):
            if isinstance(above, ast.Try) and (child in above.body or child in above.handlers):
                if any(_goes_on(handler) for handler in above.handlers):
                    return True
            elif isinstance(above, ast.With) and any(_suppresses(item.context_expr) for item in above.items):
                return True
            child = above
        return False

    def is_for_types_only(self, node: ast.AST) -> bool:
        """Tell whether a node is under ``if TYPE_CHECKING:``, which does not run."""
        child = node
        for above in self._source.ancestors(node):
            if isinstance(above, ast.If) and child in above.body and "TYPE_CHECKING" in ast.unparse(above.test):
                return not isinstance(above.test, ast.UnaryOp)
            child = above
        return False

    def runs_first(self, node: ast.AST) -> bool:
        """Tell whether an import runs before any definition of its file does."""
        if self.is_for_types_only(node):
            return False
        for statement in self._source.tree.body:
            if isinstance(statement, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                return False
            if statement is node or node in ast.walk(statement):
                return True
        return False

    def import_base(self, node: ast.ImportFrom) -> str | None:
        """Return the dotted module a ``from … import`` reads, relative imports resolved against this file."""
        if not node.level:
            return node.module
        parts = self._source.module.split(".")
        drop = node.level - (1 if self._source.is_package else 0)
        if drop >= len(parts) + (1 if self._source.is_package else 0):
            return None
        parts = parts[: len(parts) - drop] if drop else parts
        return ".".join([*parts, *([node.module] if node.module else [])]) or None


def _may_reach(binding: Binding, package: str) -> bool:
    if binding.qualified is None:
        return isinstance(binding.node, ast.Assign)
    return binding.qualified.partition(".")[0] == package


def _goes_on(handler: ast.ExceptHandler) -> bool:
    """Tell whether a handler catches a failed import and lets the program go on."""
    if isinstance(handler.body[-1], ast.Raise):
        return False
    if handler.type is None:
        return True
    return _are_of_imports(handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type])


def _suppresses(entered: ast.expr) -> bool:
    """Tell whether what a ``with`` enters lets the program go on after a failed import, or a test that expects one."""
    if not isinstance(entered, ast.Call):
        return False
    called = entered.func.attr if isinstance(entered.func, ast.Attribute) else getattr(entered.func, "id", "")
    return called in ("suppress", "raises", "assertRaises") and _are_of_imports(entered.args)


def _are_of_imports(kinds: Sequence[ast.expr]) -> bool:
    each = (one for kind in kinds for one in (kind.elts if isinstance(kind, ast.Tuple) else [kind]))
    return any(isinstance(kind, ast.Name) and kind.id in _IMPORT_ERRORS for kind in each)


def parameters(arguments: ast.arguments) -> Iterator[ast.arg]:
    """Yield every parameter of a signature, in order."""
    yield from arguments.posonlyargs
    yield from arguments.args
    if arguments.vararg:
        yield arguments.vararg
    yield from arguments.kwonlyargs
    if arguments.kwarg:
        yield arguments.kwarg
