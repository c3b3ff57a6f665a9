"""Which organisation a client speaks to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcsync.drivers.listing import json_object
from gcsync.errors import Refused
from gcsync.model.change import Organisation

if TYPE_CHECKING:
    from gcsync.api.http import Client


def organisation(client: Client) -> Organisation:
    """Ask the API who it is; the id is ``None`` where it does not tell.

    A gateway or test server may not have this call at all; that is no error
    here, and one at the place that needs the id.
    """
    try:
        document = client.read("/api/v2/organizations/me", None, json_object)
    except Refused as refused:
        if refused.status not in (403, 404):
            raise
        return Organisation(id=None, api_url=client.api_url)
    org_id = document.get("id")
    return Organisation(id=org_id if isinstance(org_id, str) else None, api_url=client.api_url)
