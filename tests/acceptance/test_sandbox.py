from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest
from acceptance_world import ended, manifest

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from acceptance_world import World


def facts_of(serving: subprocess.Popen[str]) -> dict[str, Any]:
    assert serving.stdout is not None
    return dict(json.loads(serving.stdout.readline()))


@pytest.fixture
def serving(world: World) -> Iterator[subprocess.Popen[str]]:
    process = world.spawn("sandbox", "serve", "--state", "state", "--rate-limit", "off")
    yield process
    process.kill()
    ended(process)


def test_serve_prints_one_line_of_json_that_other_commands_can_use(
    world: World, serving: subprocess.Popen[str]
) -> None:
    facts = facts_of(serving)
    world.manifests(
        manifest(
            "billing-inbound",
            "GetCustomerProfile: {timeout_ms: 4321}",
            flow="{name: Billing Inbound, type: inboundcall}",
        )
    )
    connection = {
        "GCSYNC_API_URL": facts["url"],
        "GENESYSCLOUD_OAUTHCLIENT_ID": facts["client_id"],
        "GENESYSCLOUD_OAUTHCLIENT_SECRET": facts["client_secret"],
        "GENESYS_ORG_ID": facts["org_id"],
    }

    applied = world.run("apply", "--auto-approve", **connection)
    by_key = world.run(
        "drift",
        **connection | {"GENESYSCLOUD_OAUTHCLIENT_SECRET": None},
        GENESYS_PRIVATE_KEY=facts["private_key"],
    )

    assert applied.code == 0, applied.said
    assert by_key.code == 0, by_key.said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_ends_in_good_order_on_a_signal(
    serving: subprocess.Popen[str], number: signal.Signals
) -> None:
    facts_of(serving)

    serving.send_signal(number)
    end = ended(serving)

    assert (end.code, end.out, end.err) == (0, "", "")


@pytest.mark.parametrize("words", [("--port", "70000"), ("--size", "0"), ("--rate-limit", "many")])
def test_serve_refuses_what_cannot_be_served(world: World, words: tuple[str, str]) -> None:
    assert world.run("sandbox", "serve", *words).code == 64


def test_the_sandbox_is_never_the_silent_default(world: World) -> None:
    world.manifests()

    plan = world.run("plan", GCSYNC_API_URL=None)

    assert plan.code == 1
    assert not (world.folder / ".gcsync").exists()


def test_the_sandbox_takes_no_heed_of_credentials_for_a_real_organisation(world: World) -> None:
    world.manifests(
        manifest(
            "billing-inbound",
            "GetCustomerProfile: {timeout_ms: 4321}",
            flow="{name: Billing Inbound, type: inboundcall}",
        )
    )

    planned = world.run("plan", "--sandbox", GENESYS_ORG_ID="another")

    assert planned.code == 0
    assert not world.org.requests
