"""What a run must not take from the folder it is started in."""

from __future__ import annotations

import os
import sys


def leave_out_current_folder() -> None:
    """Have no module imported from the current folder, in which ``python -m`` looks first.

    The project that is looked at may have a ``click.py`` or a ``json.py`` of its own. Only where this package itself
    stands in the folder, it stays.
    """
    own = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    if sys.path and os.path.abspath(sys.path[0]) == os.getcwd() != own:
        del sys.path[0]
