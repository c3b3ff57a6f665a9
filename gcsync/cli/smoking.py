"""smoke: the flows' own cases, run against what is live."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import click

from gcsync.cli.launching import dialect_option
from gcsync.cli.options import (
    FINDING_FORMATS,
    manifest_options,
    online_options,
    outputs_in,
    selection_options,
    settings,
)
from gcsync.errors import Interrupted, WrongUsage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcsync.cli.options import Settings
    from gcsync.cli.session import Session
    from gcsync.drivers.flow_executions import Dialect
    from gcsync.engine.smoke import Smoke, Subject
    from gcsync.model.change import FlowRef
    from gcsync.model.manifest import FlowSpec
    from gcsync.model.smoke import CaseResult


@click.command()
@click.argument("addresses", metavar="[ADDRESS]...", nargs=-1)
@manifest_options
@selection_options
@online_options
@dialect_option
@outputs_in(*FINDING_FORMATS)
def smoke(*, addresses: tuple[str, ...], dialect: Dialect | None, **options: Any) -> int:
    """Run the smoke cases of flows.

    The smoke cases of a manifest say how its flow is executed, and how that
    should end. ADDRESS is flow/NAME, or a glob such as flow/billing-*; without one, the
    cases of all flows are run. Each case is one execution of the live flow:
    whatever the flow does for a caller it does here, too.

    Exit code: 0 when all cases passed, 1 when one failed, 4 when nobody can
    say of one whether it was launched, or how it ended.
    """
    from gcsync.cli import console, session
    from gcsync.engine.observe import resolve
    from gcsync.engine.smoke import Subject
    from gcsync.render.smokes import present_smoke

    chosen = settings(**options)
    manifests = session.load_flows(chosen)
    specs = _addressed(chosen.chosen(manifests.flows), addresses)
    proving = [spec for spec in specs if spec.smoke]
    with session.connected(chosen, manifests.environment) as found:
        refs = resolve(proving, found.driver)
        subjects = [Subject(ref=ref, cases=spec.smoke) for spec, ref in refs]
        smoking = smoke_of(found, proving, dialect)
        proofs, signal_number = _ran(found, smoking, subjects)
    report = present_smoke(proofs, without=len(specs) - len(proving))
    code = _exit_code([result for _, its in proofs for result in its])
    if signal_number is not None:
        code = 128 + signal_number
    return console.write(report, chosen, exit_code=code)


def smoke_of(found: Session, specs: Sequence[FlowSpec], dialect: Dialect | None) -> Smoke:
    """What runs the cases of *specs*, and tells of each that does not pass."""
    from gcsync.cli.launching import launcher_of
    from gcsync.engine.smoke import Smoke

    has_context = any(case.context is not None for spec in specs for case in spec.smoke)
    return Smoke(
        launcher=launcher_of(found, dialect, has_context=has_context),
        clock=found.clock,
        rng=found.rng,
        stop=found.stop,
        parallelism=found.settings.parallelism,
        notice=lambda ref, result: _say(ref, result, found.settings),
    )


def _addressed(specs: Sequence[FlowSpec], addresses: Sequence[str]) -> list[FlowSpec]:
    """The flows that any of *addresses* means. Raises `WrongUsage` for one that means none."""
    from gcsync.core.plan import nearest

    known = [spec.address for spec in specs]
    for address in addresses:
        if not any(fnmatchcase(each, address) for each in known):
            raise WrongUsage(f"no flow has the address {address!r}{nearest(address, known)}")
    if not addresses:
        return list(specs)
    return [spec for spec in specs if any(fnmatchcase(spec.address, each) for each in addresses)]


def _ran(
    found: Session, smoking: Smoke, subjects: Sequence[Subject]
) -> tuple[list[tuple[FlowRef, tuple[CaseResult, ...]]], int | None]:
    from gcsync.cli.interrupting import interruptible
    from gcsync.engine.smoke import cut_off

    told: dict[tuple[str, str], CaseResult] = {}

    def note(ref: FlowRef, result: CaseResult) -> None:
        told[ref.address, result.case] = result
        _say(ref, result, found.settings)

    with interruptible(found, "launches") as interruption, suppress(Interrupted):
        replace(smoking, notice=note).run(subjects)
    proofs = [
        (
            subject.ref,
            tuple(
                told.get((subject.ref.address, case.name)) or cut_off(case)
                for case in subject.cases
            ),
        )
        for subject in subjects
    ]
    return proofs, interruption.signal_number


def _exit_code(results: Sequence[CaseResult]) -> int:
    statuses = {result.status for result in results}
    if "unknown" in statuses:
        return 4
    return 1 if statuses & {"failed", "skipped"} else 0


def _say(ref: FlowRef, result: CaseResult, chosen: Settings) -> None:
    from gcsync.cli import console

    said = f"{ref.address}: smoke {result.case} {result.status}"
    console.say(said, chosen, at_verbosity=1 if result.status == "passed" else 0)
