"""Flow executions in both dialects: that of flow documents, and that of the public API.

========  ===========================================  ==========================
dialect   ``POST /api/v2/flows/executions``            answer
========  ===========================================  ==========================
document  ``{flowId, data, executionContext?}``        201 ``{executionId, …}``
public    ``{flowId, inputData, name?}``               ``{id, name, flowVersion,
                                                       selfUri}``
========  ===========================================  ==========================

What is sent follows the dialect. What comes back is read in either, for a
gateway may well pass on the other one's answers.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal, cast, get_args

from gcsync.api.http import path
from gcsync.core.exact_json import Malformed, canonical, parse
from gcsync.errors import (
    DataMismatch,
    FlowNotFound,
    InvalidAnswer,
    OutcomeUnknown,
    PermissionMissing,
    Refused,
)
from gcsync.model.execution import Execution, ExecutionStatus, StartInput

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcsync.api.http import Answer, Client
    from gcsync.model.change import FlowRef, Snapshot
    from gcsync.model.execution import Launch

Dialect = Literal["document", "public"]

EXECUTIONS: Final = "/api/v2/flows/executions"
_MISMATCHES: Final = {
    "missing.input": "missing",
    "unknown.input": "unknown",
    "wrong.type": "of the wrong type",
}


class FlowExecutions:
    """Executions of one organisation over one `Client`."""

    def __init__(self, client: Client, *, dialect: Dialect = "document") -> None:
        self._client = client
        self._dialect = dialect

    def launch(self, launch: Launch) -> Execution:
        """Start one execution, once; see `Launcher`."""
        try:
            answer = self._client.post(EXECUTIONS, self._body(launch))
        except PermissionMissing:
            raise
        except Refused as refused:
            raise _refused(launch.flow, refused) from refused
        except OutcomeUnknown as unknown:
            raise _in_doubt(launch.flow, str(unknown)) from unknown
        try:
            return _execution(answer, launch.flow.id, status=_or_running)
        except InvalidAnswer as error:
            # It was taken, so something runs; but nobody will ever find it by an id.
            raise _in_doubt(launch.flow, f"POST {EXECUTIONS}: {error}") from error

    def execution(self, execution_id: str) -> Execution:
        """How far an execution has come; see `Launcher`."""
        target = path(f"{EXECUTIONS}/{{}}", execution_id)
        seen = self._client.read(target, None, lambda answer: _execution(answer, "", status=_known))
        # A gateway may call it by another name when asked; it was asked by this one.
        return replace(seen, execution_id=execution_id)

    def inputs(self, snapshot: Snapshot) -> tuple[StartInput, ...] | None:
        """What the start event of a flow document takes; see `Launcher`."""
        return start_inputs(snapshot.document)

    def _body(self, launch: Launch) -> bytes:
        order: dict[str, Any] = {"flowId": launch.flow.id}
        if self._dialect == "public":
            order["inputData"] = dict(launch.data)
            if launch.key:
                order["name"] = launch.key
        else:
            order["data"] = dict(launch.data)
            if launch.context is not None:
                order["executionContext"] = dict(launch.context)
        return canonical(order)


def start_inputs(document: bytes) -> tuple[StartInput, ...] | None:
    """The inputs that a flow document lists; ``None`` where it lists none in a form that is known.

    The document comes from outside: what makes no sense is as good as not there.
    """
    try:
        event = parse(document).get("startEvent")
    except (Malformed, AttributeError):
        return None
    listed = event.get("inputs") if isinstance(event, dict) else None
    if not isinstance(listed, list):
        return None
    found: dict[str, StartInput] = {}
    for each in listed:
        name = each.get("name") if isinstance(each, dict) else None
        if not isinstance(name, str):
            return None
        kind = each.get("type", "string")
        found[name] = StartInput(
            name=name,
            type=kind if isinstance(kind, str) else "",
            is_required=each.get("required") is True,
        )
    return tuple(found.values())


def _execution(
    answer: Answer, flow_id: str, *, status: Callable[[Any], ExecutionStatus]
) -> Execution:
    try:
        document = parse(answer.body)
    except Malformed as error:
        raise InvalidAnswer(f"the answer is not valid JSON: {error}") from error
    if not isinstance(document, dict):
        raise InvalidAnswer("the answer is not a JSON object")
    execution_id = _text(document, "executionId") or _text(document, "id")
    if execution_id is None:
        raise InvalidAnswer("the answer names no execution id")
    output = document.get("outputData")
    return Execution(
        execution_id=execution_id,
        flow_id=_text(document, "flowId") or flow_id,
        status=status(document.get("status", "RUNNING")),
        started_at=_moment(document, "dateLaunched"),
        ended_at=_moment(document, "dateCompleted"),
        output=document.get("output") if output is None else output,
        problem=_text(document, "flowErrorReason"),
    )


def _known(status: Any) -> ExecutionStatus:
    if isinstance(status, str) and status.upper() in get_args(ExecutionStatus):
        return cast("ExecutionStatus", status.upper())
    raise InvalidAnswer(f"the execution has a status that gcsync does not know: {status!r}")


def _or_running(status: Any) -> ExecutionStatus:
    """The status of what was just taken: whatever the word, it has an id and can be looked at."""
    try:
        return _known(status)
    except InvalidAnswer:
        return "RUNNING"


def _text(document: dict[str, Any], name: str) -> str | None:
    value = document.get(name)
    return value if isinstance(value, str) and value else None


def _moment(document: dict[str, Any], name: str) -> datetime | None:
    """A time as the API writes it; it informs, so one that makes no sense is none."""
    try:
        moment = datetime.fromisoformat(_text(document, name) or "")
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _in_doubt(flow: FlowRef, why: str) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"{flow}: it is unknown whether it was launched, and it is not launched again: {why};"
        " look for it among the flow's executions"
    )


def _refused(flow: FlowRef, refused: Refused) -> Refused:
    facts: dict[str, Any] = {"status": refused.status, "code": refused.code}
    if refused.status == 404:
        return FlowNotFound(
            f"{flow}: no live flow has id {flow.id}; deleted, never published, in another"
            " organisation, or in a division that this client may not see",
            correlation_id=refused.correlation_id,
            **facts,
        )
    if refused.status != 400:
        return refused
    fields = [
        f"{name} is {_MISMATCHES.get(code, code or 'refused')}" for code, name in refused.fields
    ]
    if fields:
        facts["correlation_id"] = refused.correlation_id
        told = f"flow start event data mismatch: {', '.join(fields)}"
    elif "mismatch" in str(refused).lower():
        told = str(refused)
    else:
        return refused
    mismatch = DataMismatch(f"{flow}: {told}; correct the data", **facts)
    # Where the API's own words are told, they end with it.
    mismatch.correlation_id = refused.correlation_id
    return mismatch
