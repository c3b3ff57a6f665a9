"""What holds for the command line as a whole."""

from __future__ import annotations

import os
import pty
from typing import TYPE_CHECKING

import click
import pytest
from acceptance_world import ended, live, manifest

from gcsync import __version__
from gcsync.cli.choices import NearChoice
from gcsync.cli.main import COMMANDS, loaded

if TYPE_CHECKING:
    from acceptance_world import World


def test_the_version(world: World) -> None:
    told = world.process("--version")

    assert (told.code, told.out) == (0, f"gcsync, version {__version__}\n")


def test_without_a_command_the_help_is_shown_as_wrong_usage(world: World) -> None:
    told = world.run()

    assert told.code == 64
    assert "Commands:" in told.said


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_on_stdout(world: World, command: str) -> None:
    told = world.run(command, "--help")

    assert (told.code, told.err) == (0, "")
    assert told.out.startswith(f"Usage: gcsync {command}")


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_closed_stream_is_as_good_as_none(world: World, number: int) -> None:
    closed = (
        f"import os, sys; os.close({number});"
        "os.execv(sys.executable, [sys.executable, '-m', 'gcsync', *sys.argv[1:]])"
    )

    told = world.process("rules", "-o", "json=rules.json", program=("-c", closed))

    assert (told.code, told.err) == (0, "")
    assert bool(told.out) == (number != 1)
    assert (world.folder / "rules.json").exists()


def test_the_word_dry_run_does_not_occur(world: World) -> None:
    said = "".join(world.run(command, "--help").out for command in COMMANDS)

    assert "dry" not in said


def test_a_misspelt_command_is_wrong_usage_with_the_nearest(world: World) -> None:
    told = world.process("aply")

    assert (told.code, told.out) == (64, "")
    assert "Did you mean 'apply'?" in told.err


@pytest.mark.parametrize(
    ("words", "variables", "coloured"),
    [
        ((), {}, True),
        (("--no-color",), {}, False),
        ((), {"NO_COLOR": "1"}, False),
        ((), {"NO_COLOR": ""}, True),
        (("-o", "json"), {}, False),
    ],
)
def test_colour_is_for_terminals_that_want_it(
    world: World, words: tuple[str, ...], variables: dict[str, str], *, coloured: bool
) -> None:
    world.manifests()
    leader, follower = pty.openpty()
    try:
        process = world.spawn("plan", *words, stdout=follower, variables=variables)
        assert ended(process).code == 0
        shown = os.read(leader, 65_536)
    finally:
        os.close(leader)
        os.close(follower)

    assert (b"\x1b[" in shown) is coloured


def test_a_pipe_gets_no_colour(world: World) -> None:
    world.manifests()

    assert "\x1b" not in world.process("plan").out


@pytest.mark.parametrize(("variables", "shown"), [({}, True), ({"CI": "true"}, False)])
def test_a_bar_on_a_terminal_for_long_work_and_never_in_ci(
    world: World, variables: dict[str, str], *, shown: bool
) -> None:
    names = [f"flow-{number}" for number in range(30)]
    world.lives(*(live(name) for name in names))
    world.manifests(*(manifest(name) for name in names))
    leader, follower = pty.openpty()
    try:
        process = world.spawn("plan", stderr=follower, variables=variables)
        assert ended(process).code == 0
        os.write(follower, b"\n")
        said = os.read(leader, 65_536)
    finally:
        os.close(leader)
        os.close(follower)

    assert (b"Reading flows  [" in said) is shown
    assert (b"Reading flows (30)\r\n" in said) is not shown


def test_an_unforeseen_error_is_one_line_that_asks_for_a_report(world: World) -> None:
    program = (
        "from gcsync.cli import main\n"
        "@main.cli.command()\n"
        "def broken(): raise ZeroDivisionError('a secret')\n"
        "main.COMMANDS['broken'] = 'main'\n"
        "main.broken = broken\n"
        "main.main()"
    )

    told = world.process("broken", program=("-c", program))
    debugged = world.process("broken", program=("-c", program), variables={"GCSYNC_DEBUG": "1"})

    assert told.code == 1
    assert told.err.startswith("error: gcsync met a case it does not know (ZeroDivisionError at")
    assert len(told.err.splitlines()) == 1
    assert "a secret" not in told.err
    assert "Traceback" in debugged.err


@pytest.mark.parametrize(
    "words", [("plan",), ("apply", "--auto-approve"), ("drift",), ("validate",)]
)
def test_an_organisation_without_manifests_is_no_traceback(
    world: World, words: tuple[str, ...]
) -> None:
    told = world.run(*words)

    assert told.code in {0, 1}
    assert told.said


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (("import", "--kind", "data-action"), "(did you mean 'dataaction'?)"),
        (("lint", "--fail-on", "warn"), "(did you mean 'warning'?)"),
        (("plan", "-o", "jsn"), "(did you mean 'json'?)"),
        (("completion", "zhs"), "(did you mean 'zsh'?)"),
        (("import", "--kind", "qqq"), "'integration'"),
    ],
)
def test_a_misspelt_choice_is_answered_with_the_nearest(
    world: World, words: tuple[str, ...], near: str
) -> None:
    told = world.run(*words)

    assert told.code == 64
    assert told.err.strip().endswith(near)


def test_every_closed_choice_offers_the_nearest() -> None:
    plain = [
        parameter.name
        for command in COMMANDS
        for parameter in loaded(command).params
        if isinstance(parameter.type, click.Choice) and not isinstance(parameter.type, NearChoice)
    ]

    assert plain == []
