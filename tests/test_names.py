"""What names stand for."""

from __future__ import annotations

import ast

import pytest

from tests.sources import source_of


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("from a.b import C\nX(C)", "a.b.C"),
        ("from a.b import C as D\nX(D)", "a.b.C"),
        ("import a.b\nX(a.b.C)", "a.b.C"),
        ("import a.b.c as d\nX(d.E)", "a.b.c.E"),
        ("from . import other\nX(other.C)", "package.other.C"),
        ("from .other import C\nX(C)", "package.other.C"),
        ("from ..far import C\nX(C)", None),
        ("if TYPE_CHECKING:\n    from a import C\nX(C)", "a.C"),
        ("try:\n    from a import C\nexcept ImportError:\n    raise\nX(C)", "a.C"),
        ("try:\n    from a import C\nexcept ImportError:\n    from b import C\nX(C)", None),
        ("try:\n    from a import C\nexcept ImportError:\n    C = None\nX(C)", None),
        ("from a import C\nC = wrap(C)\nX(C)", None),
        ("from a import C\nD = C\nX(D)", "a.C"),
        ("from a import C\ndef f(C):\n    X(C)", None),
        ("from a import C\ndef f(x=1):\n    X(C)", "a.C"),
        ("from a import C\ndef f():\n    C = 1\n    X(C)", None),
        ("from a import C\ndef f():\n    global C\n    C = 1\nX(C)", None),
        ("from a import C\nclass K:\n    C = 1\n    def f(self):\n        X(C)", "a.C"),
        ("from a import C\nclass K:\n    C = 1\n    X(C)", None),
        ("from a import C\nclass K:\n    def f(self, x: X(C)): pass", "a.C"),
        ("from a import C\n[X(C) for C in y]", None),
        ("from a import C\n[X(C) for c in y]", "a.C"),
        ("from a import C\nlambda C: X(C)", None),
        ("from a import C\nfor C in y: pass\nX(C)", None),
        ("from a import C\nwith y as C: pass\nX(C)", None),
        ("from a import C\ntry: pass\nexcept E as C: pass\nX(C)", None),
        ("from a import C\nmatch y:\n    case [C]: pass\nX(C)", None),
        ("from a import C\n(C := 1)\nX(C)", None),
        ("from a import *\nX(C)", None),
        ("class C: pass\nX(C)", "package.module.C"),
        ("X(C)", None),
    ],
)
def test_resolve(text: str, meaning: str | None) -> None:
    source = source_of(text)
    # A package, so that relative imports have something to be relative to.
    source.module = "package.module"
    call = next(node for node in source.nodes(ast.Call) if isinstance(node.func, ast.Name) and node.func.id == "X")
    assert source.names.resolve(call.args[0]) == meaning
