"""Rules: how one is declared, and which of them run in a project.

A rule is a pure generator over a `Flow`, a `Binding` or the whole
`Organisation`. It yields facts; number, name and severity are added here. Its
docstring is its manual page: what, ``Why:``, ``Instead:``, ``Example:``.
"""

from __future__ import annotations

from dataclasses import dataclass
from inspect import getdoc
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from gcsync.model.manifest import DataActionSpec, FlowSpec, PublicFlowSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from gcsync.lint.subject import Found
    from gcsync.model.project import LintSettings, Severity

Scope = Literal["flow", "binding", "organisation"]
FLOW_DOCUMENTS: Final = (FlowSpec.DRIVER,)
"""For rules about what the public API does not have."""

EVERY_DRIVER: Final = (FlowSpec.DRIVER, PublicFlowSpec.DRIVER)

DATA_ACTIONS: Final = (PublicFlowSpec.DRIVER, DataActionSpec.DRIVER)
"""For rules about what only the public API has, wherever a data action of it stands."""

ALSO_ALONE: Final = (*EVERY_DRIVER, DataActionSpec.DRIVER)
"""For rules that ask no flow: the manifest of a data action is looked at by itself, too."""

PUBLIC_API: Final = (PublicFlowSpec.DRIVER, DataActionSpec.DRIVER)
"""For rules about what the public API alone has."""

Check = TypeVar("Check", bound="Callable[..., Iterator[Found]]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that is unwise, however legal.

    *check* takes what *scope* names, and after it the threshold where the rule
    has one (in *unit*). *is_default* says that it runs unless the project
    file disables it, *is_allowable* that a manifest's allowance accepts what
    it finds. *drivers* are those of the manifests that can follow it: what a
    platform does not offer, nobody is told to use.
    """

    id: str
    name: str
    severity: Severity
    scope: Scope
    check: Callable[..., Iterator[Found]]
    threshold: float | None = None
    unit: str = ""
    is_default: bool = True
    is_allowable: bool = True
    drivers: tuple[str, ...] = EVERY_DRIVER

    @property
    def page(self) -> str:
        """The manual page."""
        return getdoc(self.check) or ""

    @property
    def title(self) -> str:
        """The first sentence of the page."""
        return self.page.partition("\n")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """A rule that runs, as the project file wants it; *severity* is ``None`` for the rule's own."""

    rule: Rule
    severity: Severity | None
    threshold: float | None

    def apply(self, subject: object) -> Iterator[Found]:
        """What the rule finds."""
        if self.threshold is None:
            return self.rule.check(subject)
        return self.rule.check(subject, self.threshold)


_RULES: dict[str, Rule] = {}


def rule(
    rule_id: str,
    name: str,
    *,
    severity: Severity,
    scope: Scope = "flow",
    threshold: float | None = None,
    unit: str = "",
    is_default: bool = True,
    is_allowable: bool = True,
    drivers: tuple[str, ...] = EVERY_DRIVER,
) -> Callable[[Check], Check]:
    """Declare the generator below to be a rule."""

    def register(check: Check) -> Check:
        _RULES[rule_id] = Rule(
            id=rule_id,
            name=name,
            severity=severity,
            scope=scope,
            check=check,
            threshold=threshold,
            unit=unit,
            is_default=is_default,
            is_allowable=is_allowable,
            drivers=drivers,
        )
        return check

    return register


def registered() -> tuple[Rule, ...]:
    """The rules declared so far, by number; `gcsync.lint.catalogue` knows all."""
    return tuple(_RULES[rule_id] for rule_id in sorted(_RULES))


def select(rules: Iterable[Rule], settings: LintSettings) -> tuple[Selected, ...]:
    """The rules that run, each as *settings* want it; a number and a name mean the same rule."""
    return tuple(
        Selected(
            rule=each,
            severity=_given(settings.severity, each),
            threshold=_threshold(settings.thresholds, each),
        )
        for each in rules
        if _runs(each, settings)
    )


def is_named(rule: Rule, given: str) -> bool:
    """Whether *given* means *rule*: its number or its name, in any case."""
    return given.casefold() in (rule.id.casefold(), rule.name.casefold())


def _runs(rule: Rule, settings: LintSettings) -> bool:
    if any(is_named(rule, given) for given in settings.enable):
        return True
    return rule.is_default and not any(is_named(rule, given) for given in settings.disable)


Given = TypeVar("Given")


def _given(values: Mapping[str, Given], rule: Rule) -> Given | None:
    return next((value for name, value in values.items() if is_named(rule, name)), None)


def _threshold(values: Mapping[str, float], rule: Rule) -> float | None:
    given = _given(values, rule)
    return rule.threshold if given is None or rule.threshold is None else given
