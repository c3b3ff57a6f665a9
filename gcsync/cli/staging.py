"""How a run is staged: canaries first, each wave proved, and rolled back where it does not hold."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import click

from gcsync.cli.choices import DurationType, LabelType, SizeType
from gcsync.cli.launching import dialect_option
from gcsync.core.waves import CANARY_WAVE, PROVING_WAVE, Canary, wave_name, with_canary
from gcsync.errors import WrongUsage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import timedelta

    from gcsync.cli.session import Session
    from gcsync.core.waves import CanarySize
    from gcsync.drivers.flow_executions import Dialect
    from gcsync.engine.rollout import Rollout, Unproven
    from gcsync.engine.smoke import Smoke
    from gcsync.engine.write import Surroundings
    from gcsync.model.change import FlowChange, FlowResult, Plan, Run
    from gcsync.model.manifest import FlowSpec
    from gcsync.model.smoke import SmokeCase
    from gcsync.store.journal import Journal
    from gcsync.store.launches import Launches


@dataclass(frozen=True, slots=True, kw_only=True)
class Staging:
    """What the command line asks for; nothing, unless it says otherwise.

    *specs* are the manifests of the flows that may be written.
    """

    canary: Canary | None = None
    proves: bool = False
    soak_s: float = 0.0
    rolls_back: bool = False
    dialect: Dialect | None = None
    specs: Sequence[FlowSpec] = ()

    @property
    def cases(self) -> dict[str, tuple[SmokeCase, ...]]:
        """The smoke cases of flows that have some, by address."""
        return {spec.address: spec.smoke for spec in self.specs if spec.smoke}

    @property
    def needs_manifests(self) -> bool:
        """Whether manifests say who goes first, or what proves a flow."""
        return self.proves or self.canary is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arranged:
    """The changes of a run with their waves, and what comes before them."""

    staging: Staging
    changes: tuple[FlowChange, ...]
    smoke: Smoke | None = None
    unproven: Mapping[str, Unproven] = field(default_factory=dict)

    def notes(self, told: Mapping[str, FlowResult]) -> list[str]:
        """What a report says of flows that nothing proves, and of those of earlier runs.

        *told* is what became of all of them, by address.
        """
        notes = [_note(each, told.get(address)) for address, each in self.unproven.items()]
        cases = self.staging.cases
        bare = [each.ref.address for each in self.changes if each.ref.address not in cases]
        if self.staging.proves and bare:
            notes.append(
                f"{_some(bare)}: no smoke case proves {'it' if len(bare) == 1 else 'them'}"
            )
        return notes

    def announced(self) -> str:
        """Which flows change when, in a line; nothing where no wave is proved before the next."""
        waves = sorted({change.wave for change in self.changes})
        if CANARY_WAVE not in waves and (len(waves) < 2 or not self.staging.proves):
            return ""
        told = []
        for wave in waves:
            members = [change.ref.address for change in self.changes if change.wave == wave]
            told.append(f"{wave_name(wave)} ({len(members)}): {_some(members)}")
        return "; then ".join(told)


_MOST: Final = 5


def _some(addresses: Sequence[str]) -> str:
    more = f" and {len(addresses) - _MOST} more" if len(addresses) > _MOST else ""
    return ", ".join(addresses[:_MOST]) + more


def _note(unproven: Unproven, result: FlowResult | None) -> str:
    fact = "was cut off before it was proved" if unproven.ledger else "did not prove it"
    note = f"{unproven.result.ref}: run {unproven.run_id} wrote it and {fact}"
    if result is None or result.status == "unchanged":
        return f"{note}; its smoke cases came first"
    return f"{note}; it does not hold, and 'gcsync rollback {unproven.run_id}' undoes it"


def staging_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that `staging` reads."""
    for option in reversed(
        (
            click.option(
                "--smoke",
                "proves",
                is_flag=True,
                help="Run the smoke cases of each changed flow, wave by wave.",
            ),
            click.option(
                "--canary",
                type=SizeType(),
                help="Change so many flows first, or such a share: those with the fewest declared"
                " calls.",
            ),
            click.option(
                "--canary-by",
                type=LabelType(),
                help="Change flows with this label first, or --canary of them.",
            ),
            click.option(
                "--soak",
                type=DurationType(),
                help="Watch each wave for so long: its smoke cases are run again and again.",
            ),
            click.option(
                "--rollback-on-failure",
                "rolls_back",
                is_flag=True,
                help="Bring the flows of a wave that fails back to what they were.",
            ),
            dialect_option,
        )
    ):
        command = option(command)
    return command


