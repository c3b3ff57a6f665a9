"""One HTTP exchange: what is sent, what comes back, and who carries it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Headers(Mapping[str, str]):
    """Header fields of an answer, found in any case; repeated ones are joined by a comma."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        pairs = fields.items() if isinstance(fields, Mapping) else fields
        self._fields: dict[str, str] = {}
        for name, value in pairs:
            key = name.lower()
            self._fields[key] = f"{self._fields[key]}, {value}" if key in self._fields else value

    def __getitem__(self, name: str) -> str:
        return self._fields[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"Headers({', '.join(self._fields)})"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; headers and body stay out of its repr, for they hold secrets."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Response:
    """Whatever the server answered, received whole and decoded; nothing of it is believed yet."""

    status: int
    headers: Headers
    body: bytes = field(repr=False)


class Transport(Protocol):
    """One attempt at one request; used from many threads at once."""

    def send(self, request: Request, *, deadline_s: float) -> Response:
        """Send once and return the answer within *deadline_s*, whatever its status.

        Raises `NotSent` when the request certainly did not reach the server,
        `OutcomeUnknown` when it may have, and `InvalidAnswer` for an answer
        too large or too strange to hold.
        """
