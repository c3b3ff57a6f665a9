from __future__ import annotations

import json
from typing import TYPE_CHECKING

from acceptance_world import manifest

if TYPE_CHECKING:
    from acceptance_world import World


def test_valid_manifests_are_counted_offline(world: World) -> None:
    world.manifests(manifest(), manifest("orders"))

    valid = world.process("validate", variables={"GCSYNC_API_URL": None})

    assert (valid.code, valid.err) == (0, "")
    assert valid.out == "2 flows and 2 data actions are valid.\n"
    assert not world.org.requests


def test_all_errors_of_all_files_are_shown_at_once_with_their_places(world: World) -> None:
    world.write(
        {
            "manifests/a.yaml": manifest(actions="Lookup: {timeout_ms: 99999}"),
            "manifests/b.yaml": manifest("orders", "Lookup: {timout_ms: 5}"),
            "manifests/c.yaml": f"{manifest('returns')}kind: Flow\n",
            "manifests/d.yaml": manifest("claims", "Lookup: {auth: {binding: nowhere}}"),
        }
    )

    invalid = world.process("validate")

    assert invalid.code == 1
    lines = invalid.out.splitlines()
    assert lines[0].startswith("manifests/a.yaml:11:26: error: ")
    assert lines[0].endswith("[schema]")
    assert lines[1].startswith("manifests/b.yaml:11:14: error: ")
    assert "timeout_ms" in lines[1]
    assert lines[2].startswith("manifests/c.yaml:12:1: error: ")
    assert lines[2].endswith("[syntax]")
    assert any(line.startswith("manifests/d.yaml:11") and "[reference]" in line for line in lines)


def test_the_json_of_findings_has_every_documented_member(world: World) -> None:
    world.manifests(manifest(actions="Lookup: {timeout_ms: 99999}"))

    document = world.run("validate", "-o", "json").json

    assert document["format_version"] == "1.0"
    assert document["summary"] == {"error": 1, "warning": 0, "note": 0}
    [finding] = document["findings"]
    assert (finding["rule"], finding["name"]) == ("schema", "schema")
    assert finding["severity"] == "error"
    assert "30000" in finding["message"]
    assert finding["address"] == "flow/billing"
    assert (finding["file"], finding["line"], finding["column"]) == ("manifests/flows.yaml", 11, 26)


def test_no_findings_are_an_empty_list(world: World) -> None:
    world.manifests()

    document = world.run("validate", "-o", "json").json

    assert document["findings"] == []
    assert document["summary"] == {"error": 0, "warning": 0, "note": 0}


def test_files_and_folders_can_be_named(world: World) -> None:
    world.write({"x/one.yaml": manifest("one"), "y/two.yml": manifest("two")})

    valid = world.run("validate", "-f", "x/one.yaml", "-f", "y")

    assert valid.out.startswith("2 flows")


def test_a_folder_that_is_not_there_is_an_error(world: World) -> None:
    invalid = world.run("validate", "-f", "nowhere")

    assert invalid.code == 1
    assert "nowhere" in invalid.said


def test_a_secret_is_refused_and_not_repeated(world: World) -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJlLXNpZ25hdHVyZQ"
    world.manifests(
        manifest(actions=f"Lookup: {{request: {{headers: {{Authorization: Bearer {token}}}}}}}")
    )

    invalid = world.run("validate")

    assert invalid.code == 1
    assert "manifests/flows.yaml:11" in invalid.said
    assert token not in invalid.said


def test_a_hundred_kilobytes_of_brackets_are_refused_with_a_place(world: World) -> None:
    world.write({"manifests/bomb.yaml": "[" * 100_000})

    invalid = world.process("validate")

    assert invalid.code == 1
    assert "manifests/bomb.yaml:1:101: error:" in invalid.out
    assert "100" in invalid.out


def test_a_link_that_leaves_the_tree_is_refused(world: World) -> None:
    outside = world.folder.parent / f"{world.folder.name}-outside.yaml"
    outside.write_text(manifest())
    (world.folder / "manifests").mkdir()
    (world.folder / "manifests/link.yaml").symlink_to(outside)

    invalid = world.run("validate")

    assert invalid.code == 1
    assert "manifests/link.yaml" in invalid.out


def test_findings_reach_a_file_too(world: World) -> None:
    world.manifests(manifest(actions="Lookup: {timeout_ms: 0}"))

    invalid = world.run("validate", "-o", "json=findings.json")

    assert invalid.code == 1
    document = json.loads((world.folder / "findings.json").read_text())
    assert document["summary"]["error"] == 1


def test_integrations_are_counted_as_such(world: World) -> None:
    world.manifests(
        "apiVersion: gcsync/v1\nkind: Integration\nmetadata: {name: crm}\n"
        "spec: {integration: {name: CRM}, notes: ours}\n"
    )

    valid = world.run("validate")

    assert valid.out == "1 integration is valid.\n"
