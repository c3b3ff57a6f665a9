"""What must hold in every schedule, judged by the organisation's edit log alone.

Nothing of the engine is used here: documents are parsed by the standard
library with numbers kept as they are spelt, and settings are found by the
table of the `race.subject`. Each check yields what is wrong, in words.

==  =====================================================================
I1  Frame. A revision by gcsync changes managed settings only, each from
    what that run's plan saw to what the manifests say; every other token
    keeps its spelling and place. Whatever a person wrote to an unmanaged
    place is there in the end.
I2  No write leaves without naming the one revision it may replace, and
    every accepted one replaced that revision.
I3  Once nothing goes wrong any more, one apply brings every flow to its
    desired settings, and the next one sends no write.
I4  A flow has at most one revision by gcsync more than others' edits of
    managed settings account for, and none that changes nothing.
I5  Every revision by gcsync has an earlier durable intent with the same
    base and digest. An intent settled as ``applied`` has exactly that
    revision, one settled as ``refused`` has none. A run that says that it
    wrote nothing wrote nothing. In the end no intent is open.
I7  A success names a revision that held what was planned.
I8  No flow of a run takes more requests than its attempts allow.
==  =====================================================================
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from race.evidence import Entry, Evidence
    from race.flows import Kept, Managed
    from race.subject import Subject

    from gcsync.model.change import FieldChange

ABSENT = "absent"
WRITES_PER_FLOW = 6
ANSWERS_PER_FLOW = 5 * (6 + 6 + 6) + 20
THROTTLES_PER_FLOW = 120


class Number(str):
    """A number as it is spelt."""

    __slots__ = ()


def violations(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Every violated invariant that can hold, with what is wrong."""
    for name, check in CHECKS.items():
        if name not in evidence.subject.exempt:
            for what in check(evidence):
                yield name, what


def i1(evidence: Evidence) -> Iterator[str]:
    """Frame and consent."""
    subject = evidence.subject
    for entry in _ours(evidence):
        edit = entry.edit
        if frame(subject, edit.before) != frame(subject, edit.after):
            yield f"{_named(entry)} changed more than managed settings"
        planned = _planned(evidence, entry)
        if planned is None:
            continue  # whose write this is nobody knows: that is for I5
        for managed, before, after in _changes(subject, entry):
            field = planned.get((managed.action, managed.setting))
            if field is None:
                yield f"{_named(entry)} changed {managed.setting}, which was not planned"
            elif not same(before, field.before) or not same(after, json.loads(managed.desired)):
                yield (
                    f"{_named(entry)} turned {managed.action}/{managed.setting} from {before}"
                    f" into {after}, planned from {field.before!r}"
                )
    last = {(kept.flow, kept.place, _item(kept)): kept for kept in evidence.kept}
    for kept in last.values():
        if kept.mark not in _found(subject, _last(evidence, kept.flow), kept):
            yield f"{kept.flow}: {'/'.join(kept.place)} lost {kept.mark}, which a person wrote"


def i2(evidence: Evidence) -> Iterator[str]:
    """Preconditions."""
    for write in evidence.writes:
        tag = write.if_match or ""
        number = tag.strip('"')
        if not (number.isdigit() and tag == evidence.subject.spelt(int(number))):
            yield f"{write.run} sent a write of {write.flow} with If-Match {write.if_match}"
    revisions = {flow: first for flow, (first, _) in evidence.first.items()}
    for entry in evidence.log:
        edit = entry.edit
        if edit.revision != revisions[edit.flow] + 1:
            yield f"{_named(entry)} does not follow {revisions[edit.flow]}"
        if not entry.is_human and edit.if_match != evidence.subject.spelt(edit.revision - 1):
            yield f"{_named(entry)} was accepted with If-Match {edit.if_match}"
        revisions[edit.flow] = edit.revision


def i3(evidence: Evidence) -> Iterator[str]:
    """Convergence."""
    for flow in evidence.subject.names:
        settings = managed_settings(evidence.subject, _last(evidence, flow))
        for managed, text in zip(evidence.subject.managed, settings, strict=True):
            if not same(text, json.loads(managed.desired)):
                yield f"{flow}: {managed.action}/{managed.setting} is {text} in the end"
    second = evidence.quiet_runs[-1]
    for write in evidence.writes:
        if write.run == second:
            yield f"the second quiet apply wrote {write.flow}"


