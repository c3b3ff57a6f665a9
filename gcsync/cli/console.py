"""What the user sees: results to stdout or files, everything else to stderr."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from gcsync.cli.options import Output
from gcsync.errors import ConfigurationError, InvalidManifests, LintRefused
from gcsync.render.findings import present_findings
from gcsync.render.formats import RENDERERS
from gcsync.render.sanitise import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from gcsync.cli.options import Settings
    from gcsync.model.report import Report

WORTH_A_BAR = 25


def write(report: Report, settings: Settings) -> None:
    """Write *report* in every format asked for; text goes to stdout where nothing else does."""
    outputs = settings.outputs
    if all(output.file is not None for output in outputs):
        outputs = (*outputs, Output(format="text"))
    _write_to(outputs, report, settings)


def _write_to(outputs: Iterable[Output], report: Report, settings: Settings) -> None:
    failure: ConfigurationError | None = None
    # Files first, for a reader of stdout may be gone; and none keeps the others from being written.
    for output in sorted(outputs, key=lambda output: output.file is None):
        render = RENDERERS[output.format]
        if output.file is None:
            rendered = render(report, colour=settings.has_colour, in_pipeline=settings.in_pipeline)
            click.echo(rendered, nl=False, color=settings.has_colour)
            continue
        try:
            _write_file(output.file, render(report, colour=False, in_pipeline=False))
        except ConfigurationError as error:
            failure = failure or error
    if failure:
        raise failure


@contextmanager
def findings_reported(settings: Settings) -> Iterator[None]:
    """Where manifests are refused inside, write the findings in the formats for scripts too."""
    try:
        yield
    except (InvalidManifests, LintRefused) as refused:
        for_scripts = [output for output in settings.outputs if output.format != "text"]
        _write_to(for_scripts, present_findings(refused.findings, all_well=""), settings)
        raise


def write_aside(report: Report, settings: Settings) -> None:
    """Show *report* as text on stdout, or on stderr where stdout carries another format."""
    to_stderr = _has_other_format_on_stdout(settings)
    rendered = RENDERERS["text"](
        report,
        colour=settings.has_colour and not to_stderr,
        in_pipeline=settings.in_pipeline,
    )
    click.echo(rendered, nl=False, err=to_stderr, color=settings.has_colour and not to_stderr)


def write_beside(report: Report, settings: Settings) -> None:
    """Show *report* on stderr and write it to files: stdout carries something else."""
    if settings.verbosity >= 0:
        rendered = RENDERERS["text"](report, colour=False, in_pipeline=settings.in_pipeline)
        click.echo(rendered, nl=False, err=True)
    _write_to((each for each in settings.outputs if each.file is not None), report, settings)


def blank(settings: Settings) -> None:
    """An empty line after what `write_aside` showed."""
    click.echo(err=_has_other_format_on_stdout(settings))


def _has_other_format_on_stdout(settings: Settings) -> bool:
    return any(output.file is None and output.format != "text" for output in settings.outputs)


def say(message: str, settings: Settings, *, at_verbosity: int = 0) -> None:
    """One line on stderr, unless ``-q``, or less ``-v`` than *at_verbosity*."""
    if settings.verbosity >= at_verbosity:
        click.echo(clean(message, in_pipeline=settings.in_pipeline), err=True)


@contextmanager
def progress(total: int, label: str, settings: Settings) -> Iterator[Callable[[], None]]:
    """A progress bar on a terminal for long work; yields what to call once a step."""
    wanted = (
        total >= WORTH_A_BAR
        and settings.verbosity >= 0
        and sys.stderr.isatty()
        and not os.environ.get("CI")
    )
    if not wanted:
        yield lambda: None
        return
    with click.progressbar(
        length=total, label=label, file=sys.stderr, show_pos=True, show_eta=False
    ) as bar:
        yield lambda: bar.update(1)


def _write_file(file: Path, rendered: str) -> None:
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    try:
        partial.write_text(rendered, encoding="utf-8")
        partial.replace(file)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise ConfigurationError(
            f"{file}: cannot be written ({error.strerror}); choose another file with -o"
        ) from error
