"""What an import wrote, and what it left alone, as a report."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, get_args

from gcsync.core.secrecy import unmistakable_secrets_in
from gcsync.model.adoption import Standing
from gcsync.model.report import Block, Report, Row
from gcsync.render.values import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcsync.model.adoption import AdoptedFlow, Adoption, LeftOut
    from gcsync.model.change import LiveFlow
    from gcsync.model.report import Tone

_TONES: Final[dict[Standing, Tone]] = {
    "written": "good",
    "replaced": "change",
    "unchanged": "faint",
    "kept": "change",
    "managed": "faint",
    "empty": "faint",
    "refused": "bad",
}
_IN_A_FILE: Final = ("written", "replaced", "unchanged")


def present_import(adoption: Adoption, *, again: str = "") -> Report:
    """Every file and every flow with what became of it.

    *again* are the options of the next command.
    """
    standings = Counter(each.standing for each in adoption.flows)
    left = sum(len(each.left_out) for each in adoption.flows)
    rows = tuple(_file_rows(adoption))
    return Report(
        document=_document(adoption, standings, left),
        blocks=(
            *((Block(rows=rows),) if rows else ()),
            *(
                Block(rows=tuple(_details(each)))
                for each in adoption.flows
                if each.left_out or each.accepted
            ),
        ),
        closing=(
            *(Row(sign="!", cells=(note,), tone="change") for note in adoption.notes),
            _closing(adoption, standings, left, again),
        ),
    )


def _file_rows(adoption: Adoption) -> Iterator[Row]:
    if adoption.bindings:
        told = (count(len(adoption.bindings), "auth binding"),)
        yield Row(cells=("written", adoption.bindings_file, *told), tone="good")
    for each in adoption.flows:
        what = (
            f"{count(each.action_count, 'data action')}, {count(each.setting_count, 'setting')}"
            if each.standing in _IN_A_FILE
            else each.reason
        )
        thing = each.file or _called(each)
        yield Row(cells=(each.standing, thing, what), tone=_TONES[each.standing])


def _details(each: AdoptedFlow) -> Iterator[Row]:
    """What stays unmanaged in one flow and what lint has to accept there, under its name."""
    yield Row(cells=(f"{each.address}  ({_called(each)})",), tone="strong")
    for left in each.left_out:
        yield Row(sign="!", cells=(f"{left.path} {left.reason}",), depth=1, tone="change")
    for one in each.accepted:
        said = f"lint: {one.message} [{one.rule}], accepted until {one.until}"
        yield Row(sign="~", cells=(said,), depth=1, tone="change")


def _called(each: AdoptedFlow) -> str:
    return f"{_name(each.flow) or each.flow.id}, {each.flow.type}"


def _name(flow: LiveFlow) -> str:
    """A flow's name, which may be a secret that somebody typed into the wrong field."""
    return "(a secret)" if any(unmistakable_secrets_in(flow.name)) else flow.name


def _closing(adoption: Adoption, standings: Counter[Standing], left: int, again: str) -> Row:
    held = [each for each in adoption.flows if each.standing in _IN_A_FILE]
    settings = sum(each.setting_count for each in held)
    unmanaged = f"; {count(left, 'live setting')} left unmanaged" if left else ""
    said = f"Imported {len(held)} of {count(len(adoption.flows), 'live flow')}, "
    said += f"{count(settings, 'setting')}{unmanaged}."
    if standings["written"] + standings["replaced"]:
        promise = ", which finds nothing to change" if adoption.is_whole else ""
        said += f" Next: 'gcsync plan{again}'{promise}."
    return Row(cells=(said,), tone="strong")


def _document(adoption: Adoption, standings: Counter[Standing], left: int) -> dict[str, Any]:
    return {
        "format_version": "1.0",
        "flows": [_flow(each) for each in adoption.flows],
        "bindings": [
            {"address": f"authbinding/{each.name}", "file": adoption.bindings_file}
            for each in adoption.bindings
        ],
        "summary": {
            "flows": len(adoption.flows),
            **{standing: standings[standing] for standing in get_args(Standing)},
            "bindings": len(adoption.bindings),
            "left_out": left,
        },
        "warnings": list(adoption.notes),
    }


def _flow(each: AdoptedFlow) -> dict[str, Any]:
    return {
        "address": each.address,
        "flow": {"id": each.flow.id, "name": _name(each.flow), "type": each.flow.type},
        "status": each.standing,
        "file": each.file or None,
        "reason": each.reason or None,
        "actions": each.action_count,
        "settings": each.setting_count,
        "left_out": [_left(one) for one in each.left_out],
        "accepted": [
            {"rule": one.rule, "action": one.action, "until": one.until.isoformat()}
            for one in each.accepted
        ],
    }


def _left(one: LeftOut) -> dict[str, str]:
    return {"path": one.path, "reason": one.reason}
