"""The public API's paths of data actions, integrations and dependency tracking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcsync.sandbox.action_view import ACTIONS_PATH, template_text
from gcsync.sandbox.dependencies import TRACKING_PATH
from gcsync.sandbox.integration_types import TYPES_PATH, get_type
from gcsync.sandbox.integrations import CREDENTIALS_PATH, INTEGRATIONS_PATH

if TYPE_CHECKING:
    from gcsync.sandbox.action_runs import ActionRuns
    from gcsync.sandbox.actions import Actions
    from gcsync.sandbox.dependencies import Dependencies
    from gcsync.sandbox.integrations import Integrations
    from gcsync.sandbox.routes import Call, Methods
    from gcsync.sandbox.wire import Response

SEE_ACTIONS = "integrations:action:view"
EDIT_ACTIONS = "integrations:action:edit"
DELETE_ACTIONS = "integrations:action:delete"
EXECUTE_ACTIONS = "integrations:action:execute"
SEE_INTEGRATIONS = "integrations:integration:view"
EDIT_INTEGRATIONS = "integrations:integration:edit"
SEE_DEPENDENCIES = "architect:dependencyTracking:view"
"""Permissions, as the JavaScript SDK's documentation names them for each call."""


def public_api(
    actions: Actions, runs: ActionRuns, integrations: Integrations, dependencies: Dependencies
) -> dict[str, Methods]:
    """What each path allows and does."""
    return {
        **_actions(actions),
        **_drafts(actions),
        **_runs(actions, runs),
        **_integrations(integrations),
        f"{TRACKING_PATH}/consumingresources": {
            "GET": (SEE_DEPENDENCIES, lambda call: dependencies.consuming(call.request.query))
        },
        f"{TRACKING_PATH}/consumedresources": {
            "GET": (SEE_DEPENDENCIES, lambda call: dependencies.consumed(call.request.query))
        },
    }


def _actions(actions: Actions) -> dict[str, Methods]:
    one = f"{ACTIONS_PATH}/{{id}}"

    def get(call: Call) -> Response:
        query = call.request.query
        return actions.get(call.subject, query, versions_ago=call.revisions_ago)

    def several(call: Call) -> Response:
        return actions.list(call.request.query, versions_ago=call.revisions_ago)

    def patch(call: Call) -> Response:
        return actions.patch(call.subject, call.request, author=call.client.id, now=call.now)

    def template(call: Call) -> Response:
        action_id, name = call.ids
        return template_text(actions.published(action_id, versions_ago=call.revisions_ago), name)

    return {
        ACTIONS_PATH: {"GET": (SEE_ACTIONS, several)},
        one: {"GET": (SEE_ACTIONS, get), "PATCH": (EDIT_ACTIONS, patch)},
        f"{one}/templates/{{file}}": {"GET": (SEE_ACTIONS, template)},
    }


def _drafts(actions: Actions) -> dict[str, Methods]:
    draft = f"{ACTIONS_PATH}/{{id}}/draft"

    def publish(call: Call) -> Response:
        return actions.publish_draft(
            call.subject, call.request, author=call.client.id, now=call.now
        )

    def template(call: Call) -> Response:
        action_id, name = call.ids
        return template_text(actions.draft(action_id), name)

    return {
        f"{ACTIONS_PATH}/drafts": {
            "GET": (SEE_ACTIONS, lambda call: actions.list_drafts(call.request.query))
        },
        draft: {
            "GET": (
                SEE_ACTIONS,
                lambda call: actions.get_draft(call.subject, call.request.query),
            ),
            "POST": (EDIT_ACTIONS, lambda call: actions.begin_draft(call.subject, call.request)),
            "PATCH": (EDIT_ACTIONS, lambda call: actions.patch_draft(call.subject, call.request)),
            "DELETE": (DELETE_ACTIONS, lambda call: actions.delete_draft(call.subject)),
        },
        f"{draft}/validation": {
            "GET": (EDIT_ACTIONS, lambda call: actions.validate_draft(call.subject))
        },
        f"{draft}/publish": {"POST": (EDIT_ACTIONS, publish)},
        f"{draft}/templates/{{file}}": {"GET": (SEE_ACTIONS, template)},
    }


def _runs(actions: Actions, runs: ActionRuns) -> dict[str, Methods]:
    one = f"{ACTIONS_PATH}/{{id}}"

    def test_draft(call: Call) -> Response:
        return runs.test(actions.draft(call.subject), call.request, now=call.now)

    def test(call: Call) -> Response:
        return runs.test(actions.published(call.subject), call.request, now=call.now)

    def execute(call: Call) -> Response:
        return runs.execute(actions.published(call.subject), call.request, now=call.now)

    return {
        f"{one}/draft/test": {"POST": (EXECUTE_ACTIONS, test_draft)},
        f"{one}/test": {"POST": (EXECUTE_ACTIONS, test)},
        f"{one}/execute": {"POST": (EXECUTE_ACTIONS, execute)},
    }


def _integrations(integrations: Integrations) -> dict[str, Methods]:
    one = f"{INTEGRATIONS_PATH}/{{id}}"

    def config(call: Call) -> Response:
        return integrations.get_config(call.subject, versions_ago=call.revisions_ago)

    return {
        INTEGRATIONS_PATH: {
            "GET": (SEE_INTEGRATIONS, lambda call: integrations.list(call.request.query))
        },
        one: {
            "GET": (
                SEE_INTEGRATIONS,
                lambda call: integrations.get(call.subject, call.request.query),
            ),
            "PATCH": (
                EDIT_INTEGRATIONS,
                lambda call: integrations.patch(call.subject, call.request),
            ),
        },
        f"{one}/config/current": {
            "GET": (SEE_INTEGRATIONS, config),
            "PUT": (
                EDIT_INTEGRATIONS,
                lambda call: integrations.put_config(call.subject, call.request),
            ),
        },
        f"{TYPES_PATH}/{{id}}": {"GET": (SEE_INTEGRATIONS, lambda call: get_type(call.subject))},
        CREDENTIALS_PATH: {
            "GET": (
                SEE_INTEGRATIONS,
                lambda call: integrations.list_credentials(call.request.query),
            )
        },
        f"{CREDENTIALS_PATH}/listing": {
            "GET": (
                SEE_INTEGRATIONS,
                lambda call: integrations.browse_credentials(call.request.query),
            )
        },
    }
