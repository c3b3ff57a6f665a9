"""Versions as the public API counts them, and what is believed of an answer that names one.

Replicas lag behind each other, so a version older than one that was already
seen is taken for no answer at all.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

from gcsync.core.exact_json import Malformed, parse
from gcsync.drivers.listing import json_object
from gcsync.errors import InvalidAnswer, OutcomeUnknown
from gcsync.model.change import Revision

if TYPE_CHECKING:
    from gcsync.api.http import Answer
    from gcsync.model.change import FlowRef


class Versions:
    """The newest version of each thing that one driver has seen; used from many threads at once."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._newest: dict[str, int] = {}

    def believed(
        self, ref: FlowRef, answer: Answer, *, has_id: bool, counts: bool = True
    ) -> dict[str, Any]:
        """The JSON object that is *ref* as it is now, or at least not older than it was seen.

        One that *has_id* must be that of *ref*; where its version does not
        *counts* beside those that were seen, any is believed. Raises
        `InvalidAnswer` for any other body.
        """
        try:
            document = parse(answer.body)
        except Malformed as error:
            raise InvalidAnswer(f"{ref}: the answer is not valid JSON: {error}") from error
        if not isinstance(document, dict):
            raise InvalidAnswer(f"{ref}: the answer is not a JSON object")
        if has_id and document.get("id") != ref.id:
            raise InvalidAnswer(f"{ref}: the answer is about something else")
        version = document.get("version")
        if not counts:
            return document
        if type(version) is int and (newest := self.has_seen(ref, version)) > version:
            raise InvalidAnswer(
                f"{ref}: version {version} was read after version {newest}, so a replica lags"
                " behind; run the command again"
            )
        return document

    def written(self, ref: FlowRef, answer: Answer) -> Revision:
        """The revision that an answer to a write names. Raises `OutcomeUnknown` where it does not.

        From then on nothing older is believed.
        """
        try:
            version = json_object(answer).get("version")
        except InvalidAnswer:
            version = None
        if type(version) is not int:
            raise OutcomeUnknown(f"{ref}: written, but the answer names no version")
        self.has_seen(ref, version)
        return Revision(str(version))

    def is_current(self, ref: FlowRef, version: object) -> bool:
        """Whether *version* is one, and not older than any that was seen; it is seen then."""
        return type(version) is int and self.has_seen(ref, version) == version

    def has_seen(self, ref: FlowRef, version: int) -> int:
        """Note a version that was seen; gives the newest that ever was."""
        with self._lock:
            newest = self._newest[ref.id] = max(version, self._newest.get(ref.id, version))
        return newest
