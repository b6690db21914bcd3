"""What scripts/build_deprecations.py reads as deprecated in wheels, made-up ones and the released ones."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from checks.pipecat import tables
from checks.pipecat.deprecations import of_member, of_name, records
from checks.pipecat.releases import NEWEST, RELEASES, parse
from tests.running import script
from tests.trees import released, wheel


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    """Return the script that makes the table, as a module."""
    return script("build_deprecations")


def read(builder: ModuleType, folder: Path, text: str) -> list[str]:
    """Return the rows of a wheel with one module, ``pipecat.one``, their cells joined by a bar."""
    rows = builder.build([wheel(folder, "1.14.0", {"one.py": text})]).splitlines()
    assert rows[0] == builder.HEADINGS
    return [row.replace("\t", "|").removeprefix("pipecat.one").removesuffix("|") for row in rows[1:]]


def directive(depth: int, body: str) -> str:
    """Return a directive of 1.3.0 at a depth, as a docstring holds it."""
    return f"\n\n{' ' * depth}.. deprecated:: 1.3.0\n{' ' * depth}    {body}\n"


USE = "Use :class:`~pipecat.two.New` instead. Will be removed in 2.0.0."
SAID = "1.3.0|2.0.0|use_existing|pipecat.two.New"


@pytest.mark.parametrize(
    ("text", "row"),
    [
        (f'"""Old.{directive(0, "Moved to :mod:`pipecat.two`.")}"""', "|module|1.3.0||move|pipecat.two"),
        (f'"""Files.{directive(0, "Use a ``runs:`` list.")}"""', "|file-key|1.3.0||use_existing|runs:"),
        (f'"""Old.\n\nAttributes:\n    Old: An alias.{directive(8, USE)}"""', f".Old|class|{SAID}"),
        (f'class Old:\n    """Old.{directive(4, USE)}    """', f".Old|class|{SAID}"),
        (f'class A:\n    class Old:\n        """Old.{directive(8, USE)}        """', f".A.Old|class|{SAID}"),
        (f'def old():\n    """Old.{directive(4, USE)}    """', f".old|function|{SAID}"),
        (f'if True:\n    async def old():\n        """Old.{directive(8, USE)}        """', f".old|function|{SAID}"),
        (f'class A:\n    def old(self):\n        """Old.{directive(8, USE)}        """', f".A.old|method|{SAID}"),
        (
            f'class A:\n    @property\n    def old(self):\n        """Old.{directive(8, USE)}        """',
            f".A.old|property|{SAID}",
        ),
        (
            f'def run(a, b):\n    """Run.\n\n    Args:\n        a: One.\n        b (int): Two.{directive(12, USE)}'
            '        c: Three.\n\n    Returns:\n        Nothing.\n    """',
            f".run.b|parameter|{SAID}",
        ),
        (
            f'class A:\n    def __init__(self, b):\n        """Make.\n\n        Args:\n            b: Two,\n'
            f'                in short: two.{directive(16, USE)}        """',
            f".A.b|parameter|{SAID}",
        ),
        (
            f'class A:\n    """A.\n\n    Parameters:\n        b: Two.{directive(12, USE)}    """',
            f".A.b|parameter|{SAID}",
        ),
        (
            f'class A:\n    """A.\n\n    Attributes:\n        B: Two.{directive(12, USE)}    """',
            f".A.B|parameter|{SAID}",
        ),
        (
            f'class A:\n    """A.\n\n    - on_a: A\n    - on_old: Two,\n      too{directive(6, USE)}\n    """',
            f".A.on_old|event|{SAID}",
        ),
        (
            f'class A:\n    """A.\n\n    Events:\n        on_old: Two.{directive(12, USE)}    """',
            f".A.on_old|event|{SAID}",
        ),
        (
            f'class A:\n    """A.\n\n    Args:\n        b: Two.\n{directive(4, USE)}    """',
            f".A|class|{SAID}",
        ),
    ],
)
def test_a_directive_is_about_what_it_stands_in(builder: ModuleType, tmp_path: Path, text: str, row: str) -> None:
    assert read(builder, tmp_path, text + "\n") == [row]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("No replacement. See :class:`X`.", "|none|"),
        ("No replacement; ``a`` is ignored. Will be\n        removed in 2.0.0.", "2.0.0|none|"),
        ("Renamed to :func:`new`.", "|rename|new"),
        ("Merged into :class:`New`.", "|use_existing|New"),
        ("Import from :mod:`pipecat.new` instead.", "|move|pipecat.new"),
        ("Use ``params=P(a=...)`` or ``q`` instead.", "|use_existing|params=P(a=...)"),
        ("The form ``(one,)`` goes. Use ``(one, two)``.", "|use_existing|(one, two)"),
        ("Pass it to `New` instead.\n\n        Example::\n\n            Use(`other`)", "|use_existing|New"),
        ("It does nothing.", "|none|"),
    ],
)
def test_what_takes_its_place(builder: ModuleType, tmp_path: Path, body: str, said: str) -> None:
    text = f'def old():\n    """Old.{directive(4, body)}    """\n'
    assert read(builder, tmp_path, text) == [f".old|function|1.3.0|{said}"]


