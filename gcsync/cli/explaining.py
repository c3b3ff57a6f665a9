"""explain: where a desired value comes from, and what is live instead."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gcsync.cli.options import manifest_options, online_options, output_options, settings

if TYPE_CHECKING:
    from gcsync.cli.options import Settings
    from gcsync.render.explanations import Explained


@click.command()
@click.argument("address", metavar="ADDRESS[/PATH]")
@manifest_options
@online_options
@click.option("--offline", is_flag=True, help="Do not read the live value.")
@output_options
def explain(address: str, offline: bool, **options: Any) -> int:  # noqa: FBT001 - click passes by name
    """Say where a desired value comes from.

    File, line, overlay, variable: everything that had a say, the last one wins.

    ADDRESS is that of a flow, a data action or an integration, as plan shows
    it; PATH below it narrows the answer:
    flow/billing-inbound/actions/GetCustomerProfile/timeout_ms.
    The live value is read too, where credentials are at hand.
    """
    from gcsync.cli import console
    from gcsync.errors import NotConfigured
    from gcsync.loader.explain import origins
    from gcsync.render.explanations import Contribution, Explained, present_explanations

    chosen = settings(**options)
    explained = [
        Explained(
            address=found.address,
            path=found.path,
            value=found.value,
            source=found.source,
            contributions=tuple(
                Contribution(
                    how=f"{origin.how} {origin.detail}".strip(),
                    value=origin.value,
                    source=origin.source,
                )
                for origin in found.origins
            ),
        )
        for found in origins(
            address,
            paths=chosen.manifests or None,
            root=Path.cwd(),
            environment=chosen.environment,
        )
    ]
    notes: list[str] = []
    if not offline:
        try:
            explained = _with_live(chosen, explained)
        except NotConfigured as error:
            notes.append(f"live values not read: {error}")
    console.write(present_explanations(explained, notes=notes), chosen)
    return 0


def _with_live(chosen: Settings, explained: list[Explained]) -> list[Explained]:
    from gcsync.cli import session
    from gcsync.core.diff import locate
    from gcsync.core.rebase import live_value
    from gcsync.core.secrecy import sealed
    from gcsync.engine.looking import looked
    from gcsync.engine.observe import resolve
    from gcsync.model.value import ABSENT, parted

    manifests = session.load_resources(chosen)
    spec = next(spec for spec in manifests.resources if spec.address == explained[0].address)
    with session.connected(chosen, manifests.environment) as found:
        settings = {parted(each.path)[1] for each in explained}
        (seen,) = looked(
            lambda _, ref, read: read(ref),
            resolve([spec], found.driver),
            found.driver,
            settings=lambda _: settings,
            parallelism=1,
        )
    ids = {action.name: action.id for action in spec.actions}

    def live(path: str) -> Any:
        name, setting = parted(path)
        actions = locate(seen.actions, name, ids.get(name))
        return sealed(setting, live_value(actions[0], setting)) if len(actions) == 1 else ABSENT

    return [replace(one, live=live(one.path), has_live=True) for one in explained]
