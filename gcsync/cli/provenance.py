"""Which run this is, whose, and from which commit: for plans and the journal."""

from __future__ import annotations

import getpass
import os
import secrets
import subprocess
from typing import TYPE_CHECKING

from gcsync.model.change import Source

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

_TIMEOUT_S = 10


def new_run_id(began_at: datetime) -> str:
    """A name for a run that sorts by when it began."""
    return f"{began_at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def source(root: Path) -> Source:
    """The commit that *root* is checked out at; no commit outside a repository."""
    commit = _git(root, "rev-parse", "--verify", "HEAD")
    if commit is None:
        return Source()
    return Source(commit=commit, dirty=bool(_git(root, "status", "--porcelain", "--", ".")))


def actor() -> str:
    """Who is said to have done it: the pipeline's user where there is one, else the login name."""
    for name in ("GITHUB_ACTOR", "GITLAB_USER_LOGIN", "BUILD_REQUESTEDFOR"):
        if os.environ.get(name):
            return os.environ[name]
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run under a number that has no name.
        return f"uid {os.getuid()}"


def _git(root: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 - fixed words, no shell
            ["git", "-C", str(root), *words],  # noqa: S607 - git is found where the user has it
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
