"""Which live flow is meant by a name that somebody typed."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gcsync.core.plan import nearest
from gcsync.engine.observe import resolve
from gcsync.errors import TargetUnclear
from gcsync.model.change import FlowRef

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcsync.drivers.driver import Driver
    from gcsync.model.change import LiveFlow
    from gcsync.model.manifest import FlowSpec

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class Targets:
    """Finds flows by what a manifest calls them, by live id, and by live name.

    Live flows are listed once, and only where that can change the answer: an
    address and an id in the usual form are told without. Everything that a
    word may mean counts, for the wrong flow is not launched back.
    """

    def __init__(self, specs: Sequence[FlowSpec], driver: Driver) -> None:
        self._specs = specs
        self._driver = driver
        self._listing: tuple[LiveFlow, ...] | None = None

    def find(self, word: str) -> FlowRef:
        """The one flow that *word* means.

        Raises `TargetUnclear` where there is none, with the nearest names, or
        more than one, with all of them; and as `resolve` and the driver do.
        """
        declared = [spec for spec in self._specs if word in (spec.address, spec.name)]
        found = [ref for _, ref in resolve(declared, self._driver)]
        if not any(spec.address == word for spec in declared):
            found = [self._with_name(ref) for ref in found]
            found += self._live(word, {ref.id for ref in found})
        match found:
            case [ref]:
                return ref
            case []:
                names = [flow.name for flow in self._listed()]
                names += [spec.address for spec in self._specs]
                raise TargetUnclear(
                    f"no manifest and no live flow is called {word!r}{nearest(word, names)}"
                )
            case _:
                raise TargetUnclear(
                    f"{word!r} may mean {len(found)} flows; give an id or an address:"
                    f" {', '.join(sorted(map(_candidate, found)))}"
                )

    def _live(self, word: str, known: set[str]) -> list[FlowRef]:
        if _UUID.fullmatch(word):
            # Whoever may launch need not be allowed to list; that it exists shows when it is used.
            return [] if word in known else [self._named(word)]
        return [
            FlowRef(address=flow.id, id=flow.id, name=flow.name)
            for flow in self._listed()
            if word in (flow.id, flow.name) and flow.id not in known
        ]

    def _with_name(self, ref: FlowRef) -> FlowRef:
        names = {flow.id: flow.name for flow in self._listed()}
        return replace(ref, name=ref.name or names.get(ref.id, ""))

    def _named(self, flow_id: str) -> FlowRef:
        spec = next((spec for spec in self._specs if spec.selector.id == flow_id), None)
        return FlowRef(address=spec.address if spec else flow_id, id=flow_id)

    def _listed(self) -> tuple[LiveFlow, ...]:
        if self._listing is None:
            self._listing = tuple(self._driver.list_live())
        return self._listing


def _candidate(ref: FlowRef) -> str:
    return str(ref) if ref.address == ref.id else f"{ref} with id {ref.id}"