def i4(evidence: Evidence) -> Iterator[str]:
    """No more revisions than needed."""
    ours: Counter[str] = Counter()
    allowed = Counter(dict.fromkeys(evidence.subject.names, 1)) + evidence.dropped
    for entry in evidence.log:
        has_changes = bool(_changes(evidence.subject, entry))
        if entry.is_human:
            allowed[entry.edit.flow] += has_changes
            continue
        ours[entry.edit.flow] += 1
        if not has_changes and not evidence.dropped[entry.edit.flow]:
            yield f"{_named(entry)} changed nothing"
    for flow, count in ours.items():
        if count > allowed[flow]:
            yield f"{flow} has {count} revisions by gcsync, {allowed[flow]} were called for"


def i5(evidence: Evidence) -> Iterator[str]:
    """Intents."""
    made: dict[int, list[Entry]] = defaultdict(list)
    for entry in _ours(evidence):
        made[int(entry.edit.tag)].append(entry)
        yield from _unannounced(evidence, entry)
    for found in evidence.journalled:
        revisions = [evidence.subject.spelt(entry.edit.revision) for entry in made[found.id]]
        if len(revisions) > 1:
            yield f"intent {found.id} led to {' and '.join(revisions)}"
        if found.result == "applied" and revisions != [found.revision]:
            yield f"intent {found.id} is settled as applied at {found.revision}, not {revisions}"
        if found.result == "refused" and revisions:
            yield f"intent {found.id} is settled as refused, and made {revisions[0]}"
    written = {
        (evidence.intents[number].intent.run_id, evidence.intents[number].intent.ref.id)
        for number, entries in made.items()
        if entries and number in evidence.intents
    }
    for told in evidence.told:
        result = told.result
        is_denied = result.status in ("failed", "skipped") or (
            result.conflict is not None and result.conflict.reason is None
        )
        if is_denied and result.revision_after is None and (told.run, result.ref.id) in written:
            yield f"{told.run}: {result.ref.id} is {result.status}, and was written"
    if evidence.left_open:
        yield f"{evidence.left_open} intents are open in the end"


def _unannounced(evidence: Evidence, entry: Entry) -> Iterator[str]:
    number = int(entry.edit.tag)
    intended = evidence.intents.get(number)
    if intended is None or intended.when > entry.when:
        yield f"{_named(entry)} had no intent yet"
        return
    intent = intended.intent
    if (intent.ref.id, intent.revision) != (entry.edit.flow, entry.edit.if_match):
        yield f"{_named(entry)} is not the one that intent {number} speaks of"
    if entry.body_sha256 not in ("", intent.body_sha256):
        yield f"{_named(entry)} has not the body of intent {number}"


def i7(evidence: Evidence) -> Iterator[str]:
    """Success is named truly."""
    subject = evidence.subject
    bodies = _bodies(evidence)
    for told in evidence.told:
        result, flow = told.result, told.result.ref.id
        if result.status in ("applied", "rebased", "unchanged"):
            what = f"{told.run}: {flow} is {result.status} at {result.revision_after}"
            body = bodies.get((flow, str(result.revision_after)))
            yield from _unheld(subject, body, told.planned, what)
        if result.conflict is None:
            continue
        body = bodies.get((flow, str(result.conflict.revision)))
        for conflict in result.conflict.fields:
            live = None if body is None else _setting(subject, body, conflict.field)
            if live is None or not same(live, conflict.live):
                yield f"{told.run}: {flow} conflicts over {conflict.live!r}, which is {live}"
    for recovered, intent in evidence.recovered:
        if recovered.outcome == "observed":
            flow = intent.ref.id
            body = bodies.get((flow, str(recovered.revision)))
            what = f"{flow}: observed at {recovered.revision}"
            yield from _unheld(subject, body, intent.fields, what)


def i8(evidence: Evidence) -> Iterator[str]:
    """Effort is bounded."""
    subject = evidence.subject
    per_reading = subject.requests_per_reading
    answers: Counter[tuple[str, str]] = Counter()
    throttles: Counter[tuple[str, str]] = Counter()
    writes: Counter[tuple[str, str]] = Counter()
    for (run, flow, kind), count in evidence.exchanges.items():
        if kind.endswith(" 429"):
            throttles[run, flow] += count
            continue
        answers[run, flow] += count
        if kind.startswith("WRITE") and not kind.endswith("NotSent"):
            writes[run, flow] += count
    for counted, most, what in (
        (answers, ANSWERS_PER_FLOW * per_reading, "requests"),
        (throttles, THROTTLES_PER_FLOW * per_reading, "throttled requests"),
        (writes, WRITES_PER_FLOW, "writes"),
    ):
        for (run, flow), count in counted.items():
            if count > most:
                yield f"{run}: {count} {what} for {flow}, at most {most} are allowed"


