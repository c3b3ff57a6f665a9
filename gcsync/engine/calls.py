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
    fresh: Sequence[tuple[Call, Launch]],
    inputs_of: Callable[[FlowRef], tuple[StartInput, ...] | None],
    *,
    parallelism: int,
) -> None:
    """Hold every call against its flow's inputs; each flow is read once.

    Raises `InvalidManifests` with everything that does not fit.
    """
    refs = list({launch.flow.id: launch.flow for _, launch in fresh}.values())

    def read(ref: FlowRef) -> tuple[str, tuple[StartInput, ...] | FlowNotFound | None]:
        try:
            return ref.id, inputs_of(ref)
        except FlowNotFound as missing:
            return ref.id, missing

    inputs = dict(in_parallel(read, refs, parallelism=parallelism))
    findings: list[Finding] = []
    for call, launch in fresh:
        known = inputs[launch.flow.id]
        if isinstance(known, FlowNotFound):
            findings.append(_finding(call, str(known)))
        elif known is not None:
            said = misfits(known, launch.data)
            findings += (_finding(call, f"{launch.flow}: {each}") for each in said)
    if findings:
        raise InvalidManifests(findings)


def _finding(call: Call, message: str) -> Finding:
    return Finding(rule="reference", message=message, location=call.source)
