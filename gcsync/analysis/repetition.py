"""Which requests may be sent twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gcsync.core.diff import HEADERS
from gcsync.core.secrecy import without_references

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gcsync.model.manifest import ActionSpec
    from gcsync.model.value import Value

IDEMPOTENT: Final = frozenset(("GET", "HEAD", "PUT", "DELETE"))
"""Methods of which a second request does nothing more (RFC 9110, 9.2.2)."""

NOT_IDEMPOTENT: Final = frozenset(("POST", "PATCH"))
"""Methods of which each request may do its work anew (RFC 9110, 9.3.3; RFC 5789, 2)."""

KEY_HEADERS: Final = ("paypal-request-id", "repeatability-request-id")
"""Headers that tell a service of a repetition, beside those named after idempotency.

`Idempotency-Key` (IETF draft), `X-Idempotency-Key`, `X-Idempotency-Token`,
`Idempotence-Key` and `x-amz-pay-idempotency-key` all are in use and say so by
name; the other two are PayPal's and that of OASIS Repeatable Requests. A
request id for tracing, such as `X-Request-Id`, promises nothing.
"""


def has_key(settings: Iterable[tuple[str, Value]]) -> bool:
    """Whether a header among *settings*, paths and values, tells the service of a repetition.

    A key that refers to nothing is the same for every call, so it tells none
    from another.
    """
    return any(
        isinstance(value, str) and without_references(value) != value
        for value in keys_among(settings)
    )


def keys_among(settings: Iterable[tuple[str, Value]]) -> Iterator[Value]:
    """The idempotency keys among *settings*, paths and values, constants too."""
    for path, value in settings:
        name = path.removeprefix(HEADERS).lower()
        if path.startswith(HEADERS) and value and ("idempoten" in name or name in KEY_HEADERS):
            yield value


def may_repeat(spec: ActionSpec, settings: Mapping[str, Value]) -> bool:
    """Whether somebody who does not know the service may add retries to a data action.

    By declaration first, then by method; where neither is known, unless the
    manifest says that there are to be no retries.
    """
    if spec.is_idempotent is not None:
        return spec.is_idempotent
    method = settings.get("request/method")
    if isinstance(method, str) and method.upper() in NOT_IDEMPOTENT:
        return has_key(settings.items())
    if isinstance(method, str) and method.upper() in IDEMPOTENT:
        return True
    return all(each.value != 0 for each in spec.settings if each.path == "retry/max_retries")
