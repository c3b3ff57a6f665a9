"""A real organisation to import: its flows hold no data action in their documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from acceptance_world import live

from gcsync.sandbox.actions import Actions
from gcsync.sandbox.integrations import Integrations, StoredCredential, StoredIntegration
from gcsync.sandbox.oauth import ALL_PERMISSIONS, Client
from gcsync.sandbox.org import CLIENT_ID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from acceptance_world import World

    from gcsync.sandbox.stored_action import StoredAction

CRM = StoredIntegration(id="i-crm", name="CRM")


def has(
    world: World,
    *actions: StoredAction,
    flows: Sequence[bytes] = (live("menu", {}),),
    integrations: tuple[StoredIntegration, ...] = (CRM,),
    credentials: tuple[StoredCredential, ...] = (),
    permissions: frozenset[str] = ALL_PERMISSIONS,
) -> None:
    """Put on a real organisation with these data actions."""
    world.lives(
        *flows,
        actions=Actions(actions),
        integrations=Integrations(integrations, credentials),
        clients=[Client(id=CLIENT_ID, secret="sandbox", permissions=permissions)],
    )


def files(world: World, folder: str = "manifests") -> dict[str, str]:
    return {
        file.relative_to(world.folder / folder).as_posix(): file.read_bytes().decode()
        for file in sorted((world.folder / folder).rglob("*"))
        if file.is_file()
    }


def no_change(world: World) -> bool:
    told = world.run("plan", "--detailed-exitcode")
    return (told.code, told.out.partition(":")[0]) == (0, "No changes")
