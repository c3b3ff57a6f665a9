"""Looking at data actions: what the listing tells of them, and only the templates that matter.

The listing tells everything but templates, each data action at one version, so
a look that is about no template asks for nothing else. A template has no
version of its own; it belongs to the version that the listing told if that
was the published one before and after it was read. Before is the listing's
word; after is asked for all of them in the end, fifty in one request. A listing
may lag behind, however, and could confirm what has changed already; so those
that were read last are asked for one by one, and by the time that the listing
is asked about the others, it has had the time of `LATE` readings to catch up.
What cannot be told is a change that it still does not show then, and a template
that a replica which lags behind has given.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from gcsync.drivers.action_lens import files, glimpsed, names_none, needed
from gcsync.drivers.action_source import WHAT
from gcsync.drivers.refusals import explained
from gcsync.errors import InvalidAnswer, Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from gcsync.drivers.action_source import ActionSource
    from gcsync.model.change import FlowRef, Glimpse, Snapshot

LATE: Final = 25
"""So many are asked for one by one. At 300 requests a minute that, and to read a template of
each, takes ten seconds: as long as replicas are waited for after a write.
"""


class ActionLook:
    """A look at data actions, as a `gcsync.drivers.driver.Look`.

    *told* are entities of a listing by id; what is missing there, or older
    than it was seen, is read by itself.
    """

    def __init__(
        self,
        source: ActionSource,
        told: Mapping[str, dict[str, Any]],
        *,
        fetch: Callable[[FlowRef], Snapshot],
    ) -> None:
        self._source = source
        self._told = told
        self._fetch = fetch
        self._lock = Lock()
        self._in_pieces: dict[FlowRef, object] = {}

    def at(self, ref: FlowRef, settings: Collection[str] | None) -> Glimpse:
        """The data action, with those templates that are among *settings*."""
        wanted = needed(settings)
        with explained(ref, WHAT):
            action = self._listed(ref)
            # A listing may name no templates where there are some.
            if action is None or (wanted and names_none(action)):
                action = self._source.alone(ref)
            texts = self._source.texts(ref, [file for file in files(action) if file in wanted])
        if texts is None:
            return self._fetch(ref)
        if texts:
            with self._lock:
                self._in_pieces[ref] = action.get("version")
        try:
            return glimpsed(ref, action, texts)
        except InvalidAnswer:
            return self._fetch(ref)

    def moved(self) -> Collection[FlowRef]:
        """Those with templates that are not certain to be of the version they were read with."""
        with self._lock:
            pieces = self._in_pieces
            self._in_pieces = {}
        read = list(pieces)
        # The listing is asked last, for it is given all the time that there is.
        late = {ref.id: self._version(ref) for ref in read[-LATE:]}
        now: dict[str, object] = {
            each["id"]: each.get("version")
            for each in self._source.several((ref.id for ref in read[:-LATE]), has_config=False)
        }
        now |= late
        return [ref for ref, version in pieces.items() if not self._holds(ref, version, now)]

    def _listed(self, ref: FlowRef) -> dict[str, Any] | None:
        """What the listing told, where that can be believed and is all there is to tell."""
        action = self._told.get(ref.id)
        if action is None or not isinstance(action.get("config"), dict):
            return None
        is_current = self._source.versions.is_current(ref, action.get("version"))
        return action if is_current else None

    def _holds(self, ref: FlowRef, version: object, now: Mapping[str, object]) -> bool:
        found = now.get(ref.id)
        # A later reading may not go back behind what was found, either.
        return self._source.versions.is_current(ref, found) and found == version

    def _version(self, ref: FlowRef) -> object:
        try:
            return self._source.version(ref)
        except Refused as refused:
            if refused.status != 404:
                raise
            return None
