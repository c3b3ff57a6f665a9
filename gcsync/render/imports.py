"""What an import wrote, and what it left alone, as a report."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, get_args

from gcsync.core.counting import count, joined, total
from gcsync.core.secrecy import unmistakable_secrets_in
from gcsync.model.adoption import Standing
from gcsync.model.report import Block, Report, Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcsync.model.adoption import AdoptedFlow, Adoption, LeftOut
    from gcsync.model.report import Tone

_TONES: Final[dict[Standing, Tone]] = {
    "written": "good",
    "replaced": "change",
    "unchanged": "faint",
    "kept": "change",
    "managed": "faint",
    "empty": "faint",
    "skipped": "faint",
    "refused": "bad",
}
_IN_A_FILE: Final = ("written", "replaced", "unchanged")
_BY_FOLDER: Final = (*_IN_A_FILE, "managed", "skipped")
"""What is told by folders of what the public API has, for there can be hundreds of it."""

_NOUNS: Final = {"flow": "flow", "dataaction": "data action", "integration": "integration"}
"""Kind -> what one is called."""


def present_import(adoption: Adoption, *, again: str = "") -> Report:
    """Every file and every flow with what became of it; what the public API has by folders.

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
        if _is_in_folder(each):
            continue
        what = (
            f"{count(each.action_count, 'data action')}, {count(each.setting_count, 'setting')}"
            if each.standing in _IN_A_FILE
            else each.reason
        )
        thing = each.file or _called(each)
        yield Row(cells=(each.standing, thing, what), tone=_TONES[each.standing])
    yield from _folder_rows(adoption)


def _folder_rows(adoption: Adoption) -> Iterator[Row]:
    """What became of what the public API has, as much together as has it in common."""
    together: dict[tuple[Standing, str, str], list[AdoptedFlow]] = {}
    for each in filter(_is_in_folder, adoption.flows):
        common = f"{each.file.rpartition('/')[0]}/" if each.file else each.reason
        together.setdefault((each.standing, common, _kind(each)), []).append(each)
    for (standing, common, kind), several in sorted(together.items(), key=_by_folder):
        things = count(len(several), _NOUNS[kind])
        holding = count(sum(each.setting_count for each in several), "setting")
        if kind == "flow":
            holding = count(sum(each.action_count for each in several), "data action")
        cells = (standing, common, f"{things}, {holding}")
        if standing == "skipped":
            cells = (standing, things, common)
        elif standing == "managed":
            cells = (standing, common, f"{things}; --force imports them anew")
        yield Row(cells=cells, tone=_TONES[standing])


def _by_folder(told: tuple[tuple[Standing, str, str], object]) -> tuple[bool, str, str, str]:
    """Folders by name, then what is in none."""
    (standing, common, kind), _ = told
    return standing == "skipped", common, kind, standing


def _details(each: AdoptedFlow) -> Iterator[Row]:
    """What stays unmanaged in one flow and what lint has to accept there, under its name."""
    yield Row(cells=(f"{each.address}  ({_called(each)})",), tone="strong")
    for left in each.left_out:
        yield Row(sign="!", cells=(f"{left.path} {left.reason}",), depth=1, tone="change")
    for one in each.accepted:
        said = f"lint: {one.message} [{one.rule}], accepted until {one.until}"
        yield Row(sign="~", cells=(said,), depth=1, tone="change")


def _called(each: AdoptedFlow) -> str:
    return f"{_said(each.flow.name) or each.flow.id}, {_said(each.flow.type)}".removesuffix(", ")


def _said(name: str) -> str:
    """A name, which may be a secret that somebody typed into the wrong field."""
    return "(a secret)" if any(unmistakable_secrets_in(name)) else name


def _is_in_folder(each: AdoptedFlow) -> bool:
    """Whether this is told together with others."""
    is_public = each.is_public or _kind(each) != "flow"
    return is_public and each.standing in _BY_FOLDER


def _kind(each: AdoptedFlow) -> str:
    """What is imported, by its address."""
    kind = each.address.partition("/")[0]
    return kind if kind in _NOUNS else "flow"


def _closing(adoption: Adoption, standings: Counter[Standing], left: int, again: str) -> Row:
    held = [each for each in adoption.flows if each.standing in _IN_A_FILE]
    settings = sum(each.setting_count for each in held)
    unmanaged = f"; {count(left, 'live setting')} left unmanaged" if left else ""
    told = []
    for kind in sorted({*map(_kind, adoption.flows)}) or ["flow"]:
        met = total(sum(_kind(each) == kind for each in adoption.flows), [kind], what="live")
        told.append(f"{sum(_kind(each) == kind for each in held)} of {met}")
    is_public = bool(held) and all(each.is_public for each in held)
    amount = "" if is_public else f", {count(settings, 'setting')}"
    said = f"Imported {joined(told)}{amount}{unmanaged}."
    if standings["written"] + standings["replaced"]:
        promise = ", which finds nothing to change" if adoption.is_whole else ""
        # A plan takes something that it could write, and there may be nothing of the kind.
        is_planned = adoption.has_others or not is_public
        said += (
            f" Next: 'gcsync plan{again}'{promise}."
            if is_planned
            else f" Next: 'gcsync budget{again}'."
        )
    return Row(cells=(said,), tone="strong")


def _document(adoption: Adoption, standings: Counter[Standing], left: int) -> dict[str, Any]:
    return {
        "format_version": "1.0",
        "flows": [_flow(each) for each in adoption.flows if _kind(each) == "flow"],
        "data_actions": [_action(each) for each in adoption.flows if _kind(each) == "dataaction"],
        "integrations": [
            _integration(each) for each in adoption.flows if _kind(each) == "integration"
        ],
        "bindings": [
            {"address": f"authbinding/{each.name}", "file": adoption.bindings_file}
            for each in adoption.bindings
        ],
        "summary": {
            "flows": sum(_kind(each) == "flow" for each in adoption.flows),
            "data_actions": sum(_kind(each) == "dataaction" for each in adoption.flows),
            "integrations": sum(_kind(each) == "integration" for each in adoption.flows),
            **{standing: standings[standing] for standing in get_args(Standing)},
            "bindings": len(adoption.bindings),
            "left_out": left,
        },
        "warnings": list(adoption.notes),
    }


def _flow(each: AdoptedFlow) -> dict[str, Any]:
    live = each.flow
    return {
        "address": each.address,
        "flow": {"id": live.id, "name": _said(live.name), "type": live.type},
        **_outcome(each),
        "actions": each.action_count,
    }


def _action(each: AdoptedFlow) -> dict[str, Any]:
    live = each.flow
    return {
        "address": each.address,
        "data_action": {
            "id": live.id,
            "name": _said(live.name),
            "integration": _said(live.type) or None,
        },
        **_outcome(each),
    }


def _integration(each: AdoptedFlow) -> dict[str, Any]:
    live = each.flow
    return {
        "address": each.address,
        "integration": {"id": live.id, "name": _said(live.name)},
        **_outcome(each),
    }


def _outcome(each: AdoptedFlow) -> dict[str, Any]:
    return {
        "status": each.standing,
        "file": each.file or None,
        "reason": each.reason or None,
        "settings": each.setting_count,
        "left_out": [_left(one) for one in each.left_out],
        "accepted": [
            {"rule": one.rule, "action": one.action, "until": one.until.isoformat()}
            for one in each.accepted
        ],
    }


def _left(one: LeftOut) -> dict[str, str]:
    return {"path": one.path, "reason": one.reason}
