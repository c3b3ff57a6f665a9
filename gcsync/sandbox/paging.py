"""Pages of a listing, as the platform's listings have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from gcsync.sandbox.wire import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

DEFAULT_PAGE_SIZE = 25
T = TypeVar("T")


def number(query: Mapping[str, str], name: str, default: int, *, most: int | None = None) -> int:
    """A count in a query, 1 or more; refuses any other text with 400."""
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdecimal()) or int(text) < 1 or (most and int(text) > most):
        bounds = f"between 1 and {most}" if most else "1 or more"
        raise Refusal(400, "bad.request", f"{name} must be {bounds}, not {text}")
    return int(text)


def page(
    chosen: Sequence[T],
    *,
    path: str,
    query: Mapping[str, str],
    kept: Sequence[str],
    most: int,
    entity: Callable[[T], Any],
) -> dict[str, Any]:
    """The page of *chosen* that *query* asks for; its links repeat the parameters *kept*."""
    size = number(query, "pageSize", DEFAULT_PAGE_SIZE, most=most)
    at = number(query, "pageNumber", 1)
    count = -(-len(chosen) // size)

    def uri(page: int) -> str:
        again = {key: query[key] for key in kept if key in query}
        return f"{path}?{urlencode({'pageSize': size, 'pageNumber': page} | again)}"

    shown: dict[str, Any] = {
        "entities": [entity(each) for each in chosen[(at - 1) * size : at * size]],
        "pageSize": size,
        "pageNumber": at,
        "total": len(chosen),
        "firstUri": uri(1),
        "selfUri": uri(at),
        "lastUri": uri(max(count, 1)),
        "pageCount": count,
    }
    if at < count:
        shown["nextUri"] = uri(at + 1)
    if at > 1:
        shown["previousUri"] = uri(at - 1)
    return shown
