"""import: manifests of the data actions of the public API, under which nothing changes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from manifest_builders import data_action
from public_builders import stored_action
from public_world import CRM, files, has, no_change

from gcsync.sandbox.integrations import StoredIntegration

if TYPE_CHECKING:
    from acceptance_world import World

    from gcsync.sandbox.stored_action import StoredAction


def configured(action_id: str, name: str, **parts: dict[str, Any]) -> StoredAction:
    """A data action with *parts* of its configuration replaced."""
    plain = stored_action(action_id, name=name)
    config = {key: value | parts.get(key, {}) for key, value in _groups(plain).items()}
    return replace(plain, config={**plain.config, **config})


def _groups(action: StoredAction) -> dict[str, dict[str, Any]]:
    return {key: dict(action.config[key]) for key in ("request", "response")}


def statuses(told: Any) -> dict[str, str]:
    return {each["data_action"]["id"]: each["status"] for each in told["data_actions"]}


def test_an_organisation_without_flow_documents_gives_its_data_actions(world: World) -> None:
    has(world, stored_action(), stored_action("custom_-_2", name="Pay", integration_id="i-gone"))

    told = world.run("import")

    assert told.code == 0, told.said
    assert told.out == (
        "written  manifests/data-actions/crm/          1 data action, 9 settings\n"
        "written  manifests/data-actions/integration/  1 data action, 9 settings\n"
        "written  manifests/integrations/              1 integration, 1 setting\n"
        "\n"
        "! no flow document holds a data action (1 live flow), so these are the data actions of the"
        " public API\n"
        "Imported 2 of 2 live data actions and 1 of 1 live integration, 19 settings. Next: 'gcsync"
        " plan', which finds nothing to change.\n"
    )
    assert list(files(world)) == [
        "data-actions/crm/get-customer.yaml",
        "data-actions/integration/pay.yaml",
        "integrations/crm.yaml",
    ]
    assert no_change(world)
    for words in (("drift",), ("validate",), ("fmt", "--check"), ("lint",)):
        assert world.run(*words).code == 0, words


def test_what_a_file_looks_like(world: World) -> None:
    request = {"requestTemplate": '{\n  "id": "${var.x}", \n\t"n": 1\n}\n', "headers": {}}
    response = {"translationMapDefaults": {}, "successTemplate": "{\r\n}"}
    has(world, configured("custom_-_1", "Get Customer", request=request, response=response))

    assert world.run("import").code == 0

    assert files(world)["data-actions/crm/get-customer.yaml"] == (
        "# Get Customer (CRM), imported as it was live.\n"
        "apiVersion: gcsync/v1\n"
        "kind: DataAction\n"
        "metadata:\n"
        "  name: get-customer\n"
        "spec:\n"
        "  action: {integration: CRM, name: Get Customer}\n"
        "  category: CRM\n"
        "  timeout_ms: 20000\n"
        "  request:\n"
        "    method: POST\n"
        "    url: https://crm.example/customers/${input.id}\n"
        "    template: |\n"
        "      {\n"
        '        "id": "$${var.x}", \n'
        '      \t"n": 1\n'
        "      }\n"
        "  response:\n"
        "    translation_map:\n"
        "      name: $.name\n"
        "    translation_map_defaults: {}\n"
        '    success_template: "{\\r\\n}"\n'
    )
    assert no_change(world)


def test_static_data_actions_are_skipped_with_a_word_and_not_read(world: World) -> None:
    statics = [stored_action(f"static_-_{number}", kind="static") for number in (1, 2)]
    has(world, stored_action(), *statics)

    told = world.run("import")

    assert told.code == 0
    assert "skipped  2 data actions  " in told.out
    assert "a static action is the platform's own, and nobody can change it\n" in told.out
    assert list(files(world)) == [
        "data-actions/crm/get-customer-1.yaml",
        "integrations/crm.yaml",
    ]
    assert no_change(world)


def test_data_actions_that_are_named_alike_are_told_by_id(world: World) -> None:
    other = StoredIntegration(id="i-erp", name="ERP")
    has(
        world,
        stored_action("custom_-_11111111-a"),
        stored_action("custom_-_22222222-b"),
        stored_action("custom_-_3", integration_id="i-erp"),
        integrations=(CRM, other),
    )

    assert world.run("import", "--kind", "dataaction").code == 0

    written = files(world)
    assert list(written) == [
        "data-actions/crm/get-customer-11111111.yaml",
        "data-actions/crm/get-customer-22222222.yaml",
        "data-actions/erp/get-customer-erp.yaml",
    ]
    [first, second, third] = written.values()
    assert first.startswith("# Get Customer (CRM), imported as it was live.\n")
    assert "action: {id: custom_-_22222222-b}" in second
    assert "action: {integration: ERP, name: Get Customer}" in third
    assert no_change(world)


def test_secrets_and_what_no_manifest_can_hold_stay_unmanaged_and_are_named(world: World) -> None:
    has(
        world,
        configured(
            "custom_-_1",
            "Get Customer",
            request={
                "headers": {"X-Api-Key": "hunter2-0000", "Accept": "a/b"},
                "requestTemplate": '{"password": "hunter2-0000"}',
                "requestType": "get",
            },
            response={"translationMap": {"token": "token=hunter2", "${var.x}": "$.x"}},
        ),
    )

    told = world.run("import", "--snapshots", "snap", "-vv")

    assert told.code == 0
    everything = told.said + str(files(world)) + str(files(world, "snap"))
    assert "hunter2" not in everything
    assert "dataaction/get-customer  (Get Customer, CRM)\n" in told.out
    for line in (
        "request/headers/x-api-key holds a credential, which a manifest must not; move it to the",
        " credentials of the integration, then import again with --force",
        "request/template holds a password, token or key",
        "request/method is get, and a manifest takes one of GET, ",
        "response/translation_map holds a password, token or key",
    ):
        assert line in told.out
    assert "accept: a/b" in files(world)["data-actions/crm/get-customer.yaml"]
    assert no_change(world)
    assert world.run("plan", "--offline", "snap", "--detailed-exitcode").code == 0


@pytest.mark.parametrize(
    ("name", "fact"),
    [
        ("${var.x}", "has a name that reads as a variable"),
        ("e\u0301", "has a name that can be mistaken for another"),
        ("a\u202eb", "has a name that can be mistaken for another"),
    ],
)
def test_a_map_with_a_name_that_would_be_read_otherwise_stays_unmanaged(
    world: World, name: str, fact: str
) -> None:
    has(world, configured("custom_-_1", "A", response={"translationMap": {name: "$.x"}}))

    told = world.run("import", "-o", "json").json

    [left] = told["data_actions"][0]["left_out"]
    assert left["path"] == "response/translation_map"
    assert left["reason"].startswith(fact)
    assert no_change(world)


def test_a_data_action_that_has_a_manifest_is_left_to_it_and_a_new_one_is_added(
    world: World,
) -> None:
    has(world, stored_action(), stored_action("custom_-_2", name="Pay"))
    world.manifests(data_action("ours", action="{integration: CRM, name: Pay}"))

    first = world.run("import", "-o", "json").json
    again = world.run("import")
    forced = world.run("import", "--force", "-o", "json").json

    assert statuses(first) == {"custom_-_1": "written", "custom_-_2": "managed"}
    assert "managed  manifests/data-actions/crm/  1 data action; --force imports" in again.out
    assert statuses(forced) == {"custom_-_1": "unchanged", "custom_-_2": "replaced"}
    assert list(files(world)) == [
        "data-actions/crm/get-customer.yaml",
        "flows.yaml",
        "integrations/crm.yaml",
    ]
    assert "name: ours\n" in files(world)["flows.yaml"]
    assert no_change(world)


def test_a_manifest_whose_data_action_is_not_there_is_named(world: World) -> None:
    has(world, stored_action())
    world.manifests(data_action("gone", action="{integration: CRM, name: Gone}"))

    told = world.run("import")

    assert (
        "! manifests/flows.yaml: dataaction/gone speaks of 'Gone', which is no live data action;"
    ) in told.out
    assert told.out.endswith("Next: 'gcsync plan'.\n")


@pytest.mark.parametrize("name", ["../../../etc/x", "con", "Оплата", "", "a\x1b[2J\nkind: Flow"])
def test_hostile_names_become_harmless_files(world: World, name: str) -> None:
    has(world, stored_action(name=name), integrations=(replace(CRM, name=name),))

    told = world.run("import")

    assert told.code == 0
    assert "\x1b" not in told.said
    file, itself = files(world)
    folder, between, last = file.split("/")
    assert (folder, itself.partition("/")[0]) == ("data-actions", "integrations")
    assert itself.removeprefix("integrations/").removesuffix(".yaml").replace("-", "").isalnum()
    assert (between + last).replace("-", "").removesuffix(".yaml").isalnum()
    assert no_change(world)


def test_data_actions_can_be_chosen_by_address(world: World) -> None:
    has(world, *(stored_action(f"custom_-_{name}", name=name) for name in "ab"))

    assert world.run("import", "--target", "dataaction/a").code == 0
    assert list(files(world)) == ["data-actions/crm/a.yaml"]
    assert world.run("import", "--target", "dataaction/x").code == 64


def test_what_a_custom_sign_in_asks_is_imported_planned_and_applied_too(world: World) -> None:
    plain = stored_action()
    config = {key: value for key, value in plain.config.items() if key != "timeoutSeconds"}
    sign_in = stored_action("customAuth_-_9", name="Sign In", kind="customAuth", config=config)
    has(world, plain, sign_in)

    assert world.run("import").code == 0

    written = files(world)["data-actions/crm/sign-in.yaml"]
    assert "action: {integration: CRM, name: Sign In}\n" in written
    assert no_change(world)
    world.write(
        {"manifests/data-actions/crm/sign-in.yaml": written.replace("crm.example", "id.example")}
    )
    assert world.run("apply", "--auto-approve").code == 0
    request = world.org.actions.published("customAuth_-_9").config["request"]
    assert request["requestUrlTemplate"] == "https://id.example/customers/${input.id}"
    assert no_change(world)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("--target", "get-custome"),
            (
                "--target leaves none of 1 flow, 1 data action and 1 integration;"
                " nearest: dataaction/get-customer"
            ),
        ),
        (
            ("--target", "dataaction/x"),
            "--target leaves none of 1 data action; nearest: dataaction/get-customer",
        ),
        (
            ("--kind", "dataaction", "--exclude", "*"),
            "--exclude leaves none of 1 data action\n",
        ),
    ],
)
def test_a_selection_that_leaves_nothing_names_the_nearest_addresses(
    world: World, words: tuple[str, ...], said: str
) -> None:
    has(world, stored_action())

    refused = world.run("import", *words)

    assert refused.code == 64
    assert said in refused.err


def test_long_reading_is_told_once_where_nobody_sees_a_bar(world: World) -> None:
    has(world, *(stored_action(f"custom_-_{n}", name=f"Look up {n}") for n in range(25)))

    told = [world.run("import", "--force"), world.run("plan"), world.run("drift")]
    quiet = world.run("plan", "-q")

    for each in told:
        assert each.code == 0, each.said
        assert each.err.count("Reading data actions") == 1, each.err
    assert "Reading data actions (25)" in told[0].err.splitlines()
    assert "Reading" not in quiet.err


def test_short_reading_is_not_told(world: World) -> None:
    has(world, *(stored_action(f"custom_-_{n}", name=f"Look up {n}") for n in range(24)))

    assert "Reading" not in world.run("import").err
