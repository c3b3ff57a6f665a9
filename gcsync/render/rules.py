"""Lint rules as reports: the list, and one rule's manual page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcsync.lint.registry import FLOW_DOCUMENTS, select
from gcsync.model.report import Block, Report, Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcsync.lint.registry import Rule
    from gcsync.model.project import LintSettings
    from gcsync.model.report import Tone

_TONES: dict[str, Tone] = {"error": "bad", "warning": "change", "note": "plain", "off": "faint"}
_BLANK = Row(cells=())


def present_rules(rules: Sequence[Rule], settings: LintSettings) -> Report:
    """Every rule on a line, as the project file has it, families apart."""
    shown = [_document(rule, settings) for rule in rules]
    rows: list[Row] = []
    for before, rule in zip([None, *shown], shown, strict=False):
        if before and before["id"][:3] != rule["id"][:3]:
            rows.append(_BLANK)
        cells = (rule["id"], rule["name"], rule["severity"], _number(rule), rule["title"])
        rows.append(Row(cells=cells, tone=_TONES[rule["severity"]]))
    return Report(
        document={"format_version": "1.0", "rules": shown}, blocks=(Block(rows=tuple(rows)),)
    )


def present_rule(rule: Rule, settings: LintSettings) -> Report:
    """One rule's manual page."""
    shown = _document(rule, settings)
    heading = Row(cells=(f"{rule.id} {rule.name}",), tone="strong")
    facts = [f"severity: {shown['severity']}"]
    if rule.threshold is not None:
        facts.append(f"number: {_number(shown)} (spec.lint.thresholds)")
    if rule.drivers == FLOW_DOCUMENTS:
        facts.append("not asked of flows with driver public, which cannot follow it")
    rows = (heading, Row(cells=(", ".join(facts),), tone="faint"))
    page = tuple(Row(cells=(line,)) for line in rule.page.splitlines())
    allow = (
        (
            "Accept one finding, in the manifest's metadata:",
            f"    allow: [{{rule: {rule.name}, reason: …, until: 2027-06-30}}]",
        )
        if rule.is_allowable
        else ("No allowance accepts a finding of this rule.",)
    )
    return Report(
        document={"format_version": "1.0", "rules": [shown | {"page": rule.page}]},
        blocks=(
            Block(rows=rows),
            Block(rows=page),
            Block(rows=tuple(Row(cells=(line,)) for line in allow)),
        ),
    )


def _document(rule: Rule, settings: LintSettings) -> dict[str, Any]:
    selected = next(iter(select((rule,), settings)), None)
    return {
        "id": rule.id,
        "name": rule.name,
        "severity": (selected.severity or rule.severity) if selected else "off",
        "threshold": selected.threshold if selected else rule.threshold,
        "unit": rule.unit,
        "title": rule.title.removesuffix("."),
    }


def _number(rule: dict[str, Any]) -> str:
    return "" if rule["threshold"] is None else f"{rule['threshold']:g} {rule['unit']}"
