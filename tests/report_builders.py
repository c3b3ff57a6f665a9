"""Reports to test formats for other machines with, and text that means harm."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from gcsync.model.manifest import Finding
from gcsync.model.report import Block, Case, Metric, Report, Row
from gcsync.model.value import Location

HOSTILE = (
    "\x1b]0;x\x07\r\n::error::x\n##[command]y\u202e\u200b\x00\ufffe\ud800"
    "</failure>]]><!--\"'&%0A,;{0}[a](b) @all\\"
)
EVIL = (
    st.text(st.characters(exclude_categories=()), max_size=40)
    | st.text(
        alphabet=":#[]()<>&\"'%,;={}\\\n\r\x00\x1b\x85\u202e\ufffe\ud800\udc80a0/.", max_size=40
    )
    | st.just(HOSTILE)
)


def a_finding(message: str = "too long", line: int | None = 14, **rest: Any) -> Finding:
    place = None if line is None else Location("manifests/billing.yaml", line, 19)
    return Finding(**{"rule": "GC101", "message": message, "location": place} | rest)


def a_report(*findings: Finding, **rest: Any) -> Report:
    facts: dict[str, Any] = {
        "document": {},
        "closing": (Row(cells=("No drift.",)),),
        "command": "drift",
        "environment": "prod",
        "findings": findings,
    }
    return Report(**facts | rest)


def hostile(text: str) -> Report:
    """A report that holds *text* wherever something from outside may stand."""
    return a_report(
        Finding(
            rule=text,
            message=text,
            location=Location(text, 1, 2),
            name=text,
            address=text,
        ),
        Finding(rule="drift", message=text, severity="warning"),
        blocks=(Block(rows=(Row(cells=(text, text), place=text),)),),
        closing=(Row(cells=(text,)),),
        environment=text,
        cases=(
            Case(name=text, outcome="failed", kind=text, message=text, details=(text, text)),
            Case(name=text, outcome="errored", kind=text, message=text),
            Case(name=text, outcome="skipped", message=text),
            Case(name=text, outcome="passed", details=(text,)),
        ),
        metrics=(Metric(name="flows", help="Flows.", value=1.0, labels=(("status", text),)),),
    )
