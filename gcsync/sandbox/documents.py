"""Flow documents as bytes: read them, change one place, keep every number's literal."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NoReturn, Self

import simplejson

if TYPE_CHECKING:
    from collections.abc import Iterator


class Number(simplejson.RawJSON, Decimal):
    """A number that counts as its value and is written as it was read (``1.10``, ``1e2``)."""

    def __new__(cls, literal: str) -> Self:
        """Keep *literal* beside its value."""
        return Decimal.__new__(cls, literal)


def loads(document: bytes) -> Any:
    """The document as Python values; raises `ValueError` for what is not JSON."""
    return json.loads(
        document.decode(), parse_float=Number, parse_int=Number, parse_constant=_not_json
    )


def skim(document: bytes) -> Any:
    """The document for looking at names and structure only: numbers are left as text.

    Cheaper than `loads`, and no number is too long for it.
    """
    return json.loads(document.decode(), parse_float=str, parse_int=str, parse_constant=_not_json)


def dumps(value: Any) -> bytes:
    """The value as compact JSON; numbers that `loads` read keep their literals."""
    # With use_decimal, simplejson would see the Decimal in a Number before it sees its literal.
    text: str = simplejson.dumps(
        value, ensure_ascii=False, separators=(",", ":"), use_decimal=False, default=_literal
    )
    return text.encode()


def data_actions(node: Any) -> Iterator[dict[str, Any]]:
    """Every data action in *node*: members of type ``data`` of any ``actions`` list."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(reversed(node))
        elif isinstance(node, dict):
            actions = node.get("actions")
            if isinstance(actions, list):
                yield from (
                    action
                    for action in actions
                    if isinstance(action, dict) and action.get("type") == "data"
                )
            waiting.extend(reversed(node.values()))


def scope(document: Any, action: str | None) -> Any:
    """The place where pointers start: the document, or its data action of that name or id.

    Raises `LookupError` when there is no such data action, or more than one.
    """
    if action is None:
        return document
    found = [
        each for each in data_actions(document) if action in (each.get("name"), each.get("id"))
    ]
    if len(found) != 1:
        message = f"{len(found)} data actions are called {action}"
        raise LookupError(message)
    return found[0]


def get(root: Any, pointer: str) -> Any:
    """The value at a JSON pointer (RFC 6901); raises `LookupError` where there is none."""
    for token in _tokens(pointer):
        root = root[_key(root, token)]
    return root


def put(root: Any, pointer: str, value: Any) -> None:
    """Set the value at a JSON pointer; ``-`` appends to a list."""
    *parents, last = _tokens(pointer)
    for token in parents:
        root = root[_key(root, token)]
    if isinstance(root, list) and last == "-":
        root.append(value)
    else:
        root[_key(root, last)] = value


def remove(root: Any, pointer: str) -> None:
    """Take away what is at a JSON pointer; raises `LookupError` where there is nothing."""
    *parents, last = _tokens(pointer)
    for token in parents:
        root = root[_key(root, token)]
    del root[_key(root, last)]


def _tokens(pointer: str) -> list[str]:
    if not pointer.startswith("/"):
        message = f"{pointer!r} is no JSON pointer below the root"
        raise LookupError(message)
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer[1:].split("/")]


def _key(node: Any, token: str) -> Any:
    if isinstance(node, dict):
        return token
    if isinstance(node, list) and token.isdecimal():
        return int(token)
    message = f"nothing lies below {token!r}"
    raise LookupError(message)


def _literal(value: object) -> simplejson.RawJSON:
    if not isinstance(value, Decimal):
        message = f"{type(value).__name__} has no JSON form"
        raise TypeError(message)
    return simplejson.RawJSON(str(value))


def _not_json(constant: str) -> NoReturn:
    message = f"{constant} is not JSON (RFC 8259, section 6)"
    raise ValueError(message)
