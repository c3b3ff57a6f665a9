"""How `execute` does it: what is meant, what fits, what is sent, what is told."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gcsync.cli import console, session
from gcsync.cli.interrupting import interruptible
from gcsync.cli.launching import launcher_of
from gcsync.core.inputs import misfits
from gcsync.core.verdict import exit_code
from gcsync.engine.batch import Batch
from gcsync.engine.calls import check_inputs, check_recorded, resolved
from gcsync.engine.target import Targets
from gcsync.errors import (
    Interrupted,
    InvalidManifests,
    LaunchRefused,
)
from gcsync.model.execution import Launch
from gcsync.model.manifest import Manifests
from gcsync.model.project import Project
from gcsync.render.executions import line, present_batch, present_execution
from gcsync.store.launches import Launches

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gcsync.cli.options import Settings
    from gcsync.cli.session import Session
    from gcsync.drivers.flow_executions import Dialect, FlowExecutions
    from gcsync.loader.calls import Call
    from gcsync.model.change import FlowRef
    from gcsync.model.execution import Execution, ExecutionResult, StartInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line wants launched, and how; *timeout_s* is ``None`` for not waiting."""

    flow: str | None
    data: Mapping[str, Any]
    context: Mapping[str, Any] | None
    timeout_s: float | None
    checks: bool
    dialect: Dialect | None
    batch_id: str
    again: bool


def execute_one(asked: Asked, chosen: Settings) -> int:
    """Launch one execution and tell what became of it."""
    manifests = _manifests(chosen)
    with session.connected(chosen, manifests.environment) as found:
        launcher = launcher_of(found, asked.dialect, has_context=asked.context is not None)
        ref = Targets(manifests.flows, found.driver).find(str(asked.flow))
        if asked.checks:
            ref, inputs = _inputs(found, launcher, ref)
            wrong = misfits(inputs, asked.data) if inputs is not None else ()
            if wrong:
                raise LaunchRefused(str(ref), wrong)
        wanted = Launch(flow=ref, data=asked.data, context=asked.context)
        batch = _batch(found, launcher, asked)
        batch.notice = lambda _launch, seen: _say_status(seen, chosen)
        results, signal_number = _ran(found, batch, [wanted])
    code = exit_code(results) if signal_number is None else 128 + signal_number
    return console.write(present_execution(results[0]), chosen, exit_code=code)


def execute_batch(asked: Asked, chosen: Settings, calls: Sequence[Call]) -> int:
    """Launch what a file lists, each key once, and tell of each as it comes."""
    manifests = _manifests(chosen)
    has_lines = not any(output.is_on_stdout for output in chosen.outputs)

    def tell(result: ExecutionResult) -> None:
        if has_lines:
            click.echo(line(result, in_pipeline=chosen.in_pipeline))

    with (
        session.connected(chosen, manifests.environment) as found,
        session.journal(found) as journal,
    ):
        has_context = any(call.context is not None for call in calls)
        launcher = launcher_of(found, asked.dialect, has_context=has_context)
        targets = Targets(manifests.flows, found.driver)
        wanted = resolved(calls, targets, unless_said=asked.flow)
        ledger = Launches(
            journal,
            org_id=found.organisation.id or found.organisation.api_url,
            batch=asked.batch_id,
            again=asked.again,
            clock_now=found.clock.now,
        )
        recorded = ledger.recorded()
        check_recorded(calls, wanted, recorded, asked.batch_id)
        fresh = [
            (call, launch)
            for call, launch in zip(calls, wanted, strict=True)
            if launch.key not in recorded or not recorded[launch.key].may_run
        ]
        if asked.checks:
            _check_inputs(fresh, found, launcher)
        _say_resumed(len(calls), len(fresh), asked.batch_id, chosen)
        batch = _batch(found, launcher, asked)
        batch.ledger, batch.recorded = ledger, recorded
        batch.notice = lambda launch, seen: _say_status(seen, chosen, key=launch.key)
        results, signal_number = _ran(found, batch, wanted, tell=tell)
    notes = [f"the journal is incomplete: {batch.journal_failure}"] if batch.journal_failure else []
    code = exit_code(results) if signal_number is None else 128 + signal_number
    report = present_batch(results, batch=asked.batch_id, notes=notes)
    if not has_lines:
        return console.write(report, chosen, exit_code=code)
    console.write_beside(report, chosen, exit_code=code)
    return code


def _manifests(chosen: Settings) -> Manifests:
    """What the project declares; nothing where there is no project: flows have ids, too."""
    is_project = any(Path(name).exists() for name in ("gcsync.yaml", "manifests"))
    if chosen.manifests or chosen.environment or is_project:
        return session.load(chosen)
    return Manifests(flows=(), bindings=(), project=Project(), environment=None, sha256="")


def _batch(found: Session, launcher: FlowExecutions, asked: Asked) -> Batch:
    return Batch(
        launcher=launcher,
        clock=found.clock,
        rng=found.rng,
        stop=found.stop,
        parallelism=found.settings.parallelism,
        timeout_s=asked.timeout_s,
    )


def _check_inputs(
    fresh: Sequence[tuple[Call, Launch]], found: Session, launcher: FlowExecutions
) -> None:
    parallelism = found.settings.parallelism
    try:
        check_inputs(fresh, lambda ref: _inputs(found, launcher, ref), parallelism=parallelism)
    except InvalidManifests:
        note = "nothing was launched; correct these lines, or pass --no-check"
        console.say(note, found.settings)
        raise


def _inputs(
    found: Session, launcher: FlowExecutions, ref: FlowRef
) -> tuple[FlowRef, tuple[StartInput, ...] | None]:
    """The flow with its live name, and what it takes where it lists that."""
    snapshot = found.driver.fetch(ref)
    inputs = launcher.inputs(snapshot)
    if inputs is None:
        said = f"{snapshot.ref}: the live flow does not list its inputs; the data is not checked"
        console.say(said, found.settings, at_verbosity=1)
    return snapshot.ref, inputs


def _ran(
    found: Session,
    batch: Batch,
    wanted: Sequence[Launch],
    tell: Callable[[ExecutionResult], None] = lambda _result: None,
) -> tuple[list[ExecutionResult], int | None]:
    """A result for each launch, whatever cuts the run short; and the signal, if one did."""
    told: dict[str, ExecutionResult] = {}

    def note(result: ExecutionResult) -> None:
        # Threads that were left behind may still come to an end: what was told stays.
        if told.setdefault(result.outcome.launch.key, result) is result:
            tell(result)
            step()

    with (
        interruptible(found, "launches") as interruption,
        console.progress(len(wanted), "Executing flows", found.settings) as step,
        suppress(Interrupted),
    ):
        batch.run(wanted, done=note)
    left = [each for each in wanted if each.key not in told]
    for each in left:
        told[each.key] = batch.cut_off(each)
        tell(told[each.key])
    return [told[each.key] for each in wanted], interruption.signal_number


def _say_status(seen: Execution, chosen: Settings, *, key: str = "") -> None:
    of = f"{key}: " if key else ""
    said = f"{of}execution {seen.execution_id} is {seen.status}"
    # Of one execution everybody wants to hear, of a thousand whoever asks for it.
    console.say(said, chosen, at_verbosity=1 if key else 0)


def _say_resumed(calls: int, fresh: int, batch: str, chosen: Settings) -> None:
    if fresh < calls:
        console.say(
            f"batch {batch}: {calls - fresh} of {calls} keys are on record already and are not"
            " launched again (--again launches all of them once more)",
            chosen,
        )