CHECKS = {"I1": i1, "I2": i2, "I3": i3, "I4": i4, "I5": i5, "I7": i7, "I8": i8}


@lru_cache(maxsize=128)
def _parsed(body: bytes) -> Any:
    return json.loads(body, parse_int=Number, parse_float=Number)


@lru_cache(maxsize=128)
def managed_settings(subject: Subject, body: bytes) -> tuple[Any, ...]:
    """What stands in the place of each managed setting, `ABSENT` where nothing does."""
    document = _parsed(body)
    return tuple(
        _below(subject.action(document, it.action), ("data", *it.keys)) for it in subject.managed
    )


@lru_cache(maxsize=128)
def frame(subject: Subject, body: bytes) -> str:
    """The document without its managed settings, every other token as it is spelt."""
    document = json.loads(body, parse_int="number {}".format, parse_float="number {}".format)
    for managed in subject.managed:
        holders = [subject.action(document, managed.action)["data"]]
        for key in managed.keys[:-1]:
            holders.append(holders[-1].get(key, {}))
        holders[-1].pop(managed.keys[-1], None)
        if len(holders) > 1 and not holders[-1]:
            # A holder may come with its first setting.
            holders[0].pop(managed.keys[0], None)
    return json.dumps(document)


def _below(node: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        if not isinstance(node, dict) or key not in node:
            return ABSENT
        node = node[key]
    return node


def same(text: Any, value: Any) -> bool:
    """Whether a parsed setting is the value that a manifest or the engine speaks of."""
    if text == ABSENT or repr(value) == "ABSENT":
        return text == ABSENT and repr(value) == "ABSENT"
    if isinstance(text, list):
        return isinstance(value, tuple | list) and list(value) == text
    if isinstance(text, Number):
        is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
        return is_number and Decimal(text) == Decimal(value)
    return text == value


def _changes(subject: Subject, entry: Entry) -> list[tuple[Managed, Any, Any]]:
    before = managed_settings(subject, entry.edit.before)
    after = managed_settings(subject, entry.edit.after)
    return [
        (managed, old, new)
        for managed, old, new in zip(subject.managed, before, after, strict=True)
        if old != new
    ]


def _ours(evidence: Evidence) -> list[Entry]:
    return [entry for entry in evidence.log if not entry.is_human]


def _planned(evidence: Evidence, entry: Entry) -> dict[tuple[str, str], FieldChange] | None:
    intended = evidence.intents.get(int(entry.edit.tag))
    if intended is None:
        return None
    plan = evidence.plans[intended.intent.run_id].get(entry.edit.flow, ())
    return {(field.action, field.setting): field for field in plan}


def _bodies(evidence: Evidence) -> dict[tuple[str, str], bytes]:
    spelt = evidence.subject.spelt
    bodies = {(flow, spelt(first)): body for flow, (first, body) in evidence.first.items()}
    bodies |= {
        (entry.edit.flow, spelt(entry.edit.revision)): entry.edit.after for entry in evidence.log
    }
    return bodies


def _last(evidence: Evidence, flow: str) -> bytes:
    bodies = [entry.edit.after for entry in evidence.log if entry.edit.flow == flow]
    return bodies[-1] if bodies else evidence.first[flow][1]


def _setting(subject: Subject, body: bytes, field: FieldChange) -> Any:
    for managed, text in zip(subject.managed, managed_settings(subject, body), strict=True):
        if (managed.action, managed.setting) == (field.action, field.setting):
            return text
    return None


def _unheld(
    subject: Subject, body: bytes | None, planned: tuple[FieldChange, ...], what: str
) -> Iterator[str]:
    if body is None:
        yield f"{what}, a revision that never was"
        return
    for field in planned:
        text = _setting(subject, body, field)
        if not same(text, field.after):
            yield f"{what}, where {field.path} is {text}, not {field.after!r}"


def _item(kept: Kept) -> str:
    """What tells marks in one list apart; a single value has only its last mark."""
    return kept.mark if kept.place[-1] == "notes" else ""


def _found(subject: Subject, body: bytes, kept: Kept) -> list[Any]:
    document = _parsed(body)
    node = subject.action(document, kept.place[0]) if kept.place[0] else document
    value = _below(node, kept.place[1:])
    return value if isinstance(value, list) else [value]


def _named(entry: Entry) -> str:
    return f"revision {entry.edit.revision} of {entry.edit.flow} (intent {entry.edit.tag or '-'})"
