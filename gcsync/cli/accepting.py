"""drift --accept: write live values into the manifests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from gcsync.cli import console, session
from gcsync.cli.looking import look, told
from gcsync.cli.memory import remembered
from gcsync.core.counting import count
from gcsync.core.plan import nearest
from gcsync.errors import CannotEdit, WrongUsage
from gcsync.loader.accept import Acceptance, Place, objections, write
from gcsync.loader.explain import undeclared
from gcsync.render.remedies import present_accepted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from gcsync.cli.options import Settings
    from gcsync.model.change import FieldChange
    from gcsync.model.drift import Drift, FlowDrift
    from gcsync.model.manifest import Manifests
    from gcsync.model.project import Environment


def accept(chosen: Settings, manifests: Manifests, accepted: Sequence[str]) -> int:
    """Write the live values at these addresses into the manifests, all or none of them.

    A flow's address means what drifted in it; what is pending or tolerated
    is accepted by its path only. Raises `CannotEdit`, `WrongUsage`.
    """
    known = {spec.address for spec in manifests.resources}
    named = [_parted(each, known) for each in accepted]
    addresses = {address for address, _ in named}
    specs = [spec for spec in manifests.resources if spec.address in addresses]
    with (
        session.connected(chosen, manifests.environment) as found,
        remembered(found, must_write=False) as memory,
    ):
        looked = look(found, specs, memory)
        seen = told(found, manifests, specs, looked, memory, records=False)
    flows = {flow.ref.address: flow for flow in seen.flows}
    fields = {
        (address, field.path): field
        for address, path in named
        for field in _fields(address, path, flows.get(address))
    }
    wanted = [
        Acceptance(address=address, path=path, live=field.before)
        for (address, path), field in fields.items()
    ]
    place = Place(paths=chosen.manifests or None, root=Path.cwd(), environment=chosen.environment)
    refused = objections(wanted, manifests, place)
    if refused:
        raise CannotEdit("\n".join(refused))
    write(wanted, manifests, lambda: session.load(chosen))
    files = {field.source.file for field in fields.values() if field.source}
    warnings = (*seen.warnings, *_read_elsewhere(manifests, sorted(files)))
    left = replace(seen, flows=_left(seen, fields), warnings=warnings)
    changes = [(address, field) for (address, _), field in fields.items()]
    return console.write(present_accepted(left, changes), chosen)


def _parted(given: str, known: Collection[str]) -> tuple[str, str]:
    """Address and path, the path empty where there is none. Raises `WrongUsage`."""
    kind, _, rest = given.partition("/")
    name, _, path = rest.partition("/")
    address = f"{kind}/{name}"
    if address not in known:
        raise WrongUsage(f"{given}: {undeclared(address, sorted(known))}")
    return address, path.strip("/")


def _fields(address: str, path: str, flow: FlowDrift | None) -> list[FieldChange]:
    """What is accepted of a flow. Raises `CannotEdit` where that is nothing."""
    if flow is None:
        raise CannotEdit(f"{address}: everything is as desired, so there is nothing to accept")
    if not path:
        drifted = [field.change for field in flow.of_kind("drift")]
        if not drifted:
            rest = count(len(flow.fields) + len(flow.tolerated), "setting")
            raise CannotEdit(
                f"{address}: nothing drifted; {rest} pending or tolerated: name the path of what"
                " is to be accepted all the same"
            )
        return drifted
    differing = [field.change for field in flow.fields]
    differing += [field.change for field in flow.tolerated]
    found = [each for each in differing if each.path == path or each.path.startswith(f"{path}/")]
    if not found:
        raise CannotEdit(
            f"{address}/{path}: does not differ, so there is nothing to accept"
            f"{nearest(path, (each.path for each in differing))}"
        )
    return found


def _left(seen: Drift, accepted: dict[tuple[str, str], FieldChange]) -> tuple[FlowDrift, ...]:
    left = (
        replace(
            flow,
            fields=tuple(
                each for each in flow.fields if (flow.ref.address, each.change.path) not in accepted
            ),
            tolerated=tuple(
                each
                for each in flow.tolerated
                if (flow.ref.address, each.change.path) not in accepted
            ),
        )
        for flow in seen.flows
    )
    return tuple(flow for flow in left if flow.fields or flow.tolerated)


def _read_elsewhere(manifests: Manifests, files: Sequence[str]) -> Iterator[str]:
    """Which of *files*, that were changed, say something in other environments too."""
    chosen = manifests.environment
    environments = manifests.project.environments.values()
    for file in files:
        readers = [each for each in environments if _is_laid_over(file, each)] or environments
        names = sorted({each.name for each in readers} - {chosen.name if chosen else ""})
        if names:
            yield (
                f"{file} is read for {', '.join(names)} too: unless an overlay says otherwise, the"
                " value is desired there as well"
            )


def _is_laid_over(file: str, environment: Environment) -> bool:
    return any(PurePath(file).is_relative_to(folder) for folder in environment.overlays)
