"""``python -m checks PATH…``: find what is old, broken or silently wrong."""

from __future__ import annotations

from checks.cli import check, run


def main() -> None:
    """Run the check command."""
    run(check, "checks")


if __name__ == "__main__":
    main()
