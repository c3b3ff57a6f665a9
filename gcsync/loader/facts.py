"""What a manifest tells lint and simulation: allowances, load, back ends. Never written live."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gcsync.loader.names import nearest, quoted, shown
from gcsync.loader.node import Mapping, Node, Scalar, items, location
from gcsync.model.manifest import Allowance, Finding
from gcsync.model.traffic import (
    Backend,
    Constant,
    Exponential,
    Latency,
    Load,
    LogNormal,
    SamplesFile,
    Window,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gcsync.model.value import Location

_NEVER = date.min


def allowances(document: Mapping, metadata: Any) -> tuple[Allowance, ...]:
    """The accepted findings of a valid document; a day that does not exist has long gone by."""
    given = metadata.get("allow")
    if not given:
        return ()
    nodes = items(document.get("metadata", "allow"))
    return tuple(
        Allowance(
            rule=each["rule"],
            reason=each["reason"],
            until=day(each["until"]) or _NEVER,
            action=each.get("action"),
            source=location(node),
        )
        for each, node in zip(given, nodes, strict=True)
    )


def load(node: Mapping, values: Any) -> Load | None:
    """How callers arrive."""
    return None if values is None else Load(source=location(node), **values)


def backend(action: Node, values: Any) -> Backend | None:
    """The service behind a data action."""
    if values is None or not isinstance(action, Mapping):
        return None
    node = action.mapping("backend")
    given = values.get("latency")
    return Backend(
        source=location(node),
        latency=_latency(location(action.mapping("backend", "latency")), given) if given else None,
        failure_percent=float(values.get("failure_percent", 0)),
        throttled_percent=float(values.get("throttled_percent", 0)),
        windows=tuple(
            Window(
                kind=each["kind"],
                start_s=float(each["start_s"]),
                duration_s=float(each["duration_s"]),
                percent=float(each.get("percent", 100)),
            )
            for each in values.get("windows", ())
        ),
    )


def unknown_rule(given: str) -> str | None:
    """What to say of a rule that does not exist; ``None`` of one that does."""
    # Rules are loaded where one is named only: most commands need none.
    from gcsync.lint.catalogue import RULES, find  # noqa: PLC0415 - see above

    if find(given):
        return None
    known = [word for rule in RULES for word in (rule.name, rule.id)]
    return f"there is no rule {quoted(given)}{nearest(given, known)}; 'gcsync rules' lists all"


def has_number(given: str) -> bool:
    """Whether a rule that exists compares with a number."""
    from gcsync.lint.catalogue import find  # noqa: PLC0415 - see `unknown_rule`

    found = find(given)
    return found is not None and found.threshold is not None


def named_again(names: Iterable[Scalar]) -> Iterator[tuple[Scalar, str]]:
    """Of *names* those that mean a rule named before: one by its number, one by its name."""
    from gcsync.lint.catalogue import find  # noqa: PLC0415 - see `unknown_rule`

    seen: dict[str, str] = {}
    for each in names:
        found = find(each.text)
        if found is None:
            continue
        first = seen.setdefault(found.id, each.text)
        if first != each.text:
            yield each, f"{quoted(each.text)} is the rule {quoted(first)} too; keep one of them"


def _is_allowable(given: str) -> bool:
    from gcsync.lint.catalogue import find  # noqa: PLC0415 - see `unknown_rule`

    found = find(given)
    return found is not None and found.is_allowable


def impossible(document: Mapping, address: str) -> Iterator[Finding]:
    """What no schema can see in a valid document.

    Days that do not exist, rules that are not there, percentiles in the wrong
    order, shares of more than all.
    """
    actions = document.mapping("spec", "actions").entries
    for item in items(document.get("metadata", "allow")):
        if isinstance(item, Mapping):
            for node, message in _doubts(item):
                yield _finding(node, message, address)
    for name, (_, action) in actions.items():
        if isinstance(action, Mapping) and "backend" in action.entries:
            for node, message in _impossible_backend(action.mapping("backend")):
                yield _finding(node, f"actions/{shown(name)}/backend/{message}", address)


def _impossible_backend(backend: Mapping) -> Iterator[tuple[Node, str]]:
    latency = backend.mapping("latency")
    p50, p99 = latency.text("p50_ms"), latency.text("p99_ms")
    place = latency.get("p99_ms")
    if place is not None and p50 and p99 and float(p99) < float(p50):
        fault = f"below p50_ms = {p50}; a 99th percentile is not below the median"
        yield place, f"latency/p99_ms is {p99}, {fault}"
    failed, throttled = backend.text("failure_percent"), backend.text("throttled_percent")
    place = backend.get("throttled_percent")
    if place is not None and failed and throttled and Decimal(failed) + Decimal(throttled) > 100:
        fault = f"more than 100 with failure_percent = {failed}; lower one of them"
        yield place, f"throttled_percent is {throttled}, {fault}"


def _doubts(allowance: Mapping) -> Iterator[tuple[Node, str]]:
    """What is wrong with one allowance.

    Its action may be one that is live only: where it is misspelt, the finding
    stays to be seen.
    """
    until, rule = allowance.get("until"), allowance.get("rule")
    if isinstance(until, Scalar) and day(until.text) is None:
        yield until, f"until: {quoted(until.text)} is no day of the calendar; correct it"
    if isinstance(rule, Scalar) and (problem := unknown_rule(rule.text)):
        yield rule, problem
    elif isinstance(rule, Scalar) and not _is_allowable(rule.text):
        yield rule, f"no allowance accepts a finding of {quoted(rule.text)}; remove this one"


def _latency(source: Location, values: Any) -> Latency:
    match values["distribution"]:
        case "lognormal":
            return LogNormal(p50_ms=float(values["p50_ms"]), p99_ms=float(values["p99_ms"]))
        case "exponential":
            return Exponential(mean_ms=float(values["mean_ms"]))
        case "constant":
            return Constant(value_ms=float(values["value_ms"]))
        case _:
            return SamplesFile(file=values["file"], source=source)


def day(text: str) -> date | None:
    """A day such as ``2027-06-30``, if the calendar has it."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _finding(node: Node, message: str, address: str) -> Finding:
    return Finding(rule="schema", message=message, location=location(node), address=address)
