"""Drafts that have to stand a test before they are published, from manifest to back end."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest
from acceptance_world import DEADLINE_S, ended, project
from faultproxy import FaultProxy, Gate, lose_answer, reset_unseen
from manifest_builders import data_action
from public_builders import stored_action
from public_world import has

from gcsync.model.traffic import Constant
from gcsync.sandbox.action_runs import Service
from gcsync.sandbox.backends import BackEnd
from gcsync.sandbox.faults import Answer, Delay, Fault, error_answer
from gcsync.sandbox.oauth import ALL_PERMISSIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from acceptance_world import Outcome, World

ID = "custom_-_1"
PLACE = f"/api/v2/integrations/actions/{ID}/draft/test"
APPLY = ("apply", "--auto-approve", "-o", "json")
SCHEMA = {"type": "object", "properties": {"id": {"type": "string"}}}
CONTRACT = {"input": {"inputSchema": SCHEMA}, "output": {"successSchema": {"type": "object"}}}
CASE = 'test: [{name: known, input: {id: "7"}, expect: {output: {/id: {equals: "7"}}}}]'
FAILING = "test: [{name: known, expect: {output: {/x: {equals: 7}}}}]"
TESTED = "data_actions: {publish: draft, test: true}"


def declares(world: World, cases: str = CASE, spec: str = TESTED) -> None:
    world.write({"gcsync.yaml": project(spec)})
    world.manifests(data_action(spec=f"timeout_ms: 7000\n{cases}"))


@pytest.fixture
def centre(world: World) -> World:
    """A data action whose back end gives back what it is given, and a manifest with a test."""
    has(world, stored_action(contract=CONTRACT))
    declares(world)
    return world


@pytest.fixture
def proxy(centre: World) -> Iterator[FaultProxy]:
    with FaultProxy(centre.url) as proxy:
        centre.environ["GCSYNC_API_URL"] = proxy.url
        yield proxy


def runs(world: World) -> int:
    """How often the back end was called for a draft."""
    return world.org.requests["POST /api/v2/integrations/actions/{id}/draft/test"]


def timeout(world: World) -> Any:
    return world.org.actions.published(ID).config["timeoutSeconds"]


def refused(world: World, applied: Outcome) -> str:
    """Why nothing was published, once it is known that nothing was, and no draft is left."""
    [result] = applied.json["results"]
    assert (applied.code, result["status"], result["error"]["code"]) == (1, "failed", "draft-test")
    assert (world.org.actions.log, world.org.actions.drafts) == ([], ())
    message = str(result["error"]["message"])
    assert "not published, for test case 'known' of its draft " in message
    return message


def test_a_draft_that_stands_its_test_is_published(centre: World) -> None:
    applied = centre.run("apply", "--auto-approve", "-v")

    assert applied.code == 0
    assert "dataaction/get-customer: test known passed" in applied.err
    assert "without a test" not in applied.said
    assert (runs(centre), timeout(centre), centre.org.actions.drafts) == (1, 7, ())


def test_a_draft_whose_back_end_fails_is_not_published(centre: World) -> None:
    centre.org.action_runs.services[ID] = Service(
        back_end=BackEnd(latency=Constant(value_ms=1), failure_percent=100)
    )

    message = refused(centre, centre.run(*APPLY))

    assert (
        "failed in step 2 (Execute the request): The request failed with status 503;"
        " correct the manifest, or what the data action calls"
    ) in message


def test_a_draft_that_gives_something_else_is_not_published(centre: World) -> None:
    centre.org.action_runs.services[ID] = Service(body={"id": "8"})

    message = refused(centre, centre.run(*APPLY))

    assert "did not give what manifests/flows.yaml:7:10 expects: " in message
    assert "output/id: wanted 7, got 8" in message


def test_a_draft_that_is_too_slow_is_not_published(centre: World) -> None:
    declares(centre, "test: [{name: known, expect: {within_ms: 1}}]")
    centre.org.faults.add(Fault(method="POST", path=PLACE, effect=Delay(seconds=0.02)))

    message = refused(centre, centre.run(*APPLY))

    assert "within_ms: wanted at most 1 ms, got " in message


def test_inputs_that_do_not_fit_the_contract_are_all_told_before_a_draft_is_begun(
    centre: World,
) -> None:
    schema = {
        "type": "object",
        "properties": {"visitorId": {"type": "string"}, "limit": {"type": "integer"}},
        "required": ["visitorId"],
    }
    has(centre, stored_action(contract=CONTRACT | {"input": {"inputSchema": schema}}))
    declares(
        centre, 'test: [{name: a, input: {x: "1"}}, {name: b, input: {visitorID: 7, limit: 1.5}}]'
    )

    applied = centre.run(*APPLY)

    [result] = applied.json["results"]
    assert (applied.code, result["status"], result["error"]["code"]) == (1, "failed", "draft-test")
    assert result["error"]["message"] == (
        "dataaction/get-customer (Get Customer): no draft was begun, for its tests do not fit its"
        " contract: manifests/flows.yaml:7:10: test case 'a': x is no input of the data action;"
        " it takes visitorId, limit;"
        " manifests/flows.yaml:7:10: test case 'a': visitorId, a text, is missing;"
        " manifests/flows.yaml:7:38: test case 'b': visitorID is no input of the data action:"
        " it is called visitorId, which it requires;"
        " manifests/flows.yaml:7:38: test case 'b': limit is a number, and the data action wants"
        " an integer"
    )
    assert centre.org.requests["POST /api/v2/integrations/actions/{id}/draft"] == 0
    assert runs(centre) == 0


def test_a_contract_that_names_no_inputs_or_is_odd_refuses_no_test(centre: World) -> None:
    for schema in ({}, {"properties": {"id": 7}, "required": "id"}):
        contract = CONTRACT | {"input": {"inputSchema": {"type": "object"} | schema}}
        has(centre, stored_action(contract=CONTRACT | contract))

        assert centre.run(*APPLY).code in (0, 1)
        assert runs(centre) == 1


def test_what_only_the_api_knows_of_a_contract_the_api_refuses(centre: World) -> None:
    schema = {"type": "object", "properties": {"id": {"type": "string", "maxLength": 0}}}
    has(centre, stored_action(contract=CONTRACT | {"input": {"inputSchema": schema}}))

    message = refused(centre, centre.run(*APPLY))

    assert "was refused: " in message
    assert "The input does not fit the contract: id: " in message


def test_the_first_case_that_fails_ends_the_tests(centre: World) -> None:
    declares(centre, f"{FAILING[:-1]}, {{name: other}}]")

    refused(centre, centre.run(*APPLY))

    assert runs(centre) == 1


def test_a_missing_permission_is_named(centre: World) -> None:
    allowed = ALL_PERMISSIONS - {"integrations:action:execute"}
    has(centre, stored_action(contract=CONTRACT), permissions=allowed)

    message = refused(centre, centre.run(*APPLY))

    assert "it needs the permission integrations:action:execute" in message


@pytest.mark.parametrize("fault", [lose_answer, reset_unseen])
def test_a_lost_answer_publishes_nothing_and_calls_nobody_again(
    centre: World, proxy: FaultProxy, fault: Any
) -> None:
    proxy.on("POST", PLACE, fault)

    message = refused(centre, centre.run(*APPLY))

    assert "has no answer that tells (" in message
    assert "its back end may have been called" in message
    assert proxy.count(f"POST {PLACE}") == 1


@pytest.mark.parametrize("status", [500, 504])
def test_a_platform_that_fails_publishes_nothing(centre: World, status: int) -> None:
    centre.org.faults.add(Fault(method="POST", path=PLACE, effect=error_answer(status)))

    message = refused(centre, centre.run(*APPLY))

    assert f"the API answered {status}" in message


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({}, ", and the answer does not say why"),
        ({"success": "yes", "finalResult": {"id": "7"}}, ", and the answer does not say why"),
        ({"success": False, "error": {"message": "no route"}}, ": no route"),
        ({"success": False, "operations": [7, {"success": False}]}, "failed; correct"),
        (
            {
                "success": False,
                "operations": [
                    {"success": False, "name": "Execute", "error": {"message": "a" * 999}}
                ],
            },
            f"failed (Execute): {'a' * 300};",
        ),
    ],
)
def test_an_answer_is_taken_for_what_it_says(centre: World, answer: Any, told: str) -> None:
    answers(centre, answer)

    assert told in refused(centre, centre.run(*APPLY))


def test_no_secret_of_an_answer_is_shown(centre: World) -> None:
    token = "Bearer hunter2-0123456789abcdef"
    sent = {"headers": {"Authorization": token}}
    answers(
        centre,
        {
            "success": False,
            "operations": [
                {"step": 1, "name": "Resolve", "success": True, "result": sent},
                {
                    "step": 2,
                    "name": f"Execute {token}",
                    "success": False,
                    "result": sent,
                    "error": {"message": f"cannot send {token}"},
                },
            ],
        },
    )

    applied = centre.run(*APPLY, "-v", "-v")

    assert "looks like a secret and is not shown" in refused(centre, applied)
    assert "hunter2" not in applied.said
    assert "hunter2" not in centre.run("history", "-o", "json").said


def test_a_secret_in_a_result_is_not_shown(centre: World) -> None:
    declares(centre, 'test: [{name: known, expect: {output: {"": {matches: "^x"}}}}]')
    signed = f"eyJhbGciOiJIUzI1NiJ9.{'eyJzdWIiOiIxMjM0In0' * 9}.dozjgNryP4J3jVmNHl0w5N"
    answers(centre, {"success": True, "finalResult": signed})

    applied = centre.run(*APPLY)

    assert "got a text that looks like a secret" in refused(centre, applied)
    assert "eyJ" not in applied.said


def test_an_interrupted_test_is_not_waited_for_and_leaves_no_draft(
    centre: World, proxy: FaultProxy
) -> None:
    gate = Gate()
    proxy.on("POST", PLACE, gate)
    process = centre.spawn(*APPLY)
    assert gate.met.wait(DEADLINE_S)

    process.send_signal(signal.SIGINT)
    applied = ended(process)
    gate.opened.set()

    [result] = applied.json["results"]
    assert (applied.code, result["status"]) == (130, "failed")
    assert "interrupted before it was answered" in result["error"]["message"]
    assert (centre.org.actions.log, centre.org.actions.drafts) == ([], ())


def test_a_draft_that_a_second_signal_leaves_is_taken_up_by_the_next_run(
    centre: World, proxy: FaultProxy
) -> None:
    testing, removing = Gate(), Gate()
    proxy.on("POST", PLACE, testing)
    proxy.on("DELETE", PLACE.removesuffix("/test"), removing)
    process = centre.spawn(*APPLY)
    assert testing.met.wait(DEADLINE_S)
    process.send_signal(signal.SIGINT)
    assert removing.met.wait(DEADLINE_S)
    process.send_signal(signal.SIGINT)
    cut_off = ended(process)
    left = centre.org.actions.drafts

    again = centre.run(*APPLY)
    testing.opened.set()
    removing.opened.set()

    assert (cut_off.code, len(left)) == (130, 1)
    assert (again.code, timeout(centre), centre.org.actions.drafts) == (0, 7, ())


def test_a_draft_that_is_gone_while_it_is_tested_is_begun_anew(centre: World) -> None:
    centre.org.faults.add(Fault(method="POST", path=PLACE, effect=error_answer(404)))
    still_there = centre.run(*APPLY)
    assert (still_there.code, centre.org.actions.drafts) == (1, ()), still_there.said

    with FaultProxy(centre.url) as proxy:
        centre.environ["GCSYNC_API_URL"] = proxy.url

        def removed(exchange: Any) -> None:
            centre.org.actions.delete_draft(ID)
            exchange.client.sendall(exchange.forward())

        proxy.on("POST", PLACE, removed)
        applied = centre.run(*APPLY)

    assert (applied.code, timeout(centre), runs(centre)) == (0, 7, 2)


def test_a_data_action_without_a_case_is_published_and_that_is_said(centre: World) -> None:
    declares(centre, "")

    applied = centre.run(*APPLY)

    assert (applied.code, runs(centre), timeout(centre)) == (0, 0, 7)
    assert applied.json["warnings"] == [
        "dataaction/get-customer: published without a test, for the manifest has no test case"
    ]


@pytest.mark.parametrize(
    ("spec", "words", "count"),
    [
        ("data_actions: {publish: draft}", (), 0),
        ("data_actions: {publish: draft}", ("--test-drafts",), 1),
        (TESTED, ("--no-test-drafts",), 0),
    ],
)
def test_the_command_line_beats_the_project(
    centre: World, spec: str, words: tuple[str, ...], count: int
) -> None:
    declares(centre, spec=spec)

    applied = centre.run(*APPLY, *words)

    assert (applied.code, runs(centre), timeout(centre)) == (0, count, 7)


def test_what_is_to_be_approved_says_that_real_back_ends_will_be_called(centre: World) -> None:
    drafts = "! 1 data action is published by way of a draft\n"
    calls = "! real back ends will be called by 1 test case of drafts\n"
    saved = centre.run("plan", "--out", "p.json")
    declares(centre, "")
    bare = centre.run("plan")
    declares(centre)

    carried_out = centre.run("apply", "p.json")
    as_desired = centre.run("plan")
    undone = centre.run("rollback", "latest", "--auto-approve")
    again = centre.run("apply", "--auto-approve")
    run_id = centre.run("history", "-o", "json").json["runs"][0]["run_id"]
    declares(centre, spec="data_actions: {publish: draft}")
    centre.manifests(data_action(spec="timeout_ms: 9000"))
    assert centre.run("apply", "--auto-approve").code == 0
    left = centre.run("rollback", run_id, "--auto-approve")

    assert f"{drafts}{calls}Plan: 1 data action" in saved.out
    assert "! 1 data action without a test case will be published without a test\n" in bare.out
    assert f"{drafts}{calls}".replace("! ", "") in carried_out.err
    assert "draft" not in as_desired.out
    assert (drafts in undone.out, calls in undone.out) == (True, False)
    assert f"{drafts}{calls}Plan: 1 data action" in again.out
    assert (drafts in left.out, "1 data action left alone" in left.out) == (False, True)


def test_what_is_published_at_once_cannot_be_tested(centre: World) -> None:
    declares(centre, spec="data_actions: {publish: direct}")
    asked = centre.run(*APPLY, "--test-drafts")
    declares(centre, spec="data_actions: {test: true}")
    declared = centre.run("validate")

    assert (asked.code, runs(centre), centre.org.actions.log) == (64, 0, [])
    assert "--test-drafts needs spec.data_actions: {publish: draft} in gcsync.yaml" in asked.err
    assert declared.code == 1
    assert "gcsync.yaml:5:24: error: data_actions/test needs publish: draft" in declared.said


def test_a_saved_plan_is_tested_by_the_manifests_that_lie_beside_it(centre: World) -> None:
    assert centre.run("plan", "--out", "p.json").code == 0
    declares(centre, FAILING)

    message = refused(centre, centre.run("apply", "p.json", "-o", "json"))
    untested = centre.run("apply", "p.json", "--no-test-drafts")

    assert "output/x: wanted 7, got nothing" in message
    assert (untested.code, runs(centre), timeout(centre)) == (0, 1, 7)


def test_healing_is_tested_too(centre: World) -> None:
    heal = ("drift", "--heal", "--auto-approve")
    declares(centre, spec=f"{TESTED}\ndrift: {{heal: [{{path: timeout_ms}}]}}")

    healed = centre.run(*heal)

    assert (healed.code, runs(centre), timeout(centre)) == (0, 1, 7)
    assert centre.run("drift", "--test-drafts").code == 64


@pytest.mark.parametrize(("words", "count"), [((), 0), (("--test-drafts",), 1)])
def test_a_rollback_is_tested_on_demand_alone(
    centre: World, words: tuple[str, ...], count: int
) -> None:
    assert centre.run(*APPLY, "--no-test-drafts").code == 0

    rolled_back = centre.run("rollback", "latest", "--auto-approve", *words)

    assert (rolled_back.code, runs(centre), timeout(centre)) == (0, count, 20)
    assert "without a test" not in rolled_back.said


def test_the_saved_plan_of_a_rollback_is_not_tested_either(centre: World) -> None:
    assert centre.run(*APPLY, "--no-test-drafts").code == 0
    assert centre.run("rollback", "latest", "--out", "back.json").code == 0

    applied = centre.run("apply", "back.json")

    assert "without a test" not in applied.said
    assert (applied.code, runs(centre), timeout(centre)) == (0, 0, 20)


def test_a_wave_that_goes_back_is_not_tested_on_its_way(centre: World) -> None:
    has(
        centre,
        stored_action(contract=CONTRACT),
        stored_action("custom_-_2", name="Pay", contract=CONTRACT),
    )
    failing = 'test: [{name: unknown, expect: {output: {/x: {equals: "7"}}}}]'
    centre.write(
        {
            "manifests/flows.yaml": data_action(spec=f"timeout_ms: 7000\n{CASE}"),
            "manifests/pay.yaml": data_action(
                "pay", action="{id: custom_-_2}", spec=f"timeout_ms: 7000\n{failing}"
            ),
        }
    )

    applied = centre.run(*APPLY, "--rollback-on-failure")

    statuses = {each["address"]: each["status"] for each in applied.json["results"]}
    assert statuses == {"dataaction/get-customer": "applied", "dataaction/pay": "failed"}
    # Each was tested once, and what went back was not tested again.
    assert (applied.code, runs(centre), timeout(centre)) == (4, 2, 20)


def answers(world: World, answer: Any) -> None:
    """What the platform says to the next test."""
    headers = {"Content-Type": "application/json"}
    said = Answer(status=200, headers=headers, body=json.dumps(answer).encode())
    world.org.faults.add(Fault(method="POST", path=PLACE, effect=said))
