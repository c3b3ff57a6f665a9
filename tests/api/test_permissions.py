from __future__ import annotations

from typing import Any, cast

import pytest

from gcsync.api.permissions import permission_for
from gcsync.api.refusal import problem_of
from gcsync.errors import PermissionMissing
from gcsync.sandbox.public_api import public_api


def test_the_sandbox_asks_for_the_same_permissions() -> None:
    nothing = cast("Any", None)
    asked = {
        f"{method} {path}": permission
        for path, methods in public_api(nothing, nothing, nothing, nothing).items()
        for method, (permission, _) in methods.items()
    }

    told = {name: permission_for(name.replace("{id}", "x1")) for name in asked}

    assert len(asked) > 20
    assert told == asked


@pytest.mark.parametrize(
    ("name", "permission"),
    [
        ("GET /api/v2/flows", "architect:flow:view"),
        ("PUT /api/v2/flows/f-1", "architect:flow:edit"),
        ("GET /api/v2/integrations/actions", "integrations:action:view"),
        ("GET /api/v2/integrations/i-1", "integrations:integration:view"),
        ("GET /api/v2/integrations/actions/drafts", "integrations:action:view"),
        (
            "POST /api/v2/flows/executions",
            "architect:flow:launch (behind a gateway: flow:execution:write)",
        ),
        ("GET /api/v2/organizations/me", None),
        ("GET /api/v2/flows/a/b", None),
    ],
)
def test_a_request_is_known_by_method_and_path(name: str, permission: str | None) -> None:
    assert permission_for(name) == permission


def denied(body: bytes) -> PermissionMissing:
    found = problem_of("PUT /api/v2/flows/f-1", status=403, headers={}, body=body, write=True)
    assert found
    assert isinstance(found.error, PermissionMissing)
    return found.error


@pytest.mark.parametrize(
    ("body", "fact"),
    [(b"", ""), (b"{}", ""), (b'{"message": "Forbidden"}', "Forbidden; ")],
)
def test_what_the_answer_does_not_name_is_told_from_the_request(body: bytes, fact: str) -> None:
    error = denied(body)

    assert error.permission == "architect:flow:edit"
    assert str(error) == (
        f"PUT /api/v2/flows/f-1: not allowed: {fact}it takes architect:flow:edit; add it to a role"
        " of the OAuth client"
    )


def test_what_the_answer_names_is_what_counts() -> None:
    error = denied(b'{"message": "missing the permission architect:flow:publish"}')

    assert error.permission == "architect:flow:publish"
    assert "architect:flow:edit" not in str(error)
