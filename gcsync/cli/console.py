"""What the user sees: results to stdout or files, everything else to stderr."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gcsync.cli.options import Output
from gcsync.errors import ConfigurationError, InvalidManifests, LintRefused
from gcsync.render.failures import present_failure, present_refusal
from gcsync.render.formats import RENDERERS
from gcsync.render.prometheus import with_former_success
from gcsync.render.sanitise import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from gcsync.cli.options import Settings
    from gcsync.errors import GcsyncError
    from gcsync.model.report import Report

WORTH_TELLING = 25
"""So many steps take long enough for somebody to wonder."""
_LONGEST_FORMER = 1_000_000


def write(report: Report, settings: Settings, *, exit_code: int = 0) -> int:
    """Write *report* in every format asked for; text goes to stdout where nothing else does.

    Returns *exit_code*, with which the command is about to end: reports say so.
    """
    outputs = settings.outputs
    if not any(output.is_on_stdout for output in outputs):
        outputs = (*outputs, Output(format="text"))
    _write_to(outputs, report, settings, exit_code)
    return exit_code


def write_failure(error: GcsyncError, settings: Settings) -> None:
    """Write why there is no result, in the formats for scripts; people read it on stderr.

    What a result had been written over by then stays.
    """
    if settings.account.has_reported:
        return
    match error:
        case InvalidManifests() | LintRefused():
            report = present_refusal(error.findings)
        case _:
            report = present_failure(error, settings.command)
    for_scripts = [output for output in settings.outputs if output.format != "text"]
    _write_to(for_scripts, report, settings, error.exit_code)


def _write_to(
    outputs: Iterable[Output], report: Report, settings: Settings, exit_code: int
) -> None:
    settings.account.has_reported = True
    command = report.command or settings.command
    environment = report.environment or settings.environment
    report = replace(
        report,
        document=_labelled(
            report.document, settings.account.labels(command, environment, exit_code)
        ),
        command=command,
        environment=environment,
        exit_code=exit_code,
        metrics=tuple(chain(report.metrics, settings.account.metrics(exit_code))),
    )
    failure: ConfigurationError | None = None
    # Files first, for a reader of stdout may be gone; and none keeps the others from being written.
    for output in sorted(outputs, key=lambda output: output.file is None):
        render = RENDERERS[output.format]
        if output.file is None:
            colour = settings.has_colour and output.is_on_stdout
            rendered = render(report, colour=colour, in_pipeline=settings.in_pipeline)
            click.echo(rendered, nl=False, err=not output.is_on_stdout, color=colour)
            continue
        told = report
        if output.format == "prometheus":
            told = with_former_success(report, _former(output.file))
        try:
            _write_file(output, render(told, colour=False, in_pipeline=False))
        except ConfigurationError as error:
            failure = failure or error
    if failure:
        raise failure


def _former(file: Path) -> str:
    """What a report is about to replace, if it can be read."""
    try:
        with file.open(encoding="utf-8", errors="replace") as opened:
            return opened.read(_LONGEST_FORMER) if file.is_file() else ""
    except OSError:
        return ""


def _labelled(document: Mapping[str, Any], labels: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document, and of what part it is; what a digest seals says so itself."""
    if "digest" in document:
        return document
    return {
        **document,
        **{name: value for name, value in labels.items() if name not in document},
    }


def write_aside(report: Report, settings: Settings) -> None:
    """Show *report* as text on stdout, or on stderr where stdout carries another format."""
    to_stderr = _has_other_format_on_stdout(settings)
    rendered = RENDERERS["text"](
        report,
        colour=settings.has_colour and not to_stderr,
        in_pipeline=settings.in_pipeline,
    )
    click.echo(rendered, nl=False, err=to_stderr, color=settings.has_colour and not to_stderr)


def write_beside(report: Report, settings: Settings, *, exit_code: int = 0) -> None:
    """Show *report* on stderr and write it to files: stdout carries something else."""
    if settings.verbosity >= 0:
        rendered = RENDERERS["text"](report, colour=False, in_pipeline=settings.in_pipeline)
        click.echo(rendered, nl=False, err=True)
    files = [each for each in settings.outputs if each.file is not None]
    _write_to(files, report, settings, exit_code)


def blank(settings: Settings) -> None:
    """An empty line after what `write_aside` showed."""
    click.echo(err=_has_other_format_on_stdout(settings))


def _has_other_format_on_stdout(settings: Settings) -> bool:
    return any(output.is_on_stdout and output.format != "text" for output in settings.outputs)


def say(message: str, settings: Settings, *, at_verbosity: int = 0) -> None:
    """One line on stderr, unless ``-q``, or less ``-v`` than *at_verbosity*."""
    if settings.verbosity >= at_verbosity:
        click.echo(clean(message, in_pipeline=settings.in_pipeline), err=True)


@contextmanager
def progress(total: int, label: str, settings: Settings) -> Iterator[Callable[[], None]]:
    """Tell of long work: a bar on a terminal, elsewhere a line at the start, for logs.

    Yields what to call once a step.
    """
    is_long = total >= WORTH_TELLING and settings.verbosity >= 0
    if not (is_long and sys.stderr.isatty() and not os.environ.get("CI")):
        if is_long:
            say(f"{label} ({total})", settings)
        yield lambda: None
        return
    with click.progressbar(
        length=total, label=label, file=sys.stderr, show_pos=True, show_eta=False
    ) as bar:
        yield lambda: bar.update(1)


def _write_file(output: Output, rendered: str) -> None:
    """Replace the file at once, so that nobody reads half of it; or append where it is shared.

    A link stays one, and what is no regular file, such as a pipe or a device, is written into:
    renaming over it would take it from everybody.
    """
    if output.file is None:
        return
    file = output.file
    kept = Path(os.path.realpath(file))
    partial = kept.with_name(f".{kept.name}.{os.getpid()}.partial")
    try:
        if output.appends or (file.exists() and not file.is_file()):
            with file.open("a", encoding="utf-8") as opened:
                opened.write(rendered)
            return
        partial.write_text(rendered, encoding="utf-8")
        partial.replace(kept)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise ConfigurationError(
            f"{file}: cannot be written ({error.strerror}); choose another file with -o"
        ) from error
