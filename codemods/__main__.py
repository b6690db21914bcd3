"""``python -m codemods apply PATH…``: mend what the checks find."""

from __future__ import annotations

from checks.surroundings import leave, leave_out_current_folder, wait_with_garbage


def main() -> None:
    """Run the command line."""
    wait_with_garbage()
    leave_out_current_folder()
    from checks.cli import run
    from codemods.cli import codemods

    leave(run(codemods, "codemods"))


if __name__ == "__main__":
    main()
