"""Rows of the journal as values, and what they hold as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gcsync.core.document import (
    canonical,
    field_document,
    field_from_document,
    result_from_document,
)
from gcsync.core.exact_json import Node, parse
from gcsync.core.result_document import read_ref
from gcsync.model.change import Intent, Revision, Run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Row

    from gcsync.model.change import FlowResult


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalledIntent:
    """An intent and what became of it; *result* is ``None`` while nobody knows."""

    id: int
    intent: Intent
    recorded_at: datetime
    result: str | None
    revision: Revision | None
    settled_at: datetime | None


def packed(document: Any) -> str:
    """A document as a column holds it."""
    return canonical(document).decode("ascii")


def intent_text(intent: Intent) -> str:
    """What a row says of an intent beside its columns."""
    return packed(
        {
            "address": intent.ref.address,
            "flow": {"id": intent.ref.id, "name": intent.ref.name},
            "revision": intent.revision,
            "fields": [field_document(field) for field in intent.fields],
        }
    )


def read_intent(row: Row[Any]) -> Intent:
    """The intent that a row holds. Raises `Malformed`."""
    node = Node(parse(row.intent))
    return Intent(
        run_id=row.run_id,
        ref=read_ref(node),
        revision=Revision(node.member("revision").text()),
        fields=tuple(map(field_from_document, node.member("fields").items())),
        body_sha256=row.body_sha256,
    )


def read_address(row: Row[Any]) -> str:
    """The address of the flow that a row's intent was for. Raises `Malformed`."""
    return Node(parse(row.intent)).member("address").name()


def read_journalled(row: Row[Any]) -> JournalledIntent:
    """The intent that a row holds, and its result. Raises `Malformed`."""
    return JournalledIntent(
        id=row.id,
        intent=read_intent(row),
        recorded_at=row.recorded_at,
        result=row.result,
        revision=None if row.revision is None else Revision(row.revision),
        settled_at=row.settled_at,
    )


def read_result(row: Row[Any]) -> FlowResult:
    """The result of one flow that a row holds. Raises `Malformed`."""
    return result_from_document(parse(row.result))


def read_run(row: Row[Any], outcome: str | None, results: Sequence[FlowResult]) -> Run:
    """The run that a row holds, with what was found out about its end."""
    return Run(
        run_id=row.run_id,
        started_at=row.started_at,
        actor=row.actor,
        command=row.command,
        org_id=row.org_id,
        commit=row.git_commit,
        plan_digest=row.plan_digest,
        undoes=row.undoes,
        ended_at=row.ended_at,
        outcome=outcome,
        results=tuple(results),
    )
