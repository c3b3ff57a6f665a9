"""The platform's listings, all pages of them."""

from __future__ import annotations

import json
from operator import itemgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from gcsync.core.exact_json import Malformed, parse
from gcsync.errors import InvalidAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gcsync.api.http import Answer, Client


def listed(
    client: Client,
    place: str,
    *,
    what: str,
    page_size: int,
    query: Mapping[str, str] = MappingProxyType({}),
    key: Callable[[dict[str, Any]], object] = itemgetter("id"),
    reader: Callable[[Answer], dict[str, Any]] | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield each entity of the listing at *place* once; all have a text for an ``id``.

    *query* is what else is asked for, *key* what tells the entities apart,
    *reader* what makes a JSON object of an answer, `json_object` unless given.
    Raises `InvalidAnswer` when pages and total disagree; *what* is how its
    message calls the entities, *query* what is asked for beside the page.
    """
    seen: set[object] = set()
    number, pages, total = 1, 1, None
    while number <= pages:
        paged = {**query, "pageSize": str(page_size), "pageNumber": str(number)}
        document = client.read(place, paged, reader or json_object)
        entities = entities_of(document, place, what)
        page_count, total = document.get("pageCount"), document.get("total")
        if not isinstance(page_count, int):
            raise InvalidAnswer(f"GET {place}: not a page of a listing; check the API URL")
        pages = page_count
        for entity in entities:
            if key(entity) not in seen:
                seen.add(key(entity))
                yield entity
        # A count of pages that never ends is no reason to ask for ever.
        number = number + 1 if entities else pages + 1
    if total is not None and len(seen) != total:
        raise InvalidAnswer(
            f"GET {place}: {total} {what} announced, {len(seen)} listed;"
            f" {what} came or went meanwhile, run the command again"
        )


def browsed(client: Client, place: str, *, what: str, page_size: int) -> Iterator[dict[str, Any]]:
    """The same of a listing whose pages name the one after them, by a cursor; it has no total."""
    seen: set[str] = set()
    query: dict[str, str] = {}
    while True:
        document = client.read(place, {"pageSize": str(page_size), **query}, json_object)
        entities = entities_of(document, place, what)
        fresh = {each["id"]: each for each in entities if each["id"] not in seen}
        seen.update(fresh)
        yield from fresh.values()
        # Of the address only the cursor is believed: it could lead to anybody's server.
        after = dict(parse_qsl(urlsplit(str(document.get("nextUri") or "")).query)).get("after")
        if after is None or not fresh:
            return
        query = {"after": after}


def entities_of(document: dict[str, Any], place: str, what: str) -> list[dict[str, Any]]:
    """What one page of a listing holds. Raises `InvalidAnswer` where that is no page of one."""
    entities = document.get("entities")
    if not isinstance(entities, list):
        raise InvalidAnswer(f"GET {place}: not a page of a listing; check the API URL")
    for entity in entities:
        if not isinstance(entity, dict) or not isinstance(entity.get("id"), str):
            raise InvalidAnswer(f"GET {place}: one of the {what} has no id; check the API URL")
    return entities


def json_object(answer: Answer) -> dict[str, Any]:
    """The answer's JSON object. Raises `InvalidAnswer` for any other body."""
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise InvalidAnswer(f"the answer is not valid JSON: {error}") from error
    if not isinstance(document, dict):
        raise InvalidAnswer("the answer is not a JSON object")
    return document


def exact_object(answer: Answer) -> dict[str, Any]:
    """The same with each number to its last digit."""
    try:
        document = parse(answer.body)
    except Malformed as error:
        raise InvalidAnswer(f"the answer is not valid JSON: {error}") from error
    if not isinstance(document, dict):
        raise InvalidAnswer("the answer is not a JSON object")
    return document
