"""The options that commands share, and what they mean together."""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from gcsync.cli.account import Account
from gcsync.cli.choices import LabelType, ShardType
from gcsync.errors import WrongUsage
from gcsync.model.shard import Part, Shard

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from gcsync.model.manifest import PublicFlowSpec, ResourceSpec

FORMATS: Final = ("text", "json")
"""What every command writes; named here too, so that help needs no renderer."""

GITHUB: Final = ("github", "github-summary", "github-output")
"""What GitHub Actions reads: annotations, the step's summary, the step's outputs."""

CHANGE_FORMATS: Final = (*FORMATS, "markdown", "html", "gitlab", "prometheus", *GITHUB)
"""What a comparison or a run is written as: for people, dashboards and pipelines."""

FINDING_FORMATS: Final = (*FORMATS, "markdown", "html", "sarif", "junit", *GITHUB)
"""What findings are written as."""

FLOW_FORMATS: Final = tuple(dict.fromkeys((*CHANGE_FORMATS, *FINDING_FORMATS)))
"""What is written where each flow is well or is not: drift, and how a run ended."""

_RUNNER_FILES: Final = {
    "github-summary": "GITHUB_STEP_SUMMARY",
    "github-output": "GITHUB_OUTPUT",
}
"""Formats whose file GitHub's runner names: one for all commands of a step."""

_ON_STDERR: Final = frozenset(("github",))
"""The runner reads annotations there too, so that stdout keeps its one result."""

CHOSEN: Final = "gcsync.settings"
"""Under which name click's context holds the settings, for whoever reports a failure."""

F = TypeVar("F", bound="Callable[..., Any]")
Spec = TypeVar("Spec", bound="ResourceSpec")


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One ``-o FORMAT[=FILE]``; no file means stdout, or stderr for what goes beside a result.

    *appends* says that the file is shared with others and never replaced.
    """

    format: str
    file: Path | None = None
    appends: bool = False

    @property
    def is_on_stdout(self) -> bool:
        """Whether this is the result that a pipe reads."""
        return self.file is None and self.format not in _ON_STDERR


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the shared options of one command line say."""

    manifests: tuple[Path, ...] = ()
    environment: str | None = None
    outputs: tuple[Output, ...] = ()
    select: tuple[tuple[str, str], ...] = ()
    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    shard: Shard | None = None
    parallelism: int = 10
    lock_timeout: timedelta = timedelta()
    has_sandbox: bool = False
    takes_drafts: bool = False
    tests_drafts: bool | None = None
    has_colour: bool = False
    in_pipeline: bool = False
    verbosity: int = 0
    command: str = ""
    account: Account = field(default_factory=Account)

    @property
    def again(self) -> str:
        """The options that lead another command to the same manifests and organisation."""
        return self.again_offline + (" --sandbox" if self.has_sandbox else "")

    @property
    def again_offline(self) -> str:
        """The options that lead another command to the same manifests."""
        words = [word for path in self.manifests for word in ("-f", str(path))]
        if self.environment is not None:
            words += ["--env", self.environment]
        return "".join(f" {shlex.quote(word)}" for word in words)

    def chosen(self, specs: Sequence[Spec]) -> tuple[Spec, ...]:
        """The flows that ``--select``, ``--target`` and ``--exclude`` leave, of them the shard's.

        Raises `WrongUsage` when a selection leaves nothing of something: a
        misspelt label must not look like "nothing to do". A shard may be
        empty: nobody chooses what falls into it.
        """
        chosen = tuple(spec for spec in specs if self._is_chosen(spec))
        if specs and not chosen and self.has_selection:
            from gcsync.cli.selecting import nothing_left

            raise WrongUsage(nothing_left(self, specs))
        shard = self.shard
        if shard is not None:
            chosen = tuple(spec for spec in chosen if shard.holds(spec.address))
            if not chosen:
                _say(f"shard {shard} holds nothing of that, so there is nothing to do", self)
        if shard is not None or self.has_selection:
            self.account.part = Part(
                addresses=tuple(sorted(spec.address for spec in chosen)), shard=shard
            )
        return chosen

    def touched(
        self, flows: Sequence[PublicFlowSpec], chosen: Collection[ResourceSpec]
    ) -> tuple[PublicFlowSpec, ...]:
        """Those of *flows* to look at beside *chosen*: chosen as well, or users of what is."""
        addresses = {spec.address for spec in chosen}
        return tuple(
            flow
            for flow in flows
            if not any(fnmatchcase(flow.address, glob) for glob in self.excludes)
            and (
                any(action.manager in addresses for action in flow.actions)
                or (self._is_chosen(flow) and (not self.shard or self.shard.holds(flow.address)))
            )
        )

    @property
    def has_selection(self) -> bool:
        """Whether flows are chosen by what they are."""
        return bool(self.select or self.targets or self.excludes)

    def _is_chosen(self, spec: ResourceSpec) -> bool:
        labels = set(spec.labels)
        return all(wanted in labels for wanted in self.select) and self.names(spec.address)

    def names(self, address: str) -> bool:
        """Whether ``--target`` and ``--exclude`` leave the flow of this address."""
        return (
            not self.targets or any(fnmatchcase(address, glob) for glob in self.targets)
        ) and not any(fnmatchcase(address, glob) for glob in self.excludes)


