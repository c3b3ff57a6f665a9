from __future__ import annotations

from gcsync.cli.main import COMMANDS, loaded
from gcsync.cli.options import FORMATS
from gcsync.render.formats import RENDERERS


def test_there_is_a_renderer_for_every_format_that_a_command_offers() -> None:
    offered = {
        known
        for name in COMMANDS
        for option in loaded(name).params
        if option.name == "outputs"
        for known in option.type.formats
    }

    assert set(FORMATS) < offered
    assert offered == set(RENDERERS)
