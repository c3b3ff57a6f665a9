"""The laws of an import, over organisations that nobody would wish for."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from adoption_builders import FLOWS, TOKEN, imported, organisation
from hypothesis import given, settings

from gcsync.core.plan import compare
from gcsync.loader.layout import formatted
from gcsync.loader.manifests import check, load
from gcsync.model.change import FlowChange, FlowRef, Snapshot

SECRETS = (TOKEN, TOKEN.casefold(), "hunter2", "u:p@")


def contents(root: Path) -> dict[str, bytes]:
    return {
        file.relative_to(root).as_posix(): file.read_bytes()
        for file in root.rglob("*")
        if file.is_file()
    }


@settings(max_examples=15)
@given(FLOWS)
def test_what_was_imported_is_valid_laid_out_without_secrets_and_wants_no_change(
    flows: list[Any],
) -> None:
    live = organisation(flows)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)

        settlement = imported(live, root)

        written = contents(root)
        refused = {flow.reason for flow in settlement.adoption.flows if flow.standing == "refused"}
        assert refused <= {"its id cannot stand in a manifest"}
        assert len({name.casefold() for name in written}) == len(written)
        assert all(name.startswith("manifests/") and name.count("/") == 1 for name in written)
        for name, content in written.items():
            text = content.decode()
            assert formatted(text, name) == text
            assert not any(secret in text or secret in name for secret in SECRETS)
        if not written:
            return
        assert check(None, root=root) == ()
        held = {flow.id: actions for flow, actions in live}
        for spec in load(None, root=root).flows:
            ref = FlowRef(address=spec.address, id=spec.selector.id or "")
            actions = held[ref.id]
            told = compare(spec, Snapshot(ref=ref, revision=None, document=b"", actions=actions))
            assert isinstance(told, FlowChange)
            assert told.fields == ()


@settings(max_examples=15)
@given(FLOWS)
def test_importing_again_changes_no_byte(flows: list[Any]) -> None:
    live = organisation(flows)
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        imported(live, Path(one))
        imported(live[::-1], Path(other))
        first = contents(Path(one))

        assert contents(Path(other)) == first
        imported(live, Path(one))
        assert contents(Path(one)) == first
        imported(live, Path(one), is_forced=True)
        assert contents(Path(one)) == first
