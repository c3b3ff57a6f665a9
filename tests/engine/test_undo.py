"""Apply, then undo, through the journal and the one conditional path."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from decimal import Decimal
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest
from engine_builders import RUN, PretendDriver, begun, planned, ref, running
from hypothesis import given, settings
from hypothesis import strategies as st

from gcsync.core.rollback import undo
from gcsync.engine.apply import Application
from gcsync.engine.undo import still_to_undo
from gcsync.errors import NoAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gcsync.engine.write import Surroundings
    from gcsync.model.change import FlowChange, Snapshot

LOOKUP = {"timeout_ms": 5000}


def applied(run: Surroundings, run_id: str, changes: Sequence[FlowChange]) -> list[str]:
    """One run from its beginning to its end, and how it ended for each flow."""
    if run_id != RUN:
        begun(run.journal, run_id)
    surroundings = replace(run, run_id=run_id, rng=random.Random(7), stop=Event())
    results = Application(surroundings, parallelism=1).apply(changes)
    run.journal.finish(run_id, "applied", run.clock.now())
    return [result.status for result in results]


def undone(run: Surroundings, run_id: str, by: str) -> list[str]:
    changes = undo(run.journal.run(run_id).results)
    to_undo, warnings = still_to_undo(changes, run.driver, parallelism=1)
    assert warnings == ()
    return applied(run, by, to_undo)


def numerals(driver: PretendDriver) -> Any:
    """The live documents, as JSON values in which 1.10 and 1.1 are two numbers."""

    def numeral(literal: str) -> tuple[str, object]:
        return "number", Decimal(literal).as_tuple()

    return {
        flow_id: json.loads(former[-1], parse_float=numeral, parse_int=numeral)
        for flow_id, former in driver.documents.items()
    }


NUMBERS = st.sampled_from(["0", "3000", "5000", "5000.0", "5e3", "1.10", "-1", "9" * 30])
LITERALS = NUMBERS | st.sampled_from(["null", "true", '"5000"', "[]", "[4.0,[null]]", '{"a":1.0}'])


def objects(*names: str) -> st.SearchStrategy[str]:
    members = st.dictionaries(st.sampled_from([*names, "other"]), LITERALS, max_size=3)
    return st.just("null") | members.map(
        lambda held: "{" + ",".join(f'"{name}":{text}' for name, text in held.items()) + "}"
    )


HEADERS = st.lists(
    st.sampled_from(
        ['{"name":"X-TRACE"}', '{"name":"B","value":1.0}', '{"value":"nameless"}', '"odd"', "null"]
    ),
    unique=True,
    max_size=3,
).map(lambda held: f"[{','.join(held)}]")
DATA = st.fixed_dictionaries(
    {},
    optional={
        "timeout": LITERALS,
        "retry": objects("maxRetries", "delayMs"),
        "auth": objects("type", "scopes"),
        "headers": st.just("null") | HEADERS,
        "maxBodyBytes": LITERALS,
    },
).map(lambda data: "{" + ",".join(f'"{name}":{text}' for name, text in data.items()) + "}")
WANTED = st.dictionaries(
    st.sampled_from(
        [
            "timeout_ms",
            "retry/max_retries",
            "retry/delay_ms",
            "auth/scopes",
            "circuit_breaker/window_s",
            "request/headers/X-Trace",
            "request/max_body_bytes",
        ]
    ),
    st.sampled_from([5000, 2, "x", (200, "5xx"), Decimal("0.1")]),
    min_size=1,
)


def document(name: str, data: str | None) -> bytes:
    held = "" if data is None else f',"data":{data}'
    action = f'{{"id":"a-1","type":"data","name":"Lookup"{held}}}'
    return f'{{"id":"id-{name}","name":"x","n":1.10,"tasks":[{{"actions":[{action}]}}]}}'.encode()


@settings(max_examples=40)
@given(flows=st.lists(st.tuples(st.none() | DATA, WANTED), min_size=1, max_size=3))
def test_a_rollback_gives_the_very_documents_and_its_own_rollback_the_applied_ones(flows) -> None:
    names = {f"flow{number}": flow for number, flow in enumerate(flows)}
    driver = PretendDriver(**{name: document(name, data) for name, (data, _) in names.items()})
    original = numerals(driver)
    with running(driver) as run:
        applied(run, RUN, [planned(driver, name, **wanted) for name, (_, wanted) in names.items()])
        after = numerals(driver)
        undone(run, RUN, "run-2")
        back = numerals(driver)
        undone(run, "run-2", "run-3")
        forth = numerals(driver)

    assert back == original
    assert forth == after


@pytest.fixture
def driver() -> PretendDriver:
    return PretendDriver("billing", "orders")


def undoing(driver: PretendDriver, *, of: dict[str, int] | None = None) -> tuple[FlowChange, ...]:
    """What undoes a timeout of 5000 for the flows, without a run."""
    with running(driver) as run:
        applied(run, RUN, [planned(driver, name, **(of or LOOKUP)) for name in ("billing",)])
        return undo(run.journal.run(RUN).results)


def test_a_flow_that_is_back_already_is_left_out(driver: PretendDriver) -> None:
    changes = undoing(driver)
    driver.edit("billing", "5000", "3000")

    assert still_to_undo(changes, driver, parallelism=2) == ((), ())


def test_a_flow_that_moved_elsewhere_is_undone_from_where_it_is(driver: PretendDriver) -> None:
    changes = undoing(driver)
    driver.edit("billing", "1.10", "1.20")

    [change], warnings = still_to_undo(changes, driver, parallelism=2)

    assert (change.revision, change.fields, warnings) == ('"3"', changes[0].fields, ())


def test_a_conflict_stays_in_with_a_warning(driver: PretendDriver) -> None:
    changes = undoing(driver)
    driver.edit("billing", "5000", "7000")

    found, [warning] = still_to_undo(changes, driver, parallelism=2)

    assert found == (replace(changes[0], stays=True),)
    assert "actions/Lookup/timeout_ms changed since then; all of it will be left" in warning


def test_a_flow_that_cannot_be_read_stays_in_with_a_warning(driver: PretendDriver) -> None:
    changes = undoing(driver)

    def unread(_: Callable[[], Snapshot]) -> Snapshot:
        raise NoAnswer("no answer")

    driver.on_fetch = [unread]

    found, [warning] = still_to_undo(changes, driver, parallelism=2)

    assert found == changes
    assert warning == f"{ref()}: no answer"
