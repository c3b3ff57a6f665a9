"""The laws of an import of data actions of the public API, whatever they are called and hold."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from adoption_builders import DATA_ACTIONS, TOKEN, data_actions, imported
from hypothesis import given, settings

from gcsync.core.plan import compare
from gcsync.engine.observe import resolve
from gcsync.loader.layout import formatted
from gcsync.loader.manifests import check, load
from gcsync.model.change import FlowChange, LiveFlow, Snapshot

SECRETS = (TOKEN, TOKEN.casefold(), "password=hunter2", "https://u:p@h")


class Listing:
    """As much of a driver as it takes to find what a manifest speaks of."""

    def __init__(self, live: list[LiveFlow]) -> None:
        self._live = live

    def list_live(self, kind: str) -> list[LiveFlow]:
        assert kind == "dataaction"
        return self._live


def contents(root: Path) -> dict[str, bytes]:
    return {
        file.relative_to(root).as_posix(): file.read_bytes()
        for file in root.rglob("*")
        if file.is_file()
    }


@settings(max_examples=30)
@given(DATA_ACTIONS)
def test_what_was_imported_is_valid_laid_out_without_secrets_and_wants_no_change(
    drawn: list[Any],
) -> None:
    live = data_actions(drawn)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)

        settlement = imported(live, root, kind="dataaction")

        written = contents(root)
        refused = {each.reason for each in settlement.adoption.flows if each.standing == "refused"}
        assert refused <= {"neither its name nor its id can stand in a manifest"}
        assert len({name.casefold() for name in written}) == len(written)
        assert all(name.startswith("manifests/data-actions/") for name in written)
        assert all(name.count("/") == 3 for name in written)
        for name, content in written.items():
            text = content.decode()
            assert formatted(text, name) == text
            assert not any(secret in text or secret in name for secret in SECRETS)
        if not written:
            return
        assert check(None, root=root) == ()
        held = {each.id: actions for each, actions in live}
        specs = load(None, root=root).data_actions
        driver: Any = Listing([each for each, _ in live])
        for spec, ref in resolve(specs, driver):
            now = Snapshot(ref=ref, revision=None, document=b"", actions=held[ref.id])
            told = compare(spec, now)
            assert isinstance(told, FlowChange)
            assert told.fields == ()
        assert len({ref.id for _, ref in resolve(specs, driver)}) == len(specs) == len(written)


@settings(max_examples=30)
@given(DATA_ACTIONS)
def test_importing_again_changes_no_byte(drawn: list[Any]) -> None:
    live = data_actions(drawn)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        imported(live, Path(one), kind="dataaction")
        imported(live[::-1], Path(other), kind="dataaction")
        first = contents(Path(one))

        assert contents(Path(other)) == first
        imported(live, Path(one), kind="dataaction")
        assert contents(Path(one)) == first
        imported(live, Path(one), is_forced=True, kind="dataaction")
        assert contents(Path(one)) == first
