"""A sandbox kept in a folder: durable, private, for one process at a time."""

from __future__ import annotations

import fcntl
import json
import os
from typing import TYPE_CHECKING

import pytest

from gcsync.errors import ConfigurationError
from gcsync.sandbox.sample import sample_flows
from gcsync.sandbox.state import FILE_NAME, Origin, open_sandbox, organisation_id
from gcsync.sandbox.wire import Request, Response

if TYPE_CHECKING:
    from pathlib import Path

    from gcsync.sandbox.app import SandboxServer

FLOW_ID = sample_flows()[0].id


def put(server: SandboxServer, document: bytes, if_match: str) -> tuple[int, bytes]:
    """A conditional write over the socket, for only there an answer waits for the disk."""
    import http.client  # noqa: PLC0415 - used here alone
    import time  # noqa: PLC0415 - used here alone

    token = server.org.login.issue(server.client_id, now=time.time())
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    headers = {
        "Authorization": f"Bearer {token}",
        "If-Match": if_match,
        "Content-Type": "application/json",
    }
    connection.request("PUT", f"/api/v2/flows/{FLOW_ID}", document, headers)
    response = connection.getresponse()
    answer = response.status, response.read()
    connection.close()
    return answer


def launch(server: SandboxServer, *, now: float) -> Response:
    token = server.org.login.issue(server.client_id, now=now)
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    order = json.dumps({"flowId": FLOW_ID}).encode()
    request = Request(method="POST", path="/api/v2/flows/executions", headers=headers, body=order)
    return server.org.handle(request, now=now)


def test_a_new_sandbox_is_the_sample(tmp_path: Path) -> None:
    with open_sandbox(tmp_path / ".gcsync") as server:
        assert {flow.id for flow in server.org.flows} == {flow.id for flow in sample_flows()}


def test_what_was_acknowledged_is_on_disk_before(tmp_path: Path) -> None:
    with open_sandbox(tmp_path) as server:
        status, _ = put(server, server.org.document(FLOW_ID), '"1"')

        changed = server.org.document(FLOW_ID)
        kept = json.loads((tmp_path / FILE_NAME).read_text())
    assert status == 200
    assert kept["flows"][FLOW_ID]["revision"] == 2
    assert list(kept["documents"].values()).count(changed.decode()) == 1


def test_the_next_process_finds_flows_log_and_credentials_as_they_were(tmp_path: Path) -> None:
    with open_sandbox(tmp_path) as first:
        put(first, first.org.document(FLOW_ID) + b"\n", '"1"')
        first.org.edit(FLOW_ID, "/description", "Grüße", author="Architect", now=5.0)
        log, document = first.org.log, first.org.document(FLOW_ID)
        secrets = first.client_secret, first.private_key_pem, first.org.control_token

    with open_sandbox(tmp_path) as second:
        assert second.org.log == log
        assert second.org.document(FLOW_ID) == document
        assert second.org.revision(FLOW_ID) == 3
        assert secrets == (second.client_secret, second.private_key_pem, second.org.control_token)
        assert put(second, document, '"2"')[0] == 412
        assert put(second, document, '"3"')[0] == 200


def test_executions_are_remembered(tmp_path: Path) -> None:
    with open_sandbox(tmp_path) as first:
        launched = json.loads(launch(first, now=100.0).body)

    with open_sandbox(tmp_path) as second:
        assert second.org.executions.find(launched["executionId"]).launched_at == 100.0


def test_a_sandbox_that_nobody_changed_is_not_written_again(tmp_path: Path) -> None:
    with open_sandbox(tmp_path):
        before = (tmp_path / FILE_NAME).stat().st_ino

    with open_sandbox(tmp_path):
        pass

    assert (tmp_path / FILE_NAME).stat().st_ino == before


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    with open_sandbox(tmp_path):
        assert (tmp_path / FILE_NAME).stat().st_mode & 0o077 == 0


def test_two_sandboxes_have_different_secrets(tmp_path: Path) -> None:
    with open_sandbox(tmp_path / "a") as one, open_sandbox(tmp_path / "b") as two:
        assert one.client_secret != two.client_secret
        assert one.private_key_pem != two.private_key_pem


def test_deleting_the_folder_begins_anew(tmp_path: Path) -> None:
    with open_sandbox(tmp_path) as server:
        server.org.edit(FLOW_ID, "/description", "x", author="Architect")
    for file in tmp_path.iterdir():
        file.unlink()

    with open_sandbox(tmp_path) as server:
        assert server.org.revision(FLOW_ID) == 1


