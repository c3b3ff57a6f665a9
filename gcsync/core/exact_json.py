"""JSON whose numbers keep their value whatever their size, and its strict reading.

Settings are frozen values (tuples, ``Decimal``, ``ABSENT``), JSON documents
are lists and dicts. `to_json` and `from_json` lead from one to the other:
for every value without floats, ``from_json(to_json(value)) == value``; a
float becomes the ``Decimal`` of its shortest literal, for 0.1 the float and
0.1 the live document's literal must be one value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final, get_args

import simplejson

from gcsync.model.value import Absent, Sealed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gcsync.model.value import JSON

# int() and str() refuse numbers of more than some thousand digits (640 at the least); Decimal
# takes any, so longer integers pass as Decimal.
_DIGITS: Final = 600
_LONG: Final = 10**_DIGITS
_PLAIN: Final = frozenset({str, bool, type(None)})
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", re.ASCII)


class Malformed(ValueError):
    """A text is no JSON, or a document not what its format promises; the message says where."""


def to_json(value: Any) -> Any:
    """A settings value, or a whole document of them, as JSON types; ``ABSENT`` becomes ``None``.

    Raises `ValueError` for what JSON has no number for (NaN, infinities).
    """
    if type(value) in _PLAIN:  # most values are; a large plan has millions
        return value
    match value:
        case tuple() | list():
            return [to_json(item) for item in value]
        case dict():
            return {key: to_json(item) for key, item in value.items()}
        case Absent():
            return None
        case Sealed():
            return {"sealed": {"salt": value.salt, "digest": value.digest}}
        case _:
            return _scalar(value)


def from_json(raw: Any) -> JSON | Sealed:
    """Parsed JSON as a frozen settings value; the inverse of `to_json` but for ``ABSENT``.

    Raises `ValueError` as `to_json` does.
    """
    match raw:
        case {"sealed": {"salt": str(salt), "digest": str(digest)}} if len(raw) == 1:
            return Sealed(salt, digest)
        case _:
            return _frozen(raw)


def _frozen(raw: Any) -> JSON:
    match raw:
        case tuple() | list():
            return tuple(map(_frozen, raw))
        case dict():
            return {key: _frozen(item) for key, item in raw.items()}
        case _:
            return _scalar(raw)


def _scalar(value: Any) -> bool | int | Decimal | str | None:
    match value:
        case None | bool() | str():
            return value
        case int():
            return value if -_LONG < value < _LONG else Decimal(value)
        case float():
            return _number(Decimal(repr(value)))
        case Decimal():
            return _number(value)
        case _:
            raise TypeError(f"{type(value).__name__} is no JSON value")


def _number(value: Decimal) -> int | Decimal:
    if not value.is_finite():
        raise ValueError(f"{value} is no JSON number")
    # What is written without point and exponent is read as an integer, so it is one from the
    # start; else "-0" would not have the same bytes the second time.
    if value.as_tuple().exponent == 0 and value.adjusted() < _DIGITS:
        return int(value)
    return value


def canonical(document: Any, *, is_json: bool = False) -> bytes:
    """The one byte string of a JSON document: sorted keys, no spaces, ASCII, exact numbers.

    *is_json* says that the document comes from `to_json` or `parse`, so that
    a large one need not be walked once more.
    """
    return simplejson.dumps(
        document if is_json else to_json(document),
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=True,
    ).encode("ascii")


def compact(document: Any) -> bytes:
    """JSON types as ASCII without spaces, members in the order they stand in; exact numbers."""
    return simplejson.dumps(document, separators=(",", ":")).encode("ascii")


def readable(document: Any, *, is_json: bool = False) -> str:
    """The document as indented ASCII text, its members in the order they stand in."""
    return "".join(readable_parts(document, is_json=is_json))


def readable_parts(document: Any, *, is_json: bool = False) -> Iterator[str]:
    """`readable` in parts of which none ends within a string.

    Of a list in the document, one item at a time is made into JSON: all of
    them together would be many times the size of their text. With *is_json*
    an iterator may stand for a list.
    """
    if not is_json:
        is_mapping = isinstance(document, dict)
        document = dict(_lazily(document)) if is_mapping else to_json(document)
    encoder = simplejson.JSONEncoder(indent=2, ensure_ascii=True, iterable_as_array=True)
    yield from encoder.iterencode(document)
    yield "\n"


def _lazily(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        yield name, map(to_json, value) if isinstance(value, list | tuple) else to_json(value)


def parse(text: str | bytes) -> Any:
    """JSON text as lists, dicts and exact numbers; duplicate names and NaN are refused.

    Raises `Malformed`.
    """
    try:
        return simplejson.loads(
            text.decode("utf-8") if isinstance(text, bytes) else text,
            parse_int=_integer,
            parse_float=Decimal,
            object_pairs_hook=_object,
        )
    except Malformed:
        raise
    except simplejson.JSONDecodeError as error:
        raise Malformed(f"line {error.lineno}, column {error.colno}: {error.msg}") from error
    except UnicodeDecodeError as error:
        raise Malformed(f"byte {error.start}: not UTF-8") from error
    except InvalidOperation as error:
        raise Malformed("a number's exponent is beyond all reason") from error
    except RecursionError as error:
        raise Malformed("nested too deeply") from error


def _integer(literal: str) -> int | Decimal:
    return int(literal) if len(literal) <= _DIGITS else Decimal(literal)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Malformed(f"the name {twice!r} stands twice in one object")
    return members


def stamp(moment: datetime) -> str:
    """A moment as RFC 3339 in UTC, e.g. ``2030-01-02T03:04:05Z``."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone is no moment")
    return moment.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


