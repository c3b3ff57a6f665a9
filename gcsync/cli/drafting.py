"""How data actions of the public API are written: at once, or by drafts, tested or not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import click

from gcsync.errors import WrongUsage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from threading import Event
    from typing import Any

    from gcsync.api.http import Client
    from gcsync.cli.options import Settings
    from gcsync.drivers.action_test import DraftTests
    from gcsync.drivers.integration_action import IntegrationActionDriver
    from gcsync.model.change import FlowResult
    from gcsync.model.manifest import ResourceSpec
    from gcsync.model.project import Project, Publish
    from gcsync.model.smoke import SmokeCase


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafting:
    """What of a project and a command line says how data actions are written.

    With *has_tests* a draft has to stand its *cases*, which are by address.
    """

    publish: Publish = "direct"
    has_tests: bool = False
    cases: Mapping[str, tuple[SmokeCase, ...]] = field(default_factory=dict)

    def driver(self, client: Client, chosen: Settings, stop: Event) -> IntegrationActionDriver:
        """The driver that writes so."""
        from gcsync.drivers.integration_action import IntegrationActionDriver

        return IntegrationActionDriver(
            client,
            publish=self.publish,
            takes_drafts=chosen.takes_drafts,
            tests=self._tests(chosen, stop) if self.has_tests else None,
        )

    def _tests(self, chosen: Settings, stop: Event) -> DraftTests:
        from gcsync.cli import console
        from gcsync.drivers.action_test import DraftTests
        from gcsync.loader.patterns import is_match

        return DraftTests(
            cases=self.cases,
            is_match=is_match,
            stop=stop,
            passed=lambda ref, case: console.say(
                f"{ref.address}: test {case.name} passed", chosen, at_verbosity=1
            ),
        )

    def notes(self, results: Iterable[FlowResult]) -> list[str]:
        """What a report says of data actions that were published without a test."""
        bare = [
            result.ref.address
            for result in results
            if result.ref.kind == "dataaction"
            and result.status in ("applied", "rebased")
            and result.ref.address not in self.cases
        ]
        if not self.has_tests or not bare:
            return []
        more = f" and {len(bare) - 1} more" if len(bare) > 1 else ""
        return [f"{bare[0]}{more}: published without a test, for the manifest has no test case"]


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
    return Drafting(publish=project.publish, has_tests=has_tests, cases=cases)
