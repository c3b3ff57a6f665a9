"""Values, where they stand, and what they are called. Standard library only.

A *path* is a JSON pointer without its leading slash (RFC 6901: ``~1`` stands
for a slash, ``~0`` for a tilde).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Final, Literal


class Absent(Enum):
    """The one value that stands for "there is no such setting"; distinct from ``null``."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent.ABSENT


JSON = None | bool | int | float | Decimal | str | tuple["JSON", ...] | dict[str, "JSON"]
"""A frozen JSON value: lists are tuples, so that equal settings compare equal."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A live value that holds a secret; only its salted digest (hexadecimal) is kept."""

    salt: str
    digest: str


Value = JSON | Literal[Absent.ABSENT] | Sealed


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a manifest: file as the user named it, line and column counted from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


def setting_path(action: str, setting: str) -> str:
    """Where a setting lies: below its data action, or by itself where that is all there is."""
    return f"actions/{escape(action)}/{setting}" if action else setting


def parted(path: str) -> tuple[str, str]:
    """The inverse: data action and setting of a path, no action where it stands by itself."""
    kind, _, rest = path.partition("/")
    if kind != "actions":
        return "", path
    action, _, setting = rest.partition("/")
    return unescape(action), setting


def escape(token: str) -> str:
    """One path token with its slashes and tildes escaped (RFC 6901, section 3)."""
    return token.replace("~", "~0").replace("/", "~1")


def unescape(token: str) -> str:
    """The inverse of `escape`."""
    return token.replace("~1", "/").replace("~0", "~")
