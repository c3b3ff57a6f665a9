"""Every rule by its cases, and the catalogue as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from lint_cases import Case, cases, findings, text_at

from gcsync.lint.catalogue import RULES

if TYPE_CHECKING:
    from pathlib import Path

    from gcsync.model.manifest import Finding

SECTIONS = ("Why:", "Instead:", "Example:")


def of_its_rule(case: Case, found: list[Finding]) -> list[Finding]:
    return [finding for finding in found if finding.rule == case.rule]


@pytest.mark.parametrize("case", cases(), ids=str)
def test_a_rule_says_of_each_case_what_it_should(case: Case, tmp_path: Path) -> None:
    found = of_its_rule(case, findings(case, tmp_path))

    if case.message is None:
        assert found == []
        return
    assert [finding.message.removeprefix("live: ") for finding in found] == [case.message]
    if case.severity is not None:
        assert found[0].severity == case.severity
    if case.at is not None:
        assert text_at(found[0], tmp_path) == case.at


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_that_is_switched_off_fails_its_cases(rule, tmp_path: Path) -> None:
    failing = [case for case in cases() if case.rule == rule.id and case.message is not None]
    others = tuple(other for other in RULES if other is not rule)

    missed = [
        case
        for number, case in enumerate(failing)
        if not of_its_rule(case, findings(case, tmp_path / str(number), rules=others))
    ]

    assert failing, f"{rule.id} has no failing case"
    assert missed == failing


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_has_cases_and_a_manual_page(rule) -> None:
    known = [case for case in cases() if case.rule == rule.id]

    assert any(case.message is None for case in known)
    assert any(case.message is not None for case in known)
    assert [section for section in SECTIONS if section not in rule.page] == []
    assert (rule.threshold is None) == (rule.unit == "")


def test_numbers_and_names_are_unique() -> None:
    words = [word for rule in RULES for word in (rule.id, rule.name)]

    assert len(set(words)) == len(words)
