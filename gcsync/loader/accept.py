"""Live values written into manifests: the text around them stays, and nothing else is changed.

Several things can stand behind one desired value, so each is asked first:
would anybody else be changed by it? After the files are written they are
loaded again. Unless every accepted setting is desired as it is live now, and
every other setting as it was before, all files are put back.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gcsync.core.diff import same
from gcsync.core.secrecy import advice
from gcsync.errors import CannotEdit, InvalidManifests
from gcsync.loader import edit
from gcsync.loader.documents import Reading
from gcsync.loader.explain import origins
from gcsync.loader.names import listed, quoted
from gcsync.loader.node import Mapping, Node, Scalar, Sequence
from gcsync.model.value import ABSENT, Sealed, setting_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from collections.abc import Mapping as Dict

    from gcsync.model.manifest import Manifests
    from gcsync.model.value import JSON, Location, Value

    Settings = Dict[tuple[str, str], tuple[JSON, Location]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """A setting and the live value that it is to be desired with; ``ABSENT`` takes it out."""

    address: str
    path: str
    live: Value

    def __str__(self) -> str:
        return f"{self.address}/{self.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Which manifests are meant: as for `load`."""

    paths: tuple[Path, ...] | None
    root: Path
    environment: str | None


def objections(
    accepted: Iterable[Acceptance], manifests: Manifests, place: Place
) -> tuple[str, ...]:
    """Why live values cannot be written into *manifests*, one line each; none where they can."""
    wanted = {(each.address, each.path): each for each in accepted}
    settings = _settings(manifests)
    return tuple(
        told
        for each in wanted.values()
        if (told := _objection(each, wanted, settings, place)) is not None
    )


def write(
    accepted: Iterable[Acceptance], manifests: Manifests, reload: Callable[[], Manifests]
) -> None:
    """Write live values to where *manifests* take the desired ones from.

    *reload* loads the same manifests again. Raises `CannotEdit`; all files
    then are as they were.
    """
    wanted = {(each.address, each.path): each.live for each in accepted}
    before = _settings(manifests)
    edits: dict[str, dict[Location, Value]] = defaultdict(dict)
    for key, live in wanted.items():
        source = before[key][1]
        edits[source.file][source] = live
    former: dict[Path, bytes] = {}
    texts: dict[Path, bytes] = {}
    for name, places in edits.items():
        path, content = _read(name)
        former[path], texts[path] = content, _edited(name, content, places)
    try:
        for path, content in texts.items():
            _replace(path, content)
        _check(before, wanted, reload)
    except BaseException:  # a signal must not leave half of it
        for path, content in former.items():
            with contextlib.suppress(CannotEdit):
                _replace(path, content)
        raise


def _settings(manifests: Manifests) -> Settings:
    return {
        (spec.address, setting_path(action.name, setting.path)): (setting.value, setting.source)
        for spec in manifests.resources
        for action in spec.actions
        for setting in action.settings
    }


def _objection(
    each: Acceptance,
    wanted: Dict[tuple[str, str], Acceptance],
    settings: Settings,
    place: Place,
) -> str | None:
    if isinstance(each.live, Sealed):
        kind = each.address.partition("/")[0]
        return f"{each}: the live value is a secret; {advice(kind)}"
    source = settings[each.address, each.path][1]
    sharing = [
        f"{address}/{path}"
        for (address, path), (_, where) in settings.items()
        if where == source
        and not ((also := wanted.get((address, path))) is not None and same(also.live, each.live))
    ]
    if sharing:
        return (
            f"{each}: its value stands at {source}, for {listed(sharing, most=4)} too;"
            " write the setting out below its own action, or change it there for all"
        )
    [explained] = [
        one
        for one in origins(
            each.address,
            each.path,
            paths=place.paths,
            root=place.root,
            environment=place.environment,
        )
        if one.path == each.path
    ]
    # The last origin holds; what it was made with comes right before it.
    before = explained.origins[-2:-1]
    if before and before[0].how == "variable":
        name, at = before[0].detail, before[0].source
        users = listed(_users(name, place), most=4)
        return (
            f"{each}: its value comes from the variable {quoted(name)} ({at}), used in {users};"
            f" write the value out at {source}, or change the variable for all"
        )
    return None


def _users(variable: str, place: Place) -> list[str]:
    """The documents that a variable is put into."""
    reading = Reading(place.paths, root=place.root, environment=place.environment)
    return sorted(
        document.address
        for document in reading.documents()
        if any(variable in scalar.variables for scalar in _scalars(document.merged()))
    )


def _scalars(node: Node) -> Iterator[Scalar]:
    if isinstance(node, Scalar):
        yield node
        return
    below = node.items if isinstance(node, Sequence) else [value for _, value in _entries(node)]
    for each in below:
        yield from _scalars(each)


def _entries(node: Mapping) -> Iterable[tuple[Scalar, Node]]:
    return node.entries.values()


def _read(name: str) -> tuple[Path, bytes]:
    try:
        path = Path(name).resolve(strict=True)
        return path, path.read_bytes()
    except OSError as error:
        raise CannotEdit(f"{name}: cannot be read ({error.strerror}); check the file") from error


def _edited(name: str, content: bytes, places: Dict[Location, Value]) -> bytes:
    """The file with every edit in it; the last comes first, so that no place moves before its turn.

    Raises `CannotEdit`.
    """
    text = content.decode("utf-8")
    for source in sorted(places, reverse=True):
        live = places[source]
        try:
            if live is ABSENT:
                text = edit.removed(text, source.line, source.column)
            elif not isinstance(live, Sealed):
                text = edit.replaced(text, source.line, source.column, live)
        except CannotEdit as error:
            raise CannotEdit(f"{name}: {error}") from error
    return text.encode("utf-8")


def _replace(path: Path, content: bytes) -> None:
    """Exchange a file at once: nobody reads half of it."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(content)
        shutil.copymode(path, partial)
        partial.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise CannotEdit(
            f"{path}: cannot be written ({error.strerror}); make it writable and try again"
        ) from error


def _check(
    before: Settings,
    wanted: Dict[tuple[str, str], Value],
    reload: Callable[[], Manifests],
) -> None:
    """Whether what was accepted is desired now, and all else as it was. Raises `CannotEdit`."""
    try:
        after = _settings(reload())
    except InvalidManifests as error:
        first = str(error).splitlines()[0]
        raise CannotEdit(
            f"the live value is refused in a manifest, which is left as it was: {first}"
        ) from error
    for key in before.keys() | after.keys():
        held: Value = after[key][0] if key in after else ABSENT
        meant = wanted.get(key, before[key][0] if key in before else ABSENT)
        if not same(held, meant):
            address, path = key
            raise CannotEdit(
                f"{address}/{path} would not be as expected after the edit, so the manifests are"
                " left as they were; change the value by hand"
            )
