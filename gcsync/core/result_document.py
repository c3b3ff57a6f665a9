"""Settings' changes and the results of an apply as JSON documents, and back.

``ABSENT`` is written as ``null``. A live value can really be ``null``; the
member ``explicit_null`` then names it, so that nothing is lost on the way.
Nor is how a setting was absent, in ``vacancy``, where that was seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcsync.core.exact_json import Malformed, Node, from_json, to_json
from gcsync.core.smoke_document import case_document, case_from_document
from gcsync.model.change import (
    Conflict,
    Failure,
    FieldChange,
    FieldConflict,
    FlowRef,
    FlowResult,
    Revision,
    RolledBack,
    Status,
    Vacancy,
)
from gcsync.model.value import ABSENT, Location

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gcsync.model.value import Value


def field_document(field: FieldChange) -> dict[str, Any]:
    """One setting's change: path, before, after and the manifest's line."""
    return _place(field) | _values({"before": field.before, "after": field.after}) | _origin(field)


def field_from_document(document: Any) -> FieldChange:
    """The inverse of `field_document`. Raises `Malformed`."""
    return _field(document if isinstance(document, Node) else Node(document), "before", "after")


def result_document(result: FlowResult) -> dict[str, Any]:
    """How the apply of one flow ended, as in ``apply -o json``."""
    return {
        "address": result.ref.address,
        "flow": {"id": result.ref.id, "name": result.ref.name},
        "status": result.status,
        "revision_before": result.revision_before,
        "revision_after": result.revision_after,
        "fields": [field_document(field) for field in result.fields],
        "conflict": _conflict_document(result.conflict) if result.conflict else None,
        "error": _failure_document(result.error) if result.error else None,
        **({"smoke": [case_document(each) for each in result.smoke]} if result.smoke else {}),
        **({"rolled_back": _way_back(result.rolled_back)} if result.rolled_back else {}),
    }


def result_from_document(document: Any) -> FlowResult:
    """The inverse of `result_document`. Raises `Malformed`."""
    node = Node(document)
    ref = read_ref(node)
    conflict = node.maybe("conflict")
    error = node.maybe("error")
    smoke = node.maybe("smoke")
    back = node.maybe("rolled_back")
    return FlowResult(
        ref=ref,
        status=node.member("status").choice(Status),
        revision_before=read_revision(node, "revision_before"),
        revision_after=read_revision(node, "revision_after"),
        fields=tuple(map(field_from_document, node.member("fields").items())),
        conflict=_conflict(conflict, ref) if conflict else None,
        error=_failure(error) if error else None,
        smoke=tuple(map(case_from_document, smoke.items())) if smoke else (),
        rolled_back=_rolled_back(back, ref) if back else None,
    )


def _place(field: FieldChange) -> dict[str, Any]:
    return {
        "path": field.path,
        "action": field.action,
        "action_id": field.action_id,
        "setting": field.setting,
        **({"vacancy": field.vacancy} if field.vacancy else {}),
    }


def _values(values: Mapping[str, Value]) -> dict[str, Any]:
    document = {name: to_json(value) for name, value in values.items()}
    if nulls := [name for name, value in values.items() if value is None]:
        document["explicit_null"] = nulls
    return document


def _origin(field: FieldChange) -> dict[str, Any]:
    if field.source is None:
        return {"source": None}
    at = field.source
    return {"source": {"file": at.file, "line": at.line, "column": at.column}}


def _conflict_document(conflict: Conflict) -> dict[str, Any]:
    return {
        "revision": conflict.revision,
        "reason": conflict.reason,
        "fields": [
            _place(one.field)
            | _values(
                {"planned_from": one.field.before, "live": one.live, "desired": one.field.after}
            )
            | _origin(one.field)
            for one in conflict.fields
        ],
    }


def _failure_document(failure: Failure) -> dict[str, Any]:
    return {
        "code": failure.code,
        "message": failure.message,
        "correlation_id": failure.correlation_id,
    }


def _field(node: Node, before: str, after: str) -> FieldChange:
    source = node.maybe("source")
    vacancy = node.maybe("vacancy")
    field = FieldChange(
        action=node.member("action").text(),
        action_id=read_optional(node, "action_id"),
        setting=node.member("setting").name(),
        before=_value(node, before),
        after=_value(node, after),
        source=_location(source) if source else None,
        vacancy=vacancy.choice(Vacancy) if vacancy else None,
    )
    if node.member("path").text() != field.path:
        raise Malformed(f"{node.where}.path does not agree with action and setting")
    return field


def _value(node: Node, name: str) -> Value:
    raw = node.member(name).value
    listed = node.maybe("explicit_null")
    nulls = [one.text() for one in listed.items()] if listed else []
    if raw is None and name not in nulls:
        return ABSENT
    return from_json(raw)


def _location(node: Node) -> Location:
    return Location(
        file=node.member("file").text(),
        line=node.member("line").integer(),
        column=node.member("column").integer(),
    )


def _conflict(node: Node, ref: FlowRef) -> Conflict:
    return Conflict(
        ref=ref,
        revision=read_revision(node, "revision"),
        reason=read_optional(node, "reason"),
        fields=tuple(
            FieldConflict(field=_field(one, "planned_from", "desired"), live=_value(one, "live"))
            for one in node.member("fields").items()
        ),
    )


def _way_back(back: RolledBack) -> dict[str, Any]:
    return {
        "run_id": back.run_id,
        "status": back.status,
        "revision_after": back.revision_after,
        "conflict": _conflict_document(back.conflict) if back.conflict else None,
        "error": _failure_document(back.error) if back.error else None,
    }


def _rolled_back(node: Node, ref: FlowRef) -> RolledBack:
    conflict, error = node.maybe("conflict"), node.maybe("error")
    return RolledBack(
        run_id=node.member("run_id").name(),
        status=node.member("status").choice(Status),
        revision_after=read_revision(node, "revision_after"),
        conflict=_conflict(conflict, ref) if conflict else None,
        error=_failure(error) if error else None,
    )


def _failure(node: Node) -> Failure:
    return Failure(
        code=node.member("code").text(),
        message=node.member("message").text(),
        correlation_id=read_optional(node, "correlation_id"),
    )


def read_ref(node: Node) -> FlowRef:
    """The flow that ``address`` and ``flow`` of an object name."""
    flow = node.member("flow")
    return FlowRef(
        address=node.member("address").name(),
        id=flow.member("id").name(),
        name=flow.member("name").text(),
    )


def read_revision(node: Node, name: str) -> Revision | None:
    """A member that holds a revision or ``null``."""
    text = read_optional(node, name)
    return None if text is None else Revision(text)


def read_optional(node: Node, name: str) -> str | None:
    """A member that holds a string or ``null``, or is missing."""
    found = node.maybe(name)
    return None if found is None else found.text()
