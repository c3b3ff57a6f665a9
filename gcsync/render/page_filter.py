"""Choosing flows on a page by status and by label, without a script.

Inputs and the rules of the page's style know flows by numbers alone, so that
no name from outside ever stands in a style. Of one kind (the status, a label)
any that is ticked will do; of several kinds each has to match.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

from gcsync.render.chart import said

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gcsync.model.report import Subject

MOST_VALUES: Final = 40
MOST_KINDS: Final = 12
"""More to choose from would be a longer search than the one it saves."""

NONE: Final = "(none)"


class Filter:
    """What there is to choose from among *subjects*, and which of it each of them is."""

    def __init__(self, subjects: Sequence[Subject]) -> None:
        self._total = len(subjects)
        counted: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for subject in subjects:
            for name, value in _facts(subject).items():
                counted[name][value] += 1
        self._left_out: list[str] = []
        self._kinds: list[tuple[tuple[str, str], dict[str, int], list[str]]] = []
        for name, counts in sorted(counted.items()):
            if without := self._total - counts.total():
                counts[NONE] += without
            if len(counts) < 2:
                continue
            if len(counts) > MOST_VALUES or len(self._kinds) == MOST_KINDS:
                self._left_out.append(f"{' '.join(name)} ({len(counts)} values)")
                continue
            values = sorted(counts)
            self._kinds.append((name, {each: counts[each] for each in values}, values))
        self._classes: dict[tuple[str, tuple[tuple[str, str], ...]], str] = {}

    def classes(self, subject: Subject) -> str:
        """The classes by which the rules find *subject*, each after a space."""
        key = (subject.status, subject.labels)
        known = self._classes.get(key)
        if known is None:
            facts = _facts(subject)
            known = "".join(
                f" f{kind}-{values.index(facts.get(name, NONE))}"
                for kind, (name, _, values) in enumerate(self._kinds)
            )
            self._classes[key] = known
        return known

    def rules(self) -> str:
        """Style that hides what is not chosen, once something of its kind is."""
        return "".join(
            f".filter:has(.k{kind} :checked):has(#f{kind}-{value}:not(:checked))"
            f" ~ main .f{kind}-{value} {{ display: none; }}\n"
            for kind, (_, _, values) in enumerate(self._kinds)
            for value in range(len(values))
        )

    def form(self) -> str:
        """The inputs; nothing where there is nothing to choose from."""
        if not self._kinds:
            return ""
        # Enter would send a form; one whose first button for that is disabled is not sent.
        return (
            '<form class="filter" aria-label="choose what is shown" autocomplete="off">\n'
            f'<button type="submit" disabled hidden>send</button>\n{"".join(self._fieldsets())}'
            f"{self._remark()}"
            '<button type="reset">clear the filter</button>\n</form>\n'
        )

    def count(self) -> str:
        """How many are shown, after them all; the style puts it first."""
        if not self._kinds:
            return ""
        return f'<p class="count"> of {self._total} shown</p>\n'

    def _fieldsets(self) -> Iterator[str]:
        for kind, (name, counts, values) in enumerate(self._kinds):
            inputs = "".join(
                f'<label><input type="checkbox" id="f{kind}-{number}">'
                f"{said(value)} <i>{counts[value]}</i></label>\n"
                for number, value in enumerate(values)
            )
            legend = said(name[1] or name[0])
            yield f'<fieldset class="k{kind}"><legend>{legend}</legend>\n{inputs}</fieldset>\n'

    def _remark(self) -> str:
        if not self._left_out:
            return ""
        return f"<p>too many to choose from: {said(', '.join(self._left_out))}</p>\n"


def _facts(subject: Subject) -> dict[tuple[str, str], str]:
    """By kind, what *subject* is; the status comes before all labels, whatever they are called."""
    facts = {("label", key): value for key, value in subject.labels}
    if subject.status:
        facts["", "status"] = subject.status
    return facts
