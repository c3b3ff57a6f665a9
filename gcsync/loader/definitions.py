"""Which variables an environment has, and what it sets them to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcsync.core.secrecy import sealed
from gcsync.loader.node import Scalar, Sequence, location
from gcsync.loader.project import read_project
from gcsync.model.comparison import Held

if TYPE_CHECKING:
    from pathlib import Path

    from gcsync.loader.node import Node
    from gcsync.model.value import Value


def variables_in_force(root: Path, environment: str) -> dict[str, Held]:
    """The variables of *environment* by name, as texts: only the place of use gives them a type."""
    values = read_project(root).variables(environment).values
    return {
        name: Held(value=sealed(f"variables/{name}", _text(node)), source=location(node))
        for name, node in values.items()
    }


def _text(node: Node) -> Value:
    if isinstance(node, Sequence):
        return tuple(item.text for item in node.items if isinstance(item, Scalar))
    return node.text if isinstance(node, Scalar) else ""
