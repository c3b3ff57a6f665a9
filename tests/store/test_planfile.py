from __future__ import annotations

import os
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from document_builders import NOON, a_plan

from gcsync.core.document import digest
from gcsync.core.exact_json import parse, readable
from gcsync.errors import ConfigurationError, GcsyncError, NotAPlan, PlanRefused
from gcsync.model.change import Organisation
from gcsync.store import planfile

KEY = b"a key that CI keeps"
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    planfile.write(path, a_plan(), key=None)
    return path


def rewrite(path: Path, *, key: bytes | None = None, **members: Any) -> None:
    """Change members of a saved plan and seal it again."""
    document = parse(path.read_bytes()) | members
    path.write_text(readable(document | {"digest": digest(document, key)}))


@pytest.mark.parametrize("key", [None, KEY])
def test_what_was_written_is_what_is_read(tmp_path: Path, key: bytes | None) -> None:
    path = tmp_path / "plan.json"

    written = planfile.write(path, a_plan(), key=key)

    assert planfile.read(path, now=LATER, key=key) == planfile.SavedPlan(
        plan=a_plan(), digest=written
    )


def test_a_saved_plan_belongs_to_its_owner_and_reads_well(saved: Path) -> None:
    text = saved.read_text()

    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert text.startswith('{\n  "format_version": "1.0",\n')
    assert text.endswith("}\n")
    assert list(saved.parent.iterdir()) == [saved]


