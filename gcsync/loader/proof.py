"""Whether a manifest that was just composed says what it is to say: read as any other is.

Everything that the loader would refuse is found before a file is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from gcsync.core.plan import compare
from gcsync.core.using import is_meant
from gcsync.loader import build, facts, schema, secrets, uses
from gcsync.loader.names import shown
from gcsync.loader.node import Mapping, location
from gcsync.loader.parse import parse
from gcsync.loader.shape import shape, typed
from gcsync.loader.source import MAX_BYTES
from gcsync.loader.variables import Variables, mentions, substitute
from gcsync.model.change import FlowChange, FlowRef, Snapshot
from gcsync.model.manifest import PublicFlowSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Mapping as Dict
    from typing import Any

    from gcsync.loader.adopt import Draft
    from gcsync.model.change import LiveAction, LiveFlow
    from gcsync.model.manifest import (
        AuthBinding,
        DataActionSpec,
        Finding,
        FlowSpec,
        ResourceSpec,
    )

_NO_VARIABLES = Variables(values={}, elsewhere={})
_ELSEWHERE = "its manifest would speak of something else"
_TOO_LARGE = f"its manifest would be larger than {MAX_BYTES:,} bytes"

Spec = TypeVar("Spec", bound="ResourceSpec")


def read_bindings(text: str, name: str) -> dict[str, AuthBinding]:
    """The bindings in *text*, by name; nothing of a text that the loader refuses."""
    findings: list[Finding] = []
    builder = build.Builder()
    read = list(_documents(text, name, findings))
    return {
        each.name: each
        for node, instance in ([] if findings else read)
        for each in [builder.binding(location(node), node, instance)]
    }


def proven(
    text: str, name: str, bindings: Dict[str, AuthBinding], actions: Sequence[LiveAction]
) -> FlowSpec | str:
    """What *text* says of a flow with these live *actions*, all of which stays as it is.

    Or why it is no such manifest.
    """
    if len(text.encode()) > MAX_BYTES:
        return _TOO_LARGE
    findings: list[Finding] = []
    flow: FlowSpec | None = None
    for node, instance in _documents(text, name, findings):
        flow = build.Builder().flow(location(node), node, instance)
        findings += [*facts.impossible(node, flow.address), *build.twice(flow)]
        flow = build.resolve(flow, bindings, findings, set(bindings))
    return _judged(flow, actions, findings)


def proven_uses(
    text: str, name: str, draft: Draft, data_actions: Sequence[DataActionSpec]
) -> FlowSpec | str:
    """What *text* says of a flow of the public API, each entry of a data action that it uses.

    *data_actions* are all manifests of data actions. Or why it is no such manifest.
    """
    if len(text.encode()) > MAX_BYTES:
        return _TOO_LARGE
    findings: list[Finding] = []
    flow: FlowSpec | None = None
    declared = {each.address for each in data_actions}
    for node, instance in _documents(text, name, findings):
        flow = build.Builder().flow(location(node), node, instance)
        findings += [*facts.impossible(node, flow.address)]
        if not isinstance(flow, PublicFlowSpec):
            return "its manifest would be one of a flow document"
        findings += uses.unclear(flow, node)
        flow = uses.resolve(flow, data_actions, declared, findings)
    if flow is None or findings:
        return f"its manifest would be refused: {findings[0].message if findings else 'it is none'}"
    live = draft.flow
    if not _speaks_of(flow, live) or not _is_clear(flow, [each.action for each in draft.uses]):
        return _ELSEWHERE
    return flow


def _is_clear(flow: FlowSpec, used: Sequence[LiveFlow]) -> bool:
    """Whether each entry means one of the data actions that are *used*, and no two the same."""
    meant = [[each.id for each in used if is_meant(action, each)] for action in flow.actions]
    return all(len(each) == 1 for each in meant) and len({each[0] for each in meant}) == len(meant)


def _speaks_of(spec: ResourceSpec, live: LiveFlow) -> bool:
    meant = spec.selector.id or (spec.selector.name, (spec.selector.type or "").lower())
    return meant in (live.id, (live.name, live.type.lower()))


def proven_whole(
    text: str, name: str, live: LiveFlow, action: LiveAction, *, kind: str
) -> ResourceSpec | str:
    """What *text* says of *live*, of that *kind*, with the settings of *action*, which all stay.

    Or why it is no such manifest.
    """
    if len(text.encode()) > MAX_BYTES:
        return _TOO_LARGE
    findings: list[Finding] = []
    spec: ResourceSpec | None = None
    for node, instance in _documents(text, name, findings):
        builder = build.Builder()
        made = builder.integration if kind == "integration" else builder.data_action
        spec = made(location(node), node, instance)
        findings += facts.impossible(node, spec.address)
        if not _speaks_of(spec, live):
            return _ELSEWHERE
    return _judged(spec, (action,), findings)


def _judged(
    spec: Spec | None, actions: Sequence[LiveAction], findings: list[Finding]
) -> Spec | str:
    """*spec* itself if it changes nothing of the live *actions* and nothing was found."""
    if spec is not None:
        ref = FlowRef(address=spec.address, id=spec.selector.id or "")
        live = Snapshot(ref=ref, revision=None, document=b"", actions=tuple(actions))
        match compare(spec, live):
            case FlowChange(fields=fields) if fields:
                return f"its manifest would want {shown(fields[0].path)} changed"
            case FlowChange():
                pass
            case misfits:
                findings += misfits
    if spec is None or findings:
        return f"its manifest would be refused: {findings[0].message if findings else 'it is none'}"
    return spec


def _documents(text: str, name: str, findings: list[Finding]) -> Iterator[tuple[Mapping, Any]]:
    documents, wrong = parse(text, name)
    findings += wrong
    for each in documents:
        node = substitute(each, _NO_VARIABLES, findings) if mentions(text) else each
        kind = schema.known_kind(node)
        if not isinstance(kind, str) or not isinstance(node, Mapping):
            continue
        instance = typed(node, shape(kind))
        findings += secrets.findings_in(node, kind, None)
        if schema.accepts(instance, kind):
            yield node, instance
        else:
            findings += schema.refused(node, instance, kind, None)
