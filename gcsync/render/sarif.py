"""Findings as SARIF 2.1.0 (OASIS), which code scanning shows at the lines of the manifests.

Whoever compares two logs tells findings apart by a fingerprint. It is made of
what a finding is about and says, and not of the line, which moves with every
edit above it.
"""

from __future__ import annotations

import re
from collections import Counter
from hashlib import sha256
from posixpath import isabs, normpath
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from gcsync import __version__
from gcsync.render.json import written
from gcsync.render.sanitise import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gcsync.model.manifest import Finding
    from gcsync.model.report import Report
    from gcsync.model.value import Location

SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)

_ROOT: Final = "%SRCROOT%"
_POSITION: Final = re.compile(r"(:[0-9]+:|\bline )[0-9]+\b")
_NO_BYTE: Final = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_TITLES: Final[Mapping[str, str]] = {
    "syntax": "The file cannot be read as YAML.",
    "schema": "The manifest is not shaped as its kind demands.",
    "reference": "The manifest names something that is not there, or not once.",
    "drift": "Somebody moved a live setting away from what was last applied.",
    "pending": "The manifest asks for a value that nobody has applied yet.",
    "conflict": "Somebody else changed a live setting since the plan was made.",
}
"""What rules are about that no lint rule's page explains."""


def sarif(report: Report, *, colour: bool = False, in_pipeline: bool = False) -> str:  # noqa: ARG001 - JSON has no colour
    """One run: a result a finding; a fault of gcsync itself is no result, but is notified."""
    rules = sorted({finding.rule for finding in report.findings})
    faults = [
        _notification(case.kind, case.message) for case in report.cases if case.outcome == "errored"
    ]
    invocation: dict[str, Any] = {"executionSuccessful": not faults, "exitCode": report.exit_code}
    if faults:
        invocation["toolExecutionNotifications"] = faults
    run = {
        "tool": {
            "driver": {
                "name": "gcsync",
                "version": __version__,
                "rules": [_rule(each, report.findings) for each in rules],
            }
        },
        # GitHub takes what stands before the last slash for the category that a new log replaces.
        "automationDetails": {"id": f"{_about(report)}/"},
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The folder that gcsync ran in."}}},
        "columnKind": "unicodeCodePoints",
        "invocations": [invocation],
        "results": _results(report.findings, rules),
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return written(log, in_pipeline=in_pipeline, is_json=True)


def _about(report: Report) -> str:
    return "/".join(quote(name, safe="", errors="replace") for name in ("gcsync", *report.scope))


def _notification(code: str, message: str) -> dict[str, Any]:
    return {"level": "error", "descriptor": {"id": clean(code)}, "message": _message(message)}


def _rule(rule: str, findings: Iterable[Finding]) -> dict[str, Any]:
    """What a viewer shows beside the findings of *rule*: of a lint rule its manual page."""
    from gcsync.lint.catalogue import find  # noqa: PLC0415 - no other format needs the pages

    known = find(rule)
    if known:
        return {
            "id": known.id,
            "name": known.name,
            "shortDescription": _message(known.title),
            # Whole, its braces too: nobody fills in a page, and its examples are YAML.
            "help": {"text": known.page},
            "defaultConfiguration": {"level": known.severity},
        }
    named = next(finding.name or rule for finding in findings if finding.rule == rule)
    return {
        "id": clean(rule),
        "name": clean(named),
        "shortDescription": _message(_TITLES.get(rule, named)),
    }


def _results(findings: Iterable[Finding], rules: list[str]) -> Iterator[dict[str, Any]]:
    told: Counter[str] = Counter()
    for finding in findings:
        identity = _identity(finding)
        told[identity] += 1
        yield {
            "ruleId": clean(finding.rule),
            "ruleIndex": rules.index(finding.rule),
            "level": finding.severity,
            "message": _message(finding.message),
            "locations": [_location(finding)] if finding.location or finding.address else [],
            # The same said twice is two findings: the second is told by its number.
            "partialFingerprints": {"gcsync/v1": f"{identity}:{told[identity]}"},
        }


def _identity(finding: Finding) -> str:
    # A flow may move to another file; where there is no flow, the file is what it is about.
    about = finding.address or (finding.location.file if finding.location else "")
    said = finding.path or _POSITION.sub("", finding.message)
    whole = f"{finding.rule}\n{about}\n{said}"
    return sha256(whole.encode(errors="backslashreplace")).hexdigest()[:32]


def _location(finding: Finding) -> dict[str, Any]:
    location: dict[str, Any] = {}
    if finding.location:
        location["physicalLocation"] = _physical(finding.location)
    if finding.address:
        name = clean(finding.address)
        location["logicalLocations"] = [{"fullyQualifiedName": name, "kind": "resource"}]
    return location


def _physical(place: Location) -> dict[str, Any]:
    return {
        "artifactLocation": _artifact(place.file),
        "region": {"startLine": place.line, "startColumn": place.column},
    }


def _artifact(file: str) -> dict[str, Any]:
    # Bytes that are no UTF-8 arrive as halves of surrogates; no file's name holds other halves.
    encoded = quote(_NO_BYTE.sub("?", normpath(file)), errors="surrogateescape")
    if isabs(file):
        # What stands after two more slashes would be a host to viewers on Windows.
        return {"uri": f"file:///{encoded.lstrip('/')}"}
    return {"uri": encoded, "uriBaseId": _ROOT}


def _message(text: str) -> dict[str, str]:
    """*text* as it reads, though braces are placeholders and brackets links (SARIF, 3.11)."""
    shown = clean(text).replace("](", "]\\(")
    return {"text": shown.replace("{", "{{").replace("}", "}}")}
