"""What a span is opened with and told of: read off the code that opens it, in terms of the service alone.

What is carried over must mean the same when the audio context is created, before ``run_tts`` is called: it may depend
on the service, on names of the module, on a decorator's options, and, where it only describes, on the text.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from checks.names import FUNCTIONS, Binding
from checks.source import Source
from checks.unclear import Unclear
from checks.walk import walk

SPAN_CALLS = ("start_as_current_span", "start_span")
SERVICE, SPAN, TEXT, CHARACTERS = "service", "span", "text", "characters"
TTFB = '"metrics.ttfb", value'
_OPTIONS_OF_A_SPAN = ("context", "kind", "attributes", "links")
_BUILTINS = frozenset(dir(builtins))


class Opening(NamedTuple):
    """How the spans of one tracer begin.

    ``opened``: lines that open a span for ``service`` and return it, with the decorator's ``options`` by their names.
    ``described``: lines that tell ``span`` what ``service`` says: the ``text``, of so many ``characters``. ``wanted``:
    an expression that tells whether ``service`` is to be traced, None for always. ``ttfb``: key and value
    of the attribute that gets the time to the first byte, ``value`` being its seconds.
    """

    opened: tuple[str, ...]
    described: tuple[str, ...]
    options: tuple[str, ...]
    wanted: str | None
    ttfb: str


def is_span_call(node: ast.AST) -> bool:
    """Tell whether a node is a call that opens a span."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SPAN_CALLS


def span_calls(function: ast.AST) -> list[ast.Call]:
    """Return the calls within a function that open a span."""
    return [part for part in walk(function) if isinstance(part, ast.Call) and is_span_call(part)]


