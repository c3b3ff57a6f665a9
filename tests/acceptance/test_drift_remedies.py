"""What may be done about drift: restored with --heal, written into manifests with --accept."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from acceptance_world import live, manifest, project

from gcsync.sandbox.faults import Fault, error_answer

if TYPE_CHECKING:
    from acceptance_world import World

# Healing

RETRIES = "drift: {heal: [{path: actions/*/retry}]}"
BOTH = "Lookup: {timeout_ms: %d, retry: {max_retries: 2}}"


def drifted(world: World, rules: str = RETRIES) -> None:
    """Two settings were applied; a colleague moved the one, and the manifest moved the other."""
    world.write({"gcsync.yaml": project(rules)})
    world.manifests(manifest(actions=BOTH % 5000))
    world.run("apply", "--auto-approve")
    world.manifests(manifest(actions=BOTH % 6000))
    world.edit(9, "/data/retry/maxRetries")


def test_healing_restores_what_drifted_and_leaves_what_is_pending(world: World) -> None:
    drifted(world, "drift: {heal: [{path: 'actions/*'}]}")

    healed = world.run("drift", "--heal", "--auto-approve", "-o", "json")

    assert healed.code == 2
    assert world.action()["data"]["retry"]["maxRetries"] == 2
    assert world.timeout() == 5000
    found = healed.json
    assert found["healed"]["applied"] == 1
    assert [field["kind"] for entry in found["drift"] for field in entry["fields"]] == ["pending"]
    history = world.run("history", "-o", "json").json
    assert history["runs"][0]["run_id"] == found["run_id"]


def test_healing_leaves_nothing_where_all_of_it_is_allowed_and_exits_0(world: World) -> None:
    world.write({"gcsync.yaml": project(RETRIES)})
    world.manifests(manifest(actions="Lookup: {retry: {max_retries: 2}}"))

    healed = world.run("drift", "--heal", "--auto-approve")

    assert healed.code == 0
    assert "1 applied" in healed.out
    assert healed.out.endswith("No drift in 1 flow.\n")


def test_healing_touches_nothing_that_the_project_does_not_allow(world: World) -> None:
    drifted(world, "drift: {heal: [{path: actions/*/timeout_ms}]}")
    before = world.writes()

    healed = world.run("drift", "--heal", "--auto-approve")

    assert healed.code == 2
    assert "nothing that drifted is healed" in healed.err
    assert world.writes() == before


def test_healing_needs_rules_and_somebody_who_approves(world: World) -> None:
    drifted(world, "limits: {max_flows: 9}")
    before = world.writes()

    unruled = world.run("drift", "--heal", "--auto-approve")
    unasked = world.run("drift", "--heal")
    unused = world.run("drift", "--auto-approve")

    assert (unruled.code, unasked.code, unused.code) == (1, 64, 64)
    assert "list settings under spec.drift.heal" in unruled.err
    assert "give --auto-approve" in unasked.err
    assert world.writes() == before


def test_healing_keeps_limits_and_lint(world: World) -> None:
    drifted(world)
    world.write({"gcsync.yaml": project(f"{RETRIES}\nlimits: {{max_flows: 0}}")})
    limited = world.run("drift", "--heal", "--auto-approve")
    world.write(
        {"gcsync.yaml": project(f"{RETRIES}\nlint: {{severity: {{missing-labels: error}}}}")}
    )
    linted = world.run("drift", "--heal", "--auto-approve")

    assert (limited.code, linted.code) == (5, 5)
    assert "max_flows" in limited.err
    assert "lint refuses" in linted.err
    assert world.action()["data"]["retry"]["maxRetries"] == 9


def test_healing_that_fails_ends_as_apply_does_and_tells_what_is_left(world: World) -> None:
    drifted(world)
    world.org.faults.add(Fault(method="PUT", path="*", effect=error_answer(400)))

    healed = world.run("drift", "--heal", "--auto-approve")

    assert healed.code == 1
    assert "1 failed" in healed.out
    assert "Drift: 1 setting in 1 flow of 1; pending: 1 setting in 1 flow." in healed.out


def test_what_was_healed_is_told_though_what_is_left_cannot_be_read(world: World) -> None:
    drifted(world)
    # The look, the reading before the write and the one after it; the look after that fails.
    world.org.faults.add(Fault(method="GET", path="*/id-*", skip=3, effect=error_answer(400)))

    healed = world.run("drift", "--heal", "--auto-approve")

    assert healed.code == 2
    assert "1 applied" in healed.out
    assert "what was healed is shown as it was before" in healed.out


# Accepting

COMMENTED = """\
# Billing, as it should be.
apiVersion: gcsync/v1
kind: Flow
metadata: {name: billing}   # the payments team's
spec:
  flow: {id: id-billing}
  channel: voice
  actions:
    Lookup:
      timeout_ms: 3000   # agreed with the bank
      retry: {max_retries: 2, delay_ms: 100}
