"""``gcsync sandbox serve`` as a process of its own."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from gcsync.cli.sandbox import sandbox
from gcsync.sandbox.state import organisation_id

if TYPE_CHECKING:
    from pathlib import Path

RUN = "import sys; from gcsync.cli.sandbox import sandbox; sys.exit(sandbox(standalone_mode=False))"


def get(facts: dict[str, str], path: str, token: str) -> Any:
    connection = http.client.HTTPConnection(urlsplit(facts["url"]).netloc, timeout=5)
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_one_line_serves_and_ends_on_a_signal(stop: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", RUN, "serve", "--size", "3", "--rate-limit", "off"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        log = get(facts, "/sandbox/log", facts["control_token"])
        process.send_signal(stop)
        rest, errors = process.communicate(timeout=10)

    assert set(facts) == {
        "url",
        "login_url",
        "client_id",
        "client_secret",
        "private_key",
        "org_id",
        "control_token",
    }
    assert facts["private_key"].startswith("-----BEGIN PRIVATE KEY-----")
    assert log == {"edits": []}
    assert (process.returncode, rest, errors) == (0, "", "")


def test_its_state_is_kept_where_it_is_told(tmp_path: Path) -> None:
    lines = []
    for _ in range(2):
        with subprocess.Popen(
            [sys.executable, "-c", RUN, "serve", "--state", str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            lines.append(json.loads(process.stdout.readline()))
            process.terminate()

    assert lines[0]["client_secret"] == lines[1]["client_secret"]


@pytest.mark.parametrize("text", ["0", "-1", "fast", "1.5", ""])
def test_a_rate_limit_that_is_none_is_refused(text: str) -> None:
    result = CliRunner().invoke(sandbox, ["serve", "--rate-limit", text])

    assert result.exit_code == 2
    assert "nor 'off'" in result.output


def test_help_starts_no_server_and_loads_none() -> None:
    program = (
        "import sys; from click.testing import CliRunner; from gcsync.cli.sandbox import sandbox; "
        "assert CliRunner().invoke(sandbox, ['serve', '--help']).exit_code == 0; "
        "print([m for m in ('uvicorn', 'jwt', 'starlette') if m in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"


def test_it_serves_the_organisation_of_an_environment(tmp_path: Path) -> None:
    words = ["serve", "--state", str(tmp_path), "--env", "dev"]
    with subprocess.Popen(
        [sys.executable, "-c", RUN, *words], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10)

    assert facts["org_id"] == organisation_id("dev")
    assert (tmp_path / "sandbox-dev.json").exists()