def attribute_of(statement: ast.stmt, span: str) -> tuple[str, ast.Call] | None:
    """Return the method and the call of a statement ``span.method(…)``."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
        if isinstance(call.func.value, ast.Name) and call.func.value.id == span:
            return call.func.attr, call
    return None


def is_about_ttfb(statement: ast.stmt, span: str) -> str | None:
    """Return key and value for a statement that does nothing but give the span a time to the first byte.

    Other units are known by the key: ``tts.ttfb_ms``.
    """
    if isinstance(statement, ast.If) and not statement.orelse and len(statement.body) == 1:
        statement = statement.body[0]
    found = attribute_of(statement, span)
    if found is None or found[0] != "set_attribute" or len(found[1].args) != 2:
        return None
    key, value = found[1].args
    measured = re.search(r"(?<![\w])ttfb(_ms)?(?![\w])", ast.unparse(value))
    if isinstance(key, ast.Constant) and isinstance(key.value, str) and measured:
        return f'"{key.value}", value' + (" * 1000" if key.value.endswith("ms") else "")
    return None


@dataclass(slots=True)
class Reader:
    """Puts expressions in terms of ``service`` and ``text``, and notes the variables and options they need.

    ``service`` and ``text`` are the parameters that stand for them, ``function`` the decorated function, ``options``
    a decorator's parameters.
    """

    source: Source
    service: tuple[ast.arg, ...]
    text: tuple[ast.arg, ...] = ()
    function: ast.arg | None = None
    options: tuple[ast.arg, ...] = ()
    variables: dict[str, str] = field(default_factory=dict[str, str])
    used: dict[str, None] = field(default_factory=dict[str, None])
    read: set[ast.stmt] = field(default_factory=set[ast.stmt])

    def speaks(self, node: ast.AST) -> bool:
        """Tell whether an expression depends on the text."""
        return any(isinstance(part, ast.Name) and self._stands_for(part, self.text, set()) for part in walk(node))

    def text_of(self, node: ast.expr, *, spoken: bool = False) -> str:
        """Return an expression in terms of the service, and of the text if that is ``spoken`` of.

        Raises:
            Unclear: it depends on more than that.
        """
        own = {part.id for part in walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
        changes: dict[ast.AST, str] = {}
        for part in walk(node):
            if self._cannot_move(part):
                raise self._unclear(part)
            if self._is_length_of_text(part) and spoken:
                changes[part] = CHARACTERS
            elif self._is_name_of_function(part):
                changes[part] = '"run_tts"'
        inside = {inner for part in changes for inner in walk(part)}
        for part in walk(node):
            if isinstance(part, ast.Name) and part.id not in own and part not in inside:
                name = self._name(part, spoken)
                if name != part.id:
                    changes[part] = name
        return self._with(changes, node)

    def _cannot_move(self, part: ast.AST) -> bool:
        """Tell whether a part of an expression means something else outside its method, or does more than read."""
        if isinstance(part, ast.Attribute):
            return part.attr.startswith("__") and not part.attr.endswith("__")
        if isinstance(part, ast.JoinedStr):
            return re.search(r"=\s*(![rsa])?(:[^{}]*)?\}", self.source.segment(part)) is not None
        if isinstance(part, ast.Call):
            root = part.func
            while isinstance(root, (ast.Attribute, ast.Call, ast.Subscript)):
                root = root.func if isinstance(root, ast.Call) else root.value
            # A method of the service, or of what the call has made, may do anything.
            bound = self.source.names.bindings(root) if isinstance(root, ast.Name) else []
            is_method = isinstance(part.func, ast.Attribute)
            return is_method and any(b.node in (*self.service, *self.text) for b in bound)
        if isinstance(part, ast.Name):
            is_own = isinstance(part.ctx, ast.Store) and part.id in (SERVICE, SPAN, TEXT, CHARACTERS, "self", "cls")
            return is_own or part.id in ("super", "locals", "globals", "vars")
        return isinstance(part, (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr, ast.Lambda))

    def _name(self, node: ast.Name, spoken: bool) -> str:
        bindings = self.source.names.bindings(node)
        argument = bindings[0].node if len(bindings) == 1 else None
        if argument in self.service:
            return SERVICE
        if argument in self.text and spoken:
            return TEXT
        if argument in self.options and not spoken:
            self.used[node.id] = None
            return node.id
        if self._is_global(node, bindings):
            if node.id in (SERVICE, SPAN, TEXT, CHARACTERS):
                raise self._unclear(node)
            return node.id
        self._need(node, bindings, spoken)
        return node.id

    def _need(self, node: ast.Name, bindings: list[Binding], spoken: bool) -> None:
        """Note a variable that is given its value once, on the main line of its function."""
        statement = bindings[0].node if len(bindings) == 1 else None
        if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or statement.value is None or spoken:
            raise self._unclear(node)
        if not self._is_on_main_line(statement) or node.id in (SERVICE, SPAN, TEXT, CHARACTERS):
            raise self._unclear(node)
        if node.id not in self.variables:
            value = self.text_of(statement.value)
            self.read.add(statement)
            self.variables[node.id] = value

    def _is_on_main_line(self, statement: ast.stmt) -> bool:
        for above in self.source.ancestors(statement):
            if isinstance(above, FUNCTIONS):
                return True
            if not isinstance(above, (ast.With, ast.AsyncWith, ast.Try)):
                return False
        return False

    def _is_global(self, node: ast.Name, bindings: list[Binding]) -> bool:
        if not bindings:
            return node.id in _BUILTINS
        return bindings == self.source.names.table(self.source.tree).get(node.id)

    def _stands_for(self, node: ast.Name, arguments: Sequence[ast.arg], seen: set[str]) -> bool:
        for binding in self.source.names.bindings(node):
            if binding.node in arguments:
                return True
            value = binding.node.value if isinstance(binding.node, (ast.Assign, ast.AnnAssign)) else None
            if value is not None and node.id not in seen:
                parts = (part for part in walk(value) if isinstance(part, ast.Name))
                if any(self._stands_for(part, arguments, {*seen, node.id}) for part in parts):
                    return True
        return False

    def _is_length_of_text(self, node: ast.AST) -> bool:
        return (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "len"
            and len(node.args) == 1
            and isinstance(node.args[0], ast.Name)
            and len(bindings := self.source.names.bindings(node.args[0])) == 1
            and bindings[0].node in self.text
        )

    def _is_name_of_function(self, node: ast.AST) -> bool:
        if not isinstance(node, ast.Attribute) or node.attr != "__name__" or not isinstance(node.value, ast.Name):
            return False
        bindings = self.source.names.bindings(node.value)
        return self.function is not None and [binding.node for binding in bindings] == [self.function]

    def _with(self, changes: dict[ast.AST, str], node: ast.expr) -> str:
        """Return an expression as written, on one line, with some of its parts replaced."""
        text = self.source.segment(node)
        if "\n" in text or "\r" in text:
            text = ast.unparse(_Replaced(changes).visit(node))
            return text if '"' in text else text.replace("'", '"')
        offset = self.source.start(node)
        for part in sorted(changes, key=self._start, reverse=True):
            assert isinstance(part, ast.expr)
            text = text[: self._start(part) - offset] + changes[part] + text[self.source.end(part) - offset :]
        return text

    def _start(self, node: ast.AST) -> int:
        assert isinstance(node, ast.expr)
        return self.source.start(node)

    def _unclear(self, node: ast.AST) -> Unclear:
        line = getattr(node, "lineno", 0)
        return Unclear(f"line {line}: {ast.unparse(node)} depends on the call")


class _Replaced(ast.NodeTransformer):
    """Makes a new expression; the tree it is made from stays as it is."""

    def __init__(self, changes: dict[ast.AST, str]):
        self._changes = changes

    def visit(self, node: ast.AST) -> ast.AST:
        if node in self._changes:
            return ast.parse(self._changes[node], mode="eval").body
        fresh = copy(node)
        for name, value in ast.iter_fields(node):
            if isinstance(value, list):
                setattr(fresh, name, [self.visit(item) for item in cast(list[ast.AST], value)])
            elif isinstance(value, ast.AST):
                setattr(fresh, name, self.visit(value))
        return fresh


@dataclass(slots=True)
class Written:
    """Collects the lines of an opening from a call that opens a span and the statements that tell it things."""

    reader: Reader
    span: str
    lines: list[str] = field(default_factory=list[str])
    described: list[str] = field(default_factory=list[str])
    measured: str | None = None
    keys: set[object] = field(default_factory=set[object])

    def open(self, call: ast.Call) -> None:
        """Read the call that opens the span.

        Raises:
            Unclear: it depends on more than the service.
        """
        assert isinstance(call.func, ast.Attribute)
        if not call.args:
            raise Unclear(f"line {call.lineno}: the span is given no name")
        label, *rest = call.args
        arguments = [self.reader.text_of(label)]
        names = [(None, one) for one in rest] + [(one.arg, one.value) for one in call.keywords]
        for name, value in names:
            if name not in _OPTIONS_OF_A_SPAN:
                raise Unclear(f"line {call.lineno}: the span is opened with more than its name and attributes")
            if name == "attributes" and isinstance(value, ast.Dict) and self.reader.speaks(value):
                self._dictionary(value)
            else:
                arguments.append(f"{name}={self.reader.text_of(value)}")
        tracer = self.reader.text_of(call.func.value)
        self.lines.insert(0, f"{SPAN} = {tracer}.start_span({', '.join(arguments)})")

    def measure(self, ttfb: str) -> None:
        """Note what gives the span its time to the first byte.

        Raises:
            Unclear: two attributes get it.
        """
        if self.measured not in (None, ttfb):
            raise Unclear("two attributes get the time to the first byte")
        self.measured = ttfb

    def tell(self, statement: ast.stmt) -> None:
        """Read a statement that tells the span something.

        Raises:
            Unclear: it depends on more than the service and the text.
        """
        found = attribute_of(statement, self.span)
        if found is not None and found[0] == "set_attribute" and len(found[1].args) == 2:
            key, value = found[1].args
            self._attribute(key, value)
        elif found is not None and found[0] == "set_attributes" and len(found[1].args) == 1:
            if not isinstance(found[1].args[0], ast.Dict):
                raise Unclear(f"line {statement.lineno}: the span is given attributes that cannot be told")
            self._dictionary(found[1].args[0])
        elif found is None and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            self._helper(statement.value)
        else:
            raise Unclear(f"line {statement.lineno}: the span is told what only the call knows")

    def opening(self, wanted: str | None) -> Opening:
        """Return what was read."""
        needed = [f"{name} = {value}" for name, value in self.reader.variables.items()]
        return Opening(
            (*needed, *self.lines, f"return {SPAN}"),
            tuple(self.described),
            tuple(self.reader.used),
            wanted,
            self.measured or TTFB,
        )

    def _attribute(self, key: ast.expr, value: ast.expr) -> None:
        if not isinstance(key, ast.Constant) or key.value in self.keys:
            raise Unclear(f"line {key.lineno}: it cannot be told which attribute is given")
        self.keys.add(key.value)
        spoken = self.reader.speaks(value)
        line = f"{SPAN}.set_attribute({self.reader.text_of(key)}, {self.reader.text_of(value, spoken=spoken)})"
        (self.described if spoken else self.lines).append(line)

    def _dictionary(self, node: ast.Dict) -> None:
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                raise Unclear(f"line {node.lineno}: the span is given attributes that cannot be told")
            self._attribute(key, value)

    def _helper(self, call: ast.Call) -> None:
        """Read ``add_tts_span_attributes(span=span, …)``; what is said the tracer tells the span itself."""
        positional = [self._argument(one) for one in call.args]
        keywords: list[str] = []
        for keyword in call.keywords:
            if keyword.arg is None:
                raise Unclear(f"line {call.lineno}: the span is given attributes that cannot be told")
            if self.reader.speaks(keyword.value):
                self._spoken_argument(keyword, call)
            else:
                keywords.append(f"{keyword.arg}={self._argument(keyword.value)}")
        function = self.reader.text_of(call.func)
        if function.partition(".")[0] == SERVICE:
            raise Unclear(f"line {call.lineno}: a method of the service is given the span")
        if positional or len(keywords) < 3:
            self.lines.append(f"{function}({', '.join([*positional, *keywords])})")
        else:
            self.lines += [f"{function}(", *(f"    {one}," for one in keywords), ")"]

    def _spoken_argument(self, keyword: ast.keyword, call: ast.Call) -> None:
        """Read the two keywords under which Pipecat's ``add_tts_span_attributes`` takes what is said."""
        attribute = {"text": TEXT, "character_count": "metrics.character_count"}.get(str(keyword.arg))
        if attribute is None or not ast.unparse(call.func).endswith("add_tts_span_attributes"):
            raise Unclear(f"line {keyword.lineno}: {keyword.arg} depends on the call")
        value = self.reader.text_of(keyword.value, spoken=True)
        self.described.append(f'{SPAN}.set_attribute("{attribute}", {value})')

    def _argument(self, node: ast.expr) -> str:
        if isinstance(node, ast.Name) and node.id == self.span:
            return SPAN
        return self.reader.text_of(node)
