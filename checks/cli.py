"""The parts of the command line that checking and mending share, and the ``check`` command itself."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from checks.errors import UsageError, unknown
from checks.inspect import Inspection
from checks.pool import default_jobs, spread
from checks.progress import progress
from checks.registry import all_rules
from checks.report import Entry, Ledger, Status, plural, printable, shown_path
from checks.session import Request, Session, Workspace, begin
from checks.source import Unreadable, contents, decode

if TYPE_CHECKING:
    from checks.cache import Cache

CommandT = TypeVar("CommandT", bound=Callable[..., Any])
FORMATS = ("text", "json", "sarif", "github", "gitlab", "junit")


def _names(_context: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.strip() for value in values for name in value.split(",") if name.strip())


def _format(_context: click.Context, _option: click.Parameter, value: str) -> str:
    if value not in FORMATS:
        raise unknown("output format", value, FORMATS)
    return value


target_option = click.option(
    "--target",
    metavar="RELEASE",
    help="The pipecat-ai release to aim at. Default: the one the project pins, else the newest known.",
)


baseline_options = (
    click.option("--baseline", type=click.Path(), metavar="FILE", help="Leave alone what this file says is known."),
    click.option("--include-baselined", is_flag=True, help="Leave nothing alone for being in a baseline."),
)
since_option = click.option(
    "--since",
    metavar="REF",
    help="Only findings on lines changed since the branch left this commit, uncommitted and untracked ones included.",
)


def shared_options(command: CommandT) -> CommandT:
    """Give a command the arguments and options that say what to look at and how to report."""
    options = [
        click.argument("paths", nargs=-1, type=click.Path(allow_dash=True)),
        click.option(
            "--select",
            multiple=True,
            callback=_names,
            metavar="RULE,…",
            help="Run these rules only.",
        ),
        click.option(
            "--ignore",
            multiple=True,
            callback=_names,
            metavar="RULE,…",
            help="Leave these rules out.",
        ),
        click.option(
            "--exclude",
            multiple=True,
            metavar="PATTERN",
            help="Leave out files, in .gitignore form.",
        ),
        click.option(
            "--jobs",
            type=click.IntRange(min=1),
            metavar="N",
            help="Use N processes. Default: as the work is worth.",
        ),
        click.option(
            "--output-format",
            callback=_format,
            default="text",
            metavar="FORMAT",
            help="text (default), json, sarif, github, gitlab or junit.",
        ),
        click.option("--output-file", type=click.Path(dir_okay=False), help="Write the report to a file."),
        click.option("--stdin-filename", metavar="PATH", help="What the text given on stdin as - is called."),
        *baseline_options,
        click.option("--debug", is_flag=True, help="Show a traceback where something goes wrong."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def request_of(options: dict[str, Any]) -> tuple[Request, bytes | None]:
    """Return what the shared options ask for, and the bytes on stdin if ``-`` is among the paths."""
    paths: tuple[str, ...] = options["paths"]
    if "-" in paths and len(paths) > 1:
        raise UsageError("- stands for the only text of a run; give no other paths with it")
    request = Request(
        paths=paths,
        target=options["target"],
        select=options["select"],
        ignore=options["ignore"],
        exclude=options["exclude"],
        stdin_filename=options["stdin_filename"],
        baseline=options["baseline"],
        writes_baseline=options.get("write_baseline", False),
        accepts_new=options.get("accept_new", False),
        includes_baselined=options["include_baselined"],
        since=options.get("since"),
    )
    return request, sys.stdin.buffer.read() if "-" in paths else None


# -- inspecting, here or in worker processes

_workspaces: list[Workspace] = []


def use(workspaces: list[Workspace]) -> None:
    """Set the workspaces that ``inspect_item`` works on in this process."""
    _workspaces[:] = workspaces


def inspect_item(item: tuple[int, Path]) -> Inspection:
    """Return what is found in one file of one workspace."""
    index, path = item
    return _workspaces[index].inspect(path)


def died(item: tuple[int, Path]) -> Inspection:
    """Return what is said of a file whose reading ended a process."""
    return Inspection(item[1], error="reading it ended the process; it may be nested too deeply")


def inspect_all(
    session: Session, jobs: int | None, cache: Cache | None = None
) -> Iterator[tuple[Workspace, Inspection]]:
    """Yield what is found in each file of a session, in order; what a cache knows of a project is not looked for."""
    lookups = [cache.look_up(workspace) if cache else None for workspace in session.workspaces]
    known = [lookup.found if lookup else None for lookup in lookups]
    items = [(i, path) for i, one in enumerate(session.workspaces) if known[i] is None for path in one.files]
    results = _inspected(session, items, jobs)
    for workspace, lookup, found in zip(session.workspaces, lookups, known, strict=True):
        seen: list[Inspection] = []
        for inspection in islice(results, len(workspace.files)) if found is None else found:
            if lookup is not None:
                seen.append(inspection)
            yield workspace, session.sorted_out(inspection)
        if cache is not None and lookup is not None and found is None:
            cache.keep(workspace, lookup.key, seen)
    next(results, None)  # only at its end it takes its processes down


def _inspected(session: Session, items: list[tuple[int, Path]], jobs: int | None) -> Iterator[Inspection]:
    """Return what is found in each of some files, given with the number of their project, in order."""
    jobs = jobs or default_jobs(len(items))
    if jobs > 1:
        for index in {index for index, _ in items}:  # done once here, and not by each process
            workspace = session.workspaces[index]
            for rule in workspace.rules.values():
                if rule.about is None or workspace.project.holds(rule.about):
                    rule.load()
    results = spread(
        inspect_item,
        items,
        jobs,
        died=died,
        setup=use,
        arguments=(session.workspaces,),
    )
    return iter(progress(results, len(items), "Reading"))


def unread_entries(session: Session) -> list[Entry]:
    """Return the ledger entries of the paths a session could not take."""
    return [Entry(path, Status.ERROR, reason) for path, reason in session.unreadable]


def entry_of(inspection: Inspection) -> Entry:
    """Return the ledger entry of a file that was only looked at."""
    if inspection.error is not None:
        return Entry(inspection.path, Status.ERROR, inspection.error)
    findings = tuple((finding, False) for finding in inspection.findings)
    status, reason = (Status.SKIPPED, "only looked at") if findings else (Status.CLEAN, "")
    known, unchanged = len(inspection.baselined), len(inspection.unchanged)
    return Entry(inspection.path, status, reason, findings, baselined=known, unchanged=unchanged)


# -- reporting


def report(
    ledger: Ledger,
    options: dict[str, Any],
    *,
    mended: bool,
    to_stderr: bool = False,
    stdin: bytes | None = None,
) -> None:
    """Print the ledger in the format asked for, and the errors on stderr."""
    from checks.report import text

    tell_errors(ledger.entries)
    for path, key, count in ledger.stale if ledger.strict else ():
        found = f"{count} × " if count > 1 else ""  # noqa: RUF001
        click.echo(f"error: {printable(f'{shown_path(path)}: no longer found: {found}{key}')}", err=True)
    if options["output_format"] == "text":
        lines = list(text.lines(ledger, _lines_of(ledger, stdin), mended=mended))
    else:
        from importlib import import_module

        lines = [import_module(f"checks.report.{options['output_format']}").document(ledger)]
    emit(lines, options["output_file"], to_stderr=to_stderr)


def tell_errors(entries: Iterable[Entry]) -> None:
    """Print a line on stderr for each file that could not be dealt with."""
    from checks.report import text

    for line in text.errors(entries):
        click.echo(f"error: {line}" if "error:" not in line[:6] else line, err=True)


def emit(lines: Iterable[str], output: str | None, *, to_stderr: bool = False) -> None:
    """Print a report, or write it to the file that ``--output-file`` names."""
    if output is None:
        click.echo("\n".join(lines), err=to_stderr)
        return
    try:
        Path(output).write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror or error}") from None


def _lines_of(ledger: Ledger, stdin: bytes | None) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for finding, applied in ledger.findings():
        if applied or finding.path in found:
            continue
        try:
            data = stdin if stdin is not None else contents(Path(finding.path))
            text = decode(data)[0]
        except (OSError, Unreadable):
            continue
        found[finding.path] = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return found


pyright_python_option = click.option(
    "--pyright-python",
    metavar="PYTHON",
    help="The Python whose packages pyright looks at. Default: the one it finds itself.",
)


@click.command()
@click.option("--pyright", is_flag=True, help="Have the real pyright look too, and add what no rule finds.")
@pyright_python_option
@click.option("--write-baseline", is_flag=True, help="Make the baseline; from one that exists only drop what is gone.")
@click.option("--accept-new", is_flag=True, help="With --write-baseline: also take in what is new.")
@click.option("--strict-baseline", is_flag=True, help="What the baseline holds and is gone is an error.")
@click.option("--no-cache", is_flag=True, help="Look at every file again, whatever was found in it before.")
@click.option(
    "--cache-dir",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="PIPECAT_CODEMODS_CACHE_DIR",
    metavar="FOLDER",
    help="Where to keep what was found. Default: the platform's folder for caches.",
)
@since_option
@target_option
@shared_options
def check(pyright: bool, pyright_python: str | None, no_cache: bool, cache_dir: Path | None, **options: Any) -> None:
    """Find what is old, broken or silently wrong in code that uses Pipecat.

    Exit code 0: nothing found. 1: findings. 2: some file or argument could not be dealt with.
    """
    _check_baseline_options(options)
    request, stdin = request_of(options)
    cache = None if no_cache or pyright or stdin is not None else _cache(cache_dir)
    if pyright:
        from checks.pyright import look
        from checks.rules.pyright_reports import OPTION

        if stdin is not None:
            raise UsageError(f"{OPTION} needs the project's files; it cannot be used with -")
        session = begin(request._replace(options=(OPTION,)))
        look(session, pyright_python)
    else:
        session = begin(request, stdin)
    ledger = Ledger(session.target, unread_entries(session), strict=options["strict_baseline"])
    ledger.entries += [entry_of(inspection) for _, inspection in inspect_all(session, options["jobs"], cache)]
    if options["write_baseline"]:
        _write_baselines(session)
    else:
        ledger.stale = session.stale()
    report(ledger, options, mended=False, stdin=stdin)
    sys.exit(ledger.exit_code())


def _cache(folder: Path | None) -> Cache:
    from checks.cache import Cache

    return Cache(folder)


def _check_baseline_options(options: dict[str, Any]) -> None:
    if options["accept_new"] and not options["write_baseline"]:
        raise UsageError("--accept-new needs --write-baseline")
    for other in ("since", "include_baselined", "strict_baseline"):
        if options["write_baseline"] and options[other]:
            raise UsageError(f"--write-baseline cannot be used with --{other.replace('_', '-')}")


def _write_baselines(session: Session) -> None:
    from checks.baseline import write

    for path, baseline in session.baselines.items():
        entries = baseline.updated(session.covers)
        change = "written" if write(path, entries) else "left as it is"
        dropped = sum(count for _, count in baseline.stale(session.covers))
        added = baseline.new.total() if baseline.grows else 0
        told = f"{plural(entries.total(), 'finding')}, {added} added, {dropped} dropped"
        click.echo(f"{printable(shown_path(path))}: {change}: {told}", err=True)


@click.command("list")
@click.option("--debug", is_flag=True, hidden=True)
def list_rules(debug: bool) -> None:
    """List the rules: name, how they mend, what becomes of code left as it is, and what they find."""
    rules = all_rules().values()
    width = max(len(rule.name) for rule in rules)
    for rule in rules:
        click.echo(f"{rule.name:{width}}  {rule.fix.value:6}  {rule.impact.value:10}  {rule.summary}")


@click.command()
@click.argument("rule")
@click.option("--debug", is_flag=True, hidden=True)
def explain(rule: str, debug: bool) -> None:
    """Explain a rule: what it finds, why it matters, an example, and how safe its fix is."""
    rules = all_rules()
    if rule not in rules:
        raise unknown("rule", rule, rules)
    one = rules[rule]
    click.echo(f"{one.name} (fix: {one.fix.value})\n\n{one.doc}")
    for label, value in (
        ("impact", one.impact.value),
        ("since", one.since),
        ("deprecated in", one.deprecated_in),
        ("removed in", one.removed_in),
        ("url", one.url),
    ):
        if value:
            click.echo(f"{label}: {value}")


def run(command: click.Command, name: str) -> int:
    """Run a command and return its exit code: every failure is one line on stderr and 2. Ctrl-C ends with 130."""
    arguments = sys.argv[1:]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _invoked(command, arguments, name)
        sys.stdout.flush()
    except (KeyboardInterrupt, click.Abort):
        _stop_workers()
        click.echo("interrupted; no file is half written", err=True)
        sys.stderr.flush()
        os._exit(130)
    except BrokenPipeError:
        code = _without_output()
    except Exception as error:
        if "--debug" in arguments:
            raise
        code = _without_output() if isinstance(error, OSError) and error.errno == errno.ENOSPC else 2
        click.echo(f"error: {_told(error)}", err=True)
    return code


def _invoked(command: click.Command, arguments: list[str], name: str) -> int:
    try:
        with command.make_context(name, arguments) as context:
            command.invoke(context)
        return 0
    except click.UsageError as error:
        if type(error).__name__ != "NoArgsIsHelpError":  # which click has from 8.2 on
            raise
        click.echo(error.format_message())
        return 2
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0


def _told(error: Exception) -> str:
    if isinstance(error, UsageError):
        return printable(str(error))
    if isinstance(error, click.ClickException):
        return printable(" ".join(error.format_message().split("\n")))
    if isinstance(error, OSError):
        return printable(f"{error.strerror or error}" + (f": {error.filename}" if error.filename else ""))
    what = str(error).partition("\n")[0]
    return printable(f"{type(error).__name__}: {what} (--debug shows where)")


def _without_output() -> int:
    """Point standard output nowhere, so that what is still buffered is not tried again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 2


def _stop_workers() -> None:
    import multiprocessing

    workers = multiprocessing.active_children()
    for worker in workers:
        worker.kill()
    for worker in workers:
        worker.join(timeout=1)
