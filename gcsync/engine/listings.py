"""What is live by name: each listing of an organisation is read once, and only if it is needed."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from gcsync.core.using import telling_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gcsync.drivers.driver import Driver
    from gcsync.model.change import LiveFlow


class Listings:
    """The listings that *driver* gives, kept for as long as one question is about."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._listed: dict[str, tuple[LiveFlow, ...]] = {}
        self._named: dict[str, Mapping[tuple[str, str], list[LiveFlow]]] = {}

    def of(self, kind: str) -> tuple[LiveFlow, ...]:
        """Everything live that manifests of *kind* may speak of. Raises an `ApiError`."""
        if kind not in self._listed:
            self._listed[kind] = tuple(self._driver.list_live(kind))
        return self._listed[kind]

    def named(self, kind: str) -> Mapping[tuple[str, str], list[LiveFlow]]:
        """The same by name and by `telling_type`; what is called alike stands together."""
        if kind not in self._named:
            by_key: dict[tuple[str, str], list[LiveFlow]] = defaultdict(list)
            for each in self.of(kind):
                by_key[each.name, telling_type(kind, each.type)].append(each)
            self._named[kind] = by_key
        return self._named[kind]