def test_a_second_process_waits_and_then_says_why_it_cannot(tmp_path: Path) -> None:
    naps: list[float] = []

    with open_sandbox(tmp_path), pytest.raises(ConfigurationError, match="another gcsync process"):  # noqa: SIM117
        with open_sandbox(tmp_path, lock_wait_s=2, sleep=naps.append):
            pass

    assert sum(naps) == pytest.approx(2, abs=0.1)


def test_a_second_process_goes_on_when_the_first_is_done(tmp_path: Path) -> None:
    other = os.open(tmp_path / "sandbox.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(other, fcntl.LOCK_EX)

    with open_sandbox(tmp_path, sleep=lambda _: os.close(other)) as server:
        assert server.org.revision(FLOW_ID) == 1


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"format": 99}', "\x00", '{"format": 1}', '{"format": 1, "origin": [1]}']
)
def test_a_state_that_cannot_be_read_is_said_so(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE_NAME).write_text(text)

    with pytest.raises(ConfigurationError, match="delete it"), open_sandbox(tmp_path):
        pass


def test_a_folder_that_cannot_be_made_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with (
        pytest.raises(ConfigurationError, match="cannot be used"),
        open_sandbox(tmp_path / "file" / "below"),
    ):
        pass


def test_a_write_that_cannot_be_kept_is_not_acknowledged(tmp_path: Path) -> None:
    with open_sandbox(tmp_path) as server:
        document = server.org.document(FLOW_ID)
        (tmp_path / "sandbox.tmp").mkdir()

        status, body = put(server, document, '"1"')

        (tmp_path / "sandbox.tmp").rmdir()
    assert status == 500
    assert b"cannot be written" in body


def test_a_generated_organisation_is_kept_by_what_changed_in_it(tmp_path: Path) -> None:
    origin = Origin(size=500, seed=4)
    with open_sandbox(tmp_path, origin=origin) as server:
        flow_id = next(iter(server.org.flows)).id
        server.org.edit(flow_id, "/description", "x", author="Architect")

    with open_sandbox(tmp_path) as server:
        assert (server.org.revision(flow_id), len(list(server.org.flows))) == (2, 500)
    assert (tmp_path / FILE_NAME).stat().st_size < 60_000


def test_a_kept_organisation_is_not_mistaken_for_another(tmp_path: Path) -> None:
    with open_sandbox(tmp_path):
        pass

    with (
        pytest.raises(ConfigurationError, match="another organisation"),
        open_sandbox(tmp_path, origin=Origin(size=5)),
    ):
        pass


def test_without_a_folder_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with open_sandbox(None) as server:
        server.org.edit(FLOW_ID, "/description", "x", author="Architect")

    assert list(tmp_path.iterdir()) == []


def test_sandboxes_of_two_names_are_open_at_once_and_know_nothing_of_each_other(
    tmp_path: Path,
) -> None:
    with open_sandbox(tmp_path, name="dev") as dev, open_sandbox(tmp_path, name="prod") as prod:
        put(dev, dev.org.document(FLOW_ID) + b"\n", '"1"')

        assert (dev.org.revision(FLOW_ID), prod.org.revision(FLOW_ID)) == (2, 1)
        assert len({dev.org.id, prod.org.id, organisation_id(None)}) == 3
        assert dev.org.id == organisation_id("dev")
    assert {file.name for file in tmp_path.glob("*.json")} == {
        "sandbox-dev.json",
        "sandbox-prod.json",
    }


def test_a_named_sandbox_is_found_again(tmp_path: Path) -> None:
    with open_sandbox(tmp_path, name="dev") as first:
        put(first, first.org.document(FLOW_ID) + b"\n", '"1"')
    with open_sandbox(tmp_path, name="dev") as again:
        assert again.org.revision(FLOW_ID) == 2
        assert again.org.id == first.org.id


@pytest.mark.parametrize("name", ["", "../x", "a/b", "Dev", "-dev", "d" * 65, "dev\n"])
def test_a_sandbox_s_name_cannot_lead_elsewhere(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "state"

    with (
        pytest.raises(ConfigurationError, match="no sandbox can be named"),
        open_sandbox(folder, name=name),
    ):
        pass

    assert not folder.exists()
