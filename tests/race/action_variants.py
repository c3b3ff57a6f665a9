"""Wrong ways of writing data actions; each has one invariant to violate, as in `race.variants`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from race.schedule import DATA_ACTIONS, DRAFTS
from race.variants import Variant

from gcsync.core.exact_json import compact, parse
from gcsync.drivers.action_draft import Drafts
from gcsync.drivers.action_source import ActionSource
from gcsync.drivers.integration_action import IntegrationActionDriver
from gcsync.errors import StaleRevision
from gcsync.model.change import Revision

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcsync.model.change import FieldChange, FlowRef, Snapshot


class Blind(IntegrationActionDriver):
    """Writes what it has made, with the freshest version there is."""

    def put(self, snapshot: Snapshot, document: bytes) -> Revision:
        fresh = Revision(str(self._source.version(snapshot.ref)))
        return super().put(replace(snapshot, revision=fresh), document)


class RubberStamping(IntegrationActionDriver):
    """Meets a mismatch by reading the version alone, and sends the old configuration again."""

    def put(self, snapshot: Snapshot, document: bytes) -> Revision:
        try:
            return super().put(snapshot, document)
        except StaleRevision:
            fresh = Revision(str(self._source.version(snapshot.ref)))
            return super().put(replace(snapshot, revision=fresh), document)


class Forgetting(IntegrationActionDriver):
    """Writes the configuration as it was answered, with URIs where its templates are."""

    def amend(self, snapshot: Snapshot, fields: Sequence[FieldChange]) -> bytes:
        document = parse(super().amend(snapshot, fields))
        document["config"]["response"].pop("successTemplate", None)
        return compact(document)


class ReadingInPieces(IntegrationActionDriver):
    """Does not look whether the data action changed while its templates were read."""

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self._source = PiecewiseSource(client)


class PiecewiseSource(ActionSource):
    """Reads the version after everything else, once."""

    def published(self, ref: FlowRef) -> bytes:
        document = parse(super().published(ref))
        return compact({**document, "version": self.version(ref)})


class Unlooking(Drafts):
    """Changes and publishes a draft of whatever version is published by then."""

    def _begun(self, snapshot: Snapshot) -> int:
        try:
            return super()._begun(snapshot)
        except StaleRevision:
            return self._own[snapshot.ref.id]

    def _check_still(self, snapshot: Snapshot) -> None:
        pass


class Drafting(IntegrationActionDriver):
    """Writes by such drafts."""

    def __init__(self, client: Any) -> None:
        super().__init__(client, publish="draft", takes_drafts=True)
        self._drafts = Unlooking(client, self._source, takes=True)


def _variant(name: str, invariant: str, schedules: int, driver: Any) -> Variant:
    return Variant(replace(DATA_ACTIONS, name=name, driver=driver), invariant, schedules)


ACTION_VARIANTS = (
    _variant("blind write, freshest version", "I1", 50, Blind),
    _variant("only the version read again", "I1", 50, RubberStamping),
    _variant("template forgotten", "I1", 5, Forgetting),
    _variant("version read last", "I1", 50, ReadingInPieces),
    Variant(replace(DRAFTS, name="draft of any version", driver=Drafting), "I1", 100),
)
