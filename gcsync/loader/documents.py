"""Every document of an environment, one at a time, overlays laid on, variables put in.

One document at a time, so that ten thousand manifests never lie in memory as
nodes; only overlays are kept until their base comes by.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gcsync.loader import schema, secrets
from gcsync.loader.names import nearest, quoted, shown
from gcsync.loader.node import Mapping, Node, location
from gcsync.loader.overlay import merged
from gcsync.loader.parse import parse
from gcsync.loader.project import FILE_NAME, ProjectFile, read_project
from gcsync.loader.shape import shape, typed
from gcsync.loader.source import SourceFile, decode, discover, read
from gcsync.loader.variables import mentions, substitute
from gcsync.model.manifest import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from gcsync.model.project import Environment
    from gcsync.model.value import Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document: its base and what overlays lay on it, the last one winning.

    Each layer comes with the folder of its overlay, the base with ``""``.
    """

    kind: str
    name: str
    layers: tuple[tuple[str, Mapping], ...]

    @property
    def address(self) -> str:
        """How messages name the document, e.g. ``flow/billing``."""
        return f"{self.kind.lower()}/{self.name}"

    @property
    def source(self) -> Location:
        """Where the document is named first."""
        base = self.layers[0][1]
        return location(base.get("metadata", "name") or base)

    def merged(self) -> Mapping:
        """The document as it finally holds."""
        document = self.layers[0][1]
        for _, over in self.layers[1:]:
            document = merged(document, over, shape(self.kind))
        return document


Key = tuple[str, str]
"""Kind and name of a document."""


