"""In which dialect executions are launched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gcsync.cli.choices import NearChoice
from gcsync.errors import ConfigurationError, WrongUsage

if TYPE_CHECKING:
    from gcsync.cli.session import Session
    from gcsync.drivers.flow_executions import Dialect, FlowExecutions

dialect_option = click.option(
    "--dialect",
    type=NearChoice(("document", "public")),
    envvar="GCSYNC_DIALECT",
    help="What the API speaks: data and executionContext, or inputData. Unless given, public at"
    " a Genesys region's own host, document anywhere else.",
)


def launcher_of(found: Session, asked: Dialect | None, *, has_context: bool) -> FlowExecutions:
    """What launches executions, in the dialect that is *asked* for or that the host speaks.

    Raises `WrongUsage` where it cannot carry a context that somebody gives.
    """
    from gcsync.api.regions import region_of
    from gcsync.drivers.flow_executions import FlowExecutions

    at_genesys = region_of(found.organisation.api_url) is not None
    dialect = asked or ("public" if at_genesys else "document")
    if dialect == "public" and has_context:
        raise WrongUsage(
            "the public API takes no execution context; pass it as data, or say --dialect document"
        )
    if found.client is None:
        raise ConfigurationError("nothing can be launched offline; connect to an organisation")
    return FlowExecutions(found.client, dialect=dialect)
