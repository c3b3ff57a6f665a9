"""The laws of an import of flows of the public API, whatever they and their data actions are."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adoption_builders import (
    DATA_ACTIONS,
    PUBLIC_FLOWS,
    TOKEN,
    Live,
    Using,
    data_actions,
    imported,
    uses_of,
    using,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from gcsync.engine.listings import Listings
from gcsync.engine.usage import uses
from gcsync.loader.layout import formatted
from gcsync.loader.manifests import check, load

if TYPE_CHECKING:
    from gcsync.model.change import LiveFlow

LIVE = DATA_ACTIONS.map(data_actions)
FLOWS = PUBLIC_FLOWS.map(using)


class Organisation:
    """As much of a driver and of dependency tracking as it takes to find what flows use."""

    def __init__(self, flows: Using, actions: list[LiveFlow]) -> None:
        self._uses = {flow.id: ids for flow, ids in flows}
        self._live = {"flow": [flow for flow, _ in flows], "dataaction": actions}

    def list_live(self, kind: str) -> list[LiveFlow]:
        return self._live[kind]

    def data_actions(self, flow: LiveFlow) -> tuple[str, ...]:
        return self._uses[flow.id]


def contents(root: Path) -> dict[str, bytes]:
    return {
        file.relative_to(root).as_posix(): file.read_bytes()
        for file in root.rglob("*")
        if file.is_file()
    }


def fits(flows: Using, actions: list[LiveFlow], root: Path) -> None:
    """The manifests below *root* are valid, and mean what the flows use."""
    assert check(None, root=root) == ()
    specs = load(None, root=root).public_flows
    live: Any = Organisation(flows, actions)
    found = uses(specs, Listings(live), live, parallelism=1)
    assert found.findings == ()
    assert len({used.ref.id for used in found.flows}) == len(specs)
    for used in found.flows:
        ids = [action.id for action in used.spec.actions]
        assert len(set(ids)) == len(ids)
        # One that cannot be named is left out, and no other.
        assert used.ids - set(ids) <= {TOKEN, "Ä/../x"}


@settings(max_examples=30)
@given(flows=FLOWS, live=LIVE, managed=st.sets(st.integers(0, 3)), is_first=st.booleans())
def test_what_was_imported_means_what_flows_use_whatever_is_managed_before_or_after(
    flows: Using, live: Live, managed: set[int], *, is_first: bool
) -> None:
    actions = [action for action, _ in live]
    before = [each for number, each in enumerate(live) if number in managed]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        if before and not is_first:
            imported(before, root, kind="dataaction")

        settlement = uses_of(flows, actions, root)

        refused = {each.reason for each in settlement.adoption.flows if each.standing != "written"}
        assert refused <= {
            "neither its name nor its id can stand in a manifest",
            "none of its data actions can be named",
        }
        written = contents(root)
        for name, content in written.items():
            assert formatted(content.decode(), name).encode() == content
            assert TOKEN.casefold() not in (content.decode() + name).casefold()
        if not any(each.standing == "written" for each in settlement.adoption.flows):
            return
        fits(flows, actions, root)
        imported(live, root, kind="dataaction")
        fits(flows, actions, root)


@settings(max_examples=30)
@given(flows=FLOWS, live=LIVE)
def test_importing_again_changes_no_byte(flows: Using, live: Live) -> None:
    actions = [action for action, _ in live]
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        uses_of(flows, actions, Path(one))
        uses_of(flows[::-1], actions[::-1], Path(other))
        first = contents(Path(one))

        assert contents(Path(other)) == first
        uses_of(flows, actions, Path(one))
        assert contents(Path(one)) == first
        uses_of(flows, actions, Path(one), is_forced=True)
        assert contents(Path(one)) == first
