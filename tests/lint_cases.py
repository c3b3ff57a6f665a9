"""Cases of lint rules: YAML files of manifests that pass and manifests that fail.

``tests/lint/cases/GC102.yaml`` names its rule, then cases by name. A case is
what a manifest says: the members of ``spec``, and beside them ``metadata``,
``bindings`` (name -> spec, or a whole document without its kind), ``others``
(further manifests), ``lint`` and ``organisation`` of the project file, and
``live``, the document of the live flow (then the live flow is linted). With
``driver: public``, ``data_actions`` are DataActions (name -> spec, or a whole
document without its kind) and ``uses`` what the live flow does (name ->
settings by path). A ``data_action`` stands by itself, without any flow;
``holds`` are its live settings by path, ``inputs`` those of its live contract,
and ``is_used`` says whether a flow uses it. A failing case has all that under
``manifest`` (``live``, ``uses``, ``holds`` and their like beside it), the
``message``, and maybe the text ``at`` which it stands and its ``severity``.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from gcsync.drivers.flow_lens import read_snapshot
from gcsync.drivers.flow_outline import outline
from gcsync.lint.catalogue import RULES
from gcsync.lint.check import lint
from gcsync.loader.manifests import load
from gcsync.model.change import FlowRef, LiveAction
from gcsync.model.outline import Call, Outline, Sequence

if TYPE_CHECKING:
    from collections.abc import Sequence as Several

    from gcsync.lint.registry import Rule
    from gcsync.model.manifest import Finding

CASES = Path(__file__).parent / "lint" / "cases"
TODAY = date(2026, 6, 1)
SPEC = {"flow": {"id": "f-1"}, "channel": "voice"}
ALONE = ("holds", "inputs", "is_used")
BESIDE = (
    *("metadata", "bindings", "others", "lint", "organisation", "live"),
    *("data_action", "data_actions", "uses", *ALONE),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case of one rule; *message* is ``None`` where nothing is to be found."""

    rule: str
    name: str
    given: Any
    message: str | None = None
    at: str | None = None
    severity: str | None = None

    def __str__(self) -> str:
        return f"{self.rule} {'passes' if self.message is None else 'fails'}: {self.name}"


@cache
def cases() -> tuple[Case, ...]:
    """Every case of every file."""
    found = []
    for file in sorted(CASES.glob("*.yaml")):
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        assert file.stem == document["rule"], file
        for name, given in document["passes"].items():
            found.append(Case(rule=document["rule"], name=name, given=given))
        for name, failing in document["fails"].items():
            manifest = failing.pop("manifest", {})
            live = {key: failing.pop(key) for key in ("live", "uses", *ALONE) if key in failing}
            found.append(
                Case(rule=document["rule"], name=name, given={**manifest, **live}, **failing)
            )
    return tuple(found)


def findings(case: Case, folder: Path, rules: Several[Rule] = RULES) -> list[Finding]:
    """What *rules* say of the case; the manifests are written to *folder* and really loaded."""
    given = case.given
    write_project(folder, given)
    manifests = load(None, root=folder)
    live: dict[str, Outline] | None = None
    if "live" in given:
        document = {"id": "f-1", "name": "Case", "type": "inboundcall", **given["live"]}
        ref = FlowRef(address="flow/case", id="f-1")
        body = json.dumps(document).encode()
        live = {"flow/case": outline(read_snapshot(ref, body, '"1"'))}
    if "uses" in given:
        live = {"flow/case": used(given["uses"])}
    uses = {}
    if "holds" in given:
        inputs = tuple(given["inputs"]) if "inputs" in given else None
        action = LiveAction(id=None, name="", settings=given["holds"], inputs=inputs)
        live = {
            "dataaction/case": Outline(
                root=Call(index=0), actions=(action,), driver="integration-action"
            )
        }
        uses = {"dataaction/case": given["is_used"]} if "is_used" in given else {}
    return list(lint(manifests, today=TODAY, live=live, uses=uses, rules=rules))


def used(actions: dict[str, dict[str, Any]]) -> Outline:
    """What a live flow of the public API uses."""
    live = [LiveAction(id=None, name=name, settings=given) for name, given in actions.items()]
    calls = tuple(Call(index=index) for index in range(len(live)))
    return Outline(root=Sequence(calls), actions=tuple(live), driver="public")


def text_at(finding: Finding, folder: Path) -> str:
    """The word of the manifest at which a finding stands."""
    assert finding.location is not None
    line = (folder / finding.location.file).read_text(encoding="utf-8").splitlines()
    rest = line[finding.location.line - 1][finding.location.column - 1 :]
    word = re.match(r"\"(?:\\.|[^\"])*\"|'[^']*'|[^\s:,{}\[\]]+", rest)
    return word[0].strip("\"'") if word else rest


def write_project(folder: Path, given: Any) -> None:
    """A project whose one manifest says what the case says."""
    spec = {key: value for key, value in given.items() if key not in BESIDE}
    spec.setdefault("actions", {"Lookup": {}})
    metadata = {"name": "case", **given.get("metadata", {})}
    documents = [document("Flow", metadata, {**SPEC, **spec})]
    if "data_action" in given:
        alone = {"action": {"integration": "CRM", "name": "Lookup"}, **given["data_action"]}
        documents = [document("DataAction", metadata, alone)]
    for name, bound in given.get("bindings", {}).items():
        metadata = bound.get("metadata", {}) if "spec" in bound else {}
        documents.append(
            document("AuthBinding", {"name": name, **metadata}, bound.get("spec", bound))
        )
    for name, declared in given.get("data_actions", {}).items():
        metadata = declared.get("metadata", {}) if "spec" in declared else {}
        action = {"action": {"integration": "CRM", "name": name}}
        documents.append(
            document(
                "DataAction",
                {"name": name, **metadata},
                {**action, **declared.get("spec", declared)},
            )
        )
    for number, other in enumerate(given.get("others", ())):
        more = {key: value for key, value in other.items() if key != "metadata"}
        more.setdefault("flow", {"id": f"other-{number}"})
        metadata = {"name": f"other-{number}", **other.get("metadata", {})}
        documents.append(document("Flow", metadata, {"channel": "voice", **more}))
    project = {key: given[key] for key in ("lint", "organisation") if key in given}
    (folder / "manifests").mkdir(parents=True, exist_ok=True)
    (folder / "manifests" / "case.yaml").write_text(
        yaml.safe_dump_all(documents, sort_keys=False, width=1_000), encoding="utf-8"
    )
    (folder / "gcsync.yaml").write_text(
        yaml.safe_dump(document("Project", {"name": "case"}, project)), encoding="utf-8"
    )


def document(kind: str, metadata: Any, spec: Any) -> dict[str, Any]:
    """One document as YAML holds it."""
    return {"apiVersion": "gcsync/v1", "kind": kind, "metadata": metadata, "spec": spec}
