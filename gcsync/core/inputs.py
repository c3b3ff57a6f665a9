"""Whether data fits what takes it: a launch the inputs of its flow, a test those of a contract.

Two names are one but for their spelling when letters and digits agree,
whatever the case, a scope such as ``Flow.`` left out or not: ``customer_id``
is ``Flow.customerId`` misspelt. A type that is not known fits everything.
"""

from __future__ import annotations

from decimal import Decimal
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gcsync.model.execution import StartInput

MOST_NAMES: Final = 1_000
"""Of so many inputs at most the nearest is searched: a list from outside may have any length."""

MOST_TOLD: Final = 5
"""So many inputs are told where none is near."""

_TYPES: Final[Mapping[str, tuple[str, tuple[type, ...]]]] = {
    "string": ("a text", (str,)),
    "integer": ("an integer", (int,)),
    "decimal": ("a number", (int, Decimal)),
    "number": ("a number", (int, Decimal)),
    "boolean": ("true or false", (bool,)),
    "collection": ("an array", (list,)),
    "array": ("an array", (list,)),
    "object": ("an object", (dict,)),
}
_GIVEN: Final[tuple[tuple[type, str], ...]] = (
    (bool, "true or false"),
    (str, "a text"),
    (int, "an integer"),
    (Decimal, "a number"),
    (list, "an array"),
    (dict, "an object"),
)


def misfits(
    inputs: Sequence[StartInput], data: Mapping[str, Any], *, taker: str = "the flow"
) -> tuple[str, ...]:
    """What keeps *data* from fitting *inputs* of the *taker*, a sentence each; nothing if it fits.

    *data* is JSON as `gcsync.core.exact_json.parse` reads it.
    """
    known = {each.name: each for each in inputs}
    open_names = [name for name in known if name not in data]
    misspelt = dict(_misspelt(data, known, open_names))
    return (
        *(_unknown(name, misspelt.get(name), known, taker) for name in data if name not in known),
        *(
            f"{name}, {_described(known[name])}, is missing"
            for name in open_names
            if known[name].is_required and name not in misspelt.values()
        ),
        *(
            f"{name} is {_named(data[name])}, and {taker} wants {_described(known[name])}"
            for name in data
            if name in known and not _fits(known[name].type, data[name])
        ),
    )


def _misspelt(
    data: Mapping[str, Any], known: Mapping[str, StartInput], open_names: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Each given name that is one of the flow's but for its spelling, with the right one."""
    meant: dict[str, set[str]] = {}
    for name in open_names:
        for spelling in {_letters(name), _letters(name.rpartition(".")[2])}:
            meant.setdefault(spelling, set()).add(name)
    taken: set[str] = set()
    for name in data:
        rights = (
            (meant.get(_letters(name)) or meant.get(_letters(name.rpartition(".")[2])) or set())
            if name not in known
            else set()
        )
        # Of two that would do neither is right for sure.
        if len(rights) == 1 and not rights & taken:
            taken |= rights
            yield name, next(iter(rights))


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))


def _unknown(name: str, right: str | None, known: Mapping[str, StartInput], taker: str) -> str:
    if right is not None:
        required = ", which it requires" if known[right].is_required else ""
        return f"{name} is no input of {taker}: it is called {right}{required}"
    close = get_close_matches(name, list(known)[:MOST_NAMES], n=1, cutoff=0.5)
    if close:
        return f"{name} is no input of {taker}; nearest: {close[0]}"
    some = ", ".join(list(known)[:MOST_TOLD]) + (", …" if len(known) > MOST_TOLD else "")
    return f"{name} is no input of {taker}" + (
        f"; it takes {some}" if some else ", which takes none"
    )


def _fits(kind: str, value: Any) -> bool:
    wanted = _TYPES.get(kind.lower())
    if wanted is None:
        return True
    if isinstance(value, bool):
        return wanted[1] == (bool,)
    return isinstance(value, wanted[1])


def _described(wanted: StartInput) -> str:
    return _TYPES.get(wanted.type.lower(), (wanted.type or "of any type",))[0]


def _named(value: Any) -> str:
    return next((word for kind, word in _GIVEN if isinstance(value, kind)), "null")
