"""Reading data actions and their drafts: several requests, one document, none older than seen.

The version is asked for once more after the last request of a reading; and
since replicas lag behind each other, a version of a published data action
older than one that was seen is taken for no answer at all. What cannot be told
is an old template beside a newer configuration, where one replica answers a
part of a reading and another the rest: a template has no version of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gcsync.api.http import path
from gcsync.core.exact_json import compact, parse
from gcsync.drivers.action_lens import composed, files
from gcsync.drivers.listing import entities_of, exact_object, json_object, listed
from gcsync.drivers.versions import Versions
from gcsync.errors import InvalidAnswer, Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gcsync.api.http import Answer, Client
    from gcsync.model.change import FlowRef

ACTIONS: Final = "/api/v2/integrations/actions"
WHAT: Final = "data action"
PAGE_SIZE: Final = 100
MOST_IDS: Final = 50
"""So many ids one request may name (SDK, get_integrations_actions)."""

_EVERY: Final = {"includeAuthActions": "true"}
"""What a custom sign-in asks of its service is a data action that is listed only then."""

READINGS: Final = 5
"""So often a data action is read whole before it counts as never standing still."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A draft as one document, at its own *version*; the *contract* is what it would publish."""

    version: int
    document: bytes
    contract: Any


class ActionSource:
    """The data actions of one organisation; used from many threads at once."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.versions = Versions()

    def listed(self) -> Iterator[dict[str, Any]]:
        """Yield every published data action with its configuration, as the listing has it.

        Raises `InvalidAnswer` when pages and total disagree.
        """
        return listed(
            self._client,
            ACTIONS,
            what="data actions",
            page_size=PAGE_SIZE,
            query={"includeConfig": "true", **_EVERY},
            reader=exact_object,
        )

    def several(self, ids: Iterable[str], *, has_config: bool) -> Iterator[dict[str, Any]]:
        """Yield the listing's entities of *ids*; one that is missing may be there all the same."""
        # A comma would make two ids of one.
        askable = sorted({each for each in ids if each and "," not in each})
        for start in range(0, len(askable), MOST_IDS):
            query = {
                "ids": ",".join(askable[start : start + MOST_IDS]),
                "pageSize": str(PAGE_SIZE),
                **_EVERY,
                **({"includeConfig": "true"} if has_config else {}),
            }
            document = self._client.read(ACTIONS, query, exact_object)
            yield from entities_of(document, ACTIONS, "data actions")

    def alone(self, ref: FlowRef) -> dict[str, Any]:
        """The answer that a data action is, its templates behind URIs."""
        return self._read(ref, place(ref), {"includeConfig": "true"})

    def texts(self, ref: FlowRef, wanted: Iterable[str]) -> dict[str, str] | None:
        """The texts of these templates by file, or ``None`` where one is not there."""
        return self._texts(place(ref), wanted)

    def published(self, ref: FlowRef) -> bytes:
        """The document of a data action as it is now, or at least not older than it was seen."""
        query = {"includeConfig": "true", "expand": "contract"}
        _, document = self._whole(ref, place(ref), query)
        return document

    def contract(self, ref: FlowRef) -> Any:
        """What goes into and comes out of the published data action."""
        return self._read(ref, place(ref), {"expand": "contract"}).get("contract")

    def version(self, ref: FlowRef) -> Any:
        """The version of the published data action, whatever it has for one."""
        return self._read(ref, place(ref), {}).get("version")

    def draft(self, ref: FlowRef) -> Draft | None:
        """The draft of a data action, or ``None`` where it has none."""
        query = {"includeConfig": "true", "expand": "contract"}
        try:
            answer, document = self._whole(ref, draft_place(ref), query)
        except Refused as refused:
            if refused.status != 404:
                raise
            return None
        return Draft(
            version=_numbered(ref, answer), document=document, contract=answer.get("contract")
        )

    def draft_version(self, ref: FlowRef) -> int | None:
        """The version of the draft, or ``None`` where there is none."""
        try:
            return _numbered(ref, self._read(ref, draft_place(ref), {}))
        except Refused as refused:
            if refused.status != 404:
                raise
            return None

    def _whole(
        self, ref: FlowRef, where: str, query: dict[str, str]
    ) -> tuple[Mapping[str, Any], bytes]:
        """An answer, and the document that it makes with its templates."""
        for _ in range(READINGS):
            answer = self._read(ref, where, query)
            texts = self._texts(where, files(answer))
            if texts is not None and (
                not texts or self._read(ref, where, {}).get("version") == answer.get("version")
            ):
                return answer, composed(ref, answer, texts)
        raise InvalidAnswer(
            f"{ref}: in each of {READINGS} readings it changed, or lacked a template that it names;"
            " run the command again"
        )

    def _read(self, ref: FlowRef, where: str, query: dict[str, str]) -> dict[str, Any]:
        return self._client.read(where, query, lambda answer: self._believed(ref, where, answer))

    def _believed(self, ref: FlowRef, where: str, answer: Answer) -> dict[str, Any]:
        # A draft counts by itself, and is guarded by its own version.
        return self.versions.believed(ref, answer, has_id=True, counts=where == place(ref))

    def _texts(self, where: str, wanted: Iterable[str]) -> dict[str, str] | None:
        """The texts of the templates *wanted*, or ``None`` where one is not there.

        Where they lie is worked out here, for an address that a server
        supplies could be anybody's.
        """
        try:
            return {
                file: self._client.text(path(f"{where}/templates/{{}}", file)) for file in wanted
            }
        except Refused as refused:
            if refused.status != 404:
                raise
            return None


def place(ref: FlowRef) -> str:
    """Where a data action is."""
    return path(f"{ACTIONS}/{{}}", ref.id)


def draft_place(ref: FlowRef) -> str:
    """Where its draft is."""
    return f"{place(ref)}/draft"


def version_in(answer: Answer) -> int | None:
    """The version that an answer to a write names."""
    try:
        version = json_object(answer).get("version")
    except InvalidAnswer:
        return None
    return version if type(version) is int else None


def change(document: bytes, version: int) -> bytes:
    """What is sent to make *document* of what is at *version*: all of its configuration.

    Groups that hold nothing are left out, for the API may never have had them.
    """
    return compact({**wording(document), "version": version})


def wording(document: bytes) -> dict[str, Any]:
    """What a write can say of a data action, as *document* has it."""
    whole = parse(document)
    config = {
        key: value
        for key, value in whole["config"].items()
        if value or key not in ("request", "response")
    }
    return {**{key: whole[key] for key in ("name", "category") if key in whole}, "config": config}


def _numbered(ref: FlowRef, draft: Mapping[str, Any]) -> int:
    version = draft.get("version")
    if type(version) is not int:
        raise InvalidAnswer(f"{ref}: its draft names no version, so nothing can guard a write")
    return version
