"""Pulling the sandbox's strings over HTTP, for tests that run gcsync as a process.

Every path lies under ``/sandbox/`` and asks for the control token as bearer.

=======================  ==================================================
``POST faults``          one fault or a list: ``{"method": "PUT", "path":
                         "/api/v2/flows/*", "times": 1, "skip": 0, "effect":
                         "html" | {"kind": "stale", "revisions": 2}}``
``GET``/``DELETE faults``  how many wait; forget them all
``POST edits``           a person's edit: ``{"flow", "pointer", "value",
                         "action"?, "author"?, "tag"?}``; a document that says
                         who saved it last then names the author and the time
``GET log``              the edit log; ``?flow=ID``, ``?documents=true``
``GET requests``         how often each kind of request came
``POST outcomes``        how executions of a flow end: ``{"flow",
                         "duration_s", "status", "output"}``
``POST back-ends``       what a flow's data actions call; executions then
                         last and end as these let them: ``{"flow", "action",
                         "latency": {"distribution": "lognormal", "p50_ms",
                         "p99_ms"} | {"distribution": "exponential",
                         "mean_ms"} | {"distribution": "constant",
                         "value_ms"}, "failure_percent"?,
                         "throttled_percent"?, "windows"?: [{"kind":
                         "outage" | "failure" | "throttled", "start_s" (from
                         now on), "duration_s", "percent"?}]}``; without
                         ``flow`` what the data action of that id calls in the
                         public API, where latency may be left out, and
                         ``body`` is the JSON that it answers
``DELETE tokens``        revoke every token
``DELETE pace``          begin every token's minute anew
=======================  ==================================================
"""

from __future__ import annotations

import hmac
import json
from inspect import get_annotations
from math import inf
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from gcsync.model.traffic import Constant, Exponential, LogNormal, Window, WindowKind
from gcsync.sandbox import documents
from gcsync.sandbox.action_runs import Service
from gcsync.sandbox.backends import BackEnd, shifted
from gcsync.sandbox.executions import Ending, Outcome
from gcsync.sandbox.faults import PRESETS, Alter, Answer, Delay, Drop, Effect, Fault, Late, Stale
from gcsync.sandbox.wire import Refusal, Response, json_response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gcsync.sandbox.org import Organisation
    from gcsync.sandbox.wire import Request

CONTROL_PREFIX = "/sandbox/"
DEFAULT_AUTHOR = "Architect"
_T = TypeVar("_T")

_KINDS: Mapping[str, type[Effect]] = {
    "answer": Answer,
    "alter": Alter,
    "drop": Drop,
    "stale": Stale,
    "late": Late,
    "delay": Delay,
}
_DISTRIBUTIONS: Mapping[str, type[LogNormal | Exponential | Constant]] = {
    "lognormal": LogNormal,
    "exponential": Exponential,
    "constant": Constant,
}
_AT_ONCE: Mapping[str, Any] = {"distribution": "constant", "value_ms": 0.001}
# By annotation, so that a field has its type in one place.
_TYPES: Mapping[str, tuple[type, ...]] = {
    "str": (str,),
    "bytes": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "int | None": (int, type(None)),
    "str | None": (str, type(None)),
    "tuple[str, ...]": (list,),
    "Mapping[str, str]": (dict,),
    "Mapping[str, Any]": (dict,),
    "Ending": (str,),
    "WindowKind": (str,),
}


