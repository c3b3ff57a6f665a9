"""Which kinds of credentials an integration can bind, as far as the API tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gcsync.api.http import path
from gcsync.core.plan import nearest
from gcsync.drivers.listing import json_object
from gcsync.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from gcsync.api.http import Client

TYPES: Final = "/api/v2/integrations/types"

Kinds = dict[str, frozenset[str]]
"""Kind -> the types of credentials that it takes; none where any may be bound."""


def read_kinds(client: Client, type_id: str) -> Kinds:
    """The kinds that a type of integrations takes, empty where the API does not tell."""
    try:
        told = client.read(path(f"{TYPES}/{{}}", type_id), None, json_object).get("credentials")
    except Refused as refused:
        if refused.status not in (403, 404):
            raise
        return {}
    if not isinstance(told, dict):
        return {}
    return {kind: _types(specification) for kind, specification in told.items()}


def _types(specification: Any) -> frozenset[str]:
    types = specification.get("credentialTypes") if isinstance(specification, dict) else None
    return frozenset(str(each) for each in types) if isinstance(types, list) else frozenset()


def unfit(
    kind: str,
    type_names: Collection[str],
    kinds: Mapping[str, frozenset[str]],
    bound: Collection[str],
) -> str | None:
    """Why a credential of a type called *type_names* cannot be bound as *kind*, or ``None``.

    *bound* are the kinds that the integration binds already, which are right
    whatever is told. Nothing is refused that the API does not speak of.
    """
    if kinds and kind not in kinds and kind not in bound:
        near = nearest(kind, {*kinds, *bound})
        return f"an integration of this type takes no credential of kind {kind!r}{near}"
    takes = kinds.get(kind, frozenset())
    if not takes or not type_names or not _folded(takes).isdisjoint(_folded(type_names)):
        return None
    return (
        f"the credential is of type {' or '.join(sorted(set(type_names)))}, and {kind} takes"
        f" {' or '.join(sorted(takes))}; bind another"
    )


def _folded(names: Collection[str]) -> frozenset[str]:
    return frozenset(name.casefold() for name in names)
