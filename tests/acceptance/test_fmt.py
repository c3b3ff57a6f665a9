from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from acceptance_world import manifest, project
from manifest_builders import written

if TYPE_CHECKING:
    from pathlib import Path

    from acceptance_world import World
    from warm import Warm

MESSY = "kind: Flow  # of calls\napiVersion: gcsync/v1\n"
TIDY = "apiVersion: gcsync/v1\nkind: Flow  # of calls\n"


def test_without_paths_the_whole_project_is_formatted(world: World) -> None:
    spec = "environments: {prod: {overlays: [overlays/prod]}}"
    written(
        world.folder,
        {
            "gcsync.yaml": project(spec).replace("{prod: {", "{prod:   {"),
            "manifests/team/a.yaml": MESSY,
            "manifests/b.yaml": manifest(),
            "overlays/prod/c.yaml": MESSY,
            "elsewhere/d.yaml": MESSY,
        },
    )

    formatted = world.run("fmt")

    assert formatted.code == 0
    assert formatted.out.splitlines() == [
        "gcsync.yaml",
        "manifests/team/a.yaml",
        "overlays/prod/c.yaml",
    ]
    assert formatted.err == "3 files formatted, 1 unchanged\n"
    assert (world.folder / "manifests/team/a.yaml").read_text() == TIDY
    assert (world.folder / "elsewhere/d.yaml").read_text() == MESSY
    assert world.run("fmt").err == "4 files already formatted\n"


def test_only_the_files_that_are_named_are_touched(world: World) -> None:
    names = [f"manifests/{number}.yaml" for number in range(20)]
    written(world.folder, dict.fromkeys([*names, "manifests/other.yaml"], MESSY))

    formatted = world.run("fmt", "-q", *names)

    assert (formatted.code, formatted.err) == (0, "")
    assert formatted.out.splitlines() == names
    assert all((world.folder / name).read_text() == TIDY for name in names)
    assert (world.folder / "manifests/other.yaml").read_text() == MESSY


def test_check_lists_what_would_change_and_writes_nothing(world: World) -> None:
    written(world.folder, {"manifests/a.yaml": MESSY, "manifests/b.yaml": TIDY})

    checked = world.run("fmt", "--check")

    assert (checked.code, checked.out) == (1, "manifests/a.yaml\n")
    assert checked.err == "1 file would be formatted, 1 unchanged\n"
    assert (world.folder / "manifests/a.yaml").read_text() == MESSY
    assert world.run("fmt", "--check", "manifests/b.yaml").code == 0


def test_a_diff_shows_what_would_change_and_writes_nothing(world: World) -> None:
    written(world.folder, {"manifests/a.yaml": MESSY})

    shown = world.run("fmt", "--diff", "-q")

    assert shown.code == 0
    assert shown.out == (
        "--- a/manifests/a.yaml\n+++ b/manifests/a.yaml\n@@ -1,2 +1,2 @@\n"
        "+apiVersion: gcsync/v1\n kind: Flow  # of calls\n-apiVersion: gcsync/v1\n"
    )
    assert (world.folder / "manifests/a.yaml").read_text() == MESSY
    assert world.run("fmt", "--diff", "--check").code == 1


def test_what_could_not_be_written_does_not_count_as_formatted(world: World, warm: Warm) -> None:
    large = MESSY + "# calls\n" * 1000
    written(world.folder, {"manifests/a.yaml": large, "manifests/b.yaml": TIDY})

    formatted = warm.ended(world, warm.start(world, "fmt", largest_file=len(large) // 2))

    assert (formatted.code, formatted.out) == (1, "")
    told, error = formatted.err.splitlines()
    assert told == "1 file already formatted"
    assert error.startswith("error: manifests/a.yaml: cannot be written (")


def test_what_cannot_be_formatted_is_named_and_left_while_the_rest_is_done(world: World) -> None:
    twice = "a: 1\na: 2\n"
    written(
        world.folder,
        {
            "manifests/a.yaml": twice,
            "manifests/b.yaml": "%YAML 1.1\n---\na: 1\n",
            "manifests/c.yaml": MESSY,
            "manifests/d.yaml": b"a: \xff\n",
        },
    )

    formatted = world.run("fmt", "-q")

    assert formatted.code == 1
    assert formatted.out == "manifests/c.yaml\n"
    assert formatted.err.splitlines() == [
        "manifests/a.yaml:2:1: error: the key 'a' was given on line 1 already; keep one [syntax]",
        "error: manifests/b.yaml: a %YAML line says nothing that gcsync needs; remove it",
        "manifests/d.yaml:1:4: error: the byte 0xff is not UTF-8; save the file as UTF-8 [syntax]",
    ]
    assert (world.folder / "manifests/a.yaml").read_text() == twice
    assert (world.folder / "manifests/c.yaml").read_text() == TIDY


def test_mode_links_and_byte_order_mark_stay(world: World) -> None:
    written(world.folder, {"manifests/real/a.yaml": b"\xef\xbb\xbf" + MESSY.encode()})
    file, link = world.folder / "manifests/real/a.yaml", world.folder / "manifests/link.yaml"
    file.chmod(0o640)
    link.symlink_to("real/a.yaml")

    assert world.run("fmt", "manifests/link.yaml").code == 0

    assert link.is_symlink()
    assert file.read_bytes() == b"\xef\xbb\xbf" + TIDY.encode()
    assert file.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in file.parent.iterdir()] == ["a.yaml"]


@pytest.mark.parametrize("named", [("manifests/link.yaml",), ("manifests/folder/a.yaml",), ()])
def test_a_link_that_leads_out_is_never_followed(
    world: World, tmp_path_factory: pytest.TempPathFactory, named: tuple[str, ...]
) -> None:
    outside: Path = tmp_path_factory.mktemp("outside") / "a.yaml"
    outside.write_text(MESSY)
    written(world.folder, {"manifests/b.yaml": TIDY})
    (world.folder / "manifests/link.yaml").symlink_to(outside)
    (world.folder / "manifests/folder").symlink_to(outside.parent)

    refused = world.run("fmt", *named)

    assert refused.code == 1
    assert "leads out of" in refused.err
    assert outside.read_text() == MESSY


def test_a_path_that_is_not_there_is_an_error(world: World) -> None:
    missing = world.run("fmt", "nowhere.yaml")

    assert missing.code == 1
    assert missing.err.startswith("error: nowhere.yaml: no such file or folder; name one that")


def _piped(text: bytes, *words: str) -> tuple[int, bytes, bytes]:
    command = [sys.executable, "-m", "gcsync", "fmt", *words, "-"]
    done = subprocess.run(command, input=text, capture_output=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_an_editor_pipes_a_text_through() -> None:
    windows = MESSY.replace("\n", "\r\n").encode()

    assert _piped(windows) == (0, TIDY.replace("\n", "\r\n").encode(), b"")
    assert _piped(windows, "--check") == (1, b"", b"")
    code, out, err = _piped(b"a: [\n")
    assert (code, out) == (1, b"")
    assert err.startswith(b"stdin:1:")


def test_stdin_stands_alone(world: World) -> None:
    assert world.run("fmt", "-", "manifests").code == 64
