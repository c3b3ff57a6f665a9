"""The text of a manifest that an import writes, in the layout of ``gcsync fmt``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gcsync.loader.admit import SETTINGS_OF
from gcsync.loader.adopt import lifted
from gcsync.loader.layout import formatted
from gcsync.loader.names import shown
from gcsync.loader.printing import STEP, WIDTH
from gcsync.loader.spelling import blocks, spelled, texts
from gcsync.loader.variables import literal
from gcsync.model.value import unescape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gcsync.loader.adopt import Draft
    from gcsync.model.adoption import Accepted, NewBinding
    from gcsync.model.value import JSON

Tree = dict[str, Any]
"""A mapping to write: settings, lists of them, and trees."""


class _OneLine(Tree):
    """A mapping that goes on one line where it fits; others are easier to read as a block."""


_SHORT_REQUEST: Final = frozenset(("method", "max_body_bytes"))
_ON_ONE_LINE: Final = ("auth", "retry", "circuit_breaker", "response")

SELECTORS: Final = {"flow": "flow", "dataaction": "action", "integration": "integration"}
"""Kind -> where below ``spec`` a manifest says which live one it means."""

_LONGEST_NAME: Final = 200
REASON: Final = "it was live when this was imported; decide about it until then"
"""Why lint is to accept what is live."""

_HEAD: Final = "apiVersion: gcsync/v1"


def flow_text(draft: Draft, name: str, accepted: Iterable[Accepted] = ()) -> str:
    """The manifest *name* of one live flow. Raises `CannotEdit`."""
    defaults, own = lifted(draft.actions)
    actions: Tree = {}
    for action, settings in zip(draft.actions, own, strict=True):
        pinned: Tree = {"id": action.id} if action.id is not None else {}
        actions[action.key] = pinned | _tree(settings)
    spec: Tree = {"flow": _OneLine(id=draft.flow.id), "channel": draft.channel}
    if defaults:
        spec["defaults"] = _tree(defaults)
    document: Tree = {
        "kind": "Flow",
        "metadata": _metadata(name, accepted),
        "spec": spec | {"actions": actions},
    }
    return formatted(f"{_flow_comment(draft)}{_document(document)}", name)


def _flow_comment(draft: Draft) -> str:
    called = shown(draft.flow.name)[:_LONGEST_NAME]
    comment = f"# {called} ({shown(draft.flow.type)}), imported as it was live.\n"
    if not draft.knows_channel:
        comment += "# The channel is a guess: it decides the latency budget and what lint asks.\n"
    return comment


def uses_text(draft: Draft, name: str, accepted: Iterable[Accepted] = ()) -> str:
    """The manifest *name* of one live flow of the public API. Raises `CannotEdit`."""
    live = draft.flow
    actions: Tree = {}
    for action in draft.actions:
        pinned: Tree = {"id": action.id} if action.id is not None else {}
        actions[action.key] = _OneLine(pinned | _nested(action.reference))
    selector: Tree = {"name": live.name, "type": live.type} if draft.is_told else {"id": live.id}
    document: Tree = {
        "kind": "Flow",
        "metadata": _metadata(name, accepted),
        "spec": {
            "driver": "public",
            "flow": _OneLine(selector),
            "channel": draft.channel,
            "actions": actions,
        },
    }
    return formatted(f"{_flow_comment(draft)}{_document(document)}", name)


def whole_text(draft: Draft, name: str, accepted: Iterable[Accepted] = ()) -> str:
    """The manifest *name* of a data action, or integration, of the public API.

    Raises `CannotEdit`.
    """
    live, kind = draft.flow, SETTINGS_OF[draft.kind][0]
    integration: Tree = {"integration": live.type} if draft.kind == "dataaction" else {}
    selector = {**integration, "name": live.name} if draft.is_told else {"id": live.id}
    (action,) = draft.actions
    document: Tree = {
        "kind": kind,
        "metadata": _metadata(name, accepted),
        "spec": {SELECTORS[draft.kind]: _OneLine(selector), **_nested(action.settings)},
    }
    called = shown(live.name)[:_LONGEST_NAME]
    if integration:
        called += f" ({shown(live.type)[:_LONGEST_NAME]})"
    comment = f"# {called}, imported as it was live.\n"
    return formatted(f"{comment}{_document(document)}", name)


def bindings_text(bindings: Iterable[NewBinding]) -> str:
    """The file of the bindings, one document each. Raises `CannotEdit`."""
    comment = "# How data actions sign in. Names of secure variables and credentials only.\n"
    documents = (
        _document(
            {
                "kind": "AuthBinding",
                "metadata": _metadata(each.name, each.accepted),
                "spec": dict(each.settings),
            }
        )
        for each in bindings
    )
    return formatted(comment + "---\n".join(documents), "auth")


def _metadata(name: str, accepted: Iterable[Accepted]) -> Tree:
    allowances = tuple(
        {"rule": each.rule}
        | ({"action": each.action} if each.action is not None else {})
        | {"reason": REASON, "until": each.until.isoformat()}
        for each in accepted
    )
    return {"name": name} | ({"allow": allowances} if allowances else {})


def _tree(settings: Mapping[str, JSON]) -> Tree:
    """Flat settings of a flow's data action as they nest in a manifest."""
    tree = _nested(settings)
    for key in _ON_ONE_LINE:
        if key in tree:
            tree[key] = _OneLine(tree[key])
    if _SHORT_REQUEST.issuperset(tree.get("request", {"url"})):
        tree["request"] = _OneLine(tree["request"])
    return tree


def _nested(settings: Mapping[str, JSON]) -> Tree:
    tree: Tree = {}
    for path, value in settings.items():
        *above, last = map(unescape, path.split("/"))
        holder = tree
        for key in above:
            holder = holder.setdefault(key, {})
        holder[last] = value
    return tree


def _document(tree: Tree) -> str:
    return "".join(f"{line}\n" for line in (_HEAD, *_lines(tree, 0)))


def _lines(tree: Tree, indent: int) -> Iterator[str]:
    margin = " " * indent
    for key, value in tree.items():
        head = f"{margin}{next(texts(key))}:"
        if isinstance(value, dict):
            is_short = not value or isinstance(value, _OneLine)
            whole = f"{head} {_inline(value)}" if is_short else ""
            if whole and len(whole) <= WIDTH:
                yield whole
            else:
                yield head
                yield from _lines(value, indent + STEP)
        elif key == "allow":
            yield head
            for item in value:
                first, *rest = _lines(item, indent + 2 * STEP)
                yield f"{margin}{' ' * STEP}- {first.lstrip()}"
                yield from rest
        else:
            yield f"{head} {_scalar(value, indent + STEP)}"


def _scalar(value: JSON, indent: int) -> str:
    """A value behind its key: a text of several lines as a block, where a block can hold it."""
    if isinstance(value, str) and "\n" in value:
        written = literal(value)
        block = blocks(written, style="|", indent=" " * indent, newline="\n", comment="")
        return next(block, None) or spelled(value)
    return _inline(value)


def _inline(value: JSON, *, is_inside: bool = False) -> str:
    """A value on one line; of a list with a text in quotes all texts are."""
    if isinstance(value, dict):
        pairs = (f"{key}: {_inline(each, is_inside=True)}" for key, each in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, tuple):
        written = spelled(value)
        return spelled(value, style='"') if '"' in written else written
    return spelled(value, is_inside=is_inside)
