"""The project file: which folders to read, and what differs between environments."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from gcsync.errors import InvalidManifests
from gcsync.loader import exempt, schema, secrets
from gcsync.loader.facts import has_number, named_again, unknown_rule
from gcsync.loader.names import listed, nearest, quoted
from gcsync.loader.node import Mapping, Node, Scalar, Sequence, items, location
from gcsync.loader.parse import parse
from gcsync.loader.shape import shape, typed
from gcsync.loader.source import SourceFile, decode, printable, read
from gcsync.loader.variables import Variables, definitions, references
from gcsync.model.manifest import Finding
from gcsync.model.project import Environment, Limits, LintSettings, OrganisationLimits, Project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE_NAME: Final = "gcsync.yaml"


@dataclass(slots=True, kw_only=True)
class ProjectFile:
    """The project file as it was read, or what holds without one.

    *content* is ``None`` where there is no file. What could be understood of
    an invalid file is there all the same, so that its manifests can be
    checked in the same run; *findings* then says what is wrong.
    """

    root: Path
    content: bytes | None = None
    node: Mapping = field(default_factory=lambda: Mapping({}, FILE_NAME, 1, 1))
    project: Project = field(default_factory=Project)
    findings: list[Finding] = field(default_factory=list)

    def refuse(self, node: Node, message: str) -> None:
        """Make a finding of rule ``reference``."""
        self.findings.append(Finding(rule="reference", message=message, location=location(node)))

    def folders(self, *keys: str) -> list[tuple[Scalar, Path]]:
        """The folders that a list of the file names, those that leave the project left out."""
        node = self.node.get("spec", *keys)
        items = node.items if isinstance(node, Sequence) else ()
        tree = self.root.resolve()
        return [
            (item, self.root / item.text)
            for item in items
            if isinstance(item, Scalar) and _inside(tree, item.text)
        ]

    def environment(self, name: str | None) -> Environment | None:
        """The environment of that name; an unknown one is a finding."""
        if name is None or name in self.project.environments:
            return self.project.environments[name] if name is not None else None
        known = self.node.mapping("spec", "environments").entries
        if name in known:  # it is there, and a finding says why it cannot be used
            return None
        if self.content is None:
            fact = (
                f"there is no {FILE_NAME} in {printable(self.root)}; write one with 'gcsync init'"
            )
        elif known:
            fact = f"not in {FILE_NAME}{nearest(name, known)}; choose from {listed(sorted(known))}"
        else:
            fact = f"{FILE_NAME} has no environments; add it under spec.environments"
        message = f"environment {quoted(name)}: {fact}"
        self.findings.append(Finding(rule="reference", message=message))
        return None

    def variables(self, environment: str | None) -> Variables:
        """What ``${var.…}`` stands for: the project's variables, then the environment's."""
        values: dict[str, Node] = {}
        elsewhere: dict[str, tuple[str, ...]] = {}
        environments = self.node.mapping("spec", "environments")
        values.update(definitions(self.node.mapping("spec", "variables")))
        for name in environments.entries:
            own = definitions(environments.mapping(name, "variables"))
            if name == environment:
                values.update(own)
            for variable in own:
                elsewhere[variable] = (*elsewhere.get(variable, ()), name)
        unsettled = environment is not None and environment not in environments.entries
        return Variables(values=values, elsewhere=elsewhere, unsettled=unsettled)


def load_project(root: Path) -> Project:
    """The project file in *root*, or the defaults. Raises `InvalidManifests`."""
    file = read_project(root)
    if file.findings:
        raise InvalidManifests(file.findings)
    return file.project


def read_project(root: Path) -> ProjectFile:
    """Read and check the project file in *root*, where there is one."""
    found = ProjectFile(root=root)
    path = root / FILE_NAME
    if not os.path.lexists(path):
        return found
    content = read(SourceFile(path=path, name=FILE_NAME))
    text = content if isinstance(content, Finding) else decode(content, FILE_NAME)
    if isinstance(content, Finding) or isinstance(text, Finding):
        found.content = b""
        found.findings += [told for told in (text,) if isinstance(told, Finding)]
        return found
    found.content = content
    documents, wrong = parse(text, FILE_NAME)
    found.findings += wrong
    _take(found, documents)
    return found


def _take(found: ProjectFile, documents: list[Node]) -> None:
    """Check the documents of the project file and keep the one that counts."""
    for number, document in enumerate(documents):
        kind = schema.known_kind(document)
        if isinstance(kind, Finding):
            found.findings.append(kind)
        elif kind != "Project" or number:
            message = f"{FILE_NAME} holds one Project and nothing else; move this document"
            found.refuse(document, message)
        elif isinstance(document, Mapping):
            found.node = document
            instance = typed(document, shape("Project"))
            refused = schema.refused(document, instance, "Project", None)
            refused += secrets.findings_in(document, "Project", None)
            found.findings += refused
            _check_references(found)
            _check_rules(found)
            _check_exemptions(found)
            _check_tests(found)
            if schema.accepts(instance, "Project") and not found.findings:
                found.project = _project(document, instance)
    if not documents and not found.findings:
        message = f"{FILE_NAME} is empty; write a Project document, or remove the file"
        found.findings.append(
            Finding(rule="schema", message=message, location=location(found.node))
        )


def _check_references(found: ProjectFile) -> None:
    """Folders stay inside the project; variables do not refer to each other."""
    spec = found.node.mapping("spec")
    environments = spec.mapping("environments")
    lists = [spec.get("manifests")]
    lists += [environments.get(name, "overlays") for name in environments.entries]
    tree = found.root.resolve()
    for node in lists:
        for item in node.items if isinstance(node, Sequence) else ():
            if isinstance(item, Scalar) and not _inside(tree, item.text):
                found.refuse(item, f"{quoted(item.text)} leads out of the project; move it inside")
    places = [spec.mapping("variables")]
    places += [environments.mapping(name, "variables") for name in environments.entries]
    for place in places:
        for scalar in references(place):
            found.refuse(scalar, "a variable cannot refer to a variable; write the value out")


def _check_rules(found: ProjectFile) -> None:
    """Rules are there, named once in each table, and have the number that is given anew."""
    lint = found.node.mapping("spec", "lint")
    for scalar in _rules_named(lint):
        problem = unknown_rule(scalar.text)
        if problem:
            found.refuse(scalar, problem)
    for table in ("severity", "thresholds"):
        names = (name for name, _ in lint.mapping(table).entries.values())
        for scalar, message in named_again(names):
            found.refuse(scalar, message)
    for scalar, _ in lint.mapping("thresholds").entries.values():
        if not unknown_rule(scalar.text) and not has_number(scalar.text):
            message = (
                f"{quoted(scalar.text)} has no number to change; 'gcsync rules' shows which have"
            )
            found.refuse(scalar, message)


def _check_exemptions(found: ProjectFile) -> None:
    """What is ignored, or may be healed, are settings that there can be."""
    spec = found.node.mapping("spec")
    for entries in (spec.get("ignore"), spec.get("drift", "heal")):
        for entry, message in exempt.impossible_paths(items(entries)):
            found.refuse(entry, message)


def _check_tests(found: ProjectFile) -> None:
    """What is tested before it is published is a draft."""
    spec = found.node.mapping("spec", "data_actions")
    test = spec.get("test")
    if isinstance(test, Scalar) and test.text == "true" and spec.text("publish") != "draft":
        message = (
            "data_actions/test needs publish: draft, for only a draft can be tested before it"
            " reaches callers; add that, or leave test out"
        )
        found.refuse(test, message)


def _rules_named(lint: Mapping) -> Iterator[Scalar]:
    """Every place of ``spec.lint`` that names a rule."""
    for key, (_, node) in lint.entries.items():
        if isinstance(node, Sequence):
            yield from (item for item in node.items if isinstance(item, Scalar))
        elif isinstance(node, Mapping) and key in ("severity", "thresholds"):
            yield from (name for name, _ in node.entries.values())


def _inside(tree: Path, named: str) -> bool:
    # A path with a null byte cannot be asked about; the parser lets none through plainly.
    return "\0" not in named and (tree / named).resolve().is_relative_to(tree)


def _project(node: Mapping, instance: Any) -> Project:
    """The project of a valid document."""
    spec = instance["spec"]
    limits, lint = spec.get("limits", {}), spec.get("lint", {})
    percent = limits.get("max_percent")
    keys = node.mapping("spec", "environments").entries
    return Project(
        manifests=tuple(spec.get("manifests", Project().manifests)),
        environments={
            name: Environment(
                name=name,
                source=location(keys[name][0]),
                region=value.get("region"),
                org_id=value.get("org_id"),
                overlays=tuple(value.get("overlays", ())),
            )
            for name, value in spec.get("environments", {}).items()
        },
        limits=Limits(
            max_flows=limits.get("max_flows"),
            max_percent=float(percent) if percent is not None else None,
        ),
        lint=LintSettings(
            enable=tuple(lint.get("enable", ())),
            disable=tuple(lint.get("disable", ())),
            severity=lint.get("severity", {}),
            thresholds={rule: float(value) for rule, value in lint.get("thresholds", {}).items()},
        ),
        organisation=OrganisationLimits(**spec.get("organisation", {})),
        ignore=exempt.field_globs(node.get("spec", "ignore"), spec.get("ignore")),
        heal=exempt.field_globs(
            node.get("spec", "drift", "heal"), spec.get("drift", {}).get("heal")
        ),
        publish=spec.get("data_actions", {}).get("publish", Project().publish),
        tests_drafts=spec.get("data_actions", {}).get("test", Project().tests_drafts),
    )
