from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gcsync.errors import ConfigurationError
from gcsync.loader.deliver import deliver

if TYPE_CHECKING:
    from pathlib import Path


def entries(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


def test_files_are_written_into_folders_that_were_not_there(tmp_path: Path) -> None:
    deliver({tmp_path / "a/b/c.yaml": b"c", tmp_path / "a/d.yaml": b"d"})

    assert entries(tmp_path / "a/b") == {"c.yaml": b"c"}
    assert entries(tmp_path / "a") == {"d.yaml": b"d"}


def test_a_replaced_file_keeps_its_mode_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(b"old")
    file.chmod(0o640)

    deliver({file: b"new"})

    assert entries(tmp_path) == {"a.yaml": b"new"}
    assert file.stat().st_mode & 0o777 == 0o640


def test_where_one_cannot_be_written_all_are_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_bytes(b"old")
    (tmp_path / "taken.yaml").mkdir()

    with pytest.raises(ConfigurationError, match=r"taken\.yaml: cannot be written"):
        deliver(
            {
                tmp_path / "new.yaml": b"new",
                tmp_path / "old.yaml": b"newer",
                tmp_path / "taken.yaml": b"x",
            }
        )

    assert entries(tmp_path) == {"old.yaml": b"old"}


def test_a_link_is_not_followed_and_not_replaced(tmp_path: Path) -> None:
    aim = tmp_path / "aim"
    aim.write_bytes(b"precious")
    (tmp_path / "a.yaml").symlink_to(aim)

    with pytest.raises(ConfigurationError, match="it is no regular file"):
        deliver({tmp_path / "a.yaml": b"new"})

    assert aim.read_bytes() == b"precious"
    assert (tmp_path / "a.yaml").is_symlink()