class Control:
    """The control endpoints of one organisation, open to who holds *token*."""

    def __init__(self, organisation: Organisation, token: str) -> None:
        self._org = organisation
        self._token = token
        self._calls: Mapping[tuple[str, str], Callable[[Request, float], Any]] = {
            ("POST", "faults"): self._add_faults,
            ("GET", "faults"): self._count_faults,
            ("DELETE", "faults"): self._clear_faults,
            ("POST", "edits"): self._edit,
            ("GET", "log"): self._log,
            ("GET", "requests"): self._requests,
            ("POST", "outcomes"): self._set_outcome,
            ("POST", "back-ends"): self._attach,
            ("DELETE", "tokens"): self._revoke,
            ("DELETE", "pace"): self._reset_pace,
        }

    def handle(self, request: Request, *, now: float) -> Response:
        """Answer a request below ``/sandbox/``."""
        sent = request.header("authorization") or ""
        if not hmac.compare_digest(sent.encode(), f"Bearer {self._token}".encode()):
            raise Refusal(401, "bad.credentials", "This needs the sandbox's control token")
        name = request.path.removeprefix(CONTROL_PREFIX)
        call = self._calls.get((request.method, name))
        if call is None:
            raise Refusal(404, "not.found", f"{request.method} {request.path} does not exist")
        try:
            return json_response(200, call(request, now))
        except (LookupError, TypeError, ValueError) as error:
            raise Refusal(400, "bad.request", str(error)) from error

    def _add_faults(self, request: Request, _: float) -> Any:
        given = json.loads(request.body)
        faults = [_fault(each) for each in (given if isinstance(given, list) else [given])]
        self._org.faults.add(*faults)
        return self._count_faults()

    def _count_faults(self, *_: Any) -> Any:
        return {"waiting": len(self._org.faults.waiting)}

    def _clear_faults(self, *_: Any) -> Any:
        self._org.faults.clear()
        return self._count_faults()

    def _edit(self, request: Request, now: float) -> Any:
        given = json.loads(request.body)
        revision = self._org.edit(
            given["flow"],
            given["pointer"],
            given["value"],
            author=given.get("author", DEFAULT_AUTHOR),
            action=given.get("action"),
            tag=given.get("tag", ""),
            now=now,
        )
        return {"revision": revision}

    def _log(self, request: Request, _: float) -> Any:
        flow = request.query.get("flow")
        edits = [edit for edit in self._org.log if flow in (None, edit.flow)]
        shown = [
            {
                "flow": edit.flow,
                "revision": edit.revision,
                "author": edit.author,
                "if_match": edit.if_match,
                "tag": edit.tag,
                "at": edit.at,
            }
            for edit in edits
        ]
        if request.query.get("documents") == "true":
            for line, edit in zip(shown, edits, strict=True):
                line |= {"before": edit.before.decode(), "after": edit.after.decode()}
        return {"edits": shown}

    def _requests(self, *_: Any) -> Any:
        return {"requests": dict(sorted(self._org.requests.items()))}

    def _set_outcome(self, request: Request, _: float) -> Any:
        given = json.loads(request.body)
        flow = given.pop("flow")
        outcome = _built(Outcome, given)
        if outcome.status not in get_args(Ending):
            raise ValueError(f"an execution cannot end as {outcome.status!r}")
        self._org.executions.outcomes[flow] = outcome
        return {"flow": flow}

    def _attach(self, request: Request, now: float) -> Any:
        given = dict(json.loads(request.body))
        if "flow" not in given:
            return self._attach_service(given, now)
        flow, action = given.pop("flow"), given.pop("action")
        back_end = _back_end(given)
        documents.scope(documents.loads(self._org.document(flow)), action)
        self._org.executions.attach(flow, action, shifted(back_end, by_s=now))
        return {"flow": flow, "action": action}

    def _attach_service(self, given: dict[str, Any], now: float) -> Any:
        action, body = self._org.actions.published(given.pop("action")), given.pop("body", None)
        back_end = _back_end({"latency": _AT_ONCE, **given})
        self._org.action_runs.services[action.id] = Service(
            back_end=shifted(back_end, by_s=now), body=body
        )
        return {"action": action.id}

    def _revoke(self, *_: Any) -> Any:
        return {"revoked": self._org.login.revoke()}

    def _reset_pace(self, *_: Any) -> Any:
        self._org.login.reset_pace()
        return {}


def _fault(given: Any) -> Fault:
    if not isinstance(given, dict) or "effect" not in given:
        raise ValueError("a fault is an object with an effect")
    effect = given["effect"]
    built: Effect
    if isinstance(effect, str):
        if effect not in PRESETS:
            raise ValueError(f"there is no effect {effect!r}; known are {', '.join(PRESETS)}")
        built = PRESETS[effect]
    else:
        kind = str(effect.get("kind")) if isinstance(effect, dict) else repr(effect)
        if kind not in _KINDS:
            raise ValueError(f"an effect is of kind {', '.join(_KINDS)}, not {kind}")
        built = _built(_KINDS[kind], {key: it for key, it in effect.items() if key != "kind"})
    rest = {key: it for key, it in given.items() if key != "effect"}
    return _built(Fault, rest, effect=built)


def _back_end(given: Mapping[str, Any]) -> BackEnd:
    latency = dict(given["latency"])
    kind = latency.pop("distribution", None)
    if kind not in _DISTRIBUTIONS:
        raise ValueError(f"a distribution is {', '.join(_DISTRIBUTIONS)}, not {kind!r}")
    built = _built(_DISTRIBUTIONS[kind], latency)
    if not all(0 < each < inf for each in latency.values()):
        raise ValueError("latencies are milliseconds above 0")
    if isinstance(built, LogNormal) and built.p99_ms < built.p50_ms:
        raise ValueError(f"p99_ms {built.p99_ms} is below p50_ms {built.p50_ms}")
    windows = tuple(_built(Window, dict(each)) for each in given.get("windows", ()))
    for window in windows:
        if window.kind not in get_args(WindowKind):
            raise ValueError(f"a window is {', '.join(get_args(WindowKind))}, not {window.kind}")
    rest = {key: it for key, it in given.items() if key not in {"latency", "windows"}}
    return _built(BackEnd, rest, latency=built, windows=windows)


def _built(kind: type[_T], given: Mapping[str, Any], **built: Any) -> _T:
    """An instance of a dataclass out of JSON; raises `ValueError` for an unfit field."""
    known = {name: str(each) for name, each in get_annotations(kind).items()}
    for name, value in given.items():
        allowed = _TYPES.get(known.get(name, ""), ())
        fits = isinstance(value, allowed)
        if not fits or (isinstance(value, bool) and bool not in allowed):
            raise ValueError(f"{name}: {value!r} is not {known.get(name, 'a known field')}")
        match known[name]:
            case "bytes":
                built[name] = str(value).encode()
            case "tuple[str, ...]":
                built[name] = tuple(each for each in value if isinstance(each, str))
            case _:
                built[name] = value
    return kind(**built)
