"""One report of a part, as its JSON says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from gcsync.core.document import part_from_document
from gcsync.core.exact_json import Malformed, Node
from gcsync.errors import MergeRefused

if TYPE_CHECKING:
    from gcsync.model.shard import Part, Shard

Kind = Literal["plan", "drift", "results", "findings", "budget"]

MEMBERS: Final[dict[Kind, str]] = {
    "plan": "resource_changes",
    "drift": "drift",
    "results": "results",
    "findings": "findings",
    "budget": "flows",
}
"""The member of each kind of report that lists what it says of flows."""

COMMANDS: Final[dict[Kind, tuple[str, ...]]] = {
    "plan": ("plan",),
    "drift": ("drift",),
    "results": ("apply", "rollback"),
    "findings": ("lint", "validate"),
    "budget": ("budget",),
}
"""Which commands make it; lint's findings may also be why another one had no result."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One report: the file's *name* and its document."""

    name: str
    document: Any
    kind: Kind
    part: Part | None

    @property
    def node(self) -> Node:
        """The document, to read from."""
        return Node(self.document)

    @property
    def command(self) -> str:
        """The command that made it."""
        command = self.node.maybe("command")
        return command.name() if command else COMMANDS[self.kind][0]

    @property
    def shard(self) -> Shard | None:
        """The shard that it is about, if it is one."""
        return self.part.shard if self.part else None


def piece_of(name: str, document: Any) -> Piece:
    """The report in *document*, which the file *name* holds. Raises `MergeRefused`."""
    try:
        node = Node(document)
        version = node.member("format_version").text()
        if version.partition(".")[0] != "1":
            raise MergeRefused(f"{name}: has format version {version}, this gcsync reads 1.x")
        if node.maybe("merged"):
            raise MergeRefused(f"{name}: is merged already; give the reports that it was made of")
        if failure := node.maybe("error"):
            message = failure.member("message").text()
            raise MergeRefused(f"{name}: holds no result, for its command failed: {message}")
        return Piece(name, document, _kind(node), part_from_document(node))
    except Malformed as error:
        raise MergeRefused(f"{name}: not a report that can be merged: {error}") from error


def _kind(node: Node) -> Kind:
    command = node.maybe("command")
    for kind, member in MEMBERS.items():
        if isinstance(node.value.get(member), list):
            if kind != "findings" and command and command.text() not in COMMANDS[kind]:
                raise Malformed(f"it is one of {command.text()}")
            return kind
    names = ", ".join(MEMBERS.values())
    raise Malformed(f"it has none of {names}; plan, drift, apply, lint and budget make such")
