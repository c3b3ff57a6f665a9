"""Writing a data action by way of a draft: begun, changed, validated, published, or removed again.

Between validation and publishing it is tested, where that is asked for.

The published data action changes in one request alone, the last; whatever
goes wrong before it, a draft is all that there is to remove. What holds when
others act at the same time:

- A data action has at most one draft, every change of it counts its version
  up, and each request here names the version that it is about. Somebody else's
  change of this draft is therefore told, left alone, and not published.
- A draft that was there before is left alone: the API does not say whose it
  is. The exceptions are a draft that says exactly what is to be written, and
  nothing else (a run that was cut off left it, and nobody's work is lost by
  beginning it anew), and all drafts where the caller takes them.
- The draft is of the version that was read: that it is begun at, and that is
  asked for once more just before the publishing. Any other is `StaleRevision`,
  and everything is looked at again.

What cannot hold: the API is not known to compare the published version when a
draft is published (`PublishDraftInput` has the draft's version alone). Somebody
who changes the published data action itself, not a draft of it, between that
last question and the publishing a request later, is overwritten, and no answer
tells. Who works in Genesys Cloud works on the draft, and is not affected; for
who writes through the API, ``publish: direct`` has no such gap. Nor does
anything guard a removal, whose version is asked for just before it, or tell two
drafts of one version apart: who discards this draft and changes a new one
exactly as often, in the moment between its change and its publishing, has that
one published.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gcsync.core.exact_json import compact, parse
from gcsync.drivers.action_source import change, draft_place, version_in, wording
from gcsync.drivers.draft_problems import EARLIER, LEFT, WAYS_OUT, gone, reasons, stale, taken
from gcsync.drivers.listing import json_object
from gcsync.drivers.refusals import explained, is_stale
from gcsync.errors import (
    ApiError,
    DraftFailed,
    DraftInTheWay,
    OutcomeUnknown,
    Refused,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from gcsync.api.http import Client
    from gcsync.drivers.action_source import ActionSource, Draft
    from gcsync.drivers.draft_tests import DraftTests
    from gcsync.model.change import FlowRef, Snapshot

TRIES: Final = 3
"""So often a step is taken of which, each time, reading shows that it did not happen."""


class Drafts:
    """The drafts of this process; used from many threads at once, for a data action from one.

    Those of others are removed where this *takes* them, and *taken* is told of
    each. With *tests*, a draft has to stand its own before it is published.
    """

    def __init__(
        self,
        client: Client,
        source: ActionSource,
        *,
        takes: bool,
        taken: Callable[[FlowRef], None] = lambda _ref: None,
        tests: DraftTests | None = None,
        own: dict[str, int] | None = None,
    ) -> None:
        self._client = client
        self._source = source
        self._takes = takes
        self._taken = taken
        self._tests = tests
        self._own = {} if own is None else own

    def untested(self) -> Drafts:
        """The same drafts, published without tests."""
        return Drafts(
            self._client, self._source, takes=self._takes, taken=self._taken, own=self._own
        )

    def publish(self, snapshot: Snapshot, document: bytes) -> int | None:
        """Publish *document* if the data action still is at the snapshot's version.

        Gives the version that the answer names. Raises `OutcomeUnknown` when
        nobody can say whether it was published, else an `ApiError` that
        promises that nothing was.
        """
        ref = snapshot.ref
        try:
            if self._tests is not None:
                self._tests.check(ref, snapshot.document)
            self._clear(snapshot, document)
            begun = self._begun(snapshot)
            version = self._changed(ref, document, begun)
            self._check_valid(ref)
            self._check_tests(ref)
            self._check_still(snapshot)
            published = self._published(snapshot, version)
        except ApiError as error:
            # An unanswered publishing that is still to come finds no draft any more.
            left = self._withdrawn(ref)
            if left is not None:
                ways_out = LEFT if ref.id in self._own else WAYS_OUT
                note = f"its draft is still there ({left}); {ways_out}"
                error.args = (f"{error.args[0]}; {note}",)
            raise
        self._own.pop(ref.id, None)
        return published

    def _clear(self, snapshot: Snapshot, document: bytes) -> None:
        """Make sure that there is no draft. Raises `DraftInTheWay`."""
        ref = snapshot.ref
        found = self._source.draft(ref)
        if found is None:
            return
        is_own = self._own.get(ref.id) == found.version
        if not (is_own or self._takes or self._says(snapshot, found, document)):
            self._own.pop(ref.id, None)
            raise DraftInTheWay(
                f"{ref}: there is a draft already, and the API does not say whose ({EARLIER});"
                f" {WAYS_OUT}"
            )
        self._own[ref.id] = found.version
        left = self._withdrawn(ref)
        if left is not None:
            self._own.pop(ref.id, None)
            raise DraftInTheWay(
                f"{ref}: there is a draft already, and it cannot be removed ({left}); discard it in"
                f" Genesys Cloud ({EARLIER})"
            )
        if self._takes and not is_own:
            self._taken(ref)

    def _says(self, snapshot: Snapshot, found: Draft, document: bytes) -> bool:
        """Whether a draft says what *document* does and nothing else."""
        return _same(found, snapshot, document) and found.contract == self._source.contract(
            snapshot.ref
        )

    def _begun(self, snapshot: Snapshot) -> int:
        """Begin a draft; its version."""
        ref = snapshot.ref
        version, doubt = None, None
        for _ in range(TRIES):
            try:
                with explained(ref, "data action"):
                    version = version_in(self._client.post(draft_place(ref)))
                if version is not None:
                    break
            except OutcomeUnknown as unknown:
                doubt = unknown
            except Refused as refused:
                # There was none a moment ago: it is somebody's, unless an earlier try came late.
                version = self._source.draft_version(ref)
                if version is None:
                    raise
                if doubt is None:
                    raise DraftInTheWay(
                        f"{ref}: somebody began a draft a moment ago; {WAYS_OUT}"
                    ) from refused
            version = version or self._source.draft_version(ref)
            if version is not None:
                break
        if version is None:
            raise DraftFailed(
                f"{ref}: no draft could be begun, so nothing was written; run the command again"
                f" ({doubt or 'the answer names no version'})"
            )
        self._own[ref.id] = version
        if str(version) != snapshot.revision:
            raise stale(snapshot, f"a draft begins at version {version}")
        return version

    def _changed(self, ref: FlowRef, document: bytes, version: int) -> int:
        """Give the draft its settings; its version then."""
        doubt: ApiError | None = None
        for _ in range(TRIES):
            changed = None
            try:
                answer = self._client.patch(draft_place(ref), change(document, version))
                changed = version_in(answer)
            except OutcomeUnknown as unknown:
                doubt = unknown
            except Refused as refused:
                if refused.status == 404:
                    raise gone(ref) from refused
                if not is_stale(refused):
                    raise
                doubt = refused
            if changed is None:
                changed = self._found_changed(ref, document, version)
            if changed is not None:
                self._own[ref.id] = changed
                return changed
        raise DraftFailed(
            f"{ref}: the draft could not be changed, so nothing was written; run the command again"
            f" ({doubt or 'the answer names no version'})"
        )

    def _found_changed(self, ref: FlowRef, document: bytes, version: int) -> int | None:
        """The version of the draft with its settings, or ``None`` while it is without."""
        found = self._source.draft(ref)
        if found is None:
            raise gone(ref)
        if found.version == version:
            return None
        if wording(found.document) != wording(document):
            raise taken(ref)
        return found.version

    def _check_valid(self, ref: FlowRef) -> None:
        try:
            told = self._client.read(f"{draft_place(ref)}/validation", None, json_object)
        except Refused as refused:
            raise (gone(ref) if refused.status == 404 else refused) from refused
        if told.get("valid") is not True:
            raise DraftFailed(
                f"{ref}: not published, for the draft is not valid: {reasons(told)};"
                " correct the manifest"
            )

    def _check_tests(self, ref: FlowRef) -> None:
        if self._tests is None:
            return
        try:
            self._tests.run(self._client, ref)
        except Refused as refused:
            if refused.status == 404 and self._source.draft_version(ref) is None:
                raise gone(ref) from refused
            raise

    def _check_still(self, snapshot: Snapshot) -> None:
        with explained(snapshot.ref, "data action"):
            version = self._source.version(snapshot.ref)
        if str(version) != snapshot.revision:
            raise stale(snapshot, f"version {version} is published")

    def _published(self, snapshot: Snapshot, version: int) -> int | None:
        ref = snapshot.ref
        try:
            answer = self._client.post(f"{draft_place(ref)}/publish", compact({"version": version}))
        except Refused as refused:
            if refused.status == 404:
                raise gone(ref) from refused
            if not is_stale(refused):
                raise
            if self._source.draft_version(ref) != version:
                raise taken(ref) from refused
            raise stale(snapshot, "so the publishing was told") from refused
        return version_in(answer)

    def _withdrawn(self, ref: FlowRef) -> str | None:
        """Remove the draft of this process; why it is still there, or ``None``."""
        own = self._own.get(ref.id)
        if own is None:
            return None
        try:
            found = self._source.draft_version(ref)
            if found not in (None, own):
                self._own.pop(ref.id)
                return "somebody has changed it since"
            if found is not None:
                self._client.delete(draft_place(ref))
        except Refused as refused:
            if refused.status != 404:
                return str(refused)
        except OutcomeUnknown as unknown:
            return self._remaining(ref, unknown)
        except ApiError as error:
            return str(error)
        self._own.pop(ref.id)
        return None

    def _remaining(self, ref: FlowRef, unknown: OutcomeUnknown) -> str | None:
        """The same, after a removal without an answer."""
        try:
            if self._source.draft_version(ref) is not None:
                return str(unknown)
        except ApiError:
            return str(unknown)
        self._own.pop(ref.id)
        return None


def _same(found: Draft, snapshot: Snapshot, document: bytes) -> bool:
    is_secure, was_secure = (
        parse(text).get("secure") for text in (found.document, snapshot.document)
    )
    return is_secure == was_secure and wording(found.document) == wording(document)
