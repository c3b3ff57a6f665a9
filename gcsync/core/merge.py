"""Which reports of parts belong together, and what they say as one.

A report of a part (``--shard``, ``--select``, ``--target``) names the flows
that it is about. Parts fit together when they are of one command, one
environment and organisation, and were made from the same manifests, and when
of shards none is missing. A flow may be in two parts only where both say the
same of it. Nothing depends on the order in which the parts are given.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gcsync.core.exact_json import Malformed, canonical
from gcsync.core.piece import MEMBERS, Kind, Piece, piece_of
from gcsync.errors import MergeRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gcsync.core.exact_json import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """Parts that belong together, in an order that does not depend on how they were given.

    *addresses* are those of all flows that they are about.
    """

    kind: Kind
    command: str
    pieces: tuple[Piece, ...]
    addresses: tuple[str, ...]
    environment: str | None
    org: Mapping[str, Any] | None
    manifest_sha256: str | None

    def entries(self) -> list[Node]:
        """What the parts say of each flow, sorted by address; of a flow in several parts, once."""
        member = MEMBERS[self.kind]
        entries = {
            entry.member("address").name(): entry
            for piece in self.pieces
            for entry in piece.node.member(member).items()
        }
        return [entries[address] for address in sorted(entries)]

    def texts(self, member: str) -> tuple[str, ...]:
        """The strings that the parts list under *member*, each once."""
        found: dict[str, None] = {}
        for piece in self.pieces:
            listed = piece.node.maybe(member)
            found |= dict.fromkeys(item.text() for item in listed.items()) if listed else {}
        return tuple(found)

    def shared(self, member: str) -> Any:
        """The value under *member*, on which all must agree. Raises `MergeRefused`."""
        return _agreed(self.pieces, member, lambda piece: piece.document.get(member))

    def exit_codes(self) -> tuple[int, ...]:
        """What the commands ended with, as far as they say so."""
        codes = (piece.node.maybe("exit_code") for piece in self.pieces)
        return tuple(code.integer() for code in codes if code)

    @property
    def label(self) -> dict[str, Any]:
        """What a merged document says of its origin."""
        shard = self.pieces[0].shard
        return {
            "command": self.command,
            "environment": self.environment,
            "org": self.org,
            "manifest_sha256": self.manifest_sha256,
            "parts": len(self.pieces),
            "shards": shard.of if shard else None,
        }


def gathered(documents: Iterable[tuple[str, Any]]) -> Gathered:
    """The parts that *documents* (each with its file's name) are, if they belong together.

    Raises `MergeRefused`.
    """
    pieces = _in_order(piece_of(name, document) for name, document in documents)
    if not pieces:
        raise MergeRefused("there is no report to merge; name the files that -o json=FILE made")
    try:
        return _gathered(pieces)
    except Malformed as error:
        raise MergeRefused(f"a report is damaged: {error}; make it again") from error


def _gathered(pieces: Sequence[Piece]) -> Gathered:
    kind = _agreed(pieces, "kind", lambda piece: piece.kind)
    _check_parts(pieces)
    org = _organisation(pieces)
    found = Gathered(
        kind=kind,
        command=_agreed(pieces, "command", lambda piece: piece.command),
        pieces=tuple(pieces),
        addresses=tuple(sorted(set(_addresses(pieces)))),
        environment=_agreed(pieces, "environment", lambda piece: _text(piece, "environment")),
        org=org,
        manifest_sha256=_agreed(
            pieces, "manifest_sha256", lambda piece: _text(piece, "manifest_sha256")
        ),
    )
    _check_shards(pieces)
    _check_overlaps(pieces)
    return found


def _in_order(pieces: Iterable[Piece]) -> list[Piece]:
    """Each document once, by what is in it and not by how its file is called."""
    once = {canonical(piece.document, is_json=True): piece for piece in pieces}

    def position(content: bytes) -> tuple[int, int, bytes]:
        shard = once[content].shard
        return (shard.of, shard.number, content) if shard else (0, 0, content)

    return [once[content] for content in sorted(once, key=position)]


def _check_parts(pieces: Sequence[Piece]) -> None:
    # Manifests that cannot be read are the same finding for every shard, told before any is chosen.
    if len(pieces) == 1 and pieces[0].kind == "findings":
        return
    for piece in pieces:
        if piece.part is None:
            raise MergeRefused(
                f"{piece.name}: is about all flows and no part of anything; merge puts together"
                " what --shard, --select or --target divided"
            )


def _check_shards(pieces: Sequence[Piece]) -> None:
    shards = {piece.shard: piece for piece in pieces}
    if set(shards) == {None}:
        return
    of = _agreed(pieces, "shard", lambda piece: piece.shard.of if piece.shard else None)
    if len(shards) < len(pieces):
        twice = next(piece for piece in pieces if shards[piece.shard] is not piece)
        raise MergeRefused(
            f"{twice.name}: shard {twice.shard} is reported differently in"
            f" {shards[twice.shard].name}; give one report of each shard"
        )
    numbers = {shard.number for shard in shards if shard}
    missing = [f"{number}/{of}" for number in range(1, of + 1) if number not in numbers]
    if missing:
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise MergeRefused(f"no report of shard {', '.join(missing[:5])}{more}; give all of them")


def _check_overlaps(pieces: Sequence[Piece]) -> None:
    """Whatever two parts both are about, both say the same of; nobody says more than that."""
    told: dict[str, tuple[bytes, Piece]] = {}
    for piece in pieces:
        said = _said(piece)
        if piece.part is None:
            continue
        for address in piece.part.addresses:
            first = told.setdefault(address, (said.get(address, b""), piece))
            if first[0] != said.get(address, b""):
                raise MergeRefused(
                    f"{piece.name}: says something else of {address} than {first[1].name};"
                    " make both reports again"
                )
        strange = said.keys() - set(piece.part.addresses)
        if strange and piece.kind != "findings":
            raise MergeRefused(
                f"{piece.name}: reports {min(strange)}, which is not among its addresses"
            )


def _said(piece: Piece) -> dict[str, bytes]:
    """What a part says of each flow, to compare."""
    said: dict[str, list[Any]] = defaultdict(list)
    for entry in piece.node.member(MEMBERS[piece.kind]).items():
        address = entry.maybe("address")
        if address is None and piece.kind != "findings":
            raise entry.wrong("about a flow")
        said[address.name() if address else ""].append(entry.value)
        if piece.kind != "findings" and address and len(said[address.name()]) > 1:
            raise MergeRefused(f"{piece.name}: names {address.name()} twice")
    return {address: canonical(entries, is_json=True) for address, entries in said.items()}


def _addresses(pieces: Sequence[Piece]) -> Iterator[str]:
    for piece in pieces:
        yield from piece.part.addresses if piece.part else ()


def _organisation(pieces: Sequence[Piece]) -> Mapping[str, Any] | None:
    """The organisation of all: the same by id, or where nobody knows that, by its address."""
    given = [org for piece in pieces if (org := piece.node.maybe("org"))]
    by_id = all(org.maybe("id") for org in given)

    def identity(piece: Piece) -> str | None:
        org = piece.node.maybe("org")
        return org.member("id" if by_id else "api_url").text() if org else None

    _agreed(pieces, "org", identity)
    if not given:
        return None
    # A sandbox has another port whenever it is asked.
    known = given[0].maybe("id")
    urls = [org.member("api_url").text() for org in given]
    return {"id": known.text() if known else None, "api_url": min(urls)}


def _text(piece: Piece, member: str) -> str | None:
    found = piece.node.maybe(member)
    return found.text() if found else None


def _agreed(pieces: Sequence[Piece], what: str, value: Any) -> Any:
    first = value(pieces[0])
    for piece in pieces:
        other = value(piece)
        if other != first:
            raise MergeRefused(
                f"{piece.name}: its {what} is {_shown(other)}, and that of {pieces[0].name} is"
                f" {_shown(first)}; merge reports of one {_THINGS.get(what, what)}"
            )
    return first


_THINGS: Final = {
    "org": "organisation",
    "manifest_sha256": "state of the manifests",
    "kind": "command",
    "shard": "number of shards",
}


def _shown(value: Any) -> str:
    return "(none)" if value is None else str(value)[:100]
