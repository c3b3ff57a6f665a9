"""explain: where a desired value comes from, and what is live instead."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gcsync.cli.options import manifest_options, online_options, output_options, settings

if TYPE_CHECKING:
    from gcsync.cli.options import Settings
    from gcsync.errors import NothingDesired
    from gcsync.model.change import Glimpse
    from gcsync.model.manifest import ResourceSpec
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
    The live value is read too, where credentials are at hand; of a setting
    that no manifest manages it is all that there is.
    """
    from gcsync.cli import console
    from gcsync.errors import NotConfigured, NothingDesired
    from gcsync.render.explanations import present_explanations

    chosen = settings(**options)
    nothing: NothingDesired | None = None
    explained: list[Explained] = []
    try:
        explained = _desired(address, chosen)
    except NothingDesired as error:
        nothing = error
    notes: list[str] = []
    if not offline:
        try:
            explained = _unmanaged(chosen, nothing) if nothing else _with_live(chosen, explained)
            nothing = None if explained else nothing
        except NotConfigured as error:
            notes.append(f"live values not read: {error}")
    if nothing is not None:
        explained = _unread(nothing)
    console.write(present_explanations(explained, notes=notes), chosen)
    return 0


def _desired(address: str, chosen: Settings) -> list[Explained]:
    """What manifests say there. Raises `WrongUsage` where they say nothing."""
    from gcsync.loader.explain import origins
    from gcsync.render.explanations import Contribution, Explained

    return [
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


def _unread(nothing: NothingDesired) -> list[Explained]:
    """What is known without a look at what is live. Raises *nothing* where it is too little."""
    from gcsync.render.explanations import Explained

    if not nothing.is_certain:
        raise nothing
    return [Explained(address=nothing.address, path=nothing.path)]


def _unmanaged(chosen: Settings, nothing: NothingDesired) -> list[Explained]:
    """The live settings at or below a path at which no manifest desires any."""
    from gcsync.core.secrecy import sealed
    from gcsync.model.value import parted, setting_path
    from gcsync.render.explanations import Explained

    name, wanted = parted(nothing.path)
    _, seen = _looked(chosen, nothing.address, None)
    there = [action for action in seen.actions if action.name == name]
    if len(there) > 1:
        raise nothing
    found = [
        Explained(
            address=nothing.address,
            path=setting_path(name, setting),
            live=sealed(setting, value),
            has_live=True,
        )
        for action in there
        for setting, value in sorted(action.settings.items())
        if not wanted or f"{setting}/".startswith(f"{_folded(wanted)}/")
    ]
    if found or not nothing.is_certain:
        return found
    return [Explained(address=nothing.address, path=nothing.path, has_live=True)]


def _folded(setting: str) -> str:
    # Live names of headers are in lower case, for their case carries no meaning.
    return setting.lower() if setting.startswith("request/headers/") else setting


def _with_live(chosen: Settings, explained: list[Explained]) -> list[Explained]:
    from gcsync.core.diff import locate
    from gcsync.core.rebase import live_value
    from gcsync.core.secrecy import sealed
    from gcsync.model.value import ABSENT, parted

    settings = {parted(each.path)[1] for each in explained}
    spec, seen = _looked(chosen, explained[0].address, settings)
    ids = {action.name: action.id for action in spec.actions}

    def live(path: str) -> Any:
        name, setting = parted(path)
        actions = locate(seen.actions, name, ids.get(name))
        return sealed(setting, live_value(actions[0], setting)) if len(actions) == 1 else ABSENT

    return [replace(one, live=live(one.path), has_live=True) for one in explained]


def _looked(
    chosen: Settings, address: str, settings: set[str] | None
) -> tuple[ResourceSpec, Glimpse]:
    """The manifest of *address*, and at least *settings* of what is live, or all for ``None``."""
    from gcsync.cli import session
    from gcsync.engine.looking import looked
    from gcsync.engine.observe import resolve

    manifests = session.load_resources(chosen)
    spec = next(spec for spec in manifests.resources if spec.address == address)
    with session.connected(chosen, manifests.environment) as found:
        (seen,) = looked(
            lambda _, ref, read: read(ref),
            resolve([spec], found.driver),
            found.driver,
            settings=lambda _: settings,
            parallelism=1,
        )
    return spec, seen
