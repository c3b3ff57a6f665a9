"""The command for longer campaigns says how it went, and shows what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from race.campaign import main

if TYPE_CHECKING:
    import pytest


def test_a_campaign_without_violations_succeeds(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--schedules", "2", "--jobs", "1"])

    assert code == 0
    assert "gcsync: 2 schedules" in capsys.readouterr().out


def test_a_campaign_of_a_wrong_protocol_fails_and_shows_seed_and_history(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = main(["--schedules", "1", "--jobs", "1", "--protocol", "no If-Match"])

    out = capsys.readouterr().out
    assert code == 1
    assert "seed 0, no If-Match:" in out
    assert "I2: apply-" in out
    assert "PUT billing if None body" in out


def test_one_schedule_is_printed_again(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--first", "7", "--history"])

    assert code == 0
    assert capsys.readouterr().out.startswith("seed 7, gcsync:")
