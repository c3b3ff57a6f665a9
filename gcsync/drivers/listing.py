"""The platform's listings, all pages of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gcsync.errors import InvalidAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gcsync.api.http import Answer, Client


def listed(
    client: Client,
    place: str,
    *,
    what: str,
    page_size: int,
    query: Mapping[str, str] | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield each entity of the listing at *place* once; all have a text for an ``id``.

    Raises `InvalidAnswer` when pages and total disagree; *what* is how its
    message calls the entities, *query* what is asked for beside the page.
    """
    seen: set[str] = set()
    number, pages, total = 1, 1, None
    while number <= pages:
        page = {"pageSize": str(page_size), "pageNumber": str(number)}
        document = client.read(place, {**(query or {}), **page}, json_object)
        entities = document.get("entities")
        page_count, total = document.get("pageCount"), document.get("total")
        if not isinstance(entities, list) or not isinstance(page_count, int):
            raise InvalidAnswer(f"GET {place}: not a page of a listing; check the API URL")
        pages = page_count
        for entity in entities:
            if not isinstance(entity, dict) or not isinstance(entity.get("id"), str):
                raise InvalidAnswer(f"GET {place}: one of the {what} has no id; check the API URL")
            if entity["id"] not in seen:
                seen.add(entity["id"])
                yield entity
        # A count of pages that never ends is no reason to ask for ever.
        number = number + 1 if entities else pages + 1
    if total is not None and len(seen) != total:
        raise InvalidAnswer(
            f"GET {place}: {total} {what} announced, {len(seen)} listed;"
            f" {what} came or went meanwhile, run the command again"
        )


def json_object(answer: Answer) -> dict[str, Any]:
    """The answer's JSON object. Raises `InvalidAnswer` for any other body."""
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise InvalidAnswer(f"the answer is not valid JSON: {error}") from error
    if not isinstance(document, dict):
        raise InvalidAnswer("the answer is not a JSON object")
    return document
