"""Who traces a TTS service: decorators on ``run_tts``, spans opened in it, and classes that only pass it on.

Facts from the wheels: ``traced_tts``, ``traced_stt`` and ``traced_llm`` are in
``pipecat.utils.tracing.service_decorators`` from 0.0.80 at the latest. From 1.2.0 ``traced_tts`` is a descriptor that
acts when its class is made, and keys its spans on the ``context_id`` that ``run_tts`` takes from 0.0.102 on.
"""

from __future__ import annotations

import ast
import re

from checks.pipecat.hierarchy import lineage, method
from checks.pipecat.openings import SPAN_CALLS
from checks.pipecat.releases import Release
from checks.project import Definition
from checks.source import Source
from checks.walk import walk

DECORATORS = "pipecat.utils.tracing.service_decorators"
TRACED_TTS = f"{DECORATORS}.traced_tts"
TTS_SERVICE = "pipecat.services.tts_service.TTSService"
DESCRIPTOR_SINCE = Release(1, 2, 0)
METHOD = "run_tts"
_TRACING_WORDS = re.compile(r"trac(?:e|ed|ing)|span|instrument|observe", re.IGNORECASE)


def meaning(node: ast.expr, source: Source) -> str | None:
    """Return the dotted name a decorator stands for, called or not; a vendored one by its name within Pipecat."""
    if isinstance(node, ast.Call):
        node = node.func
    name = source.names.resolve(node)
    if name is None:
        return None
    at = name.rfind("pipecat.utils.tracing.")
    return name[at:] if at >= 0 else name


def is_tts_service(node: ast.ClassDef, source: Source) -> bool:
    """Tell whether a class is a TTSService, through the project's own classes and the target release's."""
    return TTS_SERVICE in lineage(node, source).names


def is_traced(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Tell whether a method is traced by a decorator of any make, or opens a span itself."""
    if any(_TRACING_WORDS.search(ast.unparse(decorator)) for decorator in function.decorator_list):
        return True
    for part in walk(function):
        if isinstance(part, ast.Attribute) and part.attr in SPAN_CALLS:
            return True
        if isinstance(part, (ast.With, ast.AsyncWith)):
            if any(_TRACING_WORDS.search(ast.unparse(item.context_expr)) for item in part.items):
                return True
    return False


def is_replaced(owner: ast.ClassDef, source: Source) -> bool:
    """Tell whether a class's ``run_tts`` is given another value after it is defined, or its class is traced whole."""
    if any(_TRACING_WORDS.search(ast.unparse(decorator)) for decorator in owner.decorator_list):
        return True
    for node in source.nodes(ast.Assign, ast.AnnAssign):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if isinstance(target, ast.Name) and target.id == METHOD and source.parent(node) is owner:
                return True
            if isinstance(target, ast.Attribute) and target.attr == METHOD:
                if isinstance(target.value, ast.Name) and target.value.id == owner.name:
                    return True
    return False


def is_set_name_tracer(decorator: ast.expr, source: Source) -> bool:
    """Tell whether a decorator of the project's own traces audio contexts and acts when its class is made."""
    if isinstance(decorator, ast.Call):
        decorator = decorator.func
    found = source.project.resolve(decorator, source)
    return isinstance(found, tuple) and makes_set_name_tracer(found[1], found[0])


def makes_set_name_tracer(node: Definition, source: Source) -> bool:
    """Tell whether a definition is such a decorator, or such an object's class."""
    if "create_audio_context" not in source.text:
        return False
    if isinstance(node, ast.ClassDef):
        return method(node, "__set_name__") is not None
    names = (part for part in walk(node) if isinstance(part, ast.Name))
    kinds = (source.project.resolve(name, source) for name in names)
    return any(
        isinstance(kind, tuple) and isinstance(kind[1], ast.ClassDef) and method(kind[1], "__set_name__")
        for kind in kinds
    )


def hands_on(decorator: ast.expr, source: Source) -> bool:
    """Tell whether a decorator hands on what it is given, as ``@override`` does."""
    return str(source.names.resolve(decorator)).endswith(".override")


def takes_context_id(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Tell whether a ``run_tts`` is called with a context id it keeps apart."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    names = [argument.arg for argument in (*positional, *arguments.kwonlyargs)]
    return "context_id" in names or arguments.vararg is not None or len(positional) > 2


def is_stub(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Tell whether a method's body says and does nothing: a docstring, ``pass``, ``raise``, ``if False: yield``."""
    return all(_says_nothing(statement) for statement in function.body)


def _says_nothing(statement: ast.stmt) -> bool:
    if isinstance(statement, (ast.Pass, ast.Raise)):
        return True
    if isinstance(statement, ast.Return):
        return statement.value is None
    if isinstance(statement, ast.Expr):
        value = statement.value
        is_empty_yield = isinstance(value, ast.Yield) and (value.value is None or isinstance(value.value, ast.Constant))
        return isinstance(value, ast.Constant) or is_empty_yield
    return isinstance(statement, ast.If) and isinstance(statement.test, ast.Constant) and not statement.test.value


def delegates(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Tell whether a method hands the work to a ``run_tts`` of another class or object, which is the one to trace."""
    return any(
        isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr == METHOD
        for part in walk(function)
    )


def is_test_code(source: Source) -> bool:
    """Tell whether a file holds tests, by its own name or its folders'."""
    path, root = source.path, source.project.root
    folders = path.relative_to(root).parts[:-1] if path.is_relative_to(root) else ()
    named = path.name == "conftest.py" or path.stem.startswith("test_") or path.stem.endswith("_test")
    return named or not {"tests", "test"}.isdisjoint(folders)