def staging(
    *,
    proves: bool,
    canary: CanarySize | None,
    canary_by: tuple[str, str] | None,
    soak: timedelta | None,
    rolls_back: bool,
    dialect: Dialect | None,
    **_others: Any,
) -> Staging:
    """What the options of `staging_options` say together. Raises `WrongUsage`."""
    if soak is not None and not proves:
        raise WrongUsage("--soak runs smoke cases again and again; say --smoke, too")
    return Staging(
        canary=Canary(size=canary, label=canary_by) if canary or canary_by else None,
        proves=proves,
        soak_s=soak.total_seconds() if soak else 0.0,
        rolls_back=rolls_back,
        dialect=dialect,
    )


def arranged(staging: Staging, found: Session, journal: Journal, plan: Plan) -> Arranged:
    """The waves of *plan*, before them what earlier runs left unproven of the same manifests.

    Raises `WrongUsage` where no flow can be a canary or nothing can carry a
    case's context, and `JournalError`.
    """
    from gcsync.cli.smoking import smoke_of

    changes = plan.changes
    if staging.canary and changes:
        calls = {spec.address: spec.calls_per_minute for spec in staging.specs}
        changes = with_canary(changes, staging.canary, calls)
        if not any(change.wave == CANARY_WAVE for change in changes):
            _say_no_canary(staging, found, plan)
    if not staging.proves:
        return Arranged(staging=staging, changes=changes)
    smoke = smoke_of(found, staging.specs, staging.dialect)
    unproven = _unproven(staging, found, journal, {change.ref.address for change in changes})
    return Arranged(
        staging=staging,
        changes=(*(_looked_at(each) for each in unproven.values()), *changes),
        smoke=smoke,
        unproven=unproven,
    )


def _say_no_canary(staging: Staging, found: Session, plan: Plan) -> None:
    """Tell that no flow goes first, where that is well. Raises `WrongUsage` where it is not."""
    from gcsync.cli import console

    label = staging.canary.label if staging.canary else None
    named = "=".join(label or ())
    is_known = any(label in spec.labels for spec in staging.specs)
    if not is_known or any(label in change.labels for change in plan.changes):
        raise WrongUsage(
            f"no changed flow of the lowest wave has the label {named}, so there is no canary;"
            " choose another label, or --canary N"
        )
    # As after a run that changed its canaries and was cut off.
    said = f"every flow with the label {named} is as desired already: no canary wave"
    console.say(said, found.settings)


def rollout_of(arranged: Arranged, found: Session, run: Surroundings, entry: Run) -> Rollout:
    """What settles the waves of the run *entry*. Raises `JournalError`."""
    from gcsync.cli import console
    from gcsync.engine.roll_back import WayBack
    from gcsync.engine.rollout import Rollout
    from gcsync.store.proving import promise

    staging = arranged.staging
    rollout = Rollout(run=run, tell=lambda line: console.say(line, found.settings))
    if staging.rolls_back:
        rollout.way_back = WayBack(
            entry=lambda: _entry_back(found, entry),
            driver=found.restorer,
            parallelism=found.settings.parallelism,
        )
    if arranged.smoke:
        promise(run.journal, entry.run_id)
        rollout.smoke = arranged.smoke
        rollout.cases = staging.cases
        rollout.ledger = _ledger(found, run.journal, entry.run_id)
        rollout.unproven = arranged.unproven
        rollout.soak_s = staging.soak_s
    return rollout


def _unproven(
    staging: Staging, found: Session, journal: Journal, planned: set[str]
) -> dict[str, Unproven]:
    from gcsync.engine.rollout import Unproven
    from gcsync.store.proving import unproven

    meant = {spec.address for spec in staging.specs if spec.smoke} - planned
    return {
        left.result.ref.address: Unproven(
            run_id=left.run_id,
            result=left.result,
            ledger=None if left.was_tried else _ledger(found, journal, left.run_id),
        )
        for left in unproven(journal, found.org_id, meant)
    }


def _looked_at(unproven: Unproven) -> FlowChange:
    """A change of nothing: the flow is read, and then proved."""
    from gcsync.model.change import FlowChange

    result = unproven.result
    return FlowChange(ref=result.ref, revision=result.revision_after, fields=(), wave=PROVING_WAVE)


def _ledger(found: Session, journal: Journal, run_id: str) -> Launches:
    from gcsync.store.launches import Launches

    return Launches(
        journal,
        org_id=found.org_id,
        batch=f"smoke of run {run_id}",
        again=False,
        clock_now=found.clock.now,
    )


def _entry_back(found: Session, entry: Run) -> Run:
    """The run that rolls back what *entry* wrote."""
    from gcsync.cli.provenance import new_run_id

    return replace(
        entry,
        run_id=new_run_id(found.clock.now()),
        started_at=found.clock.now(),
        plan_digest=None,
        undoes=entry.run_id,
    )
