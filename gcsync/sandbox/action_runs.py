"""Running a data action as a test, or for a caller: its request made, sent, its answer translated.

What is behind a data action here takes its time and fails as it is told
(`gcsync.sandbox.backends`), and else gives back what it was given, or the body
that it was set up with. Templates are Velocity on the platform; here
references are replaced and comment lines dropped, and that is all. Of the
paths of a translation map those through members and indices are understood.

Which steps the platform tells of, under which names, and how it answers an
input that does not fit the contract, or an execution whose back end fails,
nobody has told.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import jsonschema_rs

from gcsync.sandbox.backends import AT_ONCE, OK, BackEnd
from gcsync.sandbox.runner import DataAction, alone
from gcsync.sandbox.wire import Refusal, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gcsync.sandbox.runner import Ending
    from gcsync.sandbox.stored_action import StoredAction
    from gcsync.sandbox.wire import Request

DEFAULT_TIMEOUT_S: Final = 60
_NAME: Final = r"([A-Za-z_]\w*(?:\.\w+)*)"
_REFERENCE: Final = re.compile(rf"\$(!?)(?:\{{{_NAME}\}}|{_NAME})")
_COMMENT: Final = re.compile(r"(?m)^##.*\n?")
_STEP: Final = re.compile(r"\.(\w+)|\[(\d+)\]|\['([^']*)'\]")
_PATH: Final = re.compile(rf"\$(?:{_STEP.pattern})*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What a data action calls; *body* as JSON is its answer, ``None`` for what it was given."""

    back_end: BackEnd = AT_ONCE
    body: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """One operation of a run; *problem* says why it is the last."""

    name: str
    result: Any = None
    problem: tuple[int, str] | None = None


class ActionRuns:
    """Runs data actions; *services* are by a data action's id."""

    def __init__(self) -> None:
        self.services: dict[str, Service] = {}

    def test(self, action: StoredAction, request: Request, *, now: float) -> Response:
        """What a run came to, step by step (the SDK's TestExecutionResult)."""
        steps, took_s = self._run(action, request, now)
        told: dict[str, Any] = {
            "operations": [_operation(number, each) for number, each in enumerate(steps, start=1)],
            "success": steps[-1].problem is None,
        }
        if steps[-1].problem is None:
            told["finalResult"] = steps[-1].result
        else:
            told["error"] = _error(*steps[-1].problem)
        return replace(json_response(200, told), delay_s=took_s)

    def execute(self, action: StoredAction, request: Request, *, now: float) -> Response:
        """The final result alone."""
        steps, took_s = self._run(action, request, now)
        problem = steps[-1].problem
        if problem is not None:
            raise Refusal(problem[0], "bad.gateway", problem[1])
        return replace(json_response(200, steps[-1].result), delay_s=took_s)

    def _run(self, action: StoredAction, request: Request, now: float) -> tuple[list[_Step], float]:
        given = request.json_object()
        for misfit in _misfits(action.contract.get("input", {}).get("inputSchema"), given):
            raise Refusal(400, "bad.request", f"The input does not fit the contract: {misfit}")
        service = self.services.get(action.id, Service())
        asked = _asked(action, given)
        ending, took_s = _met(action, service.back_end, now)
        steps = [_Step(name="Resolve the request", result=asked)]
        if ending != OK:
            steps.append(_Step(name="Execute the request", problem=_why(ending)))
            return steps, took_s
        body = given if service.body is None else service.body
        steps.append(_Step(name="Execute the request", result={"status": OK, "body": body}))
        steps.append(_translated(action, body))
        return steps, took_s


def _met(action: StoredAction, back_end: BackEnd, now: float) -> tuple[Ending, float]:
    """How one request to what is behind *action* ends, and after how many seconds."""
    called = DataAction(
        id=action.id,
        name=action.name,
        timeout_s=float(action.config.get("timeoutSeconds", DEFAULT_TIMEOUT_S)),
        max_retries=0,
        delay_s=0.0,
        retry_on=(),
        min_interval_s=0.0,
        error_rate_percent=None,
        window_s=0.0,
    )
    chance = f"{action.id}/{action.version}/{now}"
    [passage] = alone({action.id: back_end}, [called], chance=chance, now=now)
    return passage.ending, passage.waited_s


def _why(ending: Ending) -> tuple[int, str]:
    if ending == "timeout":
        return 504, "The request timed out"
    return 502, f"The request failed with status {ending}"


def _asked(action: StoredAction, given: Mapping[str, Any]) -> dict[str, Any]:
    """The request as it goes out."""
    request = action.config.get("request", {})
    values = {"input.rawRequest": json.dumps(given), **dict(_flat("input", given))}
    return {
        "url": _rendered(request.get("requestUrlTemplate", ""), values),
        "method": request.get("requestType", "GET"),
        "headers": {
            name: _rendered(text, values) for name, text in request.get("headers", {}).items()
        },
        "body": _rendered(request.get("requestTemplate", ""), values),
    }


def _translated(action: StoredAction, body: Any) -> _Step:
    """The final result out of what came back."""
    name = "Translate the answer"
    response = action.config.get("response", {})
    defaults = response.get("translationMapDefaults", {})
    values = {"rawResult": json.dumps(body)}
    for key, path in response.get("translationMap", {}).items():
        found = list(_found(body, path))
        if found or key in defaults:
            values[key] = json.dumps(found[0]) if found else defaults[key]
    text = _rendered(response.get("successTemplate", "${rawResult}"), values)
    try:
        result = json.loads(text)
    except ValueError as error:
        return _Step(name=name, problem=(502, f"The success template makes no JSON: {error}"))
    for misfit in _misfits(action.contract.get("output", {}).get("successSchema"), result):
        problem = f"The result does not fit the contract: {misfit}"
        return _Step(name=name, result=result, problem=(502, problem))
    return _Step(name=name, result=result)


def _rendered(template: str, values: Mapping[str, str]) -> str:
    """*template* with its references replaced; a quiet one without a value is nothing."""

    def put(match: re.Match[str]) -> str:
        return values.get(match[2] or match[3], "" if match[1] else match[0])

    return _REFERENCE.sub(put, _COMMENT.sub("", template))


def _flat(prefix: str, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in given.items():
        yield f"{prefix}.{name}", value if isinstance(value, str) else json.dumps(value)
        if isinstance(value, dict):
            yield from _flat(f"{prefix}.{name}", value)


def _found(body: Any, path: str) -> Iterator[Any]:
    """What a JSONPath leads to, if anything."""
    if not _PATH.fullmatch(path):
        return
    for step in _STEP.finditer(path):
        member, index, quoted = step.groups()
        try:
            body = body[int(index)] if index is not None else body[member or quoted or ""]
        except (LookupError, TypeError):
            return
    yield body


def _misfits(schema: Any, value: Any) -> Iterator[str]:
    """In what *value* does not fit a contract's schema."""
    if not isinstance(schema, dict):
        return
    try:
        errors = list(jsonschema_rs.validator_for(schema, offline=True).iter_errors(value))
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        yield f"its schema is none: {error}"
        return
    for each in errors:
        place = "/".join(map(str, each.instance_path))
        yield f"{place or 'the whole'}: {each.message}"


def _operation(number: int, step: _Step) -> dict[str, Any]:
    told: dict[str, Any] = {"step": number, "name": step.name, "success": step.problem is None}
    if step.result is not None:
        told["result"] = step.result
    if step.problem is not None:
        told["error"] = _error(*step.problem)
    return told


def _error(status: int, message: str) -> dict[str, Any]:
    return {"message": message, "code": "bad.gateway", "status": status}
