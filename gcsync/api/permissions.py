"""Which permission each request of gcsync takes: what a 403 means that names none.

The permissions are those of the public API's reference. For executions, a
gateway that speaks this project's own dialect knows others.
"""

from __future__ import annotations

import re
from typing import Final

_SEE_FLOWS: Final = "architect:flow:view"
_LAUNCH: Final = "architect:flow:launch (behind a gateway: flow:execution:write)"
_FOLLOW: Final = "architect:flowExecution:view (behind a gateway: flow:execution:read)"
_SEE_ACTIONS: Final = "integrations:action:view"
_EDIT_ACTIONS: Final = "integrations:action:edit"
_SEE_INTEGRATIONS: Final = "integrations:integration:view"

_ACTION: Final = "/api/v2/integrations/actions/{}"
_DRAFT: Final = f"{_ACTION}/draft"

PERMISSIONS: Final = {
    "GET /api/v2/flows": _SEE_FLOWS,
    "GET /api/v2/flows/{}": _SEE_FLOWS,
    "PUT /api/v2/flows/{}": "architect:flow:edit",
    "POST /api/v2/flows/executions": _LAUNCH,
    "GET /api/v2/flows/executions/{}": _FOLLOW,
    "GET /api/v2/architect/dependencytracking/{}": "architect:dependencyTracking:view",
    "GET /api/v2/integrations": _SEE_INTEGRATIONS,
    "GET /api/v2/integrations/{}": _SEE_INTEGRATIONS,
    "PATCH /api/v2/integrations/{}": "integrations:integration:edit",
    "GET /api/v2/integrations/{}/config/current": _SEE_INTEGRATIONS,
    "PUT /api/v2/integrations/{}/config/current": "integrations:integration:edit",
    "GET /api/v2/integrations/types/{}": _SEE_INTEGRATIONS,
    "GET /api/v2/integrations/credentials": _SEE_INTEGRATIONS,
    "GET /api/v2/integrations/credentials/listing": _SEE_INTEGRATIONS,
    "GET /api/v2/integrations/actions": _SEE_ACTIONS,
    "GET /api/v2/integrations/actions/drafts": _SEE_ACTIONS,
    f"GET {_ACTION}": _SEE_ACTIONS,
    f"PATCH {_ACTION}": _EDIT_ACTIONS,
    f"GET {_ACTION}/templates/{{}}": _SEE_ACTIONS,
    f"POST {_ACTION}/test": "integrations:action:execute",
    f"POST {_ACTION}/execute": "integrations:action:execute",
    f"GET {_DRAFT}": _SEE_ACTIONS,
    f"POST {_DRAFT}": _EDIT_ACTIONS,
    f"PATCH {_DRAFT}": _EDIT_ACTIONS,
    f"DELETE {_DRAFT}": "integrations:action:delete",
    f"GET {_DRAFT}/validation": _EDIT_ACTIONS,
    f"GET {_DRAFT}/templates/{{}}": _SEE_ACTIONS,
    f"POST {_DRAFT}/publish": _EDIT_ACTIONS,
    f"POST {_DRAFT}/test": "integrations:action:execute",
}
"""Method and path, in which ``{}`` stands for one segment -> permission."""

# A segment that is written out is meant before one that takes any.
_PATTERNS: Final = [
    (re.compile(re.escape(request).replace(r"\{\}", "[^/]+")), permission)
    for request, permission in sorted(PERMISSIONS.items(), key=lambda entry: entry[0].count("{}"))
]


def permission_for(name: str) -> str | None:
    """What the request *name*, ``PUT /api/…`` without a query, takes; ``None`` where any may."""
    return next((its for pattern, its in _PATTERNS if pattern.fullmatch(name)), None)
