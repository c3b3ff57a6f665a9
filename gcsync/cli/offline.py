"""validate and schema, and plans against saved snapshots: nothing is sent anywhere."""

from __future__ import annotations

import json
import random
from contextlib import contextmanager
from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, Any

import click

from gcsync.cli.options import FINDING_FORMATS, manifest_options, outputs_in, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gcsync.cli.options import Settings
    from gcsync.cli.session import Session


@click.command()
@manifest_options
@outputs_in(*FINDING_FORMATS)
def validate(**options: Any) -> int:
    """Read the manifests and check them, offline.

    Every finding of every file is shown at once, each as
    file:line:column: error: message [code].
    """
    from gcsync.cli import console, session
    from gcsync.core.counting import count, joined
    from gcsync.errors import InvalidManifests
    from gcsync.render.findings import present_findings

    chosen = settings(**options)
    try:
        manifests = session.load(chosen)
    except InvalidManifests as invalid:
        report = present_findings(invalid.findings, all_well="")
        return console.write(report, chosen, exit_code=invalid.exit_code)
    actions = sum(len(spec.actions) for spec in manifests.flows) + len(manifests.data_actions)
    numbers = {
        "flow": len(manifests.every_flow),
        "data action": actions,
        "integration": len(manifests.integrations),
        "auth binding": len(manifests.bindings),
    }
    there = [count(number, thing) for thing, number in numbers.items() if number]
    verb = "is" if sum(numbers.values()) == 1 else "are"
    well = f"{joined(there) or 'no manifests'} {verb} valid."
    judged = (*manifests.data_actions, *manifests.every_flow, *manifests.integrations)
    addresses = [spec.address for spec in judged]
    addresses += [binding.address for binding in manifests.bindings]
    report = present_findings((), all_well=well, looked_at=addresses)
    return console.write(report, chosen)


@click.command()
@click.argument("kind", required=False)
def schema(kind: str | None) -> int:
    """Print the JSON Schema of a kind, or of all.

    KIND is Flow, DataAction, Integration, AuthBinding or Project.
    """
    from gcsync.loader.schema import schema_of

    click.echo(json.dumps(schema_of(kind), indent=2))
    return 0


@contextmanager
def opened(chosen: Settings, file: Path) -> Iterator[Session]:
    """A session over saved snapshots. Raises `ConfigurationError`."""
    from gcsync.api.pacing import SystemClock
    from gcsync.cli.session import Session
    from gcsync.drivers.saved_snapshots import SavedSnapshots

    driver = SavedSnapshots(file)
    chosen.account.organisation = driver.organisation()
    stop = Event()
    yield Session(
        settings=chosen,
        driver=driver,
        organisation=driver.organisation(),
        clock=SystemClock(stop),
        rng=random.SystemRandom(),
        stop=stop,
    )


@contextmanager
def recording(found: Session, file: Path) -> Iterator[Session]:
    """The session *found*, with everything that it reads saved to *file* in the end."""
    from gcsync.drivers.saved_snapshots import Recorder

    recorder = Recorder(found.driver)
    yield replace(found, driver=recorder)
    recorder.save(file, found.organisation)
