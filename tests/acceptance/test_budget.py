from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from acceptance_world import live, manifest

from gcsync.sandbox.faults import Fault, error_answer

if TYPE_CHECKING:
    from acceptance_world import World

NOBODY = {
    "GCSYNC_API_URL": None,
    "GENESYSCLOUD_OAUTHCLIENT_ID": None,
    "GENESYSCLOUD_OAUTHCLIENT_SECRET": None,
}


def data(name: str, **settings: Any) -> dict[str, Any]:
    return {"id": f"id-{name}", "type": "data", "name": name, "data": settings}


def flow(*steps: dict[str, Any], name: str = "billing", **more: Any) -> bytes:
    """A live flow document of these steps."""
    head = {"id": f"id-{name}", "name": name.title(), "type": "inboundcall"}
    return json.dumps({**head, "actions": steps, **more}).encode()


BRANCHING = flow(
    data("Greet", timeout=1000),
    {
        "type": "decision",
        "outputs": {
            "yes": {"actions": [data("Lookup", timeout=3000)]},
            "no": {
                "actions": [
                    {
                        "type": "loop",
                        "loopCount": 3,
                        "outputs": {"loop": {"actions": [data("Pay", timeout=2000)]}},
                    }
                ]
            },
        },
    },
)
"""Greet, then either Lookup or up to three rounds of Pay: 4 s at worst."""


@pytest.fixture
def branching(world: World) -> World:
    """Lookup is to be retried: 1 s + 2 x 3 s + 0.5 s of 6 s on voice."""
    world.lives(BRANCHING)
    world.manifests(manifest(actions="Lookup: {retry: {max_retries: 1, delay_ms: 500}}"))
    return world


def test_worst_cases_are_shown_against_the_budget_live_and_desired(branching: World) -> None:
    budget = branching.process("budget")

    assert (budget.code, budget.err) == (0, "")
    lines = budget.out.splitlines()
    assert lines[0] == "✗ flow/billing  7.5 s of 6 s, over by 1.5 s"
    table = [line.split("%")[0].split() for line in lines[2:8]]
    assert table[0] == ["Greet", "1.0", "s", "1.0", "s", "17"]
    assert table[1] == ["Lookup", "3.0", "s", "6.5", "s", "109"]
    assert lines[4].split(maxsplit=5)[5] == "not on the longest way"
    assert table[3] == ["worst", "case", "live", "4.0", "s", "67"]
    assert table[4] == ["worst", "case", "7.5", "s", "125"]
    assert lines[-1] == "1 of 1 flow over budget."
    assert max(map(len, lines)) <= 100
    assert branching.writes() == 0


def test_the_json_of_a_budget_has_every_documented_member(branching: World) -> None:
    budget = branching.run("budget", "-o", "json")

    document = budget.json
    assert budget.code == 0
    assert document["format_version"] == "1.0"
    [billing] = document["flows"]
    actions = billing.pop("actions")
    assert billing == {
        "address": "flow/billing",
        "budget_ms": 6000,
        "live_ms": 4000,
        "desired_ms": 7500,
        "within_budget": False,
        "notes": [],
    }
    members = ("name", "live_ms", "desired_ms", "on_longest_way", "loop_times")
    assert [tuple(action[name] for name in members) for action in actions] == [
        ("Greet", 1000, 1000, True, 1),
        ("Lookup", 3000, 6500, True, 1),
        ("Pay", 2000, 2000, False, 3),
    ]
    assert document["summary"] == {"flows": 1, "over_budget": 1}
    assert document["warnings"] == []


def test_a_loop_without_bound_is_null_for_scripts(world: World) -> None:
    loop = {"type": "loop", "outputs": {"loop": {"actions": [data("Lookup")]}}}
    world.lives(flow(loop))
    world.manifests()

    [billing] = world.run("budget", "-o", "json").json["flows"]

    assert billing["actions"][0]["loop_times"] is None


