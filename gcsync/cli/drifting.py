"""drift: who moved, live or manifest; and what may be done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gcsync.cli.approving import check_can_ask, lock_option
from gcsync.cli.drafting import drafts_options
from gcsync.cli.linting import no_lint_option
from gcsync.cli.options import (
    FLOW_FORMATS,
    manifest_options,
    online_options,
    outputs_in,
    selection_options,
    settings,
)
from gcsync.errors import InvalidManifests, WrongUsage

if TYPE_CHECKING:
    from gcsync.cli.options import Settings


@click.command()
@manifest_options
@selection_options
@online_options
@click.option(
    "--heal",
    "heals",
    is_flag=True,
    help="Restore what drifted, as far as spec.drift.heal of gcsync.yaml allows.",
)
@click.option("--auto-approve", is_flag=True, help="Heal without asking.")
@click.option(
    "--accept",
    "accepted",
    multiple=True,
    metavar="ADDRESS[/PATH]",
    help="Write the live value into the manifest instead; repeatable.",
)
@click.option(
    "--no-record",
    "keeps_no_record",
    is_flag=True,
    help="Do not enter this look into drift's history.",
)
@drafts_options
@no_lint_option
@lock_option
@outputs_in(*FLOW_FORMATS)
def drift(
    *,
    heals: bool,
    auto_approve: bool,
    accepted: tuple[str, ...],
    keeps_no_record: bool,
    skips_lint: bool,
    **options: Any,
) -> int:
    """Tell whether live flows drifted: exit code 2.

    Made for cron: 0 means that everything is as desired, 2 that something
    differs, and anything else that the comparison itself failed. Where a
    manifest fits nothing live, all others are compared, and it ends with 1.

    A setting has drifted where somebody moved it away from what gcsync last
    wrote; where only the manifest moved, it is pending. Each look at all
    flows is kept in the journal, which gives drift a history.

    With --heal, the exit codes are those of apply, or 2 for what is left.
    """
    from gcsync.cli import console, session
    from gcsync.cli.looking import look, told
    from gcsync.cli.memory import remembered
    from gcsync.render.drift import present_drift

    chosen = settings(**options)
    _check_usage(chosen, heals=heals, auto_approve=auto_approve, accepts=bool(accepted))
    manifests = session.load_resources(chosen, may_manage_none=True)
    if accepted:
        from gcsync.cli.accepting import accept

        return accept(chosen, manifests, accepted)
    specs = chosen.chosen(manifests.resources)
    # A look at a part would be a dent in the history of the whole.
    is_whole = bool(specs) and len(specs) == len(manifests.resources)
    records = is_whole and not keeps_no_record
    if heals:
        from gcsync.cli.healing import heal

        return heal(
            chosen,
            manifests,
            specs,
            records=records,
            must_ask=not auto_approve,
            skips_lint=skips_lint,
        )
    with (
        session.connected(chosen, manifests.environment) as found,
        remembered(found, must_write=records) as memory,
    ):
        looked = look(found, specs, memory, public=manifests.public_flows, tells_misfits=True)
        seen = told(found, manifests, specs, looked, memory, records=records)
    if seen.findings:
        misfits = InvalidManifests(seen.findings)
        console.write(present_drift(seen), chosen, exit_code=misfits.exit_code)
        raise misfits
    return console.write(present_drift(seen), chosen, exit_code=2 if seen.differs else 0)


def _check_usage(chosen: Settings, *, heals: bool, auto_approve: bool, accepts: bool) -> None:
    if heals and accepts:
        raise WrongUsage("--heal writes to flows and --accept to manifests; give one of them")
    if accepts and (chosen.has_selection or chosen.shard):
        raise WrongUsage(
            "--accept names its flows itself; leave --select, --target, --exclude and --shard out"
        )
    if auto_approve and not heals:
        raise WrongUsage("--auto-approve goes with --heal")
    if chosen.takes_drafts and not heals:
        raise WrongUsage("--take-draft goes with --heal")
    if chosen.tests_drafts is not None and not heals:
        raise WrongUsage("--test-drafts and --no-test-drafts go with --heal")
    if heals and not auto_approve:
        check_can_ask("--heal")