@dataclass(frozen=True, slots=True)
class Node:
    """One value inside a JSON document and where it stands; wrong types raise `Malformed`."""

    value: Any
    where: str = ""

    def wrong(self, what: str) -> Malformed:
        """The error that says that this value is not *what* the format wants."""
        return Malformed(f"{self.where or 'the document'} is not {what}")

    def has(self, name: str) -> bool:
        """Whether this is an object with a member *name*, ``null`` included."""
        return isinstance(self.value, dict) and name in self.value

    def member(self, name: str) -> Node:
        """The member *name*, which must be there."""
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        where = f"{self.where}.{name}" if self.where else name
        if name not in self.value:
            raise Malformed(f"{where} is missing")
        return Node(self.value[name], where)

    def maybe(self, name: str) -> Node | None:
        """The member *name*, or ``None`` where it is missing or ``null``."""
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        return None if self.value.get(name) is None else self.member(name)

    def items(self) -> Iterator[Node]:
        """The items of an array."""
        if not isinstance(self.value, list):
            raise self.wrong("an array")
        for index, item in enumerate(self.value):
            yield Node(item, f"{self.where}[{index}]")

    def members(self) -> Iterator[tuple[str, Node]]:
        """The names and values of an object."""
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        for name in self.value:
            yield name, self.member(name)

    def text(self) -> str:
        """A string."""
        if not isinstance(self.value, str):
            raise self.wrong("a string")
        return self.value

    def name(self) -> str:
        """A string that is not empty."""
        if not self.text():
            raise self.wrong("a name, but empty")
        return self.text()

    def choice(self, union: Any) -> Any:
        """One of the strings of a ``Literal``."""
        if self.value not in get_args(union):
            raise self.wrong(f"one of {', '.join(get_args(union))}")
        return self.value

    def flag(self) -> bool:
        """A boolean."""
        if not isinstance(self.value, bool):
            raise self.wrong("a boolean")
        return self.value

    def integer(self) -> int:
        """An integer; ``true`` is none."""
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            raise self.wrong("an integer")
        return self.value

    def moment(self) -> datetime:
        """A time as `stamp` writes it."""
        if not _TIME.fullmatch(self.text()):
            raise self.wrong("a time like 2030-01-02T03:04:05Z")
        try:
            return datetime.fromisoformat(self.text())
        except ValueError as error:
            raise self.wrong("a time of the calendar") from error