def test_markdown_is_for_pull_requests_and_text_still_goes_to_stdout(branching: World) -> None:
    budget = branching.run("budget", "-o", "markdown=budget.md")

    written = (branching.folder / "budget.md").read_text()
    assert "| Lookup | 3\\.0 s | 6\\.5 s | 109 \\% |" in written
    assert written.endswith("1 of 1 flow over budget\\.\n")
    assert budget.out.endswith("1 of 1 flow over budget.\n")


def test_check_exits_1_only_where_the_desired_settings_are_over_budget(branching: World) -> None:
    over = branching.run("budget", "--check", "-o", "json")
    branching.manifests(manifest(actions="Lookup: {timeout_ms: 5000}"))
    at_budget = branching.run("budget", "--check")

    assert (over.code, over.json["summary"]["over_budget"]) == (1, 1)
    assert at_budget.code == 0
    assert at_budget.out.endswith("1 flow within budget.\n")


def test_without_credentials_the_manifests_alone_are_looked_at_and_that_is_said(
    world: World,
) -> None:
    world.manifests(manifest(actions="Lookup: {timeout_ms: 5000}\nPay: {retry: {max_retries: 1}}"))

    budget = world.run("budget", "--check", "-o", "json", **NOBODY)

    assert budget.code == 1
    [billing] = budget.json["flows"]
    assert (billing["live_ms"], billing["desired_ms"]) == (None, 11_000)
    assert [action["live_ms"] for action in billing["actions"]] == [None, None]
    [warning] = budget.json["warnings"]
    assert warning.startswith("nothing live was read: ")
    assert "GENESYSCLOUD_ACCESS_TOKEN" in warning
    assert budget.err == f"warning: {warning}\n"
    assert not world.org.requests


def test_readers_of_text_see_that_nothing_live_was_read(world: World) -> None:
    world.manifests()

    budget = world.run("budget", "-q", **NOBODY)

    assert (budget.code, budget.err) == (0, "")
    assert budget.out.splitlines()[-2].startswith("nothing live was read: ")


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"GENESYS_ORG_ID": "11111111-2222-4333-8444-555555555555"}, "is asserted by"),
        ({"GENESYSCLOUD_REGION": "eu-west-9"}, "no such Genesys Cloud region"),
        ({"GCSYNC_API_URL": "ftp://x"}, "GCSYNC_API_URL"),
        ({"GENESYSCLOUD_OAUTHCLIENT_SECRET": "wrong"}, "client"),
    ],
)
def test_a_connection_that_is_wrong_is_an_error_and_no_excuse(
    world: World, variables: dict[str, str], said: str
) -> None:
    world.manifests()

    budget = world.run("budget", **variables)

    assert (budget.code, budget.out) == (1, "")
    assert said in budget.err


def test_a_permission_that_is_missing_is_an_error(world: World) -> None:
    world.manifests()
    world.org.faults.add(Fault(path="/api/v2/flows/*", effect=error_answer(403)))

    budget = world.run("budget")

    assert (budget.code, budget.out) == (1, "")
    assert "403" in budget.err


def test_saved_snapshots_give_the_same_without_asking_anybody(branching: World) -> None:
    online = branching.run("budget", "-o", "json")
    branching.run("plan", "--save-snapshots", "snapshots.json", "--no-lint")
    asked = dict(branching.org.requests)

    offline = branching.run("budget", "--offline", "snapshots.json", "-o", "json", **NOBODY)

    assert offline.json == online.json
    assert dict(branching.org.requests) == asked


def test_the_sandbox_is_looked_at_where_it_is_asked_for(world: World) -> None:
    world.manifests(
        manifest(
            "billing-inbound",
            "GetCustomerProfile: {timeout_ms: 4321}",
            flow="{name: Billing Inbound, type: inboundcall}",
        )
    )

    [billing] = world.run("budget", "--sandbox", "-o", "json", **NOBODY).json["flows"]

    assert billing["live_ms"] is not None
    assert len(billing["actions"]) > 1
    assert not world.org.requests


