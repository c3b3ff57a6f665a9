"""Plans as JSON documents, and back: the form of a saved plan and of ``plan -o json``.

What consumers read (``change``, ``path``, ``summary``) is derived from
``fields``, so reading checks that both still say the same. The settings'
changes themselves, and the results that ``apply`` reports, are built in
`gcsync.core.result_document` and offered from here too.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any, Final

from gcsync.core.exact_json import Malformed, Node, canonical, stamp, to_json
from gcsync.core.reach_document import (
    reach_document,
    reach_from_document,
    waits_document,
    waits_from_document,
    worst_case_document,
    worst_case_from_document,
)
from gcsync.core.result_document import (
    field_document,
    field_from_document,
    read_optional,
    read_ref,
    read_revision,
    result_document,
    result_from_document,
)
from gcsync.errors import NotAPlan, PlanRefused
from gcsync.model.change import (
    FieldChange,
    FlowChange,
    Organisation,
    Plan,
    Source,
)
from gcsync.model.shard import Part, shard_of
from gcsync.model.value import unescape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gcsync.model.value import Value

FORMAT_VERSION: Final = "1.0"
FLOWS_ONLY: Final = ("flow",)
AGAIN: Final = "run 'gcsync plan --out' again"

__all__ = [
    "FORMAT_VERSION",
    "Malformed",
    "canonical",
    "check_format",
    "digest",
    "field_document",
    "field_from_document",
    "from_document",
    "part_document",
    "part_from_document",
    "result_document",
    "result_from_document",
    "sealed",
    "to_document",
]


def digest(document: Mapping[str, Any], key: bytes | None = None) -> str:
    """What seals a document: SHA-256 over its canonical form, or an HMAC where a key is given.

    The member ``digest`` itself is left out. *document* comes from
    `to_document` or from parsing.
    """
    body = canonical(
        {name: value for name, value in document.items() if name != "digest"}, is_json=True
    )
    if key is None:
        return f"sha256:{hashlib.sha256(body).hexdigest()}"
    return f"hmac-sha256:{hmac.new(key, body, hashlib.sha256).hexdigest()}"


def sealed(plan: Plan, key: bytes | None = None) -> dict[str, Any]:
    """The plan's document with its digest as last member."""
    document = to_document(plan)
    return document | {"digest": digest(document, key)}


def to_document(plan: Plan) -> dict[str, Any]:
    """The plan as CONTRACT section 3 shows it, without the digest."""
    return {
        "format_version": FORMAT_VERSION,
        "gcsync_version": plan.gcsync_version,
        "created_at": stamp(plan.created_at),
        "expires_at": stamp(plan.expires_at),
        "environment": plan.environment,
        "org": {"id": plan.organisation.id, "api_url": plan.organisation.api_url},
        "source": {"commit": plan.source.commit, "dirty": plan.source.dirty},
        "manifest_sha256": plan.manifest_sha256,
        "resource_changes": [_change_document(change) for change in plan.changes],
        "summary": _summary(plan.changes, plan.flow_count),
        "managed_flows": plan.managed_flows,
        "warnings": list(plan.warnings),
        **({"kinds": list(plan.kinds)} if plan.kinds != FLOWS_ONLY else {}),
        **part_document(plan.part),
    }


def part_document(part: Part | None) -> dict[str, Any]:
    """Which part of the flows a document is about; nothing where it is about all of them."""
    if part is None:
        return {}
    return {
        "shard": str(part.shard) if part.shard else None,
        "addresses": list(part.addresses),
    }


def part_from_document(node: Node) -> Part | None:
    """The inverse of `part_document`. Raises `Malformed`."""
    listed = node.maybe("addresses")
    if listed is None:
        return None
    addresses = tuple(address.name() for address in listed.items())
    if list(addresses) != sorted(set(addresses)):
        raise Malformed(f"{listed.where} is not sorted, or names a flow twice")
    named = node.maybe("shard")
    shard = shard_of(named.text()) if named else None
    if named and shard is None:
        raise named.wrong("a shard such as 1/3")
    if shard and not all(map(shard.holds, addresses)):
        raise Malformed(f"{listed.where} names a flow of another shard than {shard}")
    return Part(addresses=addresses, shard=shard)


def from_document(document: Any) -> Plan:
    """The plan that a parsed document holds; the inverse of `to_document`.

    Members that this version does not know are ignored. Raises `PlanRefused`
    for another major format version and for anything that is not a plan.
    """
    check_format(document)
    try:
        return _plan(Node(document))
    except ValueError as error:
        raise PlanRefused(f"the plan is damaged: {error}; {AGAIN}") from error
    except RecursionError as error:
        raise PlanRefused(f"the plan is damaged: nested too deeply; {AGAIN}") from error


def check_format(document: Any) -> None:
    """Refuse what is not a plan of this major format version.

    Raises `NotAPlan` for what is none at all, else `PlanRefused`.
    """
    version = document.get("format_version") if isinstance(document, dict) else None
    if isinstance(version, str) and document.get("merged") is not None:
        raise NotAPlan(
            "this is what 'gcsync merge' made of several plans, for people to read; apply the"
            " plans that it was made of, one by one"
        )
    # What a plan of another major version looks like, nobody can know.
    if isinstance(version, str) and version.partition(".")[0] != FORMAT_VERSION.partition(".")[0]:
        raise PlanRefused(
            f"the plan has format version {version}, this gcsync reads"
            f" {FORMAT_VERSION.partition('.')[0]}.x; {AGAIN} with this gcsync"
        )
    if not isinstance(version, str) or not isinstance(document.get("resource_changes"), list):
        raise NotAPlan("this is not a saved plan; give the file that 'gcsync plan --out' made")


