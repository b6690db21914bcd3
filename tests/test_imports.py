"""Imports added at the top level, and dropped when an edit made them needless."""

from __future__ import annotations

import pytest

from codemods.imports import added_imports, local_name, needless_imports
from codemods.splice import Refused, splice
from tests.sources import source_of


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = 1\n", "from a.b import C\nx = 1\n"),
        ("#!/bin/python\n# licence\nx = 1\n", "#!/bin/python\n# licence\n\nfrom a.b import C\n\nx = 1\n"),
        ("import os\n\nimport x\n", "import os\n\nimport x\nfrom a.b import C\n"),
        ("import os\n\nfrom b import B\n", "import os\n\nfrom a.b import C\nfrom b import B\n"),
        ("import os; from z import Z\nx = 1\n", "import os; from z import Z\nfrom a.b import C\nx = 1\n"),
        (
            "from __future__ import d; from z import Z\nfrom zz import W\n",
            "from __future__ import d; from z import Z\nfrom a.b import C\nfrom zz import W\n",
        ),
        ("import os; import sys\nx = 1\n", "import os; import sys\n\nfrom a.b import C\n\nx = 1\n"),
        ("import os; from a.b import D\n", "import os; from a.b import C, D\n"),
        ("import z", "import z\nfrom a.b import C\n"),
        ("import os\nfrom . import B\n", "import os\n\nfrom a.b import C\n\nfrom . import B\n"),
        ("from . import B\n", "from a.b import C\n\nfrom . import B\n"),
        ('"""Doc."""\nx = 1\n', '"""Doc."""\n\nfrom a.b import C\n\nx = 1\n'),
        ('"""Doc."""', '"""Doc."""\nfrom a.b import C\n'),
        (
            "from __future__ import annotations\nx = 1\n",
            "from __future__ import annotations\n\nfrom a.b import C\n\nx = 1\n",
        ),
        (
            "#!/bin/python\n# licence\nimport os\n\nx = 1\n",
            "#!/bin/python\n# licence\nimport os\n\nfrom a.b import C\n\nx = 1\n",
        ),
        (
            "from a.a import X\nfrom a.c import Y\nfrom z import Z\n",
            "from a.a import X\nfrom a.b import C\nfrom a.c import Y\nfrom z import Z\n",
        ),
        # One that stands out of order, since it was renamed in its place, does not tell where another belongs.
        (
            "from a.a import X\nfrom a.z import R\nfrom a.aa import Y\n",
            "from a.a import X\nfrom a.z import R\nfrom a.aa import Y\nfrom a.b import C\n",
        ),
        (
            "from a.c import X\nfrom a.d import R\nfrom a.aa import Y\n",
            "from a.b import C\nfrom a.c import X\nfrom a.d import R\nfrom a.aa import Y\n",
        ),
        ("from a.b import B, D\n", "from a.b import B, C, D\n"),
        ("from a.b import D, B\n", "from a.b import D, B, C\n"),
        ("from a.b import (\n    B,\n    D,\n)\n", "from a.b import (\n    B,\n    C,\n    D,\n)\n"),
        ("from a.b import (\n    A,\n    B,\n)\n", "from a.b import (\n    A,\n    B,\n    C,\n)\n"),
        ("from a.b import (A,\n    B)\n", "from a.b import (A,\n    B, C)\n"),
        ("import os\r\nx = 1\r\n", "import os\r\n\r\nfrom a.b import C\r\n\r\nx = 1\r\n"),
        (
            "if TYPE_CHECKING:\n    from a.b import D\nx = 1\n",
            "from a.b import C\nif TYPE_CHECKING:\n    from a.b import D\nx = 1\n",
        ),
        (
            "try:\n    import fast\nexcept ImportError:\n    fast = None\nimport os\nx = 1\n",
            "try:\n    import fast\nexcept ImportError:\n    fast = None\nimport os\n\nfrom a.b import C\n\nx = 1\n",
        ),
    ],
)
def test_added(before: str, after: str) -> None:
    source = source_of(before)
    assert local_name("a.b", "C", source) is None
    assert splice(source, added_imports([("a.b", "C"), ("a.b", "C")], source)).decode() == after
    assert local_name("a.b", "C", source_of(after)) == "C"


