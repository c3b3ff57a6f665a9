"""Where the files lie that are shipped beside the code.

In a wheel they lie inside the package; in an editable checkout, at the top
level of the repository.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent


def folder(name: str) -> Path:
    """The folder that a wheel holds as ``gcsync/<name>``, e.g. ``schemas``."""
    packaged = _PACKAGE / name
    return packaged if packaged.is_dir() else _PACKAGE.parent / Path(name).name


def schema(kind: str) -> Path:
    """The JSON Schema of one kind of document, e.g. ``Flow``."""
    return folder("schemas") / f"{kind.lower()}.v1.json"
