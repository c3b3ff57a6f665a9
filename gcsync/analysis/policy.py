"""What the settings of one data action mean for a caller, the platform's defaults included."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeGuard

from gcsync.core.diff import live_path, locate
from gcsync.model.change import LiveAction
from gcsync.model.outline import Call, Outline, Sequence
from gcsync.model.timeouts import DEFAULT_TIMEOUT_MS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gcsync.model.manifest import ActionSpec, FlowSpec, ResourceSpec
    from gcsync.model.value import JSON, Value

DEFAULT_RETRY_ON: Final = ("429", "5xx")
"""What is repeated where retries are set and nobody says on what."""

LARGEST: Final = 10**9
"""A live number above this is no setting that a platform obeys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPolicy:
    """How one data action is called: times in milliseconds, the breaker's window in seconds.

    A retry follows a timeout, or a status in *retry_on*, *delay_ms* later.
    *error_rate_percent* is ``None`` where there is no circuit breaker.
    """

    name: str
    timeout_ms: int = DEFAULT_TIMEOUT_MS["flow-document"]
    max_retries: int = 0
    delay_ms: int = 0
    retry_on: tuple[str, ...] = DEFAULT_RETRY_ON
    min_interval_ms: int = 0
    error_rate_percent: float | None = None
    window_s: int = 60

    @property
    def worst_case_ms(self) -> int:
        """How long a caller waits when every try times out; the longest a call can take."""
        return (1 + self.max_retries) * self.timeout_ms + self.max_retries * self.delay_ms


def policy(
    name: str, settings: Mapping[str, Value], *, driver: str = "flow-document"
) -> CallPolicy:
    """The policy that *settings* (paths below a data action) amount to.

    What is not there, or not of the type that the schema asks for, is as the
    platform of *driver* has it by default.
    """
    rate = settings.get("circuit_breaker/error_rate_percent")
    retry_on = settings.get("retry/retry_on")
    return CallPolicy(
        name=name,
        timeout_ms=_whole(settings, "timeout_ms", DEFAULT_TIMEOUT_MS[driver]),
        max_retries=_whole(settings, "retry/max_retries", 0),
        delay_ms=_whole(settings, "retry/delay_ms", 0),
        retry_on=tuple(map(str, retry_on)) if isinstance(retry_on, tuple) else DEFAULT_RETRY_ON,
        min_interval_ms=_whole(settings, "circuit_breaker/min_interval_ms", 0),
        error_rate_percent=float(rate) if _is_number(rate) and 0 <= rate < LARGEST else None,
        window_s=_whole(settings, "circuit_breaker/window_s", 60),
    )


def desired_settings(live: LiveAction, spec: ActionSpec | None) -> dict[str, JSON]:
    """The live settings with those of the manifest laid over; the rest is left as it is."""
    settings = dict(live.settings)
    for setting in spec.settings if spec is not None else ():
        settings[live_path(setting.path)] = setting.value
    return settings


def desired_outline(flow: ResourceSpec, outline: Outline) -> Outline:
    """The outline as it will be once the manifest is applied."""
    specs = specs_of(flow, outline)
    return replace(
        outline,
        actions=tuple(
            replace(action, settings=desired_settings(action, specs.get(index)))
            for index, action in enumerate(outline.actions)
        ),
    )


def specs_of(flow: ResourceSpec, outline: Outline) -> dict[int, ActionSpec]:
    """By position in ``outline.actions``, what the manifest says of each live data action."""
    indexes = {id(action): index for index, action in enumerate(outline.actions)}
    found: dict[int, ActionSpec] = {}
    for spec in flow.actions:
        for action in locate(outline.actions, spec.name, spec.id):
            first = found.get(indexes[id(action)])
            settings = (*first.settings, *spec.settings) if first else spec.settings
            found[indexes[id(action)]] = replace(first or spec, settings=settings)
    return found


def together(flow: FlowSpec, others: Iterable[FlowSpec]) -> FlowSpec:
    """*flow* as if it also said what *others*, manifests of the same live flow, say of actions.

    No two of them claim one setting: planning refuses that.
    """
    more = tuple(action for other in others for action in other.actions)
    return replace(flow, actions=(*flow.actions, *more)) if more else flow


def policies(outline: Outline, specs: Mapping[int, ActionSpec]) -> tuple[CallPolicy, ...]:
    """The policy of each data action of *outline*, the manifest's entries of *specs* laid over.

    Without any *specs* these are the live policies. A name is the manifest's
    where there is one.
    """
    return tuple(
        policy(
            spec.name if spec else action.name,
            desired_settings(action, spec),
            driver=outline.driver,
        )
        for action, spec in zip(
            outline.actions, map(specs.get, range(len(outline.actions))), strict=True
        )
    )


def declared_outline(flow: FlowSpec) -> Outline:
    """What a manifest alone tells: its data actions one after the other, nothing live."""
    actions = tuple(LiveAction(id=spec.id, name=spec.name, settings={}) for spec in flow.actions)
    return Outline(
        root=Sequence(tuple(Call(index=index) for index in range(len(actions)))),
        actions=actions,
        driver=flow.DRIVER,
    )


def untimed(flow: FlowSpec, outline: Outline, *, is_live: bool) -> tuple[str, ...]:
    """The data actions that have no timeout live, or else none once the manifest is applied."""
    specs = specs_of(flow, outline)
    return tuple(
        specs[index].name if index in specs else action.name
        for index, action in enumerate(outline.actions)
        if "timeout_ms" not in desired_settings(action, None if is_live else specs.get(index))
    )


def _whole(settings: Mapping[str, Value], path: str, default: int) -> int:
    value = settings.get(path)
    return int(value) if _is_number(value) and 0 <= value < LARGEST else default


def _is_number(value: object) -> TypeGuard[int | float | Decimal]:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
