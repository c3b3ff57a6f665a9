"""execute: starting flows from outside, one or many, and following them to their end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final, Literal

import click

from gcsync.cli.choices import DurationType, EntryType
from gcsync.cli.launching import dialect_option
from gcsync.cli.options import manifest_options, online_options, output_options, settings
from gcsync.errors import WrongUsage

PATIENCE: Final = timedelta(minutes=10)


@click.command()
@click.argument("flow", required=False)
@click.option(
    "--data",
    type=EntryType(),
    multiple=True,
    help="An input of the flow: a text, or with := any JSON (n:=3); repeatable.",
)
@click.option(
    "--data-file",
    metavar="FILE",
    help="Inputs as one JSON object; - reads stdin. --data is laid over them.",
)
@click.option(
    "--context",
    type=EntryType(),
    multiple=True,
    help="An entry of the execution context; repeatable. The public API has none.",
)
@click.option("--wait", "waits", is_flag=True, help="Follow each execution to its end.")
@click.option(
    "--timeout",
    type=DurationType(),
    help="How long --wait waits for each execution (10m); one that has not ended: exit code 4.",
)
@click.option(
    "--batch",
    metavar="FILE",
    help="Launch each line of FILE once: {key, flow?, data, context} in JSON; - reads stdin.",
)
@click.option(
    "--batch-id",
    metavar="NAME",
    help="What the keys of --batch belong to; the file's name unless given.",
)
@click.option("--again", is_flag=True, help="Launch the keys of --batch once more, all of them.")
@click.option("--no-check", is_flag=True, help="Do not hold the data against the flow's inputs.")
@dialect_option
@manifest_options
@online_options
@output_options
def execute(
    *,
    flow: str | None,
    data: tuple[tuple[str, Any], ...],
    data_file: str | None,
    context: tuple[tuple[str, Any], ...],
    waits: bool,
    timeout: timedelta | None,
    batch: str | None,
    batch_id: str | None,
    again: bool,
    no_check: bool,
    dialect: Literal["document", "public"] | None,
    **options: Any,
) -> int:
    """Start an execution of FLOW, once.

    FLOW is a manifest's name or address, or a live flow's name or id. Before
    anything is sent the data is held against the inputs that the live flow
    lists. A launch whose outcome is unknown is told as such and never
    repeated.

    With --batch many are launched, --parallelism at once, each result printed
    as a line of JSON as it comes. Keys that are on record as launched are not
    launched again: run the same command again after an interruption, and only
    the rest goes out. To launch a file again on purpose, say --again, or give
    each time its own --batch-id.

    Exit code: 0 when everything was launched and, with --wait, completed; 1
    when an execution ended otherwise or nothing could be launched; 4 when
    nobody knows how one ends (timeout, lost answer) or some were not launched.
    """
    chosen = settings(**options)
    _check_usage(
        flow=flow, data=bool(data or data_file or context), batch=batch, batch_id=batch_id,
        again=again, waits=waits, timeout=timeout,
    )  # fmt: skip
    from gcsync.cli import calling, entries

    asked = calling.Asked(
        flow=flow,
        data=entries.data_of(data, data_file),
        context=entries.entries(context, "--context") if context else None,
        timeout_s=(timeout or PATIENCE).total_seconds() if waits else None,
        checks=not no_check,
        dialect=dialect,
        batch_id=entries.batch_name(batch, batch_id) if batch else "",
        again=again,
    )
    if batch is None:
        return calling.execute_one(asked, chosen)
    return calling.execute_batch(asked, chosen, entries.read_batch(batch))


def _check_usage(
    *,
    flow: str | None,
    data: bool,
    batch: str | None,
    batch_id: str | None,
    again: bool,
    waits: bool,
    timeout: timedelta | None,
) -> None:
    if batch is None and flow is None:
        raise WrongUsage("name the FLOW to execute, or a file of calls with --batch")
    if batch is None and (batch_id is not None or again):
        raise WrongUsage("--batch-id and --again are about the keys of --batch; name its file")
    if batch is not None and data:
        raise WrongUsage("with --batch each line has its own data and context; write them there")
    if timeout is not None and not waits:
        raise WrongUsage("--timeout says how long --wait waits; add --wait")
    if batch == "-" and batch_id is None:
        raise WrongUsage("stdin has no name to keep the keys under; add --batch-id")
