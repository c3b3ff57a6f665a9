"""Which handler a path leads to: templates of segments, of which ``{id}`` takes any."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from gcsync.sandbox.wire import Refusal, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gcsync.sandbox.oauth import Client

    Handler = Callable[["Call"], Response]
    Methods = Mapping[str, tuple[str | None, Handler]]
    """For each method its permission, ``None`` where any client may, and its handler."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """An admitted API request with what its handler needs to know.

    *ids* are what stands for the variable segments of the path.
    """

    request: Request
    client: Client
    now: float
    ids: tuple[str, ...] = ()
    revisions_ago: int = 0

    @property
    def subject(self) -> str:
        """What the path is about: its first variable segment."""
        return self.ids[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What a path allows; *label* is its template."""

    label: str
    methods: Methods


class Routes:
    """The paths of an API."""

    def __init__(self, table: Mapping[str, Methods]) -> None:
        self._by_length: dict[int, list[tuple[tuple[str, ...], Route]]] = defaultdict(list)
        # A segment that is written out is meant before one that takes any.
        for label, methods in sorted(table.items(), key=lambda entry: entry[0].count("{")):
            segments = tuple(label.split("/"))
            self._by_length[len(segments)].append((segments, Route(label=label, methods=methods)))

    def find(self, path: str) -> tuple[Route, tuple[str, ...]]:
        """The route of *path* and what stands for its variable segments; refuses with 404."""
        given = path.split("/")
        for segments, route in self._by_length.get(len(given), ()):
            ids = []
            for segment, text in zip(segments, given, strict=True):
                if segment.startswith("{") and text:
                    ids.append(text)
                elif segment != text:
                    break
            else:
                return route, tuple(ids)
        return unknown_path()


def unknown_path() -> NoReturn:
    """Refuse a path that does not exist."""
    raise Refusal(404, "not.found", "HTTP 404 Not Found")
