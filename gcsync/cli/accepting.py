"""drift --accept: write live values into the manifests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcsync.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gcsync.cli.options import Settings
    from gcsync.model.manifest import Manifests


def accept(chosen: Settings, manifests: Manifests, accepted: Sequence[str]) -> int:
    """Refuse for now. Raises `ConfigurationError`."""
    del chosen, manifests
    raise ConfigurationError(f"{accepted[0]}: write the live value into the manifest by hand")
