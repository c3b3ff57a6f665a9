"""lint and rules: is this setting wise, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import click

from gcsync.cli.choices import NearChoice
from gcsync.cli.options import (
    FINDING_FORMATS,
    manifest_options,
    online_options,
    output_options,
    outputs_in,
    selection_options,
    settings,
)
from gcsync.errors import LintRefused, WrongUsage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gcsync.cli.options import Settings
    from gcsync.engine.foresight import Foresight
    from gcsync.model.manifest import Finding, Manifests, ResourceSpec
    from gcsync.model.outline import Outline
    from gcsync.model.project import Severity

SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "note")

no_lint_option = click.option(
    "--no-lint", "skips_lint", is_flag=True, help="Do not let lint findings refuse anything."
)


@click.command()
@manifest_options
@selection_options
@click.option("--live", is_flag=True, help="Look at what is live instead.")
@online_options
@click.option(
    "--offline",
    type=click.Path(path_type=Path),
    help="Look at saved snapshots instead; nothing is sent anywhere.",
)
@click.option(
    "--fail-on",
    type=NearChoice(SEVERITIES[:2]),
    default="error",
    show_default=True,
    help="Exit with 1 from this severity on.",
)
@outputs_in(*FINDING_FORMATS)
def lint(*, live: bool, offline: Path | None, fail_on: str, **options: Any) -> int:
    """Tell which settings are unwise.

    The manifests are looked at, offline. With --live it is what live flows
    and data actions really hold, whatever the manifests want of them.

    'gcsync rules' lists the rules, and 'gcsync rules GC102' explains one. A
    finding is accepted with metadata.allow in the manifest: rule, reason, until.
    """
    from gcsync.cli import console, session
    from gcsync.cli.surveying import looked_at
    from gcsync.render.findings import present_findings

    chosen = settings(**options)
    if (chosen.has_sandbox or offline) and not live:
        raise WrongUsage("--sandbox and --offline say where live flows are; add --live")
    manifests = session.load_judged(chosen)
    specs = chosen.chosen(manifests.judged)
    outlines: Mapping[str, Outline] | None = None
    uses: Mapping[str, bool] = {}
    if live:
        seen = looked_at(chosen, manifests, specs, offline=offline)
        outlines, uses = seen.outlines, seen.uses
        manifests = manifests.with_public(each.spec for each in seen.flows)
        for note in seen.notes:
            console.say(f"note: {note}", chosen)
    found = findings(manifests, specs, live=outlines, uses=uses)
    all_well = f"Nothing to object to in {_looked_at(specs, is_live=live)}."
    failing = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    code = int(any(finding.severity in failing for finding in found))
    report = present_findings(
        found,
        all_well=all_well,
        looked_at=[spec.address for spec in specs],
        failing=failing,
        tells_all=chosen.verbosity > 0,
    )
    told = {**report.document, "fail_on": fail_on, "live": live}
    console.write(replace(report, document=told), chosen, exit_code=code)
    if found:
        console.say(f"'gcsync rules {found[0].rule}' explains a rule", chosen)
    return code


def _looked_at(specs: Sequence[ResourceSpec], *, is_live: bool) -> str:
    from gcsync.core.counting import count
    from gcsync.model.manifest import flows_of

    flows = len(flows_of(specs))
    others = len(specs) - flows
    live = "live " if is_live else ""
    counted = [count(flows, f"{live}flow")] if flows or not others else []
    return " and ".join(counted + ([count(others, f"{live}data action")] if others else []))


def findings(
    manifests: Manifests,
    specs: Sequence[ResourceSpec],
    *,
    live: Mapping[str, Outline] | None = None,
    uses: Mapping[str, bool] = MappingProxyType({}),
) -> tuple[Finding, ...]:
    """What lint says of the chosen flows and data actions, and of what belongs to none of them."""
    from gcsync.lint.check import lint as check

    left_out = {each.address for each in manifests.judged} - {each.address for each in specs}
    today = datetime.now(UTC).date()
    return tuple(
        finding
        for finding in check(manifests, today=today, live=live, uses=uses)
        if finding.address not in left_out
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Lint in the way of a plan: errors refuse it before anything is written.

    Manifests are judged before anything is sent, and what they would make of
    the live flows once these are read: half of a mistake may stand live. What
    was wrong there before, and is not made by this plan, refuses nothing.
    """

    chosen: Settings
    manifests: Manifests
    specs: tuple[ResourceSpec, ...]
    is_open: bool

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the plan has to say about it."""
        return ("lint was skipped (--no-lint)",) if self.is_open else ()

    def judge_manifests(self) -> None:
        """Raises `LintRefused`."""
        from gcsync.cli import console
        from gcsync.core.counting import count

        if self.is_open:
            return
        found = findings(self.manifests, self.specs)
        errors = [finding for finding in found if finding.severity == "error"]
        if errors:
            raise LintRefused(errors)
        warnings = sum(finding.severity == "warning" for finding in found)
        if warnings:
            shows = f"'gcsync lint{self.chosen.again_offline}' shows them"
            console.say(f"lint: {count(warnings, 'warning')}; {shows}", self.chosen, at_verbosity=1)

    def judge_changes(self, live: Mapping[str, Outline], foresight: Foresight) -> tuple[str, ...]:
        """Hold what the flows would be against what they are. Raises `LintRefused`.

        *live* are the flows that are written. What comes back are the warnings
        that no look at the manifests alone would give.
        """
        if self.is_open or not (live or foresight.flows or foresight.actions):
            return ()
        from gcsync.analysis.policy import desired_outline

        flows = {flow.address: flow for flow in self.manifests.flows}
        before = {**live} | {address: each for address, (each, _) in foresight.actions.items()}
        after = {each: desired_outline(flows[each], outline) for each, outline in live.items()}
        after |= {address: each for address, (_, each) in foresight.actions.items()}
        before |= {each.spec.address: each.live for each in foresight.flows}
        after |= {each.spec.address: each.desired for each in foresight.flows}
        public = [each.spec for each in foresight.flows]
        manifests, specs = self.manifests.with_public(public), (*self.specs, *public)
        known = {_key(each) for each in findings(manifests, specs, live=before)}
        made = [
            replace(each, message=f"once applied: {each.message.removeprefix('live: ')}")
            for each in findings(manifests, specs, live=after)
            if each.severity != "note" and _key(each) not in known
        ]
        errors = [each for each in made if each.severity == "error"]
        if errors:
            raise LintRefused(errors)
        told = {_key(each) for each in findings(self.manifests, specs)} if made else set()
        return tuple(
            f"{each.address}: {each.message} [{each.rule}]"
            for each in made
            if _key(each) not in told
        )


def _key(finding: Finding) -> tuple[object, ...]:
    return finding.rule, finding.severity, finding.address, finding.location


@click.command()
@click.argument("rule", metavar="[RULE]", required=False)
@output_options
def rules(rule: str | None, **options: Any) -> int:
    """List the lint rules, or explain one.

    RULE is a number or a name: GC202 or excessive-retries. Severities and
    numbers are shown as the project file has them.
    """
    from gcsync.cli import console
    from gcsync.core.plan import nearest
    from gcsync.lint.catalogue import RULES, find
    from gcsync.loader.project import load_project
    from gcsync.render.rules import present_rule, present_rules

    chosen = settings(**options)
    lint_settings = load_project(Path.cwd()).lint
    if rule is None:
        console.write(present_rules(RULES, lint_settings), chosen)
        return 0
    found = find(rule)
    if found is None:
        known = [word for each in RULES for word in (each.id, each.name)]
        raise WrongUsage(
            f"there is no rule {rule!r}{nearest(rule, known)}; 'gcsync rules' lists all"
        )
    console.write(present_rule(found, lint_settings), chosen)
    return 0
