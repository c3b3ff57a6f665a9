"""Dependency tracking: which flows use which data actions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gcsync.sandbox.flows import FLOWS_PATH, PUBLISHED
from gcsync.sandbox.paging import page
from gcsync.sandbox.wire import Refusal, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

TRACKING_PATH: Final = "/api/v2/architect/dependencytracking"
MOST_PER_PAGE: Final = 100
KINDS: Final = frozenset({"DATAACTION", "SECUREACTION", "BRIDGEACTION"})

FLOW_TYPES: Final[Mapping[str, str]] = {
    "bot": "BOTFLOW",
    "businessprocess": "BUSINESSPROCESSFLOW",
    "commonmodule": "COMMONMODULEFLOW",
    "digitalbot": "DIGITALBOTFLOW",
    "emailsend": "EMAILSENDFLOW",
    "inboundcall": "INBOUNDCALLFLOW",
    "inboundchat": "INBOUNDCHATFLOW",
    "inboundemail": "INBOUNDEMAILFLOW",
    "inboundshortmessage": "INBOUNDSHORTMESSAGEFLOW",
    "inqueuecall": "INQUEUECALLFLOW",
    "inqueueemail": "INQUEUEEMAILFLOW",
    "inqueueshortmessage": "INQUEUESHORTMESSAGEFLOW",
    "outboundcall": "OUTBOUNDCALLFLOW",
    "securecall": "SECURECALLFLOW",
    "surveyinvite": "SURVEYINVITEFLOW",
    "voice": "VOICEFLOW",
    "voicemail": "VOICEMAILFLOW",
    "voicesurvey": "VOICESURVEYFLOW",
    "workflow": "WORKFLOW",
    "workitem": "WORKITEMFLOW",
}
"""A flow's type -> the type of the object that depends (SDK, `models/dependency.py`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A published flow, by what dependency tracking shows of it, and a data action in it."""

    flow_id: str
    flow_name: str
    flow_type: str
    action_id: str
    version: str = PUBLISHED


class Dependencies:
    """The uses of data actions by flows; *secure* says whether an action is a secure one."""

    def __init__(self, uses: Iterable[Use], *, secure: Callable[[str], bool]) -> None:
        self._uses = tuple(uses)
        self._secure = secure

    def consuming(self, query: Mapping[str, str]) -> Response:
        """The flows that use the object which the query names."""
        self._check(query, KINDS)
        wanted, kind = query["id"], query["objectType"]
        found = {
            use.flow_id: use
            for use in self._uses
            if use.action_id == wanted and self._kind(wanted) == kind
        }
        return self._page(list(found.values()), query, "consumingresources", _flow)

    def consumed(self, query: Mapping[str, str]) -> Response:
        """The data actions that the flow which the query names uses."""
        self._check(query, frozenset(FLOW_TYPES.values()), "version")
        found = {
            use.action_id: use
            for use in self._uses
            if (use.flow_id, FLOW_TYPES[use.flow_type], use.version)
            == (query["id"], query["objectType"], query["version"])
        }
        return self._page(list(found.values()), query, "consumedresources", self._action)

    def _kind(self, action_id: str) -> str:
        return "SECUREACTION" if self._secure(action_id) else "DATAACTION"

    def _check(self, query: Mapping[str, str], kinds: frozenset[str], *more: str) -> None:
        for name in ("id", "objectType", *more):
            if not query.get(name):
                raise Refusal(400, "bad.request", f"{name} must be given")
        if query["objectType"] not in kinds:
            raise Refusal(400, "bad.request", f"objectType is not known: {query['objectType']}")

    def _page(
        self,
        found: list[Use],
        query: Mapping[str, str],
        name: str,
        entity: Callable[[Use], dict[str, Any]],
    ) -> Response:
        listing = page(
            found,
            path=f"{TRACKING_PATH}/{name}",
            query=query,
            kept=("id", "version", "objectType"),
            most=MOST_PER_PAGE,
            entity=entity,
        )
        return json_response(200, listing)

    def _action(self, use: Use) -> dict[str, Any]:
        return {"id": use.action_id, "type": self._kind(use.action_id), "deleted": False}


def _flow(use: Use) -> dict[str, Any]:
    return {
        "id": use.flow_id,
        "name": use.flow_name,
        "version": use.version,
        "type": FLOW_TYPES[use.flow_type],
        "deleted": False,
        "selfUri": f"{FLOWS_PATH}/{use.flow_id}",
    }
