"""Where a desired value comes from: every place that had a say, the last one winning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from gcsync.core.scope import is_covered
from gcsync.errors import InvalidManifests, NothingDesired, WrongUsage
from gcsync.loader.build import ACTION_FACTS, BINDING, BINDING_FACTS, RESOURCE_FACTS, Builder
from gcsync.loader.documents import Document, Reading
from gcsync.loader.manifests import load
from gcsync.loader.names import listed, nearest, quoted
from gcsync.loader.node import Mapping, Node, Scalar, Sequence, location
from gcsync.loader.shape import shape, typed
from gcsync.model.value import parted, setting_path, unescape

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Sequence as Several
    from pathlib import Path

    from gcsync.loader.shape import Shape
    from gcsync.model.manifest import Manifests, ResourceSpec
    from gcsync.model.project import FieldGlob
    from gcsync.model.value import JSON, Location

FACTS: Final = frozenset((*ACTION_FACTS, *BINDING_FACTS))
SETTING_FACTS: Final = frozenset((*ACTION_FACTS, *RESOURCE_FACTS))
_NOUNS: Final = {"flow": "flow", "dataaction": "data action", "integration": "integration"}
_MOST_OFFERED: Final = 5
How = Literal["default", "action", "overlay", "variable", "binding"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """One place that had a say in a value.

    *detail* names the overlay's folder, the variable or the binding. A
    *default* or an *action* stands in the base document; what an overlay says
    of either is an *overlay*.
    """

    how: How
    value: JSON
    source: Location
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A desired value and its origins, in the order in which they were laid; the last one holds.

    *path* begins below the flow: ``actions/Lookup/timeout_ms``.
    """

    address: str
    path: str
    value: JSON
    source: Location
    origins: tuple[Origin, ...]


def origins(
    address: str,
    path: str | None = None,
    *,
    paths: Several[Path] | None = None,
    root: Path,
    environment: str | None = None,
) -> tuple[Explanation, ...]:
    """Every desired value of a flow at or below *path*, with its origins.

    *address* may carry the path itself: ``flow/billing/actions/Lookup``.
    Raises `WrongUsage` where nothing is desired there, of it `NothingDesired`
    where something may be live, and `InvalidManifests`.
    """
    _, _, rest = address.partition("/")
    name, _, below = rest.partition("/")
    wanted = (path if path is not None else below).strip("/")
    manifests = load(paths, root=root, environment=environment)
    flow = _declared(manifests, address.removesuffix(f"/{below}") if name else address)
    reading = Reading(paths, root=root, environment=environment)
    documents = {
        document.address: document
        for document in reading.documents()
        if document.address == flow.address or document.kind == "AuthBinding"
    }
    if reading.findings or flow.address not in documents:  # the files changed in between
        raise InvalidManifests(reading.findings)
    layers = _Layers(reading, documents, flow)
    explained = tuple(
        each
        for each in layers.explanations()
        if not wanted or each.path == wanted or each.path.startswith(f"{wanted}/")
    )
    if not explained:
        raise _nothing_at(flow, wanted, manifests.project.ignore)
    return explained


def _declared(manifests: Manifests, address: str) -> ResourceSpec:
    known = {spec.address: spec for spec in manifests.resources}
    if address in known:
        return known[address]
    for flow in manifests.public_flows:
        if flow.address == address:
            managers = listed(action.manager for action in flow.actions if action.manager)
            raise WrongUsage(
                f"{address} has driver public and is managed through its data actions;"
                f" explain {managers or 'a DataAction'}"
            )
    raise WrongUsage(f"{quoted(address)}: {undeclared(address, [*known])}")


def undeclared(address: str, known: Several[str]) -> str:
    """Why nothing has that address, and which one may have been meant."""
    kind, _, name = address.strip("/").partition("/")
    called = name or kind
    alike = [each for each in known if each.endswith(f"/{called}")]
    near = f" (did you mean {' or '.join(map(quoted, alike))}?)" if alike else ""
    if name and kind not in _NOUNS:
        return f"only addresses of {listed(_NOUNS)} can be explained{near}"
    prefix = f"{kind}/" if kind in _NOUNS else ""
    there = [each for each in known if each.startswith(prefix)]
    some = f"there are {listed(there, most=_MOST_OFFERED)}" if there else "there is none"
    if not name:
        return f"an address is a kind, a slash and a name{near or f'; {some}'}"
    names = (each.removeprefix(prefix) for each in there)
    near = near or nearest(name, names, prefix=prefix) or f"; {some}"
    return f"no manifest declares this {_NOUNS[kind]}{near}"


