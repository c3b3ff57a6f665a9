"""Saved plans: written whole or not at all, and read only while they still hold.

A plan holds live values, which may be sensitive, so the file belongs to its
owner alone (0600). Its digest guards against damage; with a key it is an HMAC
and guards against forgery too.
"""

from __future__ import annotations

import contextlib
import errno
import hmac
import os
import re
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gcsync.core.document import AGAIN, check_format, digest, from_document, sealed
from gcsync.core.exact_json import Malformed, parse, readable, stamp
from gcsync.errors import ConfigurationError, GcsyncError, NotAPlan, PlanRefused
from gcsync.store.bounded import regular_content

if TYPE_CHECKING:
    from datetime import datetime

    from gcsync.model.change import Organisation, Plan

MAX_BYTES: Final = 64 * 1024 * 1024
_GIVE: Final = "give the file that 'gcsync plan --out' made"
_MANIFEST: Final = re.compile(rb"^apiVersion:", re.MULTILINE)
_BEGINNING: Final = re.compile(rb'\s*\{\s*"format_version"')
SKEW: Final = timedelta(minutes=5)
"""How far the clocks of the machines that plan and apply may differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPlan:
    """A plan as it was saved, and the digest that the journal names it by."""

    plan: Plan
    digest: str


def write(path: Path, plan: Plan, *, key: bytes | None) -> str:
    """Save *plan* and return its digest; a file that was there stays whole until the end.

    Raises `GcsyncError` when the file cannot be written.
    """
    _check_key(key)
    document = sealed(plan, key)
    try:
        _replace(Path(os.path.realpath(path)), readable(document, is_json=True).encode("ascii"))
    except OSError as error:
        raise GcsyncError(
            f"{path}: the plan cannot be saved: {_reason(error)}; {_way_out(error)}"
        ) from error
    return str(document["digest"])


def read(
    path: Path, *, now: datetime, key: bytes | None, ttl: timedelta | None = None
) -> SavedPlan:
    """The plan saved at *path*, if it is whole, signed as *key* asks, and still young enough.

    *ttl* can shorten the life that the plan gives itself, never lengthen it.
    Raises `PlanRefused` when the plan no longer holds, `NotAPlan` when the
    file never was one, `GcsyncError` when it cannot be read.
    """
    _check_key(key)
    try:
        document = _parsed(_content(path))
        sealed_with = check_digest(document, key)
        plan = from_document(document)
        _check_age(plan, now, ttl)
    except PlanRefused as error:
        raise type(error)(f"{path}: {error}") from error
    except RecursionError as error:
        raise PlanRefused(f"{path}: the plan is nested too deeply; {AGAIN}") from error
    return SavedPlan(plan=plan, digest=sealed_with)


def check_organisation(plan: Plan, organisation: Organisation) -> None:
    """Refuse a plan of another organisation: by id where both are known, else by API address.

    Raises `PlanRefused`.
    """
    planned = plan.organisation
    if planned.id is not None and organisation.id is not None:
        same = planned.id == organisation.id
    else:
        same = planned.api_url.rstrip("/") == organisation.api_url.rstrip("/")
    if not same:
        raise PlanRefused(
            f"the plan is for {_named(planned)}, but this is {_named(organisation)};"
            f" choose the other environment, or {AGAIN} for this one"
        )


def _named(organisation: Organisation) -> str:
    known = f"organisation {organisation.id}" if organisation.id else "the organisation"
    return f"{known} at {organisation.api_url}"


def _check_key(key: bytes | None) -> None:
    # A secret that is missing in CI arrives as an empty variable; taking it for "no key" would
    # switch the signature off in silence.
    if key is not None and not key:
        raise ConfigurationError("GCSYNC_PLAN_KEY is set but empty; give it a value or unset it")


def _content(path: Path) -> bytes:
    try:
        content = regular_content(path, MAX_BYTES)
    except OSError as error:
        raise GcsyncError(f"{path}: the plan cannot be read: {_reason(error)}; {_GIVE}") from error
    if content is None and path.is_dir():
        raise NotAPlan("not a regular file but a folder; manifests go with -f")
    if content is None:
        raise NotAPlan(f"not a regular file; {_GIVE}")
    if len(content) > MAX_BYTES:
        raise NotAPlan(f"larger than {MAX_BYTES // 1024**2} MB, so no saved plan; {_GIVE}")
    if _MANIFEST.search(content):
        raise NotAPlan("this is not a saved plan, it looks like a manifest; manifests go with -f")
    return content


def _parsed(content: bytes) -> dict[str, Any]:
    try:
        document = parse(content)
    except Malformed as error:
        if _BEGINNING.match(content):
            raise PlanRefused(f"the plan is damaged: {error}; {AGAIN}") from error
        what = "is empty, so no saved plan" if not content.strip() else "this is not a saved plan"
        raise NotAPlan(f"{what}; {_GIVE}") from error
    check_format(document)
    return dict(document)


def check_digest(document: dict[str, Any], key: bytes | None) -> str:
    """The digest that seals *document*, if it does. Raises `PlanRefused`."""
    found = document.get("digest")
    if not isinstance(found, str) or not found.isascii():
        raise PlanRefused(f"the plan carries no digest; {AGAIN}")
    is_signed = found.startswith("hmac-")
    if key is not None and not is_signed:
        raise PlanRefused(f"the plan is not signed, but GCSYNC_PLAN_KEY is set; {AGAIN}")
    if key is None and is_signed:
        raise PlanRefused(
            "the plan is signed, but GCSYNC_PLAN_KEY is not set; set the key it was saved with"
        )
    if not hmac.compare_digest(found, digest(document, key)):
        also = " or was signed with another key" if is_signed else ""
        raise PlanRefused(f"the plan was changed after it was saved{also}; {AGAIN}")
    return found


def _check_age(plan: Plan, now: datetime, ttl: timedelta | None) -> None:
    if plan.created_at > now + SKEW:
        raise PlanRefused(
            f"the plan was created in the future, at {stamp(plan.created_at)};"
            f" correct the clock, or {AGAIN}"
        )
    expires_at = plan.expires_at
    if ttl is not None:
        expires_at = min(expires_at, plan.created_at + ttl)
    if now >= expires_at:
        raise PlanRefused(f"the plan expired at {stamp(expires_at)}; {AGAIN}")


def _replace(path: Path, content: bytes) -> None:
    """Put *content* at *path* in one step that a crash or a full disk cannot halve."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "not a regular file")
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:  # no partial file stays behind, a signal included
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _way_out(error: OSError) -> str:
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return "free some space and plan again"
    return "give --out a file in a folder that you may write to"
