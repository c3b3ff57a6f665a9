"""The calls of a file, held against live flows and the journal before anything is launched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcsync.core.inputs import misfits
from gcsync.engine.pool import in_parallel
from gcsync.errors import FlowNotFound, InvalidManifests, TargetUnclear
from gcsync.model.execution import Launch
from gcsync.model.manifest import Finding
from gcsync.store.launches import order_sha256

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gcsync.engine.target import Targets
    from gcsync.loader.calls import Call
    from gcsync.model.change import FlowRef
    from gcsync.model.execution import StartInput
    from gcsync.store.launches import Recorded

    Inputs = tuple[FlowRef, tuple[StartInput, ...] | None]
    """A live flow, and what it takes where it lists that."""


def resolved(calls: Sequence[Call], targets: Targets, *, unless_said: str | None) -> list[Launch]:
    """What each line means; those without a flow mean *unless_said*.

    Raises `InvalidManifests` with every line that means no flow.
    """
    found: dict[str, FlowRef | str] = {}
    findings: list[Finding] = []
    launches: list[Launch] = []
    for call in calls:
        word = call.flow if call.flow is not None else unless_said
        if word is None:
            findings.append(_finding(call, "no flow; name one here, or for all lines as FLOW"))
            continue
        if word not in found:
            try:
                found[word] = targets.find(word)
            except TargetUnclear as error:
                found[word] = str(error)
        ref = found[word]
        if isinstance(ref, str):
            findings.append(_finding(call, ref))
        else:
            launches.append(Launch(flow=ref, data=call.data, context=call.context, key=call.key))
    if findings:
        raise InvalidManifests(findings)
    return launches


def check_recorded(
    calls: Sequence[Call], wanted: Sequence[Launch], recorded: Mapping[str, Recorded], batch: str
) -> None:
    """Refuse keys that are on record with something else: they would not be launched."""
    findings = [
        _finding(
            call,
            f"key {call.key!r} is on record in batch {batch!r} with another flow, data or context;"
            " give the line another key, or the file another --batch-id, or say --again",
        )
        for call, launch in zip(calls, wanted, strict=True)
        if (known := recorded.get(call.key)) is not None
        and known.may_run
        and known.order_sha256 != order_sha256(launch)
    ]
    if findings:
        raise InvalidManifests(findings)


def check_inputs(
    fresh: Sequence[tuple[Call, Launch]], read: Callable[[FlowRef], Inputs], *, parallelism: int
) -> None:
    """Hold every call against its flow's inputs; each flow is read once.

    Raises `InvalidManifests` with everything that does not fit.
    """
    refs = {launch.flow.id: launch.flow for _, launch in fresh}

    def look(ref: FlowRef) -> Inputs | FlowNotFound:
        try:
            return read(ref)
        except FlowNotFound as missing:
            return missing

    seen = in_parallel(look, list(refs.values()), parallelism=parallelism)
    inputs_of = dict(zip(refs, seen, strict=True))
    findings: list[Finding] = []
    for call, launch in fresh:
        found = inputs_of[launch.flow.id]
        if isinstance(found, FlowNotFound):
            findings.append(_finding(call, str(found)))
            continue
        ref, inputs = found
        said = () if inputs is None else misfits(inputs, launch.data)
        findings += (_finding(call, f"{ref}: {each}") for each in said)
    if findings:
        raise InvalidManifests(findings)


def _finding(call: Call, message: str) -> Finding:
    return Finding(rule="reference", message=message, location=call.source)
