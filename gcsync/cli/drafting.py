"""How data actions of the public API are written: at once, or by drafts, tested or not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import click

from gcsync.core.counting import count
from gcsync.errors import WrongUsage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from threading import Event
    from typing import Any

    from gcsync.api.http import Client
    from gcsync.cli.options import Settings
    from gcsync.drivers.draft_tests import DraftTests
    from gcsync.drivers.integration_action import IntegrationActionDriver
    from gcsync.model.change import FlowChange, FlowResult
    from gcsync.model.manifest import ResourceSpec
    from gcsync.model.project import Project, Publish
    from gcsync.model.smoke import SmokeCase


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafting:
    """What of a project and a command line says how data actions are written.

    With *has_tests* a draft has to stand its *cases*, which are by address.
    One that is there already is replaced where it *takes* drafts, and its
    address is put to *taken*.
    """

    publish: Publish = "direct"
    takes: bool = False
    taken: list[str] = field(default_factory=list)
    has_tests: bool = False
    cases: Mapping[str, tuple[SmokeCase, ...]] = field(default_factory=dict)

    def driver(self, client: Client, chosen: Settings, stop: Event) -> IntegrationActionDriver:
        """The driver that writes so."""
        from gcsync.drivers.integration_action import IntegrationActionDriver

        return IntegrationActionDriver(
            client,
            publish=self.publish,
            takes_drafts=self.takes,
            taken=lambda ref: self.taken.append(ref.address),
            tests=self._tests(chosen, stop) if self.has_tests else None,
        )

    def _tests(self, chosen: Settings, stop: Event) -> DraftTests:
        from gcsync.cli import console
        from gcsync.drivers.draft_tests import DraftTests
        from gcsync.loader.patterns import is_match

        return DraftTests(
            cases=self.cases,
            is_match=is_match,
            stop=stop,
            passed=lambda ref, case: console.say(
                f"{ref.address}: test {case.name} passed", chosen, at_verbosity=1
            ),
        )

    def announced(self, changes: Iterable[FlowChange]) -> tuple[str, ...]:
        """What is to be known of *changes* before somebody approves of them."""
        addresses = [
            change.ref.address
            for change in changes
            if change.ref.kind == "dataaction" and not change.stays
        ]
        if self.publish != "draft" or not addresses:
            return ()
        are, drafts = ("is", "a draft") if len(addresses) == 1 else ("are", "drafts")
        told = [f"{count(len(addresses), 'data action')} {are} published by way of {drafts}"]
        if self.takes:
            told.append("a draft that is there already is replaced, whoever's it is (--take-draft)")
        if self.has_tests:
            told.extend(self._tests_announced(addresses))
        return tuple(told)

    def _tests_announced(self, addresses: Sequence[str]) -> Iterator[str]:
        numbers = [len(self.cases.get(address, ())) for address in addresses]
        if any(numbers):
            yield f"real back ends will be called by {count(sum(numbers), 'test case')} of drafts"
        if not all(numbers):
            yield (
                f"{count(numbers.count(0), 'data action')} without a test case will be published"
                " without a test"
            )

    def notes(self, results: Sequence[FlowResult]) -> list[str]:
        """What a report says of drafts that were replaced, and of what nobody tested."""
        written = [
            result.ref.address
            for result in results
            if result.ref.kind == "dataaction" and result.status in ("applied", "rebased")
        ]
        told = [
            f"{address}: a draft that was there already was"
            f" {'replaced' if address in written else 'removed'} (--take-draft)"
            for address in sorted(set(self.taken))
        ]
        bare = [address for address in written if address not in self.cases]
        if self.has_tests and bare:
            more = f" and {len(bare) - 1} more" if len(bare) > 1 else ""
            why = "published without a test, for the manifest has no test case"
            told.append(f"{bare[0]}{more}: {why}")
        return told


DIRECT: Final = Drafting()
"""Where nothing is said, and where nothing is written."""


def drafts_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say how drafts are handled."""
    for option in reversed(
        (
            click.option(
                "--take-draft",
                "takes_drafts",
                is_flag=True,
                help="With publish: draft, replace drafts of data actions that are there already.",
            ),
            click.option(
                "--test-drafts/--no-test-drafts",
                "tests_drafts",
                default=None,
                help="Test drafts of data actions before they are published, or do not. A test"
                " calls the real back end.",
            ),
        )
    ):
        command = option(command)
    return command


def wants_tests(chosen: Settings, project: Project, *, by_default: bool = True) -> bool:
    """Whether drafts are to be tested: as the command line says, else the project.

    Unless that holds *by_default*, the command line alone can ask for it.
    Raises `WrongUsage` where there are no drafts.
    """
    if chosen.tests_drafts and project.publish != "draft":
        raise WrongUsage(
            "--test-drafts needs spec.data_actions: {publish: draft} in gcsync.yaml, for only a"
            " draft can be tested before it reaches callers"
        )
    if chosen.tests_drafts is not None:
        return chosen.tests_drafts
    return by_default and project.tests_drafts


def drafting(
    chosen: Settings, project: Project, specs: Iterable[ResourceSpec], *, by_default: bool = True
) -> Drafting:
    """How data actions are written, and by which cases of *specs* their drafts are tested.

    Raises `WrongUsage` where the command line speaks of drafts, and there are none.
    """
    from gcsync.model.manifest import cases_of

    if chosen.takes_drafts and project.publish != "draft":
        raise WrongUsage(
            "--take-draft needs spec.data_actions: {publish: draft} in gcsync.yaml, for without"
            " it no draft is in the way of anything"
        )
    has_tests = wants_tests(chosen, project, by_default=by_default)
    cases = cases_of(specs) if has_tests else {}
    return Drafting(
        publish=project.publish, takes=chosen.takes_drafts, has_tests=has_tests, cases=cases
    )
