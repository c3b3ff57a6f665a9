"""Which settings a glob means: for what is ignored, tolerated, or may be healed.

A path glob has the form of a path, ``actions/ACTION/SETTING``. In each of the
two names ``*`` stands for any text, ``?`` for one character and ``[…]`` for
one of several (fnmatch), in SETTING slashes too. What lies below a match
matches as well: ``actions/*/retry`` means all of every retry policy. Names of
HTTP headers match whatever their case (RFC 9110, 5.1).
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING

from gcsync.core.diff import live_path
from gcsync.model.value import setting_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gcsync.model.project import FieldGlob


def is_covered(globs: Iterable[FieldGlob], address: str, path: str) -> bool:
    """Whether one of *globs* means the setting at *path* of the flow at *address*."""
    return any(fnmatchcase(address, glob.address) and is_meant(glob.path, path) for glob in globs)


def is_meant(glob: str, path: str) -> bool:
    """Whether a path glob means the setting at *path*, e.g. ``actions/Lookup/timeout_ms``."""
    wanted_action, wanted_setting = _parted(glob)
    if not path.startswith("actions/"):
        return not wanted_action and _below(wanted_setting, path)
    _, action, setting = path.split("/", 2)
    return fnmatchcase(action, wanted_action) and _below(wanted_setting, setting)


def is_meant_of(glob: str, action: str, setting: str) -> bool:
    """The same of a data action's name and the path of a setting below it."""
    return is_meant(glob, setting_path(action, setting))


def is_possible(glob: str, settings: Iterable[str]) -> bool:
    """Whether a path glob can mean any of *settings*, where ``*`` stands for a name of any kind."""
    _, wanted = _parted(glob)
    return any(
        _below(wanted, setting)
        or (setting.endswith("/*") and _below(setting, wanted.rpartition("/")[0] + "/x"))
        for setting in settings
    )


@lru_cache(maxsize=1024)
def _parted(glob: str) -> tuple[str, str]:
    kind, _, rest = glob.partition("/")
    if kind != "actions":
        return "", live_path(glob)
    action, _, setting = rest.partition("/")
    return action, live_path(setting) or "*"


@lru_cache(maxsize=65536)
def _below(wanted: str, setting: str) -> bool:
    steps = live_path(setting).split("/")
    return any(fnmatchcase("/".join(steps[:depth]), wanted) for depth in range(1, len(steps) + 1))