def test_the_same_plan_gives_the_same_bytes(saved: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.json"

    planfile.write(again, a_plan(), key=None)

    assert again.read_bytes() == saved.read_bytes()


def test_a_plan_file_is_replaced_whole_and_through_a_link(saved: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(saved)

    planfile.write(link, a_plan(environment="test"), key=None)

    assert link.is_symlink()
    assert planfile.read(saved, now=LATER, key=None).plan.environment == "test"


def test_a_plan_that_was_edited_is_refused(saved: Path) -> None:
    saved.write_text(saved.read_text().replace("5000", "30000"))

    with pytest.raises(PlanRefused, match=r"plan\.json: the plan was changed after it was saved"):
        planfile.read(saved, now=LATER, key=None)


def test_reformatting_a_plan_does_no_harm(saved: Path) -> None:
    saved.write_bytes(b"\n" + saved.read_bytes().replace(b"\n", b" "))

    assert planfile.read(saved, now=LATER, key=None).plan == a_plan()


def test_every_way_to_get_signatures_wrong_is_refused(saved: Path, tmp_path: Path) -> None:
    signed = tmp_path / "signed.json"
    planfile.write(signed, a_plan(), key=KEY)

    for path, key, message in (
        (saved, KEY, "not signed, but GCSYNC_PLAN_KEY is set"),
        (signed, None, "signed, but GCSYNC_PLAN_KEY is not set"),
        (signed, b"another key", "signed with another key"),
    ):
        with pytest.raises(PlanRefused, match=message):
            planfile.read(path, now=LATER, key=key)


def test_an_empty_key_is_an_error_and_not_no_key(saved: Path) -> None:
    with pytest.raises(ConfigurationError, match="GCSYNC_PLAN_KEY is set but empty"):
        planfile.read(saved, now=LATER, key=b"")
    with pytest.raises(ConfigurationError, match="GCSYNC_PLAN_KEY is set but empty"):
        planfile.write(saved, a_plan(), key=b"")


def test_a_plan_holds_until_it_expires(saved: Path) -> None:
    end = NOON + timedelta(hours=24)

    assert planfile.read(saved, now=end - timedelta(seconds=1), key=None)
    with pytest.raises(PlanRefused, match="expired at 2030-01-03T12:00:00Z; run 'gcsync plan"):
        planfile.read(saved, now=end, key=None)


def test_the_reader_can_shorten_a_plans_life_but_not_lengthen_it(saved: Path) -> None:
    with pytest.raises(PlanRefused, match="expired at 2030-01-02T12:30:00Z"):
        planfile.read(saved, now=LATER, key=None, ttl=timedelta(minutes=30))
    with pytest.raises(PlanRefused, match="expired at 2030-01-03T12:00:00Z"):
        planfile.read(saved, now=NOON + timedelta(hours=25), key=None, ttl=timedelta(hours=48))


def test_a_plan_from_the_future_is_refused_beyond_a_small_skew(saved: Path) -> None:
    assert planfile.read(saved, now=NOON - timedelta(minutes=4), key=None)
    with pytest.raises(PlanRefused, match="created in the future, at 2030-01-02T12:00:00Z"):
        planfile.read(saved, now=NOON - timedelta(minutes=6), key=None)


def test_another_major_format_version_is_refused_and_a_minor_one_read(saved: Path) -> None:
    rewrite(saved, format_version="1.4", later=True)
    assert planfile.read(saved, now=LATER, key=None).plan == a_plan()

    rewrite(saved, format_version="2.0")
    with pytest.raises(PlanRefused, match=r"format version 2\.0, this gcsync reads 1\.x"):
        planfile.read(saved, now=LATER, key=None)


def test_a_sealed_plan_that_contradicts_itself_is_refused(saved: Path) -> None:
    rewrite(saved, summary={"flows": 12})

    with pytest.raises(PlanRefused, match=r"damaged: summary\.changed_flows is missing"):
        planfile.read(saved, now=LATER, key=None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty, so no saved plan; give the file that 'gcsync plan --out' made"),
        (b"PK\x03\x04\xff", "not a saved plan; give"),
        (b"[" * 100_000, "not a saved plan; give"),
        (b"[]", "not a saved plan; give"),
        (b'{"kind": "Flow"}', "not a saved plan; give"),
        (b'{"format_version": "1.0", "drift": []}', "not a saved plan; give"),
        (b'{"format_version": "1.0", "merged": []}', "what 'gcsync merge' made"),
        (b"# ours\napiVersion: gcsync/v1\n", "looks like a manifest; manifests go with -f"),
    ],
)
def test_what_never_was_a_plan_is_wrong_usage(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(content)

    with pytest.raises(NotAPlan, match=message) as refused:
        planfile.read(path, now=LATER, key=None)

    assert refused.value.exit_code == 64


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b'{"format_version": "1.0", "digest": "sha256:0", "resource_changes": '
            + (b"[" * 900 + b"]" * 900 + b"}"),
            "nested too deeply|changed after it was saved",
        ),
        (b'{\n  "format_version": "1.0",\n  "gcsy', "the plan is damaged: line 3"),
        (b'{"format_version": "1.0", "resource_changes": []}', "carries no digest"),
        (b'{"format_version": "1.0", "resource_changes": [], "digest": "\xc3\xa9"}', "no digest"),
    ],
)
def test_a_plan_that_no_longer_holds_is_refused(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(content)

    with pytest.raises(PlanRefused, match=message) as refused:
        planfile.read(path, now=LATER, key=None)

    assert refused.value.exit_code == 3


def test_a_torn_plan_is_refused(saved: Path) -> None:
    whole = saved.read_bytes()

    for end in range(0, len(whole) - 2, 37):
        saved.write_bytes(whole[:end])
        with pytest.raises(PlanRefused):
            planfile.read(saved, now=LATER, key=None)


def test_a_file_beyond_the_size_limit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    with path.open("wb") as file:
        file.truncate(planfile.MAX_BYTES + 1)

    with pytest.raises(PlanRefused, match="larger than 64 MB"):
        planfile.read(path, now=LATER, key=None)


def test_what_is_not_a_regular_file_is_refused_without_waiting(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)

    for path in (fifo, tmp_path, Path("/dev/null")):
        with pytest.raises(PlanRefused, match="not a regular file"):
            planfile.read(path, now=LATER, key=None)
    for path in (fifo, tmp_path, Path("/dev/null")):
        with pytest.raises(GcsyncError, match="not a regular file"):
            planfile.write(path, a_plan(), key=None)


def test_a_missing_file_or_folder_is_said_plainly(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "plan.json"

    with pytest.raises(GcsyncError, match="cannot be read: no such file") as reading:
        planfile.read(path, now=LATER, key=None)
    with pytest.raises(GcsyncError, match=r"cannot be saved: no such file.*--out"):
        planfile.write(path, a_plan(), key=None)

    assert reading.value.exit_code == 1


FULL_DISK = """
import resource, sys
from pathlib import Path
from document_builders import a_plan
from gcsync.errors import GcsyncError
from gcsync.store import planfile
resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))
try:
    planfile.write(Path(sys.argv[1]), a_plan(), key=None)
except GcsyncError as error:
    print(error)
"""


def test_a_full_disk_leaves_the_plan_that_was_there(saved: Path) -> None:
    before = saved.read_bytes()

    said = subprocess.run(
        [sys.executable, "-c", FULL_DISK, saved],
        env={"PYTHONPATH": str(Path(__file__).parents[1])},
        check=True,
        capture_output=True,
        text=True,
    ).stdout

    assert "cannot be saved: file too large; free some space and plan again" in said
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_a_plan_of_another_organisation_is_refused() -> None:
    plan = a_plan(organisation=Organisation(id="org-1", api_url="https://api.example"))

    planfile.check_organisation(plan, Organisation(id="org-1", api_url="https://gateway.example"))
    planfile.check_organisation(plan, Organisation(id=None, api_url="https://api.example/"))
    for other in (
        Organisation(id="org-2", api_url="https://api.example"),
        Organisation(id=None, api_url="https://other.example"),
    ):
        with pytest.raises(PlanRefused, match="the plan is for organisation org-1 at https://api"):
            planfile.check_organisation(plan, other)


def test_reading_plans_does_not_load_the_database_library() -> None:
    code = "import sys; import gcsync.store.planfile; print('sqlalchemy' in sys.modules)"

    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert said.stdout == "False\n"