def test_select_target_and_exclude_narrow_the_budget(world: World) -> None:
    world.lives(live("a"), live("b"), live("c"))
    world.manifests(manifest("a", labels="{team: x}"), manifest("b"), manifest("c"))

    def looked_at(*words: str) -> list[str]:
        document = world.run("budget", "-o", "json", *words).json
        return [each["address"] for each in document["flows"]]

    assert looked_at() == ["flow/a", "flow/b", "flow/c"]
    assert looked_at("--select", "team=x") == ["flow/a"]
    assert looked_at("--target", "*/b", "--target", "*/c", "--exclude", "*/c") == ["flow/b"]


def test_a_data_action_that_is_not_live_is_a_finding_and_never_left_out(world: World) -> None:
    world.manifests(manifest(actions="Lokup: {timeout_ms: 1}"))

    budget = world.run("budget", "-o", "json")

    assert budget.code == 1
    assert (
        "manifests/flows.yaml:11:5: error: the live flow has no data action 'Lokup'" in budget.err
    )
    [finding] = budget.json["findings"]
    assert "nearest: Lookup" in finding["message"]


def test_manifests_without_a_flow_are_no_all_clear(world: World) -> None:
    world.write({"manifests/none.yaml": "# everything was removed by mistake\n"})

    assert world.run("budget", "--check").code == 1


def test_tasks_that_call_each_other_without_end_are_no_reason_to_wait(world: World) -> None:
    def call(number: int) -> dict[str, Any]:
        return {"type": "callTask", "task": {"name": f"T{number}"}}

    tasks = [{"name": f"T{n}", "actions": [call(n + 1), call(n + 1)]} for n in range(40)]
    last = {"name": "T40", "actions": [data("Lookup", timeout=3000)]}
    deep = {"name": "Deep", "actions": [data("Deep", timeout=1)]}
    for _ in range(200):
        deep = {"name": "Deeper", "actions": [deep]}
    world.lives(flow(call(0), tasks=[*tasks, last, deep]))
    world.manifests()

    [billing] = world.run("budget", "-o", "json").json["flows"]
    plan = world.run("plan", "--no-lint", "-o", "json").json

    assert billing["desired_ms"] == 2**40 * 5000 + 1
    [change] = plan["resource_changes"]
    assert change["worst_case_ms"] == {
        "before": 2**40 * 3000 + 1,
        "after": 2**40 * 5000 + 1,
        "budget": 6000,
    }


@pytest.mark.parametrize(
    "half",
    [
        {"GCSYNC_API_URL": None},
        {"GENESYSCLOUD_OAUTHCLIENT_ID": None},
    ],
)
def test_a_connection_that_is_half_configured_is_an_error(
    world: World, half: dict[str, str | None]
) -> None:
    world.manifests()

    refused = world.run("budget", "--check", **half)

    assert refused.code == 1
    assert "no connection to an organisation" in refused.err


def test_manifests_that_share_a_flow_count_each_other_s_settings(world: World) -> None:
    actions = {name: {"timeout": ms} for name, ms in (("A", 3000), ("B", 2000), ("C", 1000))}
    world.lives(live(actions=actions))
    shared = "{id: id-billing}"
    world.manifests(
        manifest("one", "A: {timeout_ms: 5000}", flow=shared),
        manifest("two", "B: {timeout_ms: 4000}", flow=shared),
    )

    budgets = world.run("budget", "-o", "json").json
    plan = world.run("plan", "-o", "json").json

    assert [flow["desired_ms"] for flow in budgets["flows"]] == [10_000, 10_000]
    assert [change["worst_case_ms"]["after"] for change in plan["resource_changes"]] == [
        10_000,
        10_000,
    ]
