"""The drivers of the public API, each with something live to hold the rules of writing against."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from api_builders import client, token_for
from builders import field
from public_builders import stored_action

from gcsync.api.oauth import GivenToken
from gcsync.drivers.integration_action import IntegrationActionDriver
from gcsync.drivers.integration_config import IntegrationConfigDriver
from gcsync.model.change import FlowChange, FlowRef, Revision
from gcsync.sandbox.integrations import StoredIntegration
from gcsync.sandbox.org import CLIENT_ID

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcsync.drivers.driver import Driver
    from gcsync.model.change import FieldChange
    from gcsync.sandbox.app import SandboxServer
    from gcsync.sandbox.org import Organisation


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One driver and something live that it writes to by *method* at *place*.

    *wanted* is a change of it, *made* what that makes of it; *edit* is what a
    colleague does, *theirs* a change of a setting that this touches as well.
    """

    name: str
    ref: FlowRef
    method: str
    place: str
    permissions: tuple[str, str]
    driver: Callable[[Any], Driver]
    wanted: FieldChange
    theirs: FieldChange
    begin: Callable[[Organisation], None]
    held: Callable[[Organisation], Any]
    made: Callable[[Any], Any]
    edit: Callable[[Organisation], None]

    def connected(
        self, server: SandboxServer, url: str = "", *, client_id: str = CLIENT_ID
    ) -> Driver:
        """The driver over *server*, or over what stands before it at *url*."""
        tokens = GivenToken(token_for(server, client_id))
        return self.driver(client(url or server.url, tokens=tokens))

    def change(self, *fields: FieldChange) -> FlowChange:
        """These changes, as planned in the beginning."""
        return FlowChange(ref=self.ref, revision=Revision("1"), fields=fields or (self.wanted,))


ACTION_ID = "custom_-_1"
ACTION = FlowRef(address="dataaction/get-customer", id=ACTION_ID)
INTEGRATION_ID = "i-crm"
INTEGRATION = FlowRef(address="integration/crm", id=INTEGRATION_ID)
CRM = StoredIntegration(
    id=INTEGRATION_ID,
    name="CRM",
    credentials={"basicAuth": "c-1"},
    properties={"base": "x", "deep": {"of": [1, "two"]}},
    advanced={"left": "alone"},
    notes="on call",
)


def edit_action(org: Organisation, **texts: str) -> None:
    """A colleague replaces parts of the request of a data action."""
    live = org.actions.published(ACTION_ID)
    request = {**live.config["request"], **texts}
    config = {**live.config, "request": request}
    org.actions.publish(replace(live, config=config), author="a colleague")


def edit_integration(org: Organisation, **facts: Any) -> None:
    """A colleague saves the configuration of an integration."""
    live = org.integrations.integration(INTEGRATION_ID)
    org.integrations.save(replace(live, version=live.version + 1, **facts))


def _begin_action(org: Organisation) -> None:
    org.actions.recall([stored_action()], ())
    org.actions.log.clear()
    org.actions.mismatch_status = 409


def _begin_integration(org: Organisation) -> None:
    org.integrations.recall([CRM])
    org.integrations.mismatch_status = 409


SUBJECTS = (
    Subject(
        name="data actions",
        ref=ACTION,
        method="PATCH",
        place=f"/api/v2/integrations/actions/{ACTION_ID}",
        permissions=("integrations:action:view", "integrations:action:edit"),
        driver=IntegrationActionDriver,
        wanted=field("", "timeout_ms", before=20_000, after=5_000),
        theirs=field("", "request/method", before="POST", after="GET"),
        begin=_begin_action,
        held=lambda org: org.actions.published(ACTION_ID),
        made=lambda live: replace(
            live, config={**live.config, "timeoutSeconds": 5}, version=live.version + 1
        ),
        edit=lambda org: edit_action(org, requestTemplate="theirs", requestType="PUT"),
    ),
    Subject(
        name="integrations",
        ref=INTEGRATION,
        method="PUT",
        place=f"/api/v2/integrations/{INTEGRATION_ID}/config/current",
        permissions=("integrations:integration:view", "integrations:integration:edit"),
        driver=IntegrationConfigDriver,
        wanted=field("", "credentials/basicAuth", before="CRM 1", after="CRM 2"),
        theirs=field("", "notes", before="on call", after="ours"),
        begin=_begin_integration,
        held=lambda org: org.integrations.integration(INTEGRATION_ID),
        made=lambda live: replace(live, credentials={"basicAuth": "c-2"}, version=live.version + 1),
        edit=lambda org: edit_integration(org, notes="theirs", properties={"base": "theirs"}),
    ),
)