class Reading:
    """One pass over all files; *findings* grow on the way.

    *overlays* are files or folders that the command line lays over all that
    the project declares, the last one winning. Where it *may_be_empty*,
    folders may be missing, and without a base there is nothing to lay
    overlays on.
    """

    def __init__(
        self,
        paths: Sequence[Path] | None,
        *,
        root: Path,
        environment: str | None,
        overlays: Sequence[Path] = (),
        may_be_empty: bool = False,
    ) -> None:
        self.file: ProjectFile = read_project(root)
        self.environment: Environment | None = self.file.environment(environment)
        self.findings: list[Finding] = list(self.file.findings)
        self._environment = environment
        self.variables = self.file.variables(environment)
        self._paths = paths
        self._overlays = overlays
        self._may_be_empty = may_be_empty
        self._root = root.resolve()
        self._read: dict[Path, tuple[str, bytes]] = {}
        self._first: dict[tuple[str, str, str], Location] = {}
        if self.file.content is not None:
            digest = hashlib.sha256(self.file.content).digest()
            self._read[(root / FILE_NAME).resolve()] = (FILE_NAME, digest)

    def sha256(self) -> str:
        """A digest of every file read so far: names and contents, whatever the order."""
        whole = hashlib.sha256()
        for name, digest in sorted(self._read.values()):
            # A name may hold bytes that are no UTF-8.
            whole.update(f"{name}\0{digest.hex()}\n".encode(errors="surrogateescape"))
        return whole.hexdigest()

    def documents(self) -> Iterator[Document]:
        """Every document that can be told apart, base first, then overlays without a base."""
        given: dict[Key, list[tuple[str, Mapping]]] = {}
        for path in self._overlays:
            for kind, name, node in self._nodes(discover(path), layer=str(path)):
                given.setdefault((kind, name), []).append((str(path), node))
        if not given:
            yield from self._declared()
            return
        known: set[Key] = set()
        for document in self._declared():
            key = (document.kind, document.name)
            known.add(key)
            yield replace(document, layers=(*document.layers, *given.get(key, ())))
        for kind, name in given:
            if (kind, name) not in known:
                self._refuse_baseless(given[kind, name][0][1], kind, name, known)

    def _refuse_baseless(self, node: Mapping, kind: str, name: str, known: set[Key]) -> None:
        """What the command line lays over changes what is declared, and declares nothing."""
        near = nearest(name, (each for its, each in known if its == kind))
        message = f"no manifest declares {kind} {quoted(name)} to lay this over{near}; correct it"
        place = location(node.get("metadata", "name") or node)
        address = f"{kind.lower()}/{name}"
        self.findings.append(
            Finding(rule="reference", message=message, location=place, address=address)
        )

    def _declared(self) -> Iterator[Document]:
        """What the project declares."""
        overlays: dict[Key, list[tuple[str, Mapping]]] = {}
        folders = self.file.folders("environments", self._environment or "", "overlays")
        for item, folder in folders:
            found = discover(folder, name=item.text)
            for kind, name, node in self._nodes(self._located(found, item), layer=item.text):
                overlays.setdefault((kind, name), []).append((item.text, node))
        has_base = False
        for kind, name, node in self._nodes(self._base(), layer=""):
            has_base = True
            over = overlays.pop((kind, name), ())
            yield Document(kind=kind, name=name, layers=(("", node), *over))
        if self._may_be_empty and not has_base:
            return
        for (kind, name), alone in overlays.items():
            yield Document(kind=kind, name=name, layers=tuple(alone))

    def _base(self) -> Iterator[SourceFile | Finding]:
        """The files of the base; overlay folders of all environments lie apart from it."""
        environments = self.file.node.mapping("spec", "environments").entries
        skipped = {(self.file.root / FILE_NAME).resolve()}
        for name in environments:
            for _, folder in self.file.folders("environments", name, "overlays"):
                skipped.add(folder.resolve())
        empty = True
        for found in self._named(skipped):
            empty = False
            yield found
        if empty and not self.file.findings and not self._may_be_empty:
            message = (
                "there are no manifests here; write one (*.yaml), or name their folder with -f"
            )
            yield Finding(rule="reference", message=message)

    def _named(self, skipped: set[Path]) -> Iterator[SourceFile | Finding]:
        if self._paths is not None:
            for path in self._paths:
                if not self._is_missing(path):
                    yield from discover(path, skipped=skipped)
            return
        named = self.file.folders("manifests")
        for item, path in named:
            if self._is_missing(path):
                continue
            found = discover(path, name=item.text, skipped=skipped)
            yield from self._located(found, item)
        if not named and self.file.node.get("spec", "manifests") is None:
            for folder in self.file.project.manifests:
                path = self.file.root / folder
                if not self._is_missing(path):
                    yield from discover(path, name=folder, skipped=skipped)

    def _is_missing(self, path: Path) -> bool:
        """Whether a folder is not there, and need not be."""
        return self._may_be_empty and not path.exists()

    def _located(
        self, found: Iterable[SourceFile | Finding], item: Node
    ) -> Iterator[SourceFile | Finding]:
        """What was found; a folder that is not there is refused where it is named."""
        for each in found:
            if isinstance(each, Finding) and each.location is None:
                yield Finding(rule=each.rule, message=each.message, location=location(item))
            else:
                yield each

    def _nodes(
        self, files: Iterable[SourceFile | Finding], *, layer: str
    ) -> Iterator[tuple[str, str, Mapping]]:
        """Kind, name and node of each document that has both and has them first."""
        for file in files:
            if isinstance(file, Finding):
                self.findings.append(file)
                continue
            for document in self._parsed(file):
                kind = schema.known_kind(document)
                if isinstance(kind, Finding):
                    self.findings.append(kind)
                elif isinstance(document, Mapping):
                    name = self._identified(kind, document, layer)
                    if name is not None:
                        yield kind, name, document

    def _parsed(self, file: SourceFile) -> list[Node]:
        """The documents of one file with variables put in; each real file is read once."""
        if file.path in self._read:
            return []
        content = read(file)
        if isinstance(content, Finding):
            self.findings.append(content)
            return []
        self._read[file.path] = (self._digested(file), hashlib.sha256(content).digest())
        text = decode(content, file.name)
        if isinstance(text, Finding):
            self.findings.append(text)
            return []
        documents, wrong = parse(text, file.name)
        self.findings += wrong
        if mentions(text):
            return [substitute(each, self.variables, self.findings) for each in documents]
        return documents

    def _refused(self, document: Mapping, kind: str, address: str | None) -> list[Finding]:
        return schema.refused(document, typed(document, shape(kind)), kind, address)

    def _digested(self, file: SourceFile) -> str:
        """The name under which a file counts in the digest, the same on every machine."""
        inside = file.path.is_relative_to(self._root)
        return file.path.relative_to(self._root).as_posix() if inside else file.name

    def _identified(self, kind: str, document: Mapping, layer: str) -> str | None:
        """The name of a document; ``None`` and a finding where it has none of its own."""
        node = document.get("metadata", "name")
        name = document.text("metadata", "name")
        if name is not None and shown(name) != name:
            name = None  # no address is made of a secret, or of what cannot be shown
        address = f"{kind.lower()}/{name}" if name else None
        self.findings += secrets.findings_in(document, kind, address)
        if kind == "Project":
            message = f"a Project belongs into {FILE_NAME}; move this document"
            place = location(document.get("kind") or document)
            self.findings.append(Finding(rule="reference", message=message, location=place))
            return None
        if name is None or node is None:
            self.findings += self._refused(document, kind, address)
            return None
        where = location(node)
        first = self._first.setdefault((layer, kind, name), where)
        if first is not where:
            message = f"{kind} {quoted(name)} is declared at {first} already; rename or remove one"
            self.findings.append(
                Finding(rule="reference", message=message, location=where, address=address)
            )
            self.findings += self._refused(document, kind, address)
            return None
        return name
