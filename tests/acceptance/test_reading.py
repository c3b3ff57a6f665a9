"""How many requests commands take to read data actions, and what they make of those that move."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from acceptance_world import NO_LIMITS
from public_builders import REQUEST, SUCCESS, stored_action
from public_world import CRM, files, has, no_change

from gcsync.drivers.action_look import LATE
from gcsync.sandbox.actions import Actions
from gcsync.sandbox.integrations import Integrations
from gcsync.sandbox.org import Organisation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from acceptance_world import World

    from gcsync.sandbox.stored_action import StoredAction
    from gcsync.sandbox.wire import Request, Response

LISTING = "GET /api/v2/integrations/actions"
ONE = f"{LISTING}/{{id}}"
TEMPLATE = f"{LISTING}/{{id}}/templates/{{file}}"
BESIDE = {"POST /oauth/token": 1, "GET /api/v2/organizations/me": 1}


class Restless(Organisation):
    """Somebody saves *edit* of a data action, for each of *moving*, once a template was read."""

    def __init__(
        self, *actions: StoredAction, moving: set[str], edit: Mapping[str, Mapping[str, Any]]
    ) -> None:
        super().__init__(
            [], actions=Actions(actions), integrations=Integrations([CRM]), **NO_LIMITS
        )
        self.moving = moving
        self._edit = edit

    def handle(self, request: Request, *, now: float) -> Response:
        answer = super().handle(request, now=now)
        action_id, _, rest = request.path.partition("/actions/")[2].partition("/")
        if rest.startswith("templates/") and action_id in self.moving:
            self.moving.remove(action_id)
            live = self.actions.published(action_id)
            config = {
                "timeoutSeconds": 41,
                **{part: {**live.config[part], **held} for part, held in self._edit.items()},
            }
            changed = replace(live, config={**live.config, **config})
            self.actions.publish(changed, author="a colleague")
        return answer


def sent(world: World, act: Callable[[], object]) -> dict[str, int]:
    before = dict(world.org.requests)
    act()
    after = world.org.requests
    return {
        each: after[each] - before.get(each, 0) for each in after if after[each] != before.get(each)
    }


def actions(count: int) -> list[StoredAction]:
    return [stored_action(name(number), name=f"Action {number}") for number in range(count)]


def name(number: int) -> str:
    return f"custom_-_{number}"


def manifests(world: World, count: int, spec: str, *, by_id: bool = False) -> None:
    """A manifest for each of so many data actions; *spec* is what it says of settings."""
    documents = []
    for number in range(count):
        selector = (
            f"{{id: {name(number)}}}" if by_id else f"{{name: Action {number}, integration: CRM}}"
        )
        documents.append(
            f"apiVersion: gcsync/v1\nkind: DataAction\nmetadata: {{name: action-{number}}}\n"
            f"spec: {{action: {selector}, {spec}}}\n"
        )
    world.write({"manifests/actions.yaml": "---\n".join(documents)})


@pytest.mark.parametrize("command", ["plan", "drift"])
def test_600_data_actions_without_templates_are_read_by_their_listing_alone(
    world: World, command: str
) -> None:
    has(world, *actions(600))
    manifests(world, 600, "timeout_ms: 20000")

    told = sent(world, lambda: world.run(command, "--no-record" if command == "drift" else "-v"))

    assert told == {**BESIDE, "GET /api/v2/integrations": 1, LISTING: 6}


def test_600_data_actions_by_their_ids_are_listed_fifty_at_a_time(world: World) -> None:
    has(world, *actions(601))
    manifests(world, 600, "timeout_ms: 20000", by_id=True)

    assert sent(world, lambda: no_change(world)) == {**BESIDE, LISTING: 12}


def test_templates_that_manifests_manage_are_read_and_no_other(world: World) -> None:
    has(world, *actions(3))
    manifests(world, 3, "request: {template: new}")

    told = sent(world, lambda: world.run("drift"))

    assert told == {**BESIDE, "GET /api/v2/integrations": 1, LISTING: 1, TEMPLATE: 3, ONE: 3}


def test_import_takes_two_requests_a_data_action_and_a_few(world: World) -> None:
    count = LATE + 60
    has(world, *actions(count))

    told = sent(world, lambda: world.run("import", "--kind", "dataaction"))

    assert told == {
        **BESIDE,
        "GET /api/v2/integrations": 1,
        LISTING: 1 + 2,
        TEMPLATE: 2 * count,
        ONE: LATE,
    }
    assert len(files(world)) == count
    assert no_change(world)


@pytest.mark.parametrize("count", [2, LATE + 2])
def test_what_moves_while_it_is_imported_is_imported_in_one_version(
    world: World, count: int
) -> None:
    held = actions(count)
    edit = {"request": {"requestTemplate": "new"}, "response": {"successTemplate": "newer"}}
    restless = Restless(*held, moving={name(0), name(count - 1)}, edit=edit)
    world.stage.playing = restless

    assert world.run("import", "--kind", "dataaction", "--parallelism", "1").code == 0

    assert restless.moving == set()
    for number in range(count):
        text = files(world)[f"data-actions/crm/action-{number}.yaml"]
        moved = number in (0, count - 1)
        assert ("timeout_ms: 41000" in text) == moved
        assert ("template: new\n" in text) == moved
        assert ("success_template: newer\n" in text) == moved
    assert no_change(world)


def test_a_plan_of_what_moves_is_made_against_one_version(world: World) -> None:
    edit = {"request": {"requestTemplate": "new"}}
    restless = Restless(*actions(1), moving={name(0)}, edit=edit)
    world.stage.playing = restless
    manifests(world, 1, "timeout_ms: 5000, request: {template: mine}", by_id=True)

    (change,) = world.run("plan", "-o", "json").json["resource_changes"]

    assert change["precondition"]["revision"] == "2"
    assert [each["before"] for each in change["fields"]] == ["new", 41_000]


def test_a_plan_of_a_part_is_applied_to_the_whole(world: World) -> None:
    has(world, *actions(2))
    manifests(world, 2, "timeout_ms: 5000")

    assert world.run("apply", "--auto-approve").code == 0

    for number in range(2):
        live = world.org.actions.published(name(number))
        before = stored_action()
        assert live.config == {**before.config, "timeoutSeconds": 5}


def test_saved_snapshots_hold_the_whole_of_what_was_looked_at_in_part(world: World) -> None:
    has(world, *actions(2))
    manifests(world, 2, "timeout_ms: 20000")
    assert world.run("plan", "--save-snapshots", "saved.json").code == 0
    saved = json.loads((world.folder / "saved.json").read_text())
    manifests(world, 2, "request: {template: new}")

    told = world.run("plan", "--offline", "saved.json", "-o", "json").json

    documents = [json.loads(each["document"]) for each in saved["data_actions"]]
    assert [each["config"]["request"]["requestTemplate"] for each in documents] == [REQUEST] * 2
    assert [each["config"]["response"]["successTemplate"] for each in documents] == [SUCCESS] * 2
    assert [each["fields"][0]["before"] for each in told["resource_changes"]] == [REQUEST] * 2


def test_explain_asks_for_what_it_explains(world: World) -> None:
    has(world, *actions(2))
    manifests(world, 2, "timeout_ms: 5000, request: {template: new}", by_id=True)

    def explained(path: str, value: str) -> dict[str, int]:
        def run() -> None:
            assert value in world.run("explain", f"dataaction/action-0/{path}").out

        return sent(world, run)

    assert explained("timeout_ms", "20000") == {**BESIDE, ONE: 1}
    assert explained("request/template", "kept to the last byte") == {
        **BESIDE,
        ONE: 2,
        TEMPLATE: 1,
    }
