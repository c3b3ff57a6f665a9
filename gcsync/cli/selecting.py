"""What to say of a selection that leaves nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcsync.core.counting import counted, joined
from gcsync.core.plan import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcsync.cli.options import Settings
    from gcsync.model.manifest import ResourceSpec


def nothing_left(chosen: Settings, specs: Sequence[ResourceSpec]) -> str:
    """Why the selection leaves none of *specs*, and what there is to choose."""
    wanted = {f"{key}={value}" for key, value in chosen.select}
    labels = {spec.address: {f"{key}={value}" for key, value in spec.labels} for spec in specs}
    known = set().union(*labels.values())
    for label in sorted(wanted - known):
        there = nearest(label, known) or "; none has any"
        return f"--select: no manifest has the label {label} in metadata.labels{there}"
    left = [address for address, its in labels.items() if wanted <= its]
    if not left:
        together = joined(sorted(wanted))
        return f"--select: no manifest has the labels {together} together in metadata.labels"
    given = {"--select": wanted, "--target": chosen.targets, "--exclude": chosen.excludes}
    options = [option for option, values in given.items() if values]
    leave = "leaves" if len(options) == 1 else "leave"
    return (
        f"{joined(options)} {leave} none of {counted(spec.KIND for spec in specs)}"
        f"{nearest(''.join(chosen.targets[:1]), left)}"
    )