def _summary(changes: Sequence[FlowChange], flow_count: int) -> dict[str, int]:
    return {
        "flows": flow_count,
        "changed_flows": len(changes),
        "changed_fields": sum(len(change.fields) for change in changes),
        "unchanged_flows": flow_count - len(changes),
    }


def _change_document(change: FlowChange) -> dict[str, Any]:
    return {
        "address": change.ref.address,
        "driver": change.driver,
        "flow": {"id": change.ref.id, "name": change.ref.name},
        "wave": change.wave,
        "precondition": {"revision": change.revision},
        "change": {
            "actions": ["update"],
            "before": _nested((field, field.before) for field in change.fields),
            "after": _nested((field, field.after) for field in change.fields),
        },
        "fields": [field_document(field) for field in change.fields],
        "worst_case_ms": worst_case_document(change.worst_case),
        **waits_document(change.waits),
        "labels": dict(change.labels),
        **reach_document(change.blast_radius),
        **({"stays": True} if change.stays else {}),
    }


def _nested(sides: Iterable[tuple[FieldChange, Value]]) -> dict[str, Any]:
    whole: dict[str, Any] = {}
    actions: dict[str, Any] = {}
    for field, value in sides:
        *parents, leaf = map(unescape, field.setting.split("/"))
        node = actions.setdefault(field.action, {}) if field.action else whole
        for parent in parents:
            child = node.get(parent)
            if not isinstance(child, dict):
                child = node[parent] = {}
            node = child
        node[leaf] = to_json(value)
    return {"actions": actions} if actions else whole


def _plan(node: Node) -> Plan:
    organisation = node.member("org")
    source = node.member("source")
    flow_count = node.member("summary").member("flows").integer()
    managed_flows = node.member("managed_flows").integer()
    changes = tuple(map(_change, node.member("resource_changes").items()))
    addresses = [change.ref.address for change in changes]
    if len(set(addresses)) < len(addresses):
        raise Malformed("resource_changes names a flow twice")
    part = part_from_document(node)
    if part is not None and flow_count != len(part.addresses):
        raise Malformed("summary.flows does not agree with addresses")
    if part is not None and not set(part.addresses).issuperset(addresses):
        raise Malformed("resource_changes names a flow that is not among addresses")
    if flow_count < len(changes):
        raise Malformed("summary.flows is less than the flows that change")
    if managed_flows < flow_count:
        raise Malformed("managed_flows is less than summary.flows")
    _agree(node.member("summary"), _summary(changes, flow_count))
    return Plan(
        gcsync_version=node.member("gcsync_version").text(),
        created_at=node.member("created_at").moment(),
        expires_at=node.member("expires_at").moment(),
        environment=read_optional(node, "environment"),
        organisation=Organisation(
            id=read_optional(organisation, "id"), api_url=organisation.member("api_url").text()
        ),
        source=Source(commit=read_optional(source, "commit"), dirty=source.member("dirty").flag()),
        manifest_sha256=node.member("manifest_sha256").text(),
        changes=changes,
        flow_count=flow_count,
        managed_flows=managed_flows,
        warnings=tuple(warning.text() for warning in node.member("warnings").items()),
        part=part,
        kinds=_kinds(node, changes),
    )


def _kinds(node: Node, changes: Sequence[FlowChange]) -> tuple[str, ...]:
    """The kinds that were compared; of those that change, none is missing."""
    listed = node.maybe("kinds")
    kinds = tuple(each.name() for each in listed.items()) if listed else FLOWS_ONLY
    if list(kinds) != sorted(set(kinds)) or not {each.ref.kind for each in changes} <= {*kinds}:
        raise Malformed("kinds are not those of resource_changes")
    return kinds


def _change(node: Node) -> FlowChange:
    worst = node.maybe("worst_case_ms")
    stays = node.maybe("stays")
    change = FlowChange(
        ref=read_ref(node),
        revision=read_revision(node.member("precondition"), "revision"),
        fields=tuple(map(field_from_document, node.member("fields").items())),
        wave=node.member("wave").integer(),
        driver=node.member("driver").name(),
        worst_case=worst_case_from_document(worst) if worst else None,
        waits=waits_from_document(node),
        blast_radius=reach_from_document(node),
        labels=_labels(node.maybe("labels")),
        stays=stays is not None and stays.flag(),
    )
    paths = [field.path for field in change.fields]
    if len(set(paths)) < len(paths):
        raise Malformed(f"{node.where}.fields names a setting twice")
    _agree(node.member("change"), _change_document(change)["change"])
    return change


def _labels(node: Node | None) -> tuple[tuple[str, str], ...]:
    if node is None:
        return ()
    return tuple(sorted((name, value.text()) for name, value in node.members()))


def _agree(node: Node, derived: Mapping[str, Any]) -> None:
    for name, value in derived.items():
        given = node.member(name).value
        if canonical(given, is_json=True) != canonical(value, is_json=True):
            raise Malformed(f"{node.where}.{name} does not agree with fields")
