from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from postgresql import execute, new_schema, postgresql_server

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["postgresql_server"]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty place for a journal: a file, and a schema of a real server."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/.gcsync/history.db"
    return new_schema(request.getfixturevalue("postgresql_server"))


@pytest.fixture
def meddle(url: str) -> Callable[[str], None]:
    """Do something to the journal's tables behind its back."""
    return lambda sql: execute(url, sql)
