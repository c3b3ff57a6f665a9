"""A real PostgreSQL server for whoever keeps a journal there."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import create_engine, text

if TYPE_CHECKING:
    from collections.abc import Iterator


def postgresql_binaries() -> Path | None:
    """The folder of the newest PostgreSQL server on this machine."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: p.parts[-3])
    on_path = shutil.which("initdb")
    candidates = [
        *(path.parent for path in reversed(found)),
        *([Path(on_path).parent] * bool(on_path)),
    ]
    return next((folder for folder in candidates if (folder / "pg_ctl").exists()), None)


def unprivileged() -> dict[str, Any]:
    """Who runs the server: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = names.get("postgres") or names["nobody"]
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a real PostgreSQL server that listens on a Unix socket only."""
    binaries = postgresql_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL server is installed (initdb and pg_ctl not found)")
    # Not under pytest's own folder: the path of a Unix socket holds about a hundred bytes.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    owner = unprivileged()
    if owner:
        os.chown(folder, owner["user"], owner["group"])

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [binaries / program, "-D", folder / "data", *arguments],
            cwd=folder,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            **owner,
        )

    settings = f"-k {folder} -c listen_addresses='' -c fsync=off -c timezone=Asia/Kolkata"
    run("initdb", "-A", "trust", "-U", "gcsync", "-E", "UTF8", "--no-sync", "--no-locale")
    try:
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", settings, "start")
        yield f"postgresql://gcsync@/postgres?host={folder}"
    finally:
        run("pg_ctl", "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder)


def new_schema(server: str) -> str:
    """The URL of an empty place on the server."""
    schema = f"journal_{next(_NUMBERS)}"
    execute(server, f"CREATE SCHEMA {schema}")
    return f"{server}&options=-csearch_path%3D{schema}"


_NUMBERS = itertools.count()


def execute(url: str, sql: str) -> None:
    """Run one statement as its own transaction."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(text(sql))
    engine.dispose()
