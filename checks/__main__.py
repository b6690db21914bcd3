"""``python -m checks PATH…``: find what is old, broken or silently wrong."""

from __future__ import annotations

from checks.surroundings import leave, leave_out_current_folder, wait_with_garbage


def main() -> None:
    """Run the check command."""
    wait_with_garbage()
    leave_out_current_folder()
    from checks.cli import check, run

    leave(run(check, "checks"))


if __name__ == "__main__":
    main()
