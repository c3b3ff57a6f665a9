"""Testing the draft of a data action, which calls its real back end.

Each test is sent once: an answer that is lost, or tells nothing, is no reason
to publish, and none to call the back end again. A draft that has to be begun
anew, because the data action moved on meanwhile, is another draft and tested
again. What the platform answers holds each step with what went in and out,
credentials among it: of that, only which step failed and the message of its
error are told, and a message that looks like a secret is not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from gcsync.api.giving_up import unless_stopped
from gcsync.core.exact_json import Malformed, compact, from_json, parse, to_json
from gcsync.core.inputs import misfits
from gcsync.core.secrecy import secrets_in
from gcsync.core.smoke import shortfalls
from gcsync.drivers.action_lens import contract_inputs
from gcsync.drivers.action_source import draft_place
from gcsync.errors import DraftTestFailed, OutcomeUnknown, PermissionMissing, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from threading import Event

    from gcsync.api.http import Answer, Client
    from gcsync.model.change import FlowRef
    from gcsync.model.smoke import SmokeCase

EXECUTE: Final = "integrations:action:execute"
"""The permission that a test needs (GENESYS.md, section 1)."""

PATIENCE_S: Final = 75.0
"""A data action may take 60 s; what comes before and after it takes some more."""

MAX_NAME: Final = 100
MAX_MESSAGE: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftTests:
    """The test cases of data actions, by address.

    *is_match* says whether a regular expression matches somewhere in a text.
    Once *stop* is set no test begins, and none is waited for. *passed* is told
    of each that a draft has stood.
    """

    cases: Mapping[str, Sequence[SmokeCase]]
    is_match: Callable[[str, str], bool]
    stop: Event
    passed: Callable[[FlowRef, SmokeCase], None] = field(default=lambda _ref, _case: None)

    def check(self, ref: FlowRef, document: bytes) -> None:
        """Hold the cases of *ref* against the contract that *document* tells.

        A flow hands over what the contract names and nothing else, and a
        contract stays what it is once it is published: so this is known before
        there is a draft. Raises `DraftTestFailed`, which tells all of it.
        """
        inputs = contract_inputs(parse(document))
        said = [
            f"{case.source}: test case {case.name!r}: {misfit}"
            for case in (self.cases.get(ref.address, ()) if inputs is not None else ())
            for misfit in misfits(inputs or (), to_json(dict(case.data)), taker="the data action")
        ]
        if said:
            raise DraftTestFailed(
                f"{ref}: no draft was begun, for its tests do not fit its contract:"
                f" {'; '.join(said)}"
            )

    def run(self, client: Client, ref: FlowRef) -> None:
        """Test the draft of *ref* by its cases, up to the first that fails.

        Raises `DraftTestFailed`, or the `Refused` of a draft that is gone.
        """
        for case in self.cases.get(ref.address, ()):
            if self.stop.is_set():
                raise _failed(ref, case, "was not begun: interrupted")
            problem = self._problem(ref, case, _answered(client, ref, case, self.stop))
            if problem is not None:
                raise _failed(ref, case, problem)
            self.passed(ref, case)

    def _problem(self, ref: FlowRef, case: SmokeCase, answer: Answer) -> str | None:
        """In what the draft did not stand its test, in words; ``None`` where it did."""
        told = _told(ref, case, answer)
        if told.get("success") is not True:
            return f"failed{_failure(told)}; correct the manifest, or what the data action calls"
        missed = shortfalls(
            case.expect,
            status=case.expect.status,
            took_ms=round(answer.took_s * 1000),
            output=from_json(told.get("finalResult")),  # type: ignore[arg-type] # no live setting: never sealed
            is_match=self.is_match,
        )
        if not missed:
            return None
        said = "; ".join(f"{each.path}: wanted {each.wanted}, got {each.got}" for each in missed)
        return f"did not give what {case.source} expects: {said}"


def _answered(client: Client, ref: FlowRef, case: SmokeCase, stop: Event) -> Answer:
    place, body = f"{draft_place(ref)}/test", compact(to_json(dict(case.data)))
    try:
        return unless_stopped(stop, lambda: client.post(place, body, deadline_s=PATIENCE_S))
    except OutcomeUnknown as unknown:
        why = f"has no answer that tells ({_open(str(unknown))}); its back end may have been called"
        raise _failed(ref, case, why) from unknown
    except PermissionMissing as missing:
        why = f"was not allowed: it needs the permission {EXECUTE} ({_open(str(missing))})"
        raise _failed(ref, case, why) from missing
    except Refused as refused:
        if refused.status == 404:
            raise
        raise _failed(ref, case, f"was refused: {_open(str(refused))}") from refused


def _told(ref: FlowRef, case: SmokeCase, answer: Answer) -> dict[str, Any]:
    try:
        told = parse(answer.body)
    except Malformed as error:
        raise _failed(ref, case, f"has an answer that is not valid JSON: {error}") from error
    return told if isinstance(told, dict) else {}


def _failure(told: dict[str, Any]) -> str:
    """Where a test failed, and why, as far as the answer says."""
    operations = told.get("operations")
    for each in operations if isinstance(operations, list) else ():
        if isinstance(each, dict) and each.get("success") is False:
            step = f" in step {each['step']}" if isinstance(each.get("step"), int) else ""
            name = f" ({_open(each['name'])[:MAX_NAME]})" if _is_text(each.get("name")) else ""
            return f"{step}{name}{_message(each.get('error')) or _message(told.get('error'))}"
    return _message(told.get("error")) or ", and the answer does not say why"


def _message(error: Any) -> str:
    message = error.get("message") if isinstance(error, dict) else None
    return f": {_open(message)[:MAX_MESSAGE]}" if _is_text(message) else ""


def _is_text(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and bool(value.strip())


def _open(text: str) -> str:
    """*text*, unless it looks like it gives something away."""
    if any(secrets_in("message", text)):
        return "what was said of it looks like a secret and is not shown"
    return text.strip()


def _failed(ref: FlowRef, case: SmokeCase, why: str) -> DraftTestFailed:
    return DraftTestFailed(f"{ref}: not published, for test case {case.name!r} of its draft {why}")
