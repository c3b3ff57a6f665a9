"""budget: how long callers may have to wait, against what they are to be spared."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gcsync.cli.options import (
    manifest_options,
    online_options,
    outputs_in,
    selection_options,
    settings,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcsync.analysis.latency import FlowLatency
    from gcsync.cli.options import Settings
    from gcsync.model.manifest import FlowSpec, Manifests

WITHOUT_LIVE = (
    "nothing live was read: declared data actions in a row, undeclared settings as by default"
)


@click.command()
@manifest_options
@selection_options
@online_options
@click.option(
    "--offline",
    type=click.Path(path_type=Path),
    help="Read live flows from saved snapshots; nothing is sent anywhere.",
)
@click.option("--check", is_flag=True, help="Exit with 1 when a flow is over its budget.")
@outputs_in("text", "json", "markdown")
def budget(*, offline: Path | None, check: bool, **options: Any) -> int:
    """Show how long callers may have to wait.

    The worst case of a data action is (1 + retries) x timeout + retries x
    delay. A flow's is the sum along the longest way through it, and is held
    against latency_budget_ms, live and desired side by side.

    Without credentials the manifests alone are looked at.
    """
    from gcsync.cli import console, session
    from gcsync.errors import NotConfigured
    from gcsync.render.budgets import present_budgets

    chosen = settings(**options)
    warnings: list[str] = []
    manifests = session.load_every_flow(chosen)
    specs = chosen.chosen(manifests.every_flow)
    try:
        latencies, warnings = _with_live(chosen, manifests, specs, offline)
    except NotConfigured as error:
        latencies = _declared(specs)
        warnings = [f"{WITHOUT_LIVE} ({error}, or --offline)"]
    for warning in warnings:
        console.say(f"warning: {warning}", chosen)
    notes = [WITHOUT_LIVE] if latencies and latencies[0].live_ms is None else []
    code = int(check and any(not flow.within_budget for flow in latencies))
    report = present_budgets(latencies, notes=notes, warnings=warnings)
    return console.write(report, chosen, exit_code=code)


def _with_live(
    chosen: Settings, manifests: Manifests, specs: Sequence[FlowSpec], offline: Path | None
) -> tuple[list[FlowLatency], list[str]]:
    from gcsync.analysis.latency import flow_latency
    from gcsync.analysis.policy import together
    from gcsync.cli.surveying import notes, surveyed
    from gcsync.engine.survey import check_fit
    from gcsync.engine.usage import WAITING

    found = surveyed(chosen, manifests, specs, offline=offline, settings=WAITING)
    check_fit(found)
    claims = defaultdict(list)
    for each in found:
        claims[each.ref.id].append(each.spec)
    latencies = [
        flow_latency(
            together(each.spec, (other for other in claims[each.ref.id] if other is not each.spec)),
            each.outline,
            has_live=True,
        )
        for each in found
    ]
    return latencies, list(notes(found))


def _declared(specs: Sequence[FlowSpec]) -> list[FlowLatency]:
    from gcsync.analysis.latency import flow_latency
    from gcsync.analysis.policy import declared_outline

    return [flow_latency(spec, declared_outline(spec), has_live=False) for spec in specs]