MESSAGE = '"`{}` is deprecated since 1.3.0 and will be removed in 2.0.0. "\n    "{}"'


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (
            f"@deprecated({MESSAGE.format('old', 'Use `new` instead.')})\ndef old(): ...",
            [".old|function|1.3.0|2.0.0|use_existing|new"],
        ),
        (
            f"@deprecation.deprecated({MESSAGE.format('A', 'No replacement.')})\nclass A: ...",
            [".A|class|1.3.0|2.0.0|none|"],
        ),
        (  # a decorator wins where it names something, the directive has the rest
            f"@deprecated({MESSAGE.format('A', 'Use `N.make` instead.')})\n"
            f'class A:\n    """A.{directive(4, "Renamed to :class:`N`.")}    """',
            [".A|class|1.3.0|2.0.0|rename|N.make"],
        ),
        (
            f"class A:\n  def __init__(self, a=None):\n    warn_deprecated({MESSAGE.format('a', 'Use `b` instead.')})",
            [".A.a|parameter|1.3.0|2.0.0|use_existing|b"],
        ),
        (
            f"def run(a=None):\n  warnings.warn({MESSAGE.format('run.a', 'No replacement.')}, DeprecationWarning)",
            [".run.a|parameter|1.3.0|2.0.0|none|"],
        ),
        (
            f"class A:\n  def __init__(self, b):\n    warn_deprecated({MESSAGE.format('A(b=...)', 'Use `c`.')})",
            [".A.b|parameter|1.3.0|2.0.0|use_existing|c"],
        ),
        (
            f"class A:\n  def run(self):\n    warn_deprecated({MESSAGE.format('A.run', 'Use `go` instead.')})",
            [".A.run|method|1.3.0|2.0.0|use_existing|go"],
        ),
        (  # a directive says it already
            f'class A:\n  def run(self, a):\n    """Run.\n\n    Args:\n        a: One.{directive(12, USE)}    """\n'
            f"    warn_deprecated({MESSAGE.format('a', 'Use `b` instead.')})",
            [f".A.run.a|parameter|{SAID}"],
        ),
        (f"def _run(a):\n  warn_deprecated({MESSAGE.format('a', 'No replacement.')})", []),  # nobody's business
        (f"def run(a):\n  warnings.warn({MESSAGE.format('a', 'No replacement.')}, UserWarning)", []),
        (f"def run(b):\n  warn_deprecated({MESSAGE.format('a', 'No replacement.')})", []),  # whose, is not said
        (f"def run(a):\n  warn_deprecated({MESSAGE.format('run(a=None)', 'No replacement.')})", []),  # only a value is
        ('def run(a):\n  warn_deprecated("a is deprecated, use b")', []),  # since when, is not said
        ('def run(a):\n  warn_deprecated(f"`{a}` is deprecated since {a} and will be removed in 2.0.0. ")', []),
        (
            f'def run():\n    """Run.\n\n    Returns:\n        One.{directive(8, USE)}    """',
            [],
        ),  # of what, is not known
        ('"""Example::\n\n    .. deprecated:: 1.3.0\n        Use ``that``.\n\nEnd.\n"""', []),  # shown, not said
    ],
)
def test_a_message_counts_where_no_directive_stands(
    builder: ModuleType, tmp_path: Path, text: str, rows: list[str]
) -> None:
    assert read(builder, tmp_path, text + "\n") == rows


def test_what_is_gone_is_kept_with_the_release_that_dropped_it(builder: ModuleType, tmp_path: Path) -> None:
    """The newest wheel says what there is; of what it does not mark the timeline tells whether it is gone."""
    methods = ("set_prompt", "run_stt")
    old = "".join(f'    def {one}(self):\n        """Old.{directive(8, USE)}        """\n' for one in methods)
    name = "services/sarvam/stt.py"
    wheels = [
        wheel(tmp_path, "1.3.0", {"one.py": f'"""Gone.{directive(0, USE)}"""\n'}),
        wheel(tmp_path, "1.5.0", {name: f"class SarvamSTTService:\n{old}"}),
        wheel(tmp_path, "1.14.0", {name: ""}),
    ]
    text = builder.build(wheels)
    assert builder.build(wheels) == text
    row = f"pipecat.services.sarvam.stt.SarvamSTTService.set_prompt|method|{SAID}|1.8.0"
    assert text.splitlines()[1:] == [row.replace("|", "\t")]


def test_the_table_is_what_the_released_wheels_say(builder: ModuleType, tmp_path: Path) -> None:
    """Those that count are the newest, and for what is gone the last that had it."""
    ends = {one.gone for one in records() if one.gone is not None}
    wanted = sorted({RELEASES[RELEASES.index(end) - 1] for end in ends} | {NEWEST})
    wheels = []
    for release in wanted:
        tree = released(str(release))
        files = {
            str(path.relative_to(tree / "pipecat")): path.read_text("utf-8") for path in tree.glob("pipecat/**/*.py")
        }
        wheels.append(wheel(tmp_path, str(release), files))
    assert builder.build(wheels) == tables.text("deprecations.tsv")


def test_what_is_gone_counts_while_it_was_there() -> None:
    lmnt, vad = "pipecat.services.lmnt.tts.LmntTTSService", "pipecat.audio.vad.aic_vad.AICVADAnalyzer"
    found = {
        release: of_member(lmnt, "model", ("parameter",), parse(release)) for release in ("0.0.104", "1.9.0", "1.10")
    }
    assert [found[release] is not None for release in found] == [False, True, False]
    assert found["1.9.0"] is not None
    assert found["1.9.0"].removed_in == "1.10.0"
    assert [of_name(vad, parse(release)) is not None for release in ("1.3.0", "1.7.0", "1.8.0")] == [False, True, False]
