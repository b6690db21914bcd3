"""Every node inside an f-string is where its text is, on every interpreter."""

from __future__ import annotations

import ast

import pytest

from tests.sources import source_of


@pytest.mark.parametrize(
    "text",
    [
        'f"{a.b}"',
        "f'é{a.b} ü{c.d}'",
        '"é" f"é{a.b}" f\'{c:{d.e}}\' r"\\{x}" rf"\\d{g.h}"',
        'f"""\n {a.b}\n  é{c.d!r:>{e.f}}  {{x}} {f\'{g.h}\'}\n"""',
        "f'{a.b!r} {c.d:%H:%M} {e.f=} {g.h != i.j} {k.l == m.n}'",
        'f\'{ {"x": a.b}["x"].c } {(lambda: d.e)()} {[f.g for f in h.i]}\'',
        "(f'{a.b}'\n  # comment\n  f'\\N{BULLET}{c.d}' 'x'\n  f'{e.f}')",
        "f'''{\n  a.b\n}{c.d}'''",
        "f\"{f'{a.b}'}{c.d}\"",
    ],
)
def test_positions(text: str) -> None:
    for newline in ("\n", "\r\n", "\r"):
        source = source_of(f"é = 1\nx = {text}\n".replace("\n", newline))
        found = list(source.nodes(ast.Attribute))
        assert len(found) >= 1
        for node in found:
            written = source.segment(node).replace(newline, "\n")
            assert ast.dump(ast.parse(f"({written})", mode="eval").body) == ast.dump(node)
