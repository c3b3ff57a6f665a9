"""drift --heal: restore what drifted, through the one path that apply takes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from gcsync import __version__
from gcsync.cli import console, provenance, session
from gcsync.cli.approving import alone, carry_out
from gcsync.cli.drafting import drafting
from gcsync.cli.linting import Gate
from gcsync.cli.looking import look, told
from gcsync.cli.memory import Memory
from gcsync.cli.running import exit_code_of
from gcsync.core.drift import healable
from gcsync.core.plan import build_plan
from gcsync.engine.recover import recover
from gcsync.errors import ApiError, ConfigurationError
from gcsync.render.drift import present_drift
from gcsync.render.remedies import present_healing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcsync.cli.options import Settings
    from gcsync.cli.running import Ended
    from gcsync.cli.session import Session
    from gcsync.engine.drift import Look
    from gcsync.model.change import Plan
    from gcsync.model.drift import Drift
    from gcsync.model.manifest import Manifests, ResourceSpec


def heal(
    chosen: Settings,
    manifests: Manifests,
    specs: tuple[ResourceSpec, ...],
    *,
    records: bool,
    must_ask: bool,
    skips_lint: bool,
) -> int:
    """Restore what drifted and may be healed, then tell what is left.

    Raises `ConfigurationError` where the project file allows nothing, and as
    apply does before anything is written.
    """
    if not manifests.project.heal:
        raise ConfigurationError(
            "gcsync.yaml lets --heal restore nothing; list settings under spec.drift.heal"
        )
    gate = Gate(chosen=chosen, manifests=manifests, specs=specs, is_open=skips_lint)
    gate.judge_manifests()
    writing = drafting(chosen, manifests.project, specs)
    with (
        session.connected(chosen, manifests.environment, drafting=writing) as found,
        alone(found) as kept,
    ):
        memory = Memory(found.org_id, journal=kept)
        recovered = recover(kept, found.driver, kept.open_intents(memory.org_id), clock=found.clock)
        looked = look(found, specs, memory, public=manifests.public_flows)
        seen = told(found, manifests, specs, looked, memory, records=records)
        plan = _plan(found, manifests, specs, looked, gate.warnings)
        if not plan.changes:
            note = "nothing that drifted is healed: spec.drift.heal of gcsync.yaml names none of it"
            if seen.observation.drifted_fields:
                console.say(note, chosen)
            return console.write(present_drift(seen), chosen, exit_code=2 if seen.differs else 0)
        gate.judge_changes(
            {
                each.ref.address: looked.outlines[each.ref.address]
                for each in plan.changes
                if each.ref.address in looked.outlines
            },
            looked.foreseen(plan.changes, found.driver, parallelism=chosen.parallelism),
        )
        ended = carry_out(
            found,
            kept,
            plan,
            recovered=recovered,
            limits=manifests.project.limits,
            must_ask=must_ask,
        )
        touched = {change.ref.address for change in plan.changes}
        healed = [spec for spec in specs if spec.address in touched]
        left = _left(found, healed, memory, seen=seen, ended=ended)
    code = exit_code_of(ended) or (2 if left.differs else 0)
    report = present_healing(left, ended.run_id, ended.results, again=chosen.again)
    return console.write(report, chosen, exit_code=code)


def _plan(
    found: Session,
    manifests: Manifests,
    specs: Sequence[ResourceSpec],
    looked: Look,
    warnings: tuple[str, ...],
) -> Plan:
    """Only what drifted, and of that only what the project file allows."""
    now = found.clock.now().replace(microsecond=0)
    restoring = [
        replace(looked.changes[flow.ref.address], fields=fields, worst_case=None)
        for flow in looked.flows
        if (fields := healable(flow, manifests.project.heal))
    ]
    changes, unknown = session.reaching(found, restoring)
    return build_plan(
        changes,
        flow_count=len(specs),
        kinds={spec.KIND for spec in specs},
        managed_flows=len(manifests.resources),
        gcsync_version=__version__,
        created_at=now,
        expires_at=now + timedelta(hours=24),
        environment=manifests.environment.name if manifests.environment else None,
        organisation=found.organisation,
        source=provenance.source(Path.cwd()),
        manifest_sha256=manifests.sha256,
        warnings=(*looked.warnings, *unknown, *warnings),
    )


def _left(
    found: Session,
    healed: Sequence[ResourceSpec],
    memory: Memory,
    *,
    seen: Drift,
    ended: Ended,
) -> Drift:
    """What is left: flows that were to be healed as they are now, the others as they were."""
    addresses = {spec.address for spec in healed}
    warnings = (*seen.warnings, *ended.notes)
    unread = "interrupted" if ended.signal_number is not None else None
    flows = seen.flows
    if unread is None:
        try:
            again = look(found, healed, memory)
        except ApiError as error:  # what was written must be told all the same
            unread = str(error)
        else:
            others = (flow for flow in seen.flows if flow.ref.address not in addresses)
            flows = tuple(sorted((*others, *again.flows), key=lambda flow: flow.ref.address))
    if unread is not None:
        warnings += (f"what was healed is shown as it was before: {unread}",)
    return replace(seen, flows=flows, warnings=warnings)
