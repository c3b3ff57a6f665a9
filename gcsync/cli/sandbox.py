"""``gcsync sandbox``: the embedded organisation as a server of its own."""

from __future__ import annotations

import json
import signal
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator


def _rate_limit(_context: click.Context, _option: click.Parameter, text: str) -> int | None:
    """A count of requests, or ``None`` for the word ``off``."""
    if text == "off":
        return None
    if not (text.isascii() and text.isdecimal()) or int(text) < 1:
        raise click.BadParameter(f"{text} is neither a count of 1 or more nor 'off'")
    return int(text)


@click.group()
def sandbox() -> None:
    """Practise on an organisation that lives on this machine alone."""


@sandbox.command()
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=0, help="Port on loopback; 0 picks one."
)
@click.option(
    "--size",
    type=click.IntRange(1, 1_000_000),
    help="Serve so many generated flows instead of the sample.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of generated flows.")
@click.option(
    "--latency-ms",
    type=click.FloatRange(0, 60_000),
    default=0,
    show_default=True,
    help="Milliseconds added to each answer.",
)
@click.option(
    "--rate-limit",
    callback=_rate_limit,
    metavar="N|off",
    default="300",
    show_default=True,
    help="Requests a minute and token, or 'off'.",
)
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder that keeps the organisation between runs.",
)
@click.option(
    "--env",
    "environment",
    metavar="NAME",
    help="Serve the organisation of this environment, as --sandbox --env does.",
)
def serve(  # noqa: PLR0917 - click passes options by name
    port: int,
    size: int | None,
    seed: int,
    latency_ms: float,
    rate_limit: int | None,
    state: Path | None,
    environment: str | None,
) -> int:
    """Serve the sandbox organisation until interrupted.

    Prints one line of JSON with its address and credentials. The control_token
    in it opens /sandbox/, where faults, edits, outcomes and more are planted:

    \b
      curl -H "Authorization: Bearer $CONTROL_TOKEN" "$URL/sandbox/faults" \\
        -d '{"method": "PUT", "path": "/api/v2/flows/*", "effect": "unavailable"}'
    """  # noqa: D301 - click needs the control character itself
    from gcsync.sandbox.state import Origin, open_sandbox

    opened = open_sandbox(
        state,
        name=environment,
        origin=None if size is None else Origin(size=size, seed=seed),
        port=port,
        latency_s=latency_ms / 1000,
        rate_limit_per_minute=rate_limit,
    )
    with _until_signalled() as stopped, opened as server:
        facts = {
            "url": server.url,
            "login_url": server.login_url,
            "client_id": server.client_id,
            "client_secret": server.client_secret,
            "private_key": server.private_key_pem,
            "org_id": server.org.id,
            "control_token": server.org.control_token,
        }
        click.echo(json.dumps(facts))
        stopped.wait()
    return 0


@contextmanager
def _until_signalled() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set instead of ending the process."""
    stopped = threading.Event()
    former = {
        number: signal.signal(number, lambda *_: stopped.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stopped
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
