from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from acceptance_world import World


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_a_shell_is_printed(world: World, shell: str) -> None:
    printed = world.run("completion", shell)

    assert (printed.code, printed.err) == (0, "")
    assert "_GCSYNC_COMPLETE" in printed.out


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash to read its script")
def test_bash_can_read_its_script(world: World) -> None:
    script = world.process("completion", "bash").out

    read = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)

    assert (read.returncode, read.stderr) == (0, "")


@pytest.mark.parametrize("words", [(), ("tcsh",)])
def test_an_unknown_shell_is_wrong_usage(world: World, words: tuple[str, ...]) -> None:
    assert world.run("completion", *words).code == 64
