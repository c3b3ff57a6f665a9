"""Recommended settings as manifests that say nothing else, to be laid over those there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import yaml

from gcsync.analysis.goals import DEFAULTS, estimate, written
from gcsync.render.sanitise import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gcsync.analysis.goals import Goal
    from gcsync.analysis.knobs import Setting
    from gcsync.analysis.outcome import FlowOutcome
    from gcsync.analysis.recommend import Recommendation

MOST_SHOWN: Final = 4


def patch(recommendations: Sequence[Recommendation], *, comments: Iterable[str]) -> str:
    """One document a flow, with what differs from the desired settings; *comments* come first."""
    head = "".join(f"# {clean(comment)}\n" for comment in comments)
    documents = [
        yaml.safe_dump(
            _document(each.way.flow.name, actions), sort_keys=False, allow_unicode=True, width=1000
        )
        for each in recommendations
        if (actions := _actions(each))
    ]
    return head + "---\n".join(documents)


def reached(recommendation: Recommendation, goals: Iterable[Goal]) -> str:
    """What the recommended settings were found to reach."""
    outcome = recommendation.outcome
    found = (
        f"{goal.name} {written(goal.name, estimate(outcome, goal.name).value)}" for goal in goals
    )
    held = "" if _actions(recommendation) else ", with the desired settings as they are"
    return f"{recommendation.flow.address}: {', '.join(found)}{held}"


def unguarded(recommendation: Recommendation, goals: Iterable[Goal]) -> str | None:
    """What to say where callers meet the goals by timing out, which no goal forbids."""
    found = recommendation.outcome.timeout_rate.value
    named = {goal.name for goal in goals}
    [usual] = [goal for goal in DEFAULTS if goal.name == "timeout_rate"]
    if usual.name in named or found <= usual.limit:
        return None
    return (
        f"{recommendation.flow.address}: {written(usual.name, found)} of calls time out, and no"
        f" goal forbids that; add {usual}"
    )


def shortfall(recommendation: Recommendation) -> str:
    """Why nothing is recommended: what came closest, and with which settings."""
    outcome, missed = recommendation.outcome, recommendation.missed
    named = " and ".join(map(str, missed))
    if all(estimate(outcome, goal.name).value <= goal.limit for goal in missed):
        fact = f"{named} cannot be told from {outcome.calls} calls, raise --calls"
    else:
        fact = f"{named} cannot be met{' together' if len(missed) > 1 else ''}"
    found = ", ".join(_estimated(outcome, goal) for goal in missed)
    return f"{recommendation.flow.address}: {fact}; closest is {found} {_settings(recommendation)}"


def _estimated(outcome: FlowOutcome, goal: Goal) -> str:
    best = estimate(outcome, goal.name)
    low, value, high = (written(goal.name, each) for each in (best.low, best.value, best.high))
    return f"{goal.name} {value} ({low} to {high})"


def _settings(recommendation: Recommendation) -> str:
    knobs, settings = recommendation.knobs, recommendation.settings
    if not knobs:
        return "as it is: no data action on its longest way is in the manifest"
    shown = [
        f"{knob.name} {setting.timeout_ms} ms and {_retries(setting)}"
        for knob, setting in zip(knobs, settings, strict=True)
    ]
    more = f" and {len(shown) - MOST_SHOWN} more" if len(shown) > MOST_SHOWN else ""
    return f"with {', '.join(shown[:MOST_SHOWN])}{more}"


def _retries(setting: Setting) -> str:
    return "1 retry" if setting.max_retries == 1 else f"{setting.max_retries} retries"


def _document(name: str, actions: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "gcsync/v1",
        "kind": "Flow",
        "metadata": {"name": name},
        "spec": {"actions": actions},
    }


def _actions(recommendation: Recommendation) -> dict[str, Any]:
    actions: dict[str, Any] = {}
    for knob, setting in zip(recommendation.knobs, recommendation.settings, strict=True):
        changed: dict[str, Any] = {}
        if setting.timeout_ms != knob.desired.timeout_ms:
            changed["timeout_ms"] = setting.timeout_ms
        if setting.max_retries != knob.desired.max_retries:
            changed["retry"] = {"max_retries": setting.max_retries}
        if changed:
            actions[knob.name] = changed
    return actions