def _nothing_at(flow: ResourceSpec, wanted: str, ignored: Several[FieldGlob]) -> WrongUsage:
    for glob in (*flow.ignore, *ignored):
        if wanted.count("/") > 1 and is_covered([glob], flow.address, wanted):
            return WrongUsage(f"{flow.address}: {quoted(wanted)} is ignored, as {glob.source} says")
    known = [
        setting_path(action.name, setting.path)
        for action in flow.actions
        for setting in action.settings
    ]
    choices = nearest(wanted, known) or f"; managed here: {listed(known)}"
    said = f"{flow.address}: nothing is desired at {quoted(wanted)}{choices}"
    action, setting = parted(wanted)
    if not _may_be(flow, action, setting):
        return WrongUsage(said)
    is_certain = bool(setting) and action in {each.name for each in flow.actions}
    return NothingDesired(said, address=flow.address, path=wanted, is_certain=is_certain)


def _may_be(flow: ResourceSpec, action: str, setting: str) -> bool:
    """Whether there may be something live below that data action, or by that path of a setting."""
    if not setting:
        return bool(action)
    if bool(action) != (flow.KIND == "flow") or setting.split("/", maxsplit=1)[0] in SETTING_FACTS:
        return False
    kind = {"flow": "Flow", "dataaction": "DataAction", "integration": "Integration"}[flow.KIND]
    steps = ["spec", *(["actions", action] if action else []), *setting.split("/")]
    at: Shape | None = shape(kind)
    for step in map(unescape, steps):
        at = at and at.child(step)
    # A binding stands for settings that a manifest does not name.
    return at is not None or setting.startswith("auth/")


class _Layers:
    """The documents of one flow, layer by layer."""

    def __init__(
        self, reading: Reading, documents: dict[str, Document], flow: ResourceSpec
    ) -> None:
        self._reading = reading
        self._documents = documents
        self._flow = flow
        self._builder = Builder()

    def explanations(self) -> Iterator[Explanation]:
        """Each setting of the flow with its chain."""
        document = self._documents[self._flow.address]
        for action in self._flow.actions:
            said = (
                [
                    *self._said(document, ("spec", "defaults"), "default"),
                    *self._said(document, ("spec", "actions", action.name), "action"),
                ]
                if action.name
                else [*self._said(document, ("spec",), "action")]
            )
            for setting in action.settings:
                chain = [origin for path, origin in said if _same(path, setting.path)]
                if setting.path.startswith("auth/"):
                    chain = [origin for path, origin in said if path == BINDING]
                    chain += self._bound(chain[-1].value, setting.path)
                yield Explanation(
                    address=self._flow.address,
                    path=setting_path(action.name, setting.path),
                    value=setting.value,
                    source=setting.source,
                    origins=tuple(chain),
                )

    def _bound(self, name: JSON, path: str) -> list[Origin]:
        """What the binding itself says of a setting."""
        document = self._documents.get(f"authbinding/{name}")
        if document is None:
            return []
        below = path.removeprefix("auth/")
        return [
            origin
            for place, origin in self._said(document, ("spec",), "binding", detail=document.name)
            if place == below
        ]

    def _said(
        self, document: Document, keys: tuple[str, ...], how: How, *, detail: str = ""
    ) -> Iterator[tuple[str, Origin]]:
        """What each layer says below *keys*, by path; a variable comes before its place of use."""
        at = shape(document.kind)
        for key in keys:
            at = at.child(key) or at
        for folder, layer in document.layers:
            node = layer.get(*keys)
            if not isinstance(node, Mapping):
                continue
            values = {key: value for key, value in typed(node, at).items() if key not in FACTS}
            is_whole = document.kind in ("DataAction", "Integration")
            flat = (self._builder.settings if is_whole else self._builder.flatten)(node, values)
            for path, setting in flat.items():
                origin = Origin(
                    how="overlay" if folder else how,
                    value=setting.value,
                    source=setting.source,
                    detail=folder or detail,
                )
                for used in _variables(node, path):
                    for definition in self._defined(used):
                        yield path, definition
                yield path, origin

    def _defined(self, variable: str) -> Iterator[Origin]:
        """The definitions of a variable: the project's, then the environment's."""
        spec = self._reading.file.node.mapping("spec")
        chosen = self._reading.environment
        places = [spec.mapping("variables")]
        if chosen is not None:
            places.append(spec.mapping("environments", chosen.name, "variables"))
        at = shape("Project").properties["spec"].properties["variables"].additional
        for place in places:
            definition = place.get(variable)
            if definition is not None:
                value = typed(definition, at)
                yield Origin(
                    how="variable",
                    value=tuple(value) if isinstance(value, list) else value,
                    source=location(definition),
                    detail=variable,
                )


def _variables(node: Node, path: str) -> Iterator[str]:
    """The variables that the value at *path* was made with, if any."""
    for step in path.split("/"):
        if isinstance(node, Mapping):
            node = node.entries[unescape(step)][1]
    scalars = node.items if isinstance(node, Sequence) else [node]
    used = [scalar.variables for scalar in scalars if isinstance(scalar, Scalar)]
    yield from dict.fromkeys(name for names in used for name in names)


def _same(path: str, other: str) -> bool:
    """Whether two paths name one setting; header names ignore case."""
    if path.startswith("request/headers/"):
        return path.casefold() == other.casefold()
    return path == other
