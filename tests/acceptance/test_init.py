from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from acceptance_world import World

FILES = ["gcsync.yaml", "manifests/example.yaml", ".github/workflows/gcsync.yaml"]


def test_a_project_file_a_manifest_and_a_workflow_are_written(world: World) -> None:
    done = world.process("init")

    assert (done.code, done.err) == (0, "")
    for file in FILES:
        assert f"written  {file}" in done.out
        assert "#" in (world.folder / file).read_text()


def test_what_was_written_is_valid(world: World) -> None:
    world.run("init")

    valid = world.run("validate")

    assert valid.code == 0
    assert valid.out.startswith("1 flow and ")


def test_what_was_written_is_laid_out_already(world: World) -> None:
    world.run("init", "--pre-commit")

    assert world.run("fmt", "--check").code == 0


def test_nothing_is_overwritten(world: World) -> None:
    world.write({"gcsync.yaml": "mine"})

    first, second = world.run("init"), world.run("init")

    assert (first.code, second.code) == (0, 0)
    assert "kept     gcsync.yaml" in first.out
    assert second.out.count("kept") == len(FILES)
    assert (world.folder / "gcsync.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    ("system", "file"),
    [
        ("gitlab", ".gitlab-ci.yml"),
        ("kubernetes", "deploy/gcsync-drift.yaml"),
        ("none", None),
    ],
)
def test_another_system_s_pipeline_is_written_instead(
    world: World, system: str, file: str | None
) -> None:
    done = world.run("init", "--ci", system)

    assert done.out.count("written") == (3 if file else 2)
    assert not (world.folder / FILES[2]).exists()
    assert file is None or (world.folder / file).is_file()


def test_several_pipelines_and_hooks_are_written_on_request(world: World) -> None:
    done = world.run("init", "--ci", "github", "--ci", "gitlab", "--pre-commit")

    assert done.out.count("written") == 5
    assert (world.folder / ".pre-commit-config.yaml").is_file()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, ".gcsync/\n"),
        ("*.pyc", "*.pyc\n.gcsync/\n"),
        ("/.gcsync\n", "/.gcsync\n"),
        ("/.gcsync/\n", "/.gcsync/\n"),
    ],
)
def test_git_is_told_to_leave_state_alone(world: World, before: str | None, after: str) -> None:
    if before is not None:
        world.write({".gitignore": before})

    world.run("init")
    world.run("init")

    assert (world.folder / ".gitignore").read_text() == after


def test_a_dangling_link_is_not_written_through(world: World) -> None:
    (world.folder / "gcsync.yaml").symlink_to(world.folder / "elsewhere")
    (world.folder / ".gitignore").symlink_to(world.folder / "elsewhere")

    assert world.run("init").code == 0
    assert not (world.folder / "elsewhere").exists()


def test_another_folder_can_be_named(world: World) -> None:
    world.run("init", "sub/project")

    assert all((world.folder / "sub/project" / file).is_file() for file in FILES)


def test_a_folder_that_cannot_be_written_is_an_error(world: World) -> None:
    world.write({"manifests": "a file where a folder must be"})

    done = world.run("init")

    assert done.code == 1
    assert "manifests/example.yaml: cannot be written" in done.err


def test_lint_has_nothing_against_what_init_writes(world: World) -> None:
    world.run("init")

    linted = world.run("lint", "--fail-on", "warning", "-o", "json")

    assert (linted.code, linted.json["findings"]) == (0, [])
