"""Where an import writes: what is declared there already, and what stands in the way.

What is there stays: a file that says something else is kept unless the import
is forced, and even then one that declares anything beside the flow, or is no
regular file.
"""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gcsync.core.using import telling_type
from gcsync.loader.christen import AUTH, integration_folder
from gcsync.loader.deliver import content_of, standing_in_the_way

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gcsync.model.adoption import Standing
    from gcsync.model.change import LiveFlow
    from gcsync.model.manifest import AuthBinding, Manifests, ResourceSpec

ACTIONS: Final = "data-actions"
"""The folder of the data actions of the public API."""

INTEGRATIONS: Final = "integrations"
"""The folder of the integrations that these belong to."""

_SUFFIX: Final = ".yaml"


class Ground:
    """A folder to import into, and the *manifests* that are declared, in it or elsewhere.

    It is for what is live of one *kind*. Files are named as from *root*.
    """

    def __init__(
        self,
        folder: Path,
        manifests: Manifests,
        *,
        kind: str = "flow",
        root: Path | None = None,
        is_forced: bool = False,
    ) -> None:
        self.manifests = manifests
        self.kind = kind
        self.is_forced = is_forced
        self._root = root or Path()
        self._folder = folder
        self._entries = standing_in_the_way(folder)
        self._folders: dict[Path, dict[str, str]] = {}
        self.specs = tuple(spec for spec in manifests.compared if kind == spec.KIND)
        self._managing: dict[str | tuple[str, str], list[ResourceSpec]] = defaultdict(list)
        for spec in self.specs:
            selected = spec.selector
            key = selected.id or (selected.name or "", telling_type(kind, selected.type))
            self._managing[key].append(spec)
        self._declared: dict[Path, set[str]] = defaultdict(set)
        every: tuple[ResourceSpec | AuthBinding, ...] = manifests.resources + manifests.bindings
        for each in every:
            self._declared[(self._root / each.source.file).resolve()].add(each.address)

    def managing(self, live: LiveFlow) -> list[ResourceSpec]:
        """The manifests that speak of something live."""
        told = (live.name, telling_type(self.kind, live.type))
        found = (self._managing.get(key, ()) for key in (live.id, told))
        return [spec for specs in found for spec in specs]

    def astray(self, listing: Iterable[LiveFlow]) -> list[ResourceSpec]:
        """The manifests that speak of nothing in *listing*, which no plan puts up with."""
        met = {spec.address for live in listing for spec in self.managing(live)}
        return [spec for spec in self.specs if spec.address not in met]

    def file_of(self, live: LiveFlow, name: str) -> Path:
        """The file of its own manifest, where it has one, else a new one.

        Data actions of the public API are many: each integration has a folder
        for its own, so that one can be read, reviewed and owned by itself.
        """
        for spec in self.managing(live):
            return self._root / spec.source.file
        file = f"{name}{_SUFFIX}"
        if self.kind == "flow":
            return self._folder / self._entries.get(file.casefold(), file)
        folder = self._folder / INTEGRATIONS
        if self.kind == "dataaction":
            folder = self._folder / ACTIONS / integration_folder(live.type)
        return folder / self._inside(folder).get(file.casefold(), file)

    def _inside(self, folder: Path) -> dict[str, str]:
        if folder not in self._folders:
            self._folders[folder] = standing_in_the_way(folder)
        return self._folders[folder]

    def auth_file(self) -> Path:
        """A new file for bindings: to what is there already nothing is added."""
        number, file = 1, f"{AUTH}{_SUFFIX}"
        while file in self._entries:
            number += 1
            file = f"{AUTH}-{number}{_SUFFIX}"
        return self._folder / file

    def standing(self, path: Path, address: str, content: bytes) -> tuple[Standing, str]:
        """What becomes of a file that is to hold *content*, and why it is left alone if it is."""
        if not os.path.lexists(path):
            return "written", ""
        former = content_of(path)
        if former == content:
            return "unchanged", ""
        if former is None:
            return "kept", "it is no regular file; move it away"
        others = self._declared.get(path.resolve(), set()) - {address}
        if others:
            return "kept", f"it declares {', '.join(sorted(others))} too; move that elsewhere"
        if not self.is_forced:
            return "kept", "it says something else; --force overwrites it"
        return "replaced", ""
