"""Imports that were in order stay so."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from checks.source import Source
from codemods.order import ordered_imports, ordered_names
from codemods.splice import Edit, splice
from tests.sources import source_of

HEAD = "import os\n\nfrom a.a import A\nfrom a.b import B\n"


def done(tidied: Callable[[Source, Source], Iterator[Edit]], before: str, after: str) -> str:
    """Return the text that was made of another, put in order."""
    made = source_of(after)
    return splice(made, list(tidied(source_of(before), made))).decode()


@pytest.mark.parametrize(
    ("after", "ordered"),
    [
        (
            "import os\n\nfrom a.z import A\nfrom a.b import B\n",
            "import os\n\nfrom a.b import B\nfrom a.z import A\n",
        ),
        (
            "import os\n\nfrom a.z import (\n    A,  # one\n)\nfrom a.b import B\nx = 1\n",
            "import os\n\nfrom a.b import B\nfrom a.z import (\n    A,  # one\n)\nx = 1\n",
        ),
        (
            "import os\n\nfrom a.a import A\nfrom a.c import C\nfrom a.aa import D  # noqa\nfrom a.b import B\n",
            "import os\n\nfrom a.a import A\nfrom a.aa import D  # noqa\nfrom a.b import B\nfrom a.c import C\n",
        ),
        (
            "import os\r\n\r\nfrom a.z import A\r\nfrom a.b import B\r\n",
            "import os\r\n\r\nfrom a.b import B\r\nfrom a.z import A\r\n",
        ),
        (
            "import os\n\nfrom a.z import A\nfrom PIL import Image\nfrom a.b import B\n",
            "import os\n\nfrom a.b import B\nfrom a.z import A\nfrom PIL import Image\n",
        ),
        (
            "import os\nfrom z import Z\nimport sys\n\nfrom a.a import A\nfrom a.b import B\n",
            "import os\nimport sys\nfrom z import Z\n\nfrom a.a import A\nfrom a.b import B\n",
        ),
    ],
)
def test_new_imports_go_to_their_places(after: str, ordered: str) -> None:
    assert done(ordered_imports, HEAD.replace("\n", "\r\n") if "\r" in after else HEAD, after) == ordered
    assert done(ordered_imports, ordered, ordered) == ordered


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # They were in no order.
        ("from b import B\nfrom a import A\nfrom c import C\n", "from b import B\nfrom z import A\nfrom c import C\n"),
        # Nothing is new.
        ("from a import A\n\nx = 1\nfrom b import B\n", "from b import B\nfrom a import A\n"),
        # Something stands between them.
        (HEAD, "import os\n\nfrom a.z import A\n\nfrom a.b import B\n"),
        (HEAD, "import os\n\nfrom a.z import A\n# B\nfrom a.b import B\n"),
        (HEAD, "import os\n\nfrom a.z import A\n# isort: split\nfrom a.b import B\n"),
        # They share their lines, or end the file without ending the line.
        (HEAD, "import os\n\nfrom a.z import A; x = 1\nfrom a.b import B\n"),
        (HEAD, "import os\n\nfrom a.z import A\nfrom a.b import B"),
        # The comment above speaks of the one, or of the other.
        (HEAD, "# A\nfrom a.z import A\nfrom a.b import B\n"),
        (HEAD, "# B\nfrom a.b import B\nfrom a.a import A\n"),
        # The file says what is not to be sorted.
        (HEAD, "from a.z import A  # isort: skip\nfrom a.b import B\n"),
        (HEAD, "# isort:skip_file\n\nfrom a.z import A\nfrom a.b import B\n"),
        # The last of two that bring a name has it.
        (HEAD, "from a.z import A\nfrom a.b import B as A\n"),
        (HEAD, "from a.z import A\nfrom a.b import *\n"),
        # An edit would cover a form feed.
        (HEAD, "\ffrom a.z import A\nfrom a.b import B\n"),
        # They stand in a block.
        (HEAD, "if os:\n    from a.z import A\n    from a.b import B\n"),
    ],
)
def test_what_is_left_as_it_is(before: str, after: str) -> None:
    assert done(ordered_imports, before, after) == after


@pytest.mark.parametrize(
    ("before", "after", "ordered"),
    [
        ("from a import A, C\n", "from a import B, A\n", "from a import A, B\n"),
        ("from a import MAX, A, b\n", "from a import b, A, MAX\n", "from a import MAX, A, b\n"),
        ("from a import Text, TTSText\n", "from a import TTSText, Text\n", "from a import Text, TTSText\n"),
        ("from a import TTSText, Text\n", "from a import Text, TTSText, B\n", "from a import B, TTSText, Text\n"),
        ("from a import A, MAX, b\n", "from a import b, A, MAX\n", "from a import A, MAX, b\n"),
        ("from a import A\n", "from a import (\n    C,\n    B as A,\n)\n", "from a import (\n    B as A,\n    C,\n)\n"),
        ("from a import C, A\n", "from a import B, A\n", "from a import B, A\n"),
        (
            "from a import A, C\n",
            "from a import (\n    B,  # b\n    A,\n)\n",
            "from a import (\n    B,  # b\n    A,\n)\n",
        ),
    ],
)
def test_names(before: str, after: str, ordered: str) -> None:
    assert done(ordered_names, before, after) == ordered


def test_names_with_comments_stay() -> None:
    after = "from a import (\n    B,  # b\n    A,\n)\n"
    assert done(ordered_names, "from a import A, C\n", after) == after
