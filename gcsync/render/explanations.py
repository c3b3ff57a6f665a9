"""Where desired values come from, and what is live instead, as a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gcsync.core.exact_json import to_json
from gcsync.model.report import Block, Report, Row
from gcsync.model.value import ABSENT
from gcsync.render.values import place, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcsync.model.value import JSON, Location, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """One place that had a say in a value; *how* names it, e.g. ``overlay overlays/prod``."""

    how: str
    value: JSON
    source: Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One desired setting, what contributed to it (the last one holds), and the live value.

    *has_live* is false where nobody asked the organisation. A setting that no
    manifest manages has no *source*, and nothing contributed to it.
    """

    address: str
    path: str
    value: Value = ABSENT
    source: Location | None = None
    contributions: tuple[Contribution, ...] = ()
    live: Value = ABSENT
    has_live: bool = False


def present_explanations(explained: Sequence[Explained], *, notes: Sequence[str] = ()) -> Report:
    """Each setting with its chain of origins and the live value."""
    return Report(
        document={
            "format_version": "1.0",
            "explanations": [_document(one) for one in explained],
            "warnings": list(notes),
        },
        blocks=tuple(_block(one) for one in explained),
        closing=tuple(Row(sign="!", cells=(note,), tone="change") for note in notes),
    )


def _block(one: Explained) -> Block:
    rows = [Row(cells=(f"{one.address}/{one.path}",), tone="strong")]
    rows.extend(
        Row(
            depth=1,
            cells=(entry.how, shown(entry.value)),
            place=place(entry.source),
            tone="plain" if entry is one.contributions[-1] else "faint",
        )
        for entry in one.contributions
    )
    if one.source is None:
        rows.append(Row(depth=1, cells=("managed by no manifest",), tone="faint"))
    else:
        rows.append(Row(depth=1, cells=("desired", shown(one.value)), tone="good"))
    if one.has_live:
        rows.append(Row(depth=1, cells=("live", shown(one.live)), tone="change"))
    return Block(rows=tuple(rows))


def _document(one: Explained) -> dict[str, Any]:
    return {
        "address": one.address,
        "path": one.path,
        "desired": to_json(one.value),
        "live": to_json(one.live),
        "live_read": one.has_live,
        "managed": one.source is not None,
        "source": _source(one.source) if one.source else None,
        "origins": [
            {"how": entry.how, "value": to_json(entry.value), "source": _source(entry.source)}
            for entry in one.contributions
        ],
    }


def _source(source: Location) -> dict[str, Any]:
    return {"file": source.file, "line": source.line, "column": source.column}
