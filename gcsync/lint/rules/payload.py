"""GC5: what data actions send."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gcsync.core.diff import HEADERS
from gcsync.core.secrecy import without_references
from gcsync.lint.registry import ALSO_ALONE, rule
from gcsync.lint.template import is_json, references
from gcsync.lint.wording import figure, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gcsync.lint.subject import Action, Found, Holder
    from gcsync.lint.template import Reference

_ESCAPES: Final = re.compile(r"esc\.(?:json|url|uri|java)")
_CLOSES: Final = re.compile(r"\s*[\]}]")


@rule("GC501", "large-body", severity="warning", threshold=4_096, unit="bytes", drivers=ALSO_ALONE)
def large_body(holder: Holder, limit_bytes: float) -> Iterator[Found]:
    """A data action sends a large request body, or may.

    Why: everything in a body is put together, sent and read while somebody
    waits, and a service that is handed more than it needs keeps more than it
    should. What a flow knows of a caller fits into a few kilobytes; a larger
    body mostly carries a whole document through. Both count: the template in
    UTF-8, and `max_body_bytes` where that allows more and the method is not
    GET or HEAD, which send none.

    Instead: send keys and let the service look up the rest; set
    `max_body_bytes` to what the service really needs.

    Example:
        actions:
          OpenTicket:
            request:
              body: '{"customerId":"${esc.jsonString($!{input.customerId})}"}'
              max_body_bytes: 4096
    """
    for action in holder.actions:
        allowed = action.number("request/max_body_bytes")
        if allowed is not None and allowed > limit_bytes and not _sends_nothing(action):
            yield action.found(
                f"{action.name} may send {figure(allowed)} bytes, more than {figure(limit_bytes)}",
                "request/max_body_bytes",
            )
        path, body = _body(action)
        if body is not None:
            # Live text may hold half of a surrogate pair, which no strict encoder takes.
            size_bytes = len(body.encode(errors="surrogatepass"))
            if size_bytes > limit_bytes:
                yield action.found(
                    f"{action.name} sends a body of {size_bytes} bytes before anything is filled"
                    f" in, more than {figure(limit_bytes)}",
                    path,
                )


def _body(action: Action) -> tuple[str, str | None]:
    """What is sent, and the path of the setting that holds it: the public API has a template."""
    path = "request/template" if action.has("request/template") else "request/body"
    return path, action.text(path)


def _sends_nothing(action: Action) -> bool:
    return action.text("request/method") in ("GET", "HEAD")


@rule("GC502", "concatenated-json", severity="warning", drivers=ALSO_ALONE)
def concatenated_json(holder: Holder) -> Iterator[Found]:
    """A JSON body puts values between quotes as they are.

    Why: a quote, a backslash or a new line in the value ends the JSON string
    early. The service then refuses the body, or reads something that nobody
    meant: whoever chooses the value chooses the rest of the object.

    Instead: escape each value with `esc.jsonString`, or leave the quotes out
    and let `json.stringify` write them. Only values from `input` are looked
    at; what `#set` makes of them is not followed. A body is no JSON where a
    `Content-Type` header says so.

    Example:
        actions:
          OpenTicket:
            request:
              body: '{"subject":"${esc.jsonString($!{input.subject})}"}'
    """
    for action, found in _in_json(holder):
        names = _names(each for each in found if each.in_string and _is_raw(each))
        if names:
            yield action.found(
                f"{action.name} puts {listed(names)} between quotes unescaped, so that a quote in a"
                " value breaks the JSON; use esc.jsonString",
                _body(action)[0],
            )


@rule("GC503", "unguarded-nullable", severity="warning", drivers=ALSO_ALONE)
def unguarded_nullable(holder: Holder) -> Iterator[Found]:
    """A JSON body relies on a value that may be missing.

    Why: outside of quotes a missing value leaves `${input.amount}` itself in
    the body, and in quiet notation, `$!{input.amount}`, nothing at all. Either
    is no JSON, and the service refuses all of it. (Quiet notation is enough
    for all that stands between two brackets: `[$!{input.ids}]`; and a body is
    no JSON where a `Content-Type` header says so.)

    Instead: leave the member out with `#if`, or give a default,
    `${input.amount|0}`, where the platform's Velocity knows that notation.

    Example:
        actions:
          TakePayment:
            request:
              body: |
                {"currency": "EUR"
                #if("$!{input.amount}" != ""), "amount": ${input.amount} #end}
    """
    for action, found in _in_json(holder):
        body = _body(action)[1] or ""
        names = _names(each for each in found if not each.in_string and _may_miss(each, body))
        if names:
            yield action.found(
                f"{action.name} sends broken JSON without {listed(names)}; give a default, or leave"
                " the member out with #if",
                _body(action)[0],
            )


def _in_json(holder: Holder) -> Iterator[tuple[Action, list[Reference]]]:
    """The data actions that send JSON with values put in, and where these are put."""
    for action in holder.actions:
        body = _body(action)[1]
        if body is not None and "$" in body and is_json(body) and not _says_otherwise(action):
            yield action, list(references(body))


def _says_otherwise(action: Action) -> bool:
    """Whether a header declares another media type than JSON's; a reference may stand for any."""
    return any(
        isinstance(header.value, str)
        and header.value.strip() != ""
        and without_references(header.value) == header.value
        and "json" not in header.value.lower()
        for header in action.below(HEADERS)
        if header.path.removeprefix(HEADERS).lower() == "content-type"
    )


def _names(found: Iterable[Reference]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.name for each in found))


def _is_input(reference: Reference) -> bool:
    return reference.name.partition(".")[0] == "input"


def _is_raw(reference: Reference) -> bool:
    """Whether a value comes as it is; a tool that escapes for anything but JSON is no help."""
    if reference.name.startswith("esc."):
        return "input." in reference.text and not _ESCAPES.match(reference.name)
    return _is_input(reference)


def _may_miss(reference: Reference, body: str) -> bool:
    guarded = reference.is_conditional or reference.has_default
    if guarded or not _is_input(reference):
        return False
    return not (reference.is_quiet and _is_bracketed(reference, body))


def _is_bracketed(reference: Reference, body: str) -> bool:
    """Whether it stands alone between brackets, which then may hold nothing."""
    before = reference.start - 1
    while before >= 0 and body[before].isspace():
        before -= 1
    return body[before] in "[{" and _CLOSES.match(body, reference.end) is not None
