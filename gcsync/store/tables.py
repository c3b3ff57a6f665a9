"""The journal's tables, and how an older journal is brought up to date.

Each entry of `STEPS` leads from one schema version to the next and is never
changed once released. Values, names and results are kept as canonical JSON,
so that numbers stay exact and any name fits into any database.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    bindparam,
    insert,
    inspect,
    select,
    text,
    update,
)

from gcsync.core.exact_json import Malformed, Node, parse
from gcsync.errors import JournalError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Dialect

# Any number will do, as long as every gcsync takes the same one.
_UPGRADE_LOCK: Final = 0x6763_7379


class Moment(TypeDecorator[datetime]):
    """A time in UTC, also in databases that know no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _: Dialect) -> datetime | None:
        """On the way in: as UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any, _: Dialect) -> datetime | None:
        """On the way out: as UTC, whatever the database's own zone."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


metadata = MetaData()

schemas = Table("gcsync_schema", metadata, Column("version", Integer, nullable=False))

runs = Table(
    "gcsync_run",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("run_id", String, nullable=False, unique=True),
    Column("org_id", String, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("outcome", String),
    Column("actor", Text, nullable=False),
    Column("command", Text, nullable=False),
    Column("git_commit", String),
    Column("plan_digest", String),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("process_started", String),
    # The run that a rollback is one of.
    Column("undoes", String),
    Index("gcsync_run_by_organisation", "org_id", "started_at"),
)

intents = Table(
    "gcsync_intent",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run_id", ForeignKey(runs.c.run_id), nullable=False, index=True),
    Column("recorded_at", Moment, nullable=False),
    Column("intent", Text, nullable=False),
    Column("body_sha256", String, nullable=False),
    Column("result", String, index=True),
    Column("revision", Text),
    Column("settled_at", Moment),
    # Of the intent itself, so that the writes of one flow are found without reading all of them;
    # NULL where an older journal holds a damaged one.
    Column("flow_id", String, index=True),
)

results = Table(
    "gcsync_result",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run_id", ForeignKey(runs.c.run_id), nullable=False, index=True),
    Column("result", Text, nullable=False),
)

provings = Table(
    "gcsync_proving",
    metadata,
    # A run that proves by smoke cases what it writes.
    Column("run_id", ForeignKey(runs.c.run_id), primary_key=True),
)

observations = Table(
    "gcsync_observation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("org_id", String, nullable=False),
    Column("environment", String),
    Column("observed_at", Moment, nullable=False),
    Column("flows", Integer, nullable=False),
    Column("drifted_flows", Integer, nullable=False),
    Column("drifted_fields", Integer, nullable=False),
    Column("pending_fields", Integer, nullable=False),
    Column("tolerated_fields", Integer, nullable=False),
    Index("gcsync_observation_by_organisation", "org_id", "environment", "observed_at"),
)

locks = Table(
    "gcsync_lock",
    metadata,
    # One an organisation: whoever puts a row here holds the lock.
    Column("org_id", String, primary_key=True),
    Column("lock_id", String, nullable=False),
    Column("taken_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("actor", Text, nullable=False),
    Column("command", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("process_started", String),
    # The server's process that serves the holder, where a server keeps the journal.
    Column("backend", Integer),
)

launches = Table(
    "gcsync_launch",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("org_id", String, nullable=False),
    Column("batch", Text, nullable=False),
    # Which time the batch is launched, from 1: a key is launched once a round.
    Column("round", Integer, nullable=False),
    Column("key", Text, nullable=False),
    Column("flow_id", String, nullable=False),
    Column("order_sha256", String, nullable=False),
    Column("intended_at", Moment, nullable=False),
    # NULL while nobody knows whether it was launched.
    Column("result", String),
    Column("execution_id", Text),
    Column("settled_at", Moment),
    Index("gcsync_launch_by_key", "org_id", "batch", "round", "key", unique=True),
)


def _first(connection: Connection) -> None:
    metadata.create_all(connection, tables=[schemas, runs, intents, results])
    connection.execute(insert(schemas).values(version=0))


def _second(connection: Connection) -> None:
    metadata.create_all(connection, tables=[observations])
    if any(column["name"] == "flow_id" for column in inspect(connection).get_columns(intents.name)):
        return  # made a moment ago, by the first step
    connection.execute(text("ALTER TABLE gcsync_intent ADD COLUMN flow_id VARCHAR"))
    connection.execute(text("CREATE INDEX ix_gcsync_intent_flow_id ON gcsync_intent (flow_id)"))
    rows = connection.execute(select(intents.c.id, intents.c.intent)).all()
    found = [
        {"number": row.id, "its_flow": flow_id} for row in rows if (flow_id := _flow_id(row.intent))
    ]
    if found:
        named = update(intents).where(intents.c.id == bindparam("number"))
        connection.execute(named.values(flow_id=bindparam("its_flow")), found)


def _flow_id(intent: str) -> str | None:
    try:
        return Node(parse(intent)).member("flow").member("id").name()
    except Malformed:
        return None  # whoever reads this row will say so; it is no reason to lose the journal


def _third(connection: Connection) -> None:
    metadata.create_all(connection, tables=[locks])
    if all(column["name"] != "undoes" for column in inspect(connection).get_columns(runs.name)):
        connection.execute(text("ALTER TABLE gcsync_run ADD COLUMN undoes VARCHAR"))


def _fourth(connection: Connection) -> None:
    metadata.create_all(connection, tables=[launches])


def _fifth(connection: Connection) -> None:
    metadata.create_all(connection, tables=[provings])


STEPS: Final[tuple[Callable[[Connection], None], ...]] = (
    _first,
    _second,
    _third,
    _fourth,
    _fifth,
)


def upgrade(connection: Connection) -> None:
    """Bring the tables to this version's form, inside the caller's transaction.

    Raises `JournalError` when a newer gcsync has been here.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})
    found = 0
    if inspect(connection).has_table(schemas.name):
        found = connection.execute(select(schemas.c.version)).scalar_one()
    if found > len(STEPS):
        raise JournalError(
            f"the journal has schema version {found}, this gcsync knows {len(STEPS)};"
            " upgrade gcsync"
        )
    if found < len(STEPS):
        for step in STEPS[found:]:
            step(connection)
        connection.execute(update(schemas).values(version=len(STEPS)))
