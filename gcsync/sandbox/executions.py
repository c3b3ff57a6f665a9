"""Flow executions: launched with the start event's inputs, over after a while.

How long, and how they end, is scripted; or it follows from really executing
the flow's data actions, where these were given back ends.

There are two shapes of one thing: ``{flowId, data, executionContext?}`` of
flow documents is answered with ``executionId`` and more, ``{flowId,
inputData?, flowVersion?, name?}`` of the public API with ``{id, name,
flowVersion, selfUri}``. An order has one shape or the other, and its
execution is shown in the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from gcsync.sandbox import documents
from gcsync.sandbox.backends import OK
from gcsync.sandbox.runner import alone, data_actions
from gcsync.sandbox.wire import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gcsync.sandbox.backends import BackEnd

EXECUTIONS_PATH = "/api/v2/flows/executions"
Ending = Literal["COMPLETED", "ERROR", "FAILED", "TERMINATED", "UNKNOWN"]
KINDS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "decimal": (int, float),
    "boolean": (bool,),
    "collection": (list,),
    "object": (dict,),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How executions of a flow end, *duration_s* after their launch."""

    duration_s: float = 2.0
    status: Ending = "COMPLETED"
    output: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """One launched flow; what its status is follows from the time alone."""

    id: str
    flow_id: str
    flow_name: str
    flow_version: str
    launched_at: float
    launched_by: str
    data: Mapping[str, Any]
    context: Mapping[str, Any] | None
    outcome: Outcome
    is_public: bool = False


class Executions:
    """Launched flows and how each flow's executions are to end.

    *outcomes* are by flow; those of a flow with back ends follow from what a
    caller meets at them.
    """

    def __init__(self) -> None:
        self.outcomes: dict[str, Outcome] = {}
        self._back_ends: dict[str, dict[str, BackEnd]] = {}
        self._launched: dict[str, Execution] = {}

    def __iter__(self) -> Iterator[Execution]:
        """Every execution, in the order of their launch."""
        return iter(self._launched.values())

    def __len__(self) -> int:
        """How many executions were launched."""
        return len(self._launched)

    def add(self, execution: Execution) -> None:
        """Know an execution from now on."""
        self._launched[execution.id] = execution

    def attach(self, flow_id: str, action: str, back_end: BackEnd) -> None:
        """Put *back_end* behind a data action, by id or name; its windows count from 1970."""
        self._back_ends.setdefault(flow_id, {})[action] = back_end

    def launch(
        self, document: bytes, order: Mapping[str, Any], *, execution_id: str, by: str, now: float
    ) -> Execution:
        """Start the flow that *document* describes; refuses data that does not fit its inputs."""
        flow = documents.skim(document)
        version = str(flow.get("publishedVersion", {}).get("id", "1.0"))
        wanted = _order(order, version)
        mismatches = _mismatches(flow.get("startEvent", {}).get("inputs", ()), wanted.data)
        if mismatches:
            raise Refusal(
                400,
                "flow.start.event.data.mismatch",
                "Flow start event data mismatch",
                details=tuple(mismatches),
            )
        execution = Execution(
            id=execution_id,
            flow_id=flow["id"],
            flow_name=wanted.name or flow["name"],
            flow_version=version,
            launched_at=now,
            launched_by=by,
            data=wanted.data,
            context=wanted.context,
            outcome=self._outcome(flow["id"], document, chance=execution_id, now=now),
            is_public=wanted.is_public,
        )
        self.add(execution)
        return execution

    def find(self, execution_id: str) -> Execution:
        """An execution by its id; refuses an unknown one with 404."""
        execution = self._launched.get(execution_id)
        if execution is None:
            raise Refusal(
                404, "not.found", f"The flow execution could not be found: {execution_id}"
            )
        return execution

    def _outcome(self, flow_id: str, document: bytes, *, chance: str, now: float) -> Outcome:
        """The scripted outcome, or one caller's who has the organisation's slots to itself."""
        scripted = self.outcomes.get(flow_id, Outcome())
        back_ends = self._back_ends.get(flow_id)
        if back_ends is None:
            return scripted
        walk = alone(back_ends, data_actions(document), chance=chance, now=now)
        return replace(
            scripted,
            duration_s=sum(each.waited_s for each in walk),
            status="COMPLETED" if all(each.ending == OK for each in walk) else "ERROR",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """What a launch asks for, whichever shape it had."""

    data: Mapping[str, Any]
    context: Mapping[str, Any] | None = None
    name: str = ""
    is_public: bool = False


def _order(given: Mapping[str, Any], version: str) -> _Order:
    """Read a launch in the one shape or the other; refuses what is neither, or both."""
    public = sorted(given.keys() & {"inputData", "flowVersion", "name"})
    own = sorted(given.keys() & {"data", "executionContext"})
    if public and own:
        raise Refusal(400, "bad.request", f"{own[0]} and {public[0]} do not go together")
    if not public:
        data, context = given.get("data", {}), given.get("executionContext")
        if not isinstance(data, dict) or not isinstance(context, dict | None):
            raise Refusal(400, "bad.request", "data and executionContext must be JSON objects")
        return _Order(data=data, context=context)
    data, name = given.get("inputData", {}), given.get("name", "")
    if not isinstance(data, dict) or not isinstance(name, str):
        raise Refusal(400, "bad.request", "inputData must be a JSON object, and name a text")
    if given.get("flowVersion", version) != version:
        raise Refusal(404, "not.found", f"The flow has no version {given['flowVersion']!r}")
    return _Order(data=data, name=name, is_public=True)


def launched(execution: Execution) -> dict[str, Any]:
    """The answer to a launch."""
    shown = {
        "id": execution.id,
        "name": execution.flow_name,
        "flowVersion": execution.flow_version,
        "selfUri": f"{EXECUTIONS_PATH}/{execution.id}",
    }
    if execution.is_public:
        return shown
    own = {"executionId": execution.id, "flowId": execution.flow_id, "status": "RUNNING"}
    return own | shown


def progress(execution: Execution, *, now: float) -> dict[str, Any]:
    """How far an execution has come at the time *now*."""
    ends_at = execution.launched_at + execution.outcome.duration_s
    shown = launched(execution) | {
        "status": "RUNNING",
        "dateLaunched": _time(execution.launched_at),
    }
    if execution.context is not None:
        shown["executionContext"] = dict(execution.context)
    if now < ends_at:
        return shown
    status = execution.outcome.status
    shown |= {
        "status": status,
        "dateCompleted": _time(ends_at),
        "completionReason": "DISCONNECT" if status == "COMPLETED" else status,
        "outputData": dict(execution.outcome.output),
    }
    if status in {"ERROR", "FAILED"}:
        shown["flowErrorReason"] = "The flow ended in its error handling"
    return shown


def _mismatches(inputs: Iterable[Any], data: Mapping[str, Any]) -> list[dict[str, str]]:
    known = {each["name"]: each for each in inputs}
    found = [
        {"errorCode": "unknown.input", "fieldName": name} for name in data if name not in known
    ]
    for name, each in known.items():
        if name not in data:
            if each.get("required"):
                found.append({"errorCode": "missing.input", "fieldName": name})
        elif not _fits(each.get("type", "string"), data[name]):
            found.append({"errorCode": "wrong.type", "fieldName": name})
    return found


def _fits(kind: str, value: Any) -> bool:
    if isinstance(value, bool) and kind != "boolean":
        return False
    return isinstance(value, KINDS.get(kind, (object,)))


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")[:23] + "Z"
