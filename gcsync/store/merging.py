"""What a run did, put together from the results it recorded and the writes it journalled.

A run that was killed, or that could not journal a result, leaves writes that
happened without one; a later run may have found out what became of them. The
journal keeps both as they were entered, and they are brought together here,
whenever they are read.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from gcsync.model.change import Failure, FlowResult
from gcsync.store.rows import read_address, read_journalled

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from sqlalchemy import Row

    from gcsync.model.change import FieldChange
    from gcsync.store.rows import JournalledIntent


def surest(recorded: Iterable[FlowResult]) -> dict[str, FlowResult]:
    """One result a flow, by address; of several, the last that leaves no doubt.

    A thread that an interrupted run left behind may end, and record that,
    beside the doubt that the run recorded of it.
    """
    kept: dict[str, FlowResult] = {}
    for result in recorded:
        former = kept.get(result.ref.address)
        if former is None or _is_doubt(former) or not _is_doubt(result):
            kept[result.ref.address] = result
    return kept


def completed(
    recorded: Iterable[FlowResult], intents: Iterable[Row[Any]]
) -> tuple[FlowResult, ...]:
    """The results of a run that is over, and those that its writes tell of beside them.

    A write that happened counts where its flow has no result, or only one
    that leaves it open. Raises `Malformed`.
    """
    kept = surest(recorded)
    by_address: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in intents:
        by_address[read_address(row)].append(row)
    for address, rows in by_address.items():
        former = kept.get(address)
        if former is not None and not _is_doubt(former):
            continue
        told = _told([read_journalled(row) for row in rows])
        if told is None:
            continue
        if former is None or former.status == "skipped" or told.status == "applied":
            kept[address] = told
        else:
            # Of what was planned, the write in doubt may have been to change a part only.
            kept[address] = replace(former, fields=told.fields)
    return tuple(kept.values())


def _is_doubt(result: FlowResult) -> bool:
    """Whether an intent may know more: a write that was verified or not is beyond that."""
    if result.status == "unknown":
        return result.error is None or result.error.code == "outcome-unknown"
    return result.status == "skipped"


def _told(intents: Sequence[JournalledIntent]) -> FlowResult | None:
    """What the writes of one flow say by themselves; those that lost say nothing.

    Several can have happened, each of other settings. One that is open counts
    only behind them: before a later one was sent, reading had told of it.
    """
    happened = [entry for entry in intents if entry.result in ("applied", "observed")]
    last = happened[-1].id if happened else -1
    for entry in reversed(intents):
        if entry.result in (None, "unknown") and entry.id > last:
            return FlowResult(
                ref=entry.intent.ref,
                status="unknown",
                revision_before=(*happened, entry)[0].intent.revision,
                fields=_fields((*happened, entry)),
                error=Failure(
                    code="outcome-unknown",
                    message="the run ended before it was known whether its write had happened;"
                    " the next apply looks again",
                ),
            )
    if not happened:
        return None
    return FlowResult(
        ref=happened[-1].intent.ref,
        status="applied",
        revision_before=happened[0].intent.revision,
        revision_after=happened[-1].revision,
        fields=_fields(happened),
    )


def _fields(intents: Sequence[JournalledIntent]) -> tuple[FieldChange, ...]:
    """What several writes of one flow changed, each setting as the last of them says."""
    return tuple({field.path: field for entry in intents for field in entry.intent.fields}.values())
