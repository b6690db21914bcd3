"""What is settled before anything else is imported, and when all is done."""

from __future__ import annotations

import gc
import os
import sys
from typing import NoReturn


def wait_with_garbage() -> None:
    """Have Python look for garbage seldom.

    What is imported, trees and what is known of them stay until the end: looking among them takes a third of a run.
    """
    gc.set_threshold(3_000_000, 50, 1000)


def leave(code: int) -> NoReturn:
    """End the process as it stands: taking down all that a run holds would take half as long again."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def leave_out_current_folder() -> None:
    """Have no module imported from the current folder, in which ``python -m`` looks first.

    The project that is looked at may have a ``click.py`` or a ``json.py`` of its own. Only where this package itself
    stands in the folder, it stays.
    """
    own = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if sys.path and os.path.abspath(sys.path[0]) == os.getcwd() != own:
        del sys.path[0]
