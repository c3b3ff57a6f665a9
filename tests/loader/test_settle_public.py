"""The laws of an import of what the public API has, whatever it is called and holds."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from adoption_builders import (
    DATA_ACTIONS,
    INTEGRATIONS,
    TOKEN,
    Live,
    data_actions,
    imported,
    integrations,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from gcsync.core.plan import compare
from gcsync.engine.observe import resolve
from gcsync.loader.layout import formatted
from gcsync.loader.manifests import check, load
from gcsync.model.change import FlowChange, LiveFlow, Snapshot

SECRETS = (TOKEN, TOKEN.casefold(), "password=hunter2", "https://u:p@h")


LIVE: dict[str, st.SearchStrategy[Live]] = {
    "dataaction": DATA_ACTIONS.map(data_actions),
    "integration": INTEGRATIONS.map(integrations),
}
PLACES = {
    "dataaction": ("manifests/data-actions/", 3),
    "integration": ("manifests/integrations/", 2),
}
"""Kind -> where its files lie, and so many folders deep."""

each_kind = pytest.mark.parametrize("kind", LIVE)


class Listing:
    """As much of a driver as it takes to find what a manifest speaks of."""

    def __init__(self, kind: str, live: list[LiveFlow]) -> None:
        self._kind = kind
        self._live = live

    def list_live(self, kind: str) -> list[LiveFlow]:
        assert kind == self._kind
        return self._live


def contents(root: Path) -> dict[str, bytes]:
    return {
        file.relative_to(root).as_posix(): file.read_bytes()
        for file in root.rglob("*")
        if file.is_file()
    }


@each_kind
@settings(max_examples=15)
@given(data=st.data())
def test_what_was_imported_is_valid_laid_out_without_secrets_and_wants_no_change(
    kind: str, data: Any
) -> None:
    live = data.draw(LIVE[kind])
    place, depth = PLACES[kind]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)

        settlement = imported(live, root, kind=kind)

        written = contents(root)
        refused = {each.reason for each in settlement.adoption.flows if each.standing == "refused"}
        assert refused <= {"neither its name nor its id can stand in a manifest"}
        assert len({name.casefold() for name in written}) == len(written)
        assert all(name.startswith(place) for name in written)
        assert all(name.count("/") == depth for name in written)
        for name, content in written.items():
            text = content.decode()
            assert formatted(text, name) == text
            assert not any(secret in text or secret in name for secret in SECRETS)
        if not written:
            return
        assert check(None, root=root) == ()
        held = {each.id: actions for each, actions in live}
        specs = load(None, root=root).resources
        driver: Any = Listing(kind, [each for each, _ in live])
        for spec, ref in resolve(specs, driver):
            now = Snapshot(ref=ref, revision=None, document=b"", actions=held[ref.id])
            told = compare(spec, now)
            assert isinstance(told, FlowChange)
            assert told.fields == ()
        assert len({ref.id for _, ref in resolve(specs, driver)}) == len(specs) == len(written)


@each_kind
@settings(max_examples=15)
@given(data=st.data())
def test_importing_again_changes_no_byte(kind: str, data: Any) -> None:
    live = data.draw(LIVE[kind])
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        imported(live, Path(one), kind=kind)
        imported(live[::-1], Path(other), kind=kind)
        first = contents(Path(one))

        assert contents(Path(other)) == first
        imported(live, Path(one), kind=kind)
        assert contents(Path(one)) == first
        imported(live, Path(one), is_forced=True, kind=kind)
        assert contents(Path(one)) == first
