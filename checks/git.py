"""Asks git about a repository that nobody vouches for: nothing that the repository names is run.

Its configuration may name programs (a monitor of the file system, hooks, filters, converters for diffs, transports).
What is asked here reads git's own objects and index only, never a file of the working tree through a filter; the rest
is taken away by settings.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

_SETTINGS = ("core.fsmonitor=false", "core.hooksPath=/dev/null")
# No object is fetched from elsewhere, no lock is taken to write down what was learned.
_ENVIRONMENT = {"GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none", "LC_ALL": "C"}
# A hook of git's is told of its repository in these, as seen from the top of its working tree and from nowhere else.
_TOLD = ("GIT_DIR", "GIT_WORK_TREE", "GIT_PREFIX")


class GitFailed(Exception):
    """Git is not there or refused; the message is the first line of what it said."""


def git(folder: Path, arguments: Sequence[str], stdin: bytes = b"") -> bytes:
    """Run a command of git's in a folder and return what it prints.

    Raises:
        GitFailed: it could not be run, or failed.
    """
    settings = (part for setting in _SETTINGS for part in ("-c", setting))
    command = ["git", "--no-pager", *settings, *arguments]
    environment = {name: value for name, value in os.environ.items() if name not in _TOLD} | _ENVIRONMENT
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, input=stdin, env=environment)
    except OSError as error:
        raise GitFailed(f"git cannot be run: {error.strerror}") from None
    if done.returncode:
        said = done.stderr.decode(errors="backslashreplace").strip().splitlines()
        raise GitFailed(said[0] if said else f"git ended with {done.returncode}")
    return done.stdout
