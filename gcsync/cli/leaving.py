"""What a rollback leaves as it is, and what its plan says of that."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from gcsync.engine.recover import Recovered
    from gcsync.model.change import FlowChange, FlowResult, Run
    from gcsync.model.project import Project


def heeding(
    changes: Sequence[FlowChange], project: Project
) -> tuple[tuple[FlowChange, ...], tuple[str, ...]]:
    """The changes without what the project leaves to others by now, and what that is."""
    from gcsync.core.scope import is_covered

    kept, ignored = [], []
    for change in changes:
        address = change.ref.address
        fields = []
        for field in change.fields:
            if is_covered(project.ignore, address, field.path):
                ignored.append(
                    f"{address}/{field.path} stays: spec.ignore of gcsync.yaml leaves it to others"
                    " by now"
                )
            else:
                fields.append(field)
        kept.append(replace(change, fields=tuple(fields)))
    return tuple(change for change in kept if change.fields), tuple(ignored)


def lost(results: Sequence[FlowResult]) -> Iterator[str]:
    """What cannot come back, for gcsync never kept it."""
    from gcsync.core.rollback import unrestorable
    from gcsync.core.secrecy import advice

    for ref, field in unrestorable(results):
        editor = "Architect" if ref.kind == "flow" else "Genesys Cloud"
        yield (
            f"{ref.address}/{field.path} stays: its former value was a secret, of which gcsync"
            f" keeps a digest only; set it by hand in {editor}, or better {advice(ref.kind)}"
        )


def doubts(run: Run, recovered: Sequence[Recovered], addresses: Collection[str]) -> Iterator[str]:
    """Writes of *run* of which it is not known yet whether they happened."""
    for entry in recovered:
        is_meant = entry.run_id == run.run_id and entry.ref.address in addresses
        if is_meant and entry.outcome in ("pending", "open"):
            why = entry.problem or "it had no answer, and may still arrive"
            yield (
                f"{entry.ref.address}: nobody can say yet what became of the run's write ({why});"
                f" run 'gcsync rollback {run.run_id}' again in ten minutes"
            )


def purpose(run: Run, *, is_saved: bool) -> Iterator[str]:
    """What the plan of a rollback is for."""
    from gcsync.core.exact_json import stamp
    from gcsync.render.runs import still_asked_for

    began = stamp(run.started_at.replace(microsecond=0))
    yield f"this undoes run {run.run_id} of {began}, '{run.command}'"
    if is_saved:  # whoever applies it is told by nobody else
        yield still_asked_for(run)
