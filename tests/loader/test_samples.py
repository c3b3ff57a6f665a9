from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manifest_builders import flow, lines, written

from gcsync.errors import InvalidManifests
from gcsync.loader.manifests import load
from gcsync.loader.samples import measurements

if TYPE_CHECKING:
    from pathlib import Path

    from gcsync.analysis.assume import Measurements

SAMPLES = "Lookup: {backend: {latency: {distribution: samples, file: crm.csv}}}"
ARRIVALS = "load: {arrivals: monday.csv}"


def measured(root: Path, files: dict[str, str | bytes], *documents: str) -> Measurements:
    written(root, {"manifests/flows.yaml": "---\n".join(documents), **files})
    return measurements(load(None, root=root).flows, root=root)


def latencies(root: Path, content: str | bytes) -> tuple[float, ...]:
    return measured(root, {"crm.csv": content}, flow(actions=SAMPLES)).latencies["crm.csv"]


def counts(root: Path, content: str) -> tuple[int, ...]:
    return measured(root, {"monday.csv": content}, flow(spec=ARRIVALS)).counts["monday.csv"]


def refused(root: Path, content: str | bytes) -> list[str]:
    with pytest.raises(InvalidManifests) as caught:
        latencies(root, content)
    return lines(caught.value.findings)


def test_a_latency_stands_on_each_line(tmp_path: Path) -> None:
    assert latencies(tmp_path, "412\n380.5\r\n.25\n4.1e+02\n0\n\n\n") == (412, 380.5, 0.25, 410, 0)


@pytest.mark.parametrize("heading", ["latency_ms", '"p95, ms"', "Dauer"])
def test_the_first_line_may_be_a_heading(tmp_path: Path, heading: str) -> None:
    assert latencies(tmp_path, f"\ufeff{heading}\n412\n") == (412,)


def test_a_count_stands_on_each_line(tmp_path: Path) -> None:
    assert counts(tmp_path, "calls\n0\n12\n40\n") == (0, 12, 40)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "1:1: error: no numbers are in this file"),
        ("latency_ms\n\n", "1:1: error: no numbers are in this file"),
        ("412\n-3\n", "2:1: error: -3 is negative"),
        ("NaN\n412\n", "1:1: error: 'NaN' is no number"),
        ("412\ninf\n", "2:1: error: 'inf' is no number"),
        ("412\nslow\n", "2:1: error: 'slow' is no number"),
        ("412,5\n", "1:1: error: '412,5' is no number, but 2 columns"),
        ("time,latency\n1,412\n", "2:1: error: '1,412' is no number, but 2 columns"),
        ("412\n\n380\n", "2:1: error: this line is empty"),
        ("412\n1_000\n", "2:1: error: '1_000' is no number"),
        ("412\n٤\n", "2:1: error: '٤' is no number"),
        ("412\n1e9\n", "2:1: error: 1e9 is more than 86400000"),
        ("9" * 5000, "is no number"),
        (b"412\n\xff\n", "2:1: error: the byte 0xff is not UTF-8"),
    ],
)
def test_what_is_no_latency_is_refused_at_its_line(
    tmp_path: Path, content: str | bytes, said: str
) -> None:
    [line] = refused(tmp_path, content)

    assert line.startswith("crm.csv:")
    assert said in line


def test_the_refusal_says_what_to_write(tmp_path: Path) -> None:
    assert refused(tmp_path, "412;380") == [
        (
            "crm.csv:1:1: error: '412;380' is no number; write a latency in milliseconds a line and"
            " nothing else [syntax]"
        )
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [("12\n1.5\n", "2:1: error: 1.5 is no whole number"), ("0\n0\n", "every count is 0")],
)
def test_what_is_no_count_is_refused(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(InvalidManifests, match=said):
        counts(tmp_path, content)


def test_a_file_that_is_not_there_is_refused_where_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidManifests) as caught:
        measured(tmp_path, {}, flow(actions=SAMPLES))

    assert lines(caught.value.findings) == [
        (
            "manifests/flows.yaml:8:33: error: 'crm.csv' is not there; it is looked for beside"
            " gcsync.yaml [reference]"
        )
    ]


def test_a_file_outside_of_the_project_is_refused_by_name_and_by_link(tmp_path: Path) -> None:
    root = tmp_path / "project"
    written(tmp_path, {"outside.csv": "412\n", "project/x": ""})
    (root / "crm.csv").symlink_to(tmp_path / "outside.csv")
    by_name = flow("named", actions=SAMPLES.replace("crm.csv", "../outside.csv"))

    with pytest.raises(InvalidManifests) as caught:
        measured(root, {}, flow(actions=SAMPLES), by_name)

    said = lines(caught.value.findings)
    assert len(said) == 2
    assert all("leads out of the project; put the file itself inside" in line for line in said)


def test_a_pipe_and_a_folder_are_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "crm.csv")
    (tmp_path / "monday.csv").mkdir()

    with pytest.raises(InvalidManifests) as caught:
        measured(tmp_path, {}, flow(actions=SAMPLES, spec=ARRIVALS))

    said = lines(caught.value.findings)
    assert len(said) == 2
    assert all("is no regular file; name a CSV file" in line for line in said)


def test_a_file_of_more_than_64_mb_is_refused(tmp_path: Path) -> None:
    (tmp_path / "crm.csv").touch()
    os.truncate(tmp_path / "crm.csv", 64 * 1024 * 1024 + 1)

    with pytest.raises(InvalidManifests, match="is larger than 67,108,864 bytes; take a part"):
        measured(tmp_path, {}, flow(actions=SAMPLES))


def test_every_refused_file_is_named_once(tmp_path: Path) -> None:
    documents = (flow("a", actions=SAMPLES, spec=ARRIVALS), flow("b", actions=SAMPLES))

    with pytest.raises(InvalidManifests) as caught:
        measured(tmp_path, {"crm.csv": "", "monday.csv": "-1\n"}, *documents)

    assert [each.location.file for each in caught.value.findings] == ["crm.csv", "monday.csv"]


@given(values=st.lists(st.floats(0, 1e6).map(lambda x: round(x, 6)), min_size=1, max_size=20))
def test_whatever_latencies_are_written_are_read(
    tmp_path_factory: pytest.TempPathFactory, values: list[float]
) -> None:
    root = tmp_path_factory.mktemp("law")

    assert latencies(root, "".join(f"{value!r}\n" for value in values)) == tuple(values)