"""


def test_accepting_writes_the_live_value_and_nothing_else(world: World) -> None:
    world.write({"manifests/flows.yaml": COMMENTED})
    world.run("apply", "--auto-approve")
    world.edit(12_000)

    accepted = world.run("drift", "--accept", "flow/billing", "-o", "json")

    assert accepted.code == 0
    assert (world.folder / "manifests/flows.yaml").read_text() == COMMENTED.replace(
        "3000 ", "12000 "
    )
    [entry] = accepted.json["accepted"]
    assert (entry["address"], entry["path"]) == ("flow/billing", "actions/Lookup/timeout_ms")
    assert (entry["desired"], entry["live"]) == (3000, 12_000)
    assert accepted.json["drift"] == []
    assert world.run("plan", "--detailed-exitcode").code == 0
    assert world.run("drift").code == 0


def test_accepting_a_setting_that_is_gone_takes_it_out_of_the_manifest(world: World) -> None:
    world.write({"manifests/flows.yaml": COMMENTED})
    world.run("apply", "--auto-approve")
    world.org.mutate("id-billing", _without_delay, author="a colleague")

    accepted = world.run("drift", "--accept", "flow/billing/actions/Lookup/retry/delay_ms")

    assert accepted.code == 0
    assert "retry: {max_retries: 2}\n" in (world.folder / "manifests/flows.yaml").read_text()
    assert "100  ->  (none)" in accepted.out


def _without_delay(document: Any) -> None:
    del document["tasks"][0]["tasks"][0]["actions"][0]["data"]["retry"]["delayMs"]


def test_accepting_a_flow_leaves_what_is_pending_and_a_path_accepts_it(world: World) -> None:
    drifted(world)

    flow = world.run("drift", "--accept", "flow/billing")
    again = world.run("drift", "--accept", "flow/billing")
    path = world.run("drift", "--accept", "flow/billing/actions/Lookup/timeout_ms")

    assert (flow.code, again.code, path.code) == (0, 1, 0)
    assert "max_retries" in flow.out
    assert "nothing drifted; 1 setting pending or tolerated" in again.err
    assert world.run("drift").code == 0


def test_accepting_into_an_overlay_edits_the_overlay(world: World) -> None:
    over = (
        "apiVersion: gcsync/v1\nkind: Flow\nmetadata: {name: billing}\n"
        "spec: {actions: {Lookup: {timeout_ms: 3000}}}\n"
    )
    world.write(
        {
            "gcsync.yaml": project(
                "environments: {prod: {overlays: [over]}, test: {}}\nvariables: {base: 5000}"
            ),
            "over/prod.yaml": over,
        }
    )
    world.manifests(manifest(actions="Lookup: {timeout_ms: '${var.base}'}"))
    world.edit(12_000)

    accepted = world.run("drift", "--env", "prod", "--accept", "flow/billing")

    assert accepted.code == 0
    assert (world.folder / "over/prod.yaml").read_text() == over.replace("3000", "12000")
    assert "warning" not in accepted.out


def test_accepting_what_other_environments_read_too_says_so(world: World) -> None:
    over = (
        "apiVersion: gcsync/v1\nkind: Flow\nmetadata: {name: billing}\n"
        "spec: {actions: {Lookup: {timeout_ms: 3000}}}\n"
    )
    world.write(
        {
            "gcsync.yaml": project(
                "environments: {dev: {overlays: [./over/]}, test: {overlays: [over/x.yaml]},"
                " prod: {}}"
            ),
            "over/x.yaml": over,
        }
    )
    world.manifests(manifest(actions="Lookup: {timeout_ms: 4000}"))
    world.edit(12_000)

    overlay = world.run("drift", "--env", "dev", "--accept", "flow/billing", "-o", "json")
    base = world.run("drift", "--env", "prod", "--accept", "flow/billing", "-o", "json")

    unless = "unless an overlay says otherwise, the value is desired there as well"
    assert overlay.json["warnings"] == [f"over/x.yaml is read for test too: {unless}"]
    assert base.json["warnings"] == [f"manifests/flows.yaml is read for dev, test too: {unless}"]


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        (
            "  defaults: {timeout_ms: 3000}\n  actions: {Lookup: {}, Other: {}}\n",
            "for flow/billing/actions/Other/timeout_ms too; write the setting out",
        ),
        (
            "  actions: {Lookup: {timeout_ms: &t 3000}, Other: {timeout_ms: *t}}\n",
            "for flow/billing/actions/Other/timeout_ms too",
        ),
        (
            "  actions: {Lookup: {timeout_ms: '${var.slow}'}}\n",
            "comes from the variable 'slow' (gcsync.yaml:5:21), used in flow/billing; write",
        ),
        (
            "  actions: {Lookup: {timeout_ms: &t 3000}}\n",
            "shared by an anchor",
        ),
    ],
)
def test_a_value_that_others_share_is_not_accepted(world: World, spec: str, told: str) -> None:
    world.lives(live("billing", {"Lookup": {"timeout": 3000}, "Other": {"timeout": 3000}}))
    world.write({"gcsync.yaml": project("variables: {slow: 3000}")})
    text = manifest().partition("  actions:")[0] + spec
    world.manifests(text)
    world.edit(12_000)

    refused = world.run("drift", "--accept", "flow/billing")

    assert refused.code == 1
    assert told in refused.err
    assert refused.err.count("\n") == 1
    assert (world.folder / "manifests/flows.yaml").read_text() == text


def test_a_value_of_a_binding_that_others_use_is_not_accepted(world: World) -> None:
    auth = {"auth": {"type": "platform_credential", "credentialId": "other"}}
    world.lives(live("billing", {"Lookup": auth, "Other": auth}))
    binding = (
        "apiVersion: gcsync/v1\nkind: AuthBinding\nmetadata: {name: crm}\n"
        "spec: {type: platform_credential, credential_id: mine}\n"
    )
    both = "Lookup: {auth: {binding: crm}}\nOther: {auth: {binding: crm}}"
    world.manifests(binding, manifest(actions=both))

    one = world.run("drift", "--accept", "flow/billing/actions/Lookup")
    all_of_it = world.run("drift", "--accept", "flow/billing")

    assert one.code == 1
    assert "for flow/billing/actions/Other/auth/credential_id too" in one.err
    assert all_of_it.code == 0
    assert "credential_id: other" in (world.folder / "manifests/flows.yaml").read_text()


def test_a_secret_is_not_accepted(world: World) -> None:
    secret = {"headers": [{"name": "Authorization", "value": "Bearer abcdefghij0123456789"}]}
    world.lives(live("billing", {"Lookup": secret}))
    headers = 'Lookup: {request: {headers: {Authorization: "${Secure.Token}"}}}'
    world.manifests(manifest(actions=headers))

    refused = world.run("drift", "--accept", "flow/billing")

    assert refused.code == 1
    assert "the live value is a secret; keep it in a secure variable" in refused.err
    assert "abcdefghij" not in refused.said


def test_a_value_that_no_manifest_may_hold_leaves_the_file_as_it_was(world: World) -> None:
    world.manifests()
    before = (world.folder / "manifests/flows.yaml").read_bytes()
    world.edit(50_000)

    refused = world.run("drift", "--accept", "flow/billing")

    assert refused.code == 1
    assert "it must be at least 1 and at most 30000" in refused.err
    assert (world.folder / "manifests/flows.yaml").read_bytes() == before
    assert [each.name for each in (world.folder / "manifests").iterdir()] == ["flows.yaml"]


def test_an_edit_that_would_let_a_default_through_leaves_the_file_as_it_was(world: World) -> None:
    world.lives(live("billing", {"Lookup": {"url": "/x"}, "Other": {"timeout": 2000}}))
    text = manifest().partition("  actions:")[0] + (
        "  defaults: {timeout_ms: 2000}\n  actions: {Lookup: {timeout_ms: 3000}, Other: {}}\n"
    )
    world.manifests(text)

    refused = world.run("drift", "--accept", "flow/billing")

    assert refused.code == 1
    assert "flow/billing/actions/Lookup/timeout_ms would not be as expected" in refused.err
    assert (world.folder / "manifests/flows.yaml").read_text() == text


def test_line_ends_marks_and_rights_of_a_file_are_kept(world: World) -> None:
    world.manifests()
    file = world.folder / "manifests/flows.yaml"
    before = b"\xef\xbb\xbf" + manifest().replace("\n", "\r\n").encode()
    file.write_bytes(before)
    file.chmod(0o640)

    assert world.run("drift", "--accept", "flow/billing").code == 0
    assert file.read_bytes() == before.replace(b"5000", b"3000")
    assert file.stat().st_mode & 0o777 == 0o640


def test_nothing_is_accepted_where_one_of_several_cannot_be(world: World) -> None:
    world.lives(live("billing"), live("orders"))
    world.write({"manifests/a.yaml": manifest(), "manifests/b.yaml": manifest("orders")})
    world.edit(50_000, name="orders")
    before = (world.folder / "manifests/a.yaml").read_bytes()

    refused = world.run("drift", "--accept", "flow/billing", "--accept", "flow/orders")

    assert refused.code == 1
    assert (world.folder / "manifests/a.yaml").read_bytes() == before


def test_accepting_needs_a_flow_that_is_declared_and_a_path_that_differs(world: World) -> None:
    world.manifests()

    unknown = world.run("drift", "--accept", "flow/biling")
    path = world.run("drift", "--accept", "flow/billing/actions/Lookup/timeout")
    both = world.run("drift", "--accept", "flow/billing", "--heal")
    narrowed = world.run("drift", "--accept", "flow/billing", "--target", "flow/*")

    assert (unknown.code, path.code, both.code, narrowed.code) == (64, 1, 64, 64)
    assert "no manifest declares this flow (did you mean 'flow/billing'?)" in unknown.err
    assert "does not differ, so there is nothing to accept; nearest: actions/Lookup" in path.err


def test_a_file_that_cannot_be_written_is_left_as_it_was(world: World) -> None:
    world.manifests()
    (world.folder / "manifests" / f".flows.yaml.{os.getpid()}.partial").mkdir()

    refused = world.run("drift", "--accept", "flow/billing")

    assert refused.code == 1
    assert "cannot be written" in refused.err
    assert (world.folder / "manifests/flows.yaml").read_text() == manifest()
