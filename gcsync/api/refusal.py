"""What an answer that is no success means: which error, and what can be done about it.

Error bodies are data from outside: read leniently, cut short, never trusted
to have any member or type. Texts of theirs end up inside messages, so nothing
here formats with them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from gcsync.api.permissions import permission_for
from gcsync.errors import (
    ApiError,
    AuthenticationFailed,
    InvalidAnswer,
    NoAnswer,
    OutcomeUnknown,
    PermissionMissing,
    Refused,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BODY_BYTES: Final = 65_536
MAX_TEXT: Final = 500
MAX_FIELDS: Final = 50

_PERMISSION: Final = re.compile(r"\b[a-z]{1,40}:[A-Za-z]{1,40}:[A-Za-z]{1,40}\b")

Remedy = Literal["none", "token", "throttle", "retry"]
MediaType = Literal["application/json", "text/plain"]


@dataclass(frozen=True, slots=True)
class Problem:
    """An attempt that did not succeed, and the one thing that may help."""

    error: ApiError
    remedy: Remedy


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBody:
    """What could be made out of an error answer; empty texts where nothing could."""

    message: str = ""
    code: str = ""
    permissions: str = ""
    correlation_id: str | None = None
    fields: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return " ".join(filter(None, (self.code and f"{self.code}:", self.message)))


def problem_of(
    name: str,
    *,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    write: bool,
    wanted: MediaType = "application/json",
    may_be_empty: bool = False,
) -> Problem | None:
    """Judge one answer to request *name* (``PUT /api/…``); ``None`` for a believable success.

    That is one of the type *wanted*, and of a write a body that is read to its
    end; where it *may_be_empty*, also one that says that it has no body.
    """
    if status == 204 and may_be_empty:
        return None
    if 200 <= status < 300:
        return _unbelievable(name, headers, body, write=write, wanted=wanted)
    said = read_error(headers, body)
    if 300 <= status < 400:
        reason = f"unexpected redirect ({status}), not followed; check region and GCSYNC_API_URL"
        return _ambiguous(name, reason, said, write=write, error=InvalidAnswer, remedy="none")
    # 408 comes from gateways that may have passed the request on all the same.
    if 400 <= status < 500 and status != 408:
        return _refusal(name, status, said)
    reason = f"the API answered {status}"
    if write or not 400 <= status < 600:
        return _ambiguous(name, reason, said, write=write, error=NoAnswer, remedy="retry")
    return Problem(_refused(name, reason, status, said), "retry")


def _refusal(name: str, status: int, said: ErrorBody) -> Problem:
    match status:
        case 401:
            rejected = AuthenticationFailed(f"{name}: token not accepted")
            return Problem(noted(rejected, said.correlation_id), "token")
        case 403:
            return Problem(_permission_missing(name, said), "none")
        case 429:
            return Problem(_refused(name, "throttled by the API", status, said), "throttle")
        case _:
            return Problem(_refused(name, f"refused with {status}", status, said), "none")


def read_error(headers: Mapping[str, str], body: bytes) -> ErrorBody:
    """Make out what an error answer says; anything but the documented shape says nothing."""
    correlation_id = _text(headers.get("ININ-Correlation-Id")) or None
    try:
        document = json.loads(body[:MAX_BODY_BYTES], strict=False)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        return ErrorBody(correlation_id=correlation_id)
    params = document.get("messageParams")
    return ErrorBody(
        message=_text(document.get("message")),
        code=_text(document.get("code")),
        permissions=_text(params.get("permissions")) if isinstance(params, dict) else "",
        fields=_fields(document.get("details")),
        correlation_id=correlation_id or _text(document.get("contextId")) or None,
    )


def _unbelievable(
    name: str, headers: Mapping[str, str], body: bytes, *, write: bool, wanted: MediaType
) -> Problem | None:
    media_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    said = ErrorBody(correlation_id=_text(headers.get("ININ-Correlation-Id")) or None)
    if media_type != wanted:
        reason = f"a success that is {media_type[:80] or 'of no type'}, not {wanted}"
        return _ambiguous(name, reason, said, write=write, error=InvalidAnswer, remedy="retry")
    if not write:
        return None
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        reason = "a success whose body is not JSON"
        return _ambiguous(name, reason, said, write=True, error=InvalidAnswer, remedy="none")
    return None


def _ambiguous(
    name: str,
    reason: str,
    said: ErrorBody,
    *,
    write: bool,
    error: type[InvalidAnswer | NoAnswer],
    remedy: Remedy,
) -> Problem:
    detail = f"{reason} ({said})" if str(said) else reason
    if write:
        unknown = OutcomeUnknown(f"{name}: it is unknown whether this happened: {detail}")
        return Problem(noted(unknown, said.correlation_id), "none")
    return Problem(noted(error(f"{name}: {detail}"), said.correlation_id), remedy)


def noted(error: ApiError, correlation_id: str | None) -> ApiError:
    """*error* with the id that Genesys support asks for, once, in its message too."""
    if correlation_id and error.correlation_id is None:
        error.correlation_id = correlation_id
        error.args = (f"{error.args[0]} (correlation id {correlation_id})",)
    return error


def _refused(name: str, fact: str, status: int, said: ErrorBody) -> Refused:
    return Refused(
        f"{name}: {fact}: {said}" if str(said) else f"{name}: {fact}",
        status=status,
        code=said.code,
        correlation_id=said.correlation_id,
        fields=said.fields,
    )


def _fields(details: Any) -> tuple[tuple[str, str], ...]:
    """Code and name of each field that an answer complains of."""
    listed = details[:MAX_FIELDS] if isinstance(details, list) else ()
    return tuple(
        (_text(each.get("errorCode")), name)
        for each in listed
        if isinstance(each, dict) and (name := _text(each.get("fieldName")))
    )


def _permission_missing(name: str, said: ErrorBody) -> PermissionMissing:
    named = said.permissions or ", ".join(_PERMISSION.findall(said.message))
    known = "" if named else permission_for(name) or ""
    facts = [str(said)] if str(said) else []
    if named and named not in said.message:
        facts = [f"{said} [{named}]".strip()]
    if known:
        facts.append(f"it takes {known}")
    told = "; ".join(facts) or "the answer does not say what is missing"
    # Scopes do not apply to clients that sign in with credentials of their own: roles do.
    return PermissionMissing(
        f"{name}: not allowed: {told}; add {'it' if known else 'the permission'} to a role of the"
        " OAuth client",
        status=403,
        code=said.code,
        correlation_id=said.correlation_id,
        permission=named or known,
    )


def _text(value: Any) -> str:
    if isinstance(value, list):
        value = ", ".join(item for item in value[:20] if isinstance(item, str))
    return value.strip()[:MAX_TEXT] if isinstance(value, str) else ""
