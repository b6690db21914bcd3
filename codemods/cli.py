"""The command line of ``codemods``: apply, verify, plan and undo, beside what it shares with ``checks``."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from checks.cli import (
    check,
    emit,
    explain,
    list_rules,
    pyright_python_option,
    report,
    request_of,
    shared_options,
    since_option,
    target_option,
    tell_errors,
)
from checks.errors import UsageError
from checks.report import printable, shown_path
from checks.session import Session


@click.group()
def codemods() -> None:
    """Move code that uses Pipecat to newer releases, byte for byte outside what must change."""


codemods.add_command(check)
codemods.add_command(list_rules)
codemods.add_command(explain)


@codemods.command()
@click.option("--unsafe", is_flag=True, help="Also mend where behaviour changes as the rule says.")
@click.option("--diff", is_flag=True, help="Print the changes instead of making them.")
@click.option("--check", "only_check", is_flag=True, help="Change nothing; exit 1 if there is anything to do.")
@click.option("--raise-pin", is_flag=True, help="Also have the project require the target.")
@click.option("--verify", is_flag=True, help="Hold back what has the real pyright say something new.")
@click.option(
    "--pyright-report",
    metavar="FILE",
    help="Mend only what a report of pyright --outputjson names; - is standard input.",
)
@pyright_python_option
@since_option
@target_option
@shared_options
def apply(
    unsafe: bool,
    diff: bool,
    only_check: bool,
    raise_pin: bool,
    verify: bool,
    pyright_report: str | None,
    pyright_python: str | None,
    **options: Any,
) -> None:
    """Mend what the checks find; every result is proved before it is written.

    Exit code 0: nothing found. 1: findings, mended or not. 2: some file or argument could not be dealt with.
    """
    from codemods import apply as engine

    request, stdin = request_of(options)
    if raise_pin and stdin is not None:
        raise UsageError("--raise-pin needs the project's files; it cannot be used with -")
    if pyright_report is not None and (raise_pin or stdin is not None):
        raise UsageError(f"--pyright-report cannot be used with {'--raise-pin' if raise_pin else '-'}")
    plan = engine.mended(
        request, unsafe=unsafe, jobs=options["jobs"], stdin=stdin, raise_pin=raise_pin, report=pyright_report
    )
    if verify:
        from codemods.gate import hold_back

        hold_back(plan, pyright_python)
    if stdin is not None and not (diff or only_check):
        ledger = engine.ledger_of(plan, written=True)
        sys.stdout.buffer.write(engine.text_for_stdin(plan, stdin))
        sys.stdout.flush()
        report(ledger, options, mended=True, to_stderr=True, stdin=stdin)
    elif diff or only_check:
        ledger = engine.ledger_of(plan, written=False)
        shown = diff and options["output_format"] == "text"
        if shown:
            show_diffs(engine.diffs(plan))
        report(ledger, options, mended=True, to_stderr=shown, stdin=stdin)
    else:
        ledger = engine.write(plan)
        report(ledger, options, mended=True)
    if any(file.note for files in plan.sets for file in files):
        tell_locks(plan.session)
    sys.exit(ledger.exit_code())


@codemods.command()
@click.option("--unsafe", is_flag=True, help="Also look at what mends where behaviour changes as the rule says.")
@click.option("--raise-pin", is_flag=True, help="Also have the project require the target.")
@pyright_python_option
@target_option
@shared_options
@click.pass_context
def verify(context: click.Context, **options: Any) -> None:
    """Have the real pyright look at what apply would change, before and after; nothing is written.

    Exit code 0: nothing would change. 1: pyright has nothing new to say of what would. 2: it has, or some file or
    argument could not be dealt with.
    """
    context.invoke(apply, verify=True, only_check=True, diff=False, pyright_report=None, **options)


def tell_locks(session: Session) -> None:
    """Name on stderr the files that the user's own tools are to write anew from the requirements."""
    from codemods.pins import to_refresh

    for path, command in to_refresh(session):
        click.echo(f"{printable(shown_path(path))} is to be written anew: {command}", err=True)


def show_diffs(diffs: Iterable[bytes]) -> None:
    """Print diffs: to a terminal as text that cannot move its cursor, else to the byte."""
    for diff in diffs:
        if sys.stdout.isatty():
            for line in diff.decode(errors="backslashreplace").split("\n"):
                click.echo(printable(line))
        else:
            sys.stdout.buffer.write(diff)
    sys.stdout.flush()


@codemods.command()
@click.option(
    "--from",
    "start",
    metavar="RELEASE",
    help="The pipecat-ai release to come from. Default: the one the project pins.",
)
@click.option("--to", "target", metavar="RELEASE", help="The release to go to. Default: the newest known.")
@click.option("--verbose", "-v", is_flag=True, help="List also what can be mended, not only what needs a human.")
@shared_options
def plan(start: str | None, verbose: bool, **options: Any) -> None:
    """Say what an upgrade of Pipecat will hit, release by release; nothing is changed.

    The project's requirement is taken to move with it: each release is judged as the only one the code must work with.

    Exit code 0: nothing found. 1: findings. 2: some file or argument could not be dealt with.
    """
    from checks.plan import plan as look_ahead

    if options["output_format"] not in ("text", "json"):
        raise UsageError(f"plan has no {options['output_format']} report; it has text and json")
    request, stdin = request_of(options)
    upgrade = look_ahead(request, start, jobs=options["jobs"], stdin=stdin)
    tell_errors(upgrade.failed)
    if options["output_format"] == "json":
        from checks.report import json

        lines = [json.plan(upgrade)]
    else:
        from checks.report import plan as text

        lines = text.lines(upgrade, verbose=verbose)
    emit(lines, options["output_file"])
    sys.exit(upgrade.exit_code())


@codemods.command()
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--debug", is_flag=True, hidden=True)
def undo(paths: tuple[str, ...], debug: bool) -> None:
    """Take back the last run that changed files here, byte for byte.

    A file that was changed since is left alone and named; the exit code is then 2.
    """
    from codemods.journal import undo as take_back

    done = take_back([Path(path) for path in paths or (".",)])
    if done is None:
        click.echo("nothing to undo here", err=True)
        sys.exit(2)
    for path in done.restored:
        click.echo(f"restored {printable(shown_path(path))}")
    for path, reason in done.refused:
        click.echo(f"error: {printable(shown_path(path))}: {reason}", err=True)
    sys.exit(2 if done.refused else 0)
