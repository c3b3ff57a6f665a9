"""Names that an import gives: to manifests and their files, to bindings, to data actions.

A live name is anybody's to choose. What is made of it here is at most a short
word of ``a-z``, ``0-9`` and dashes, so that it leads into no other folder and
is one name on file systems that ignore case.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from gcsync.core.secrecy import unmistakable_secrets_in
from gcsync.core.using import telling_type
from gcsync.loader.names import trouble
from gcsync.loader.variables import literal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from gcsync.model.change import LiveAction, LiveFlow
    from gcsync.model.value import JSON

AUTH: Final = "auth"
"""The file of the bindings, which no flow may have."""

NAMELESS: Final = {"flow": "flow", "dataaction": "action", "integration": "integration"}
"""Kind -> what one is called of whose name nothing is left."""

_LONGEST: Final = 60
_LONGEST_KEY: Final = 200
_LONGEST_LIVE: Final = 256
_GAP = re.compile(r"[^a-z0-9]+")
_TYPE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,127}")
# Windows takes these for devices, whatever comes behind a dot.
_DEVICES = re.compile(r"con|prn|aux|nul|(?:com|lpt)[0-9]")
_OWN_FILES = re.compile(rf"{AUTH}(?:-[0-9]+)?|gcsync")


def slug(text: str) -> str:
    """*text* as a short word of ``a-z``, ``0-9`` and dashes; empty where nothing of it is left.

    Of a secret nothing is: it would go on living in the names of files.
    """
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    word = _GAP.sub("-", plain.lower()).strip("-")[:_LONGEST].strip("-")
    return "" if _is_secret(text) or _is_secret(word) else word


def live_names(
    live: Sequence[LiveFlow],
    *,
    known: Mapping[str, str],
    taken: Collection[str],
    nameless: str = NAMELESS["flow"],
) -> dict[str, str]:
    """A name for the manifest of each of one kind, by id; no two are the same.

    *known* are the names that some have already, *taken* those of other
    manifests. It is a matter of all that is live, so that choosing some of it
    changes no name.
    """
    names = dict(known)
    alike: dict[str, list[LiveFlow]] = defaultdict(list)
    for flow in sorted(live, key=lambda flow: flow.id):
        if flow.id not in names:
            alike[slug(flow.name) or nameless].append(flow)
    used = {*taken, *known.values()}
    alone = {
        stem: group[0]
        for stem, group in alike.items()
        if len(group) == 1 and stem not in used and stem != nameless and _is_free(stem)
    }
    names |= {flow.id: stem for stem, flow in alone.items()}
    used |= alone.keys()
    for stem, group in sorted(alike.items()):
        types = Counter(flow.type for flow in group)
        for flow in group if stem not in alone else ():
            names[flow.id] = next(
                each for each in _told_apart(stem, flow, types, nameless) if each not in used
            )
            used.add(names[flow.id])
    return names


def _is_free(stem: str) -> bool:
    return not _DEVICES.fullmatch(stem) and not _OWN_FILES.fullmatch(stem)


def _told_apart(stem: str, flow: LiveFlow, types: Counter[str], nameless: str) -> Iterator[str]:
    if types[flow.type] == 1 and stem != nameless:
        yield f"{stem}-{slug(flow.type)[: _LONGEST // 2].strip('-') or nameless}"
    # What stands before it in ids of data actions, they have alike.
    short = slug(flow.id.rpartition("_-_")[2])[:8].strip("-")
    if short:
        yield f"{stem}-{short}"
    # Ids that begin alike, or hold nothing that a name may.
    yield f"{stem}-{hashlib.sha256(flow.id.encode()).hexdigest()[:32]}"


def integration_folder(integration: str) -> str:
    """The folder of an integration's data actions; integrations named alike share one."""
    word = slug(integration)
    return word if word and _is_free(word) else NAMELESS["integration"]


def tellable(live: Sequence[LiveFlow], kind: str = "dataaction") -> frozenset[str]:
    """The ids of what a manifest can tell by name, a data action by its integration too.

    A flow is told by its type beside its name.
    """
    often = Counter((each.name, telling_type(kind, each.type)) for each in live)
    return frozenset(
        each.id
        for each in live
        if often[each.name, telling_type(kind, each.type)] == 1
        and _is_word(each.name)
        and (kind == "integration" or _is_word(each.type))
        and (kind != "flow" or (len(each.name) <= _LONGEST_KEY and _TYPE.fullmatch(each.type)))
    )


def _is_word(text: str) -> bool:
    """Whether a manifest can name something live by this text."""
    is_plain = text.isprintable() and trouble(text) is None
    return 0 < len(text) <= _LONGEST_LIVE and is_plain and not _is_secret(text)


def binding_name(settings: Mapping[str, JSON], used: Collection[str]) -> str:
    """A name for an AuthBinding, by what it signs in at, that none in *used* has."""
    stem = next(filter(None, map(slug, _called(settings))), AUTH)
    numbers = (f"{stem}-{number}" for number in range(2, len(used) + 3))
    return next(each for each in (stem, *numbers) if each not in used)


def _called(settings: Mapping[str, JSON]) -> Iterator[str]:
    match settings["type"]:
        case "none":
            yield "no-auth"
        case "platform_credential":
            yield f"credential-{str(settings['credential_id'])[:8]}"
        case _:
            yield _host(str(settings.get("token_url", "")))
            yield str(settings["client_id_variable"]).removeprefix("Secure.")


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def action_keys(actions: Sequence[LiveAction]) -> list[tuple[str, str | None] | None]:
    """How a manifest speaks of each data action: its key, and its id where the name is not enough.

    That is where names repeat, and where a name can be no key. ``None`` for
    one that cannot be told from others.
    """
    composed = [unicodedata.normalize("NFC", action.name) for action in actions]
    often, ids = Counter(composed), Counter(action.id for action in actions)
    used = {name for name, times in often.items() if times == 1 and _is_key(name)}
    keys: list[tuple[str, str | None] | None] = []
    for name, action in zip(composed, actions, strict=True):
        if often[name] == 1 and _is_key(name):
            keys.append((name, None))
            continue
        if action.id is None or ids[action.id] > 1 or not is_pinnable(action.id):
            keys.append(None)
            continue
        stem = name if _is_key(name) and len(name) < _LONGEST_KEY - 10 else action.id
        numbers = (f"{stem} ({number})" for number in range(2, len(actions) + 3))
        key = next(each for each in (stem, *numbers) if each not in used)
        used.add(key)
        keys.append((key, action.id))
    return keys


def _is_key(name: str) -> bool:
    return (
        0 < len(name) <= _LONGEST_KEY
        and trouble(name) is None
        and literal(name) == name
        and not _is_secret(name)
    )


def is_pinnable(text: str) -> bool:
    """Whether a manifest can name something by this id."""
    return bool(_ID.fullmatch(text)) and not _is_secret(text)


def _is_secret(text: str) -> bool:
    return any(unmistakable_secrets_in(text))
