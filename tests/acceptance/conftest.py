from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from acceptance_world import Stage, World, organisation
from certificates import self_signed
from postgresql import postgresql_server
from warm import Warm

from gcsync.sandbox.app import SandboxServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["postgresql_server"]


@pytest.fixture(scope="session")
def server() -> Iterator[tuple[Stage, SandboxServer]]:
    stage = Stage()
    # A stage is all of an organisation that a server asks for.
    with SandboxServer(stage) as server:  # type: ignore[arg-type] # see above
        yield stage, server


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    with Warm() as warm:
        yield warm


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of one certificate: reading those of the whole world costs more than a command."""
    return self_signed(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def world(tmp_path: Path, server: tuple[Stage, SandboxServer], authority: Path) -> World:
    """A folder of its own and a fresh organisation with one flow, nothing in the manifests yet."""
    stage, serving = server
    stage.playing, stage.hurry_s = organisation(), 0.0
    return World(
        folder=tmp_path,
        stage=stage,
        url=serving.url,
        environ={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "GCSYNC_API_URL": serving.url,
            "GCSYNC_CA_BUNDLE": str(authority),
            "GENESYSCLOUD_OAUTHCLIENT_ID": serving.client_id,
            "GENESYSCLOUD_OAUTHCLIENT_SECRET": serving.client_secret,
        },
    )
