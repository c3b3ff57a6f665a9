from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest
from manifest_builders import written

from gcsync.loader.source import MAX_BYTES, SourceFile, decode, discover, read
from gcsync.model.manifest import Finding

if TYPE_CHECKING:
    from pathlib import Path


def names(found: list[SourceFile | Finding]) -> list[str]:
    return [each.name for each in found if isinstance(each, SourceFile)]


def findings(found: list[SourceFile | Finding]) -> list[str]:
    return [str(each) for each in found if isinstance(each, Finding)]


def refusal(answer: bytes | str | Finding) -> Finding:
    assert isinstance(answer, Finding)
    return answer


def test_every_yaml_and_yml_below_a_folder_is_found_in_order(tmp_path: Path) -> None:
    written(tmp_path, {"b.yml": "", "a.yaml": "", "deep/er/c.yaml": "", "notes.txt": ""})

    found = list(discover(tmp_path, name="manifests"))

    assert names(found) == ["manifests/a.yaml", "manifests/b.yml", "manifests/deep/er/c.yaml"]


def test_a_file_that_is_named_itself_is_found_whatever_its_suffix(tmp_path: Path) -> None:
    written(tmp_path, {"flow.manifest": ""})

    assert names(list(discover(tmp_path / "flow.manifest"))) == [str(tmp_path / "flow.manifest")]


def test_a_folder_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    found = list(discover(tmp_path / "none", name="none"))

    (told,) = findings(found)
    assert told.startswith("error: none: no such file or folder; name one that exists")
    assert told.endswith("[reference]")


def test_a_file_link_out_of_the_tree_is_refused_and_one_inside_followed(tmp_path: Path) -> None:
    written(tmp_path, {"outside.yaml": "", "tree/real.yaml": "", "tree/data/x.txt": ""})
    (tmp_path / "tree/out.yaml").symlink_to(tmp_path / "outside.yaml")
    (tmp_path / "tree/in.yaml").symlink_to("real.yaml")

    found = list(discover(tmp_path / "tree", name="tree"))

    assert names(found) == ["tree/in.yaml", "tree/real.yaml"]
    assert [each.split(":")[0] for each in findings(found)] == ["tree/out.yaml"]
    assert "leads out of the manifests" in findings(found)[0]


def test_a_folder_link_out_of_the_tree_is_refused(tmp_path: Path) -> None:
    written(tmp_path, {"outside/a.yaml": "", "tree/b.yaml": ""})
    (tmp_path / "tree/out").symlink_to(tmp_path / "outside")

    found = list(discover(tmp_path / "tree", name="tree"))

    assert names(found) == ["tree/b.yaml"]
    assert findings(found)[0].startswith("tree/out:1:1: error: this link leads out")


def test_a_circle_of_folder_links_ends(tmp_path: Path) -> None:
    written(tmp_path, {"a/b.yaml": ""})
    (tmp_path / "a/again").symlink_to(tmp_path)

    assert names(list(discover(tmp_path, name="t"))) == ["t/a/b.yaml"]


def test_skipped_folders_are_left_out(tmp_path: Path) -> None:
    written(tmp_path, {"base/a.yaml": "", "overlays/prod/a.yaml": ""})
    skipped = {(tmp_path / "overlays/prod").resolve()}

    assert names(list(discover(tmp_path, name=".", skipped=skipped))) == ["base/a.yaml"]


@pytest.mark.parametrize("kind", ["fifo", "socket", "link", "folder", "gone"])
def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "odd.yaml"
    match kind:
        case "fifo":
            os.mkfifo(path)
        case "socket":
            with socket.socket(socket.AF_UNIX) as server:
                server.bind(str(path))
        case "link":
            path.symlink_to("/dev/zero")
        case "folder":
            path.mkdir()
        case _:
            pass

    answer = refusal(read(SourceFile(path=path, name="odd.yaml")))

    assert str(answer).startswith("odd.yaml:1:1: error: ")
    assert answer.rule == "syntax"


def test_a_file_of_a_megabyte_is_read_and_a_larger_one_is_refused(tmp_path: Path) -> None:
    written(tmp_path, {"full.yaml": b"x" * MAX_BYTES, "over.yaml": b"x" * (MAX_BYTES + 1)})

    assert read(SourceFile(path=tmp_path / "full.yaml", name="full")) == b"x" * MAX_BYTES
    over = refusal(read(SourceFile(path=tmp_path / "over.yaml", name="over")))
    assert over.message == "larger than 1,000,000 bytes; split it"


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert decode(b"\xef\xbb\xbfa: 1", "m.yaml") == "a: 1"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_and_utf_32_are_refused(encoding: str) -> None:
    assert "UTF-16" in refusal(decode("a: 1".encode(encoding), "m.yaml")).message


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_byte_that_is_not_utf_8_is_refused_at_its_place(mark: bytes) -> None:
    answer = refusal(decode(mark + b"a: 1\nb\xc3\xa9: \xff", "m.yaml"))

    assert str(answer) == (
        "m.yaml:2:5: error: the byte 0xff is not UTF-8; save the file as UTF-8 [syntax]"
    )


def test_a_file_name_that_is_not_utf_8_can_be_shown(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.yaml")).touch()

    (name,) = names(list(discover(tmp_path, name="m")))

    assert name.encode() == rb"m/caf\xe9.yaml"