class OutputType(click.ParamType[Output]):
    """One of *formats*, with a file or without."""

    name = "FORMAT[=FILE]"

    def __init__(self, formats: Sequence[str]) -> None:
        self.formats = formats

    def convert(self, value: Any, param: Any, ctx: Any) -> Output:
        """Read *value*, or fail as click does."""
        if isinstance(value, Output):
            return value
        chosen, separator, file = str(value).partition("=")
        if chosen not in self.formats:
            from gcsync.loader.names import nearest

            known = ", ".join(self.formats)
            near = nearest(chosen, self.formats)
            self.fail(f"{chosen!r} is not one of {known}{near}", param, ctx)
        if separator and not file:
            self.fail(f"{value!r} names no file", param, ctx)
        if not file and chosen in _RUNNER_FILES:
            variable = _RUNNER_FILES[chosen]
            named = os.environ.get(variable)
            if not named:
                self.fail(
                    f"{chosen} goes to the file that {variable} names, and that is not set outside"
                    f" of GitHub Actions; name one: {chosen}=FILE",
                    param,
                    ctx,
                )
            return Output(format=chosen, file=Path(named), appends=True)
        return Output(format=chosen, file=Path(file) if file else None)


def _say(message: str, settings: Settings) -> None:
    from gcsync.cli import console

    console.say(message, settings)


def _stacked(*options: Callable[[F], F]) -> Callable[[F], F]:
    def decorate(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def outputs_in(*formats: str) -> Callable[[F], F]:
    """The options of a command that writes its result in *formats*."""
    listed = f"{', '.join(formats[:-1])} or {formats[-1]}"
    return _stacked(
        click.option(
            "-o",
            "--output",
            "outputs",
            type=OutputType(formats),
            multiple=True,
            help=f"Write the result as {listed}, to a file or stdout; repeatable.",
        ),
        click.option("--no-color", is_flag=True, help="Never colour the output."),
        click.option("-v", "--verbose", count=True, help="Say more about what is done."),
        click.option("-q", "--quiet", is_flag=True, help="Print results and errors only."),
    )


output_options = outputs_in(*FORMATS)

manifests_option = click.option(
    "-f",
    "--manifests",
    type=click.Path(path_type=Path),
    multiple=True,
    envvar="GCSYNC_MANIFESTS",
    metavar="PATH",
    help="Read manifests from this file or folder; repeatable.",
)

environment_option = click.option(
    "--env",
    "environment",
    envvar="GCSYNC_ENV",
    metavar="NAME",
    help="Use this environment of gcsync.yaml.",
)

manifest_options = _stacked(manifests_option, environment_option)

address_options = _stacked(
    click.option(
        "--target",
        "targets",
        multiple=True,
        metavar="ADDRESS-GLOB",
        help="Only what has an address that matches; repeatable.",
    ),
    click.option(
        "--exclude",
        "excludes",
        multiple=True,
        metavar="ADDRESS-GLOB",
        help="Nothing whose address matches; repeatable.",
    ),
)

choice_options = _stacked(
    click.option(
        "--select", type=LabelType(), multiple=True, help="Only what has this label; repeatable."
    ),
    address_options,
)

selection_options = _stacked(
    choice_options,
    click.option(
        "--shard",
        type=ShardType(),
        envvar="GCSYNC_SHARD",
        metavar="I/N",
        help="Of these, only the flows of the I-th of N parts, by a hash of the address.",
    ),
)

online_options = _stacked(
    click.option(
        "--parallelism",
        type=click.IntRange(1, 64),
        default=10,
        show_default=True,
        envvar="GCSYNC_PARALLELISM",
        metavar="N",
        help="How many requests at once.",
    ),
    click.option(
        "--sandbox",
        "has_sandbox",
        is_flag=True,
        help="Use the embedded sandbox organisation, kept in .gcsync/, instead of a real one.",
    ),
)


def settings(**options: Any) -> Settings:
    """The shared options among *options*, as click passes them, together with the environment."""
    no_color = options.pop("no_color", False) or bool(os.environ.get("NO_COLOR"))
    quiet = options.pop("quiet", False)
    verbose = options.pop("verbose", 0)
    known = {name: value for name, value in options.items() if name in Settings.__slots__}
    for name in ("manifests", "outputs", "select", "targets", "excludes"):
        if name in known:
            known[name] = tuple(known[name])
    outputs = known.get("outputs", ())
    if sum(output.is_on_stdout for output in outputs) > 1:
        raise WrongUsage("-o: only one format can go to stdout; give the others a file")
    context = click.get_current_context()
    chosen = context.meta[CHOSEN] = Settings(
        **known,
        command=context.info_name or "",
        has_colour=not no_color and sys.stdout.isatty() and os.environ.get("TERM") != "dumb",
        in_pipeline=bool(os.environ.get("GITHUB_ACTIONS")),
        verbosity=-1 if quiet else verbose,
    )
    return chosen