def test_known_already() -> None:
    assert local_name("a.b", "C", source_of("from a.b import C as D\n")) == "D"
    with pytest.raises(Refused):
        local_name("a.b", "C", source_of("from elsewhere import C\n"))


@pytest.mark.parametrize(
    ("before", "after", "left"),
    [
        ("from a import B\nB()\n", "from a import B\n", ""),
        ("from a import A, B, C\nA(B, C)\n", "from a import A, B, C\nA(C)\n", "from a import A, C\nA(C)\n"),
        ("from a import A, B, C\nA(B, C)\n", "from a import A, B, C\nA()\n", "from a import A\nA()\n"),
        (
            "from a import (\n    A,  # one\n    B,  # two\n)\nA(B)\n",
            "from a import (\n    A,  # one\n    B,  # two\n)\nA()\n",
            "from a import (\n    A,  # one\n)\nA()\n",
        ),
        ("import a.b\na.b.c()\n", "import a.b\n", ""),
        # Kept: never used, used in a string annotation, exported, marked, with side effects in a try.
        ("from a import B\n", "from a import B\n", None),
        ("from a import B\nx: 'list[B]' = B()\n", "from a import B\nx: 'list[B]' = 1\n", None),
        ("from a import B\n__all__ = ['B']\nB()\n", "from a import B\n__all__ = ['B']\n", None),
        ("from a import B  # noqa: F401\nB()\n", "from a import B  # noqa: F401\n", None),
        ("from a import B as B\nB()\n", "from a import B as B\n", None),
        (
            "try:\n    from a import B\nexcept E:\n    pass\nB()\n",
            "try:\n    from a import B\nexcept E:\n    pass\n",
            None,
        ),
    ],
)
def test_needless(before: str, after: str, left: str | None) -> None:
    source = source_of(after)
    expected = after if left is None else left
    assert splice(source, needless_imports(source_of(before), source)).decode() == expected


def test_several_are_added_in_order() -> None:
    source = source_of('"""Doc."""\n\nimport re\n\nfrom pipecat.frames.frames import Frame, TTSTextFrame\n')
    wanted = [
        ("asyncio", None),
        ("time", None),
        ("typing", "Any"),
        ("pipecat.frames.frames", "ErrorFrame"),
        ("pipecat.frames.frames", "TTSAudioRawFrame"),
        ("pipecat.frames.frames", "UserFrame"),
    ]
    assert splice(source, added_imports(wanted, source)).decode() == (
        '"""Doc."""\n\nimport asyncio\nimport re\nimport time\nfrom typing import Any\n\n'
        "from pipecat.frames.frames import ErrorFrame, Frame, TTSAudioRawFrame, TTSTextFrame, UserFrame\n"
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = 1\n", "import re\n\nfrom a.b import C\n\nx = 1\n"),
        ("from . import B\n", "import re\n\nfrom a.b import C\n\nfrom . import B\n"),
        ('"""Doc."""\n', '"""Doc."""\n\nimport re\n\nfrom a.b import C\n'),
        ('"""Doc."""\n\nx = 1\n', '"""Doc."""\n\nimport re\n\nfrom a.b import C\n\nx = 1\n'),
        ("from __future__ import a\nx = 1\n", "from __future__ import a\n\nimport re\n\nfrom a.b import C\n\nx = 1\n"),
    ],
)
def test_sections_are_set_apart_once(before: str, after: str) -> None:
    source = source_of(before)
    assert splice(source, added_imports([("a.b", "C"), ("re", None)], source)).decode() == after
