"""Data actions written by way of drafts, against the sandbox organisation, over loopback."""

from __future__ import annotations

from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest
from acceptance_world import NO_LIMITS
from api_builders import client, token_for
from builders import field
from engine_builders import outcomes, running
from faultproxy import FaultProxy, answering, lose_answer, passing, reset_unseen
from public_builders import REQUEST, integrated, stored_action

from gcsync.api.oauth import GivenToken
from gcsync.drivers.draft_tests import DraftTests
from gcsync.drivers.integration_action import IntegrationActionDriver
from gcsync.engine.write import FlowWrite
from gcsync.loader.patterns import is_match
from gcsync.model.change import FlowChange, FlowRef, Revision
from gcsync.model.smoke import SmokeCase
from gcsync.model.value import Location
from gcsync.sandbox.app import SandboxServer
from gcsync.sandbox.faults import PRESETS, Fault, Stale, error_answer
from gcsync.sandbox.oauth import ALL_PERMISSIONS, Client
from gcsync.sandbox.org import CLIENT_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from faultproxy import Exchange

    from gcsync.model.change import FieldChange, FlowResult
    from gcsync.sandbox.stored_action import StoredAction

ID = "custom_-_1"
REF = FlowRef(address="dataaction/get-customer", id=ID)
DRAFT = f"/api/v2/integrations/actions/{ID}/draft"
TIMEOUT = field("", "timeout_ms", before=20_000, after=5_000)
URL = field("", "request/url", before="https://crm.example/customers/${input.id}", after="")
PUBLISH = ("POST", f"{DRAFT}/publish")
STEPS = [("POST", DRAFT), ("PATCH", DRAFT), PUBLISH]
NO_DELETE = "who-removes-nothing"


@pytest.fixture(scope="module")
def shared() -> Iterator[SandboxServer]:
    clients = [
        Client(id=CLIENT_ID, secret="s"),
        Client(
            id=NO_DELETE,
            secret="s",
            permissions=ALL_PERMISSIONS - {"integrations:action:delete"},
        ),
    ]
    with SandboxServer(integrated(**NO_LIMITS, clients=clients).org) as server:
        yield server


@pytest.fixture
def server(shared: SandboxServer) -> Iterator[SandboxServer]:
    """The one server, its data action as it was in the beginning and without a draft."""
    actions = shared.org.actions
    actions.recall([stored_action()], ())
    for draft in actions.drafts:
        actions.delete_draft(draft.id)
    actions.log.clear()
    actions.compares_published = False
    yield shared
    assert shared.org.faults.waiting == ()


@pytest.fixture
def proxy(server: SandboxServer) -> Iterator[FaultProxy]:
    with FaultProxy(server.url) as proxy:
        yield proxy


@pytest.fixture
def driver(server: SandboxServer, proxy: FaultProxy) -> IntegrationActionDriver:
    return connected(server, proxy)


def connected(
    server: SandboxServer, proxy: FaultProxy, client_id: str = CLIENT_ID, **how: Any
) -> IntegrationActionDriver:
    tokens = GivenToken(token_for(server, client_id))
    return IntegrationActionDriver(client(proxy.url, tokens=tokens), publish="draft", **how)


def written(
    driver: IntegrationActionDriver, *fields: FieldChange
) -> tuple[FlowResult, list[str | None]]:
    """What becomes of a change, and what the journal says of each try."""
    change = FlowChange(
        ref=REF,
        revision=Revision("1"),
        fields=fields or (TIMEOUT,),
        driver="integration-action",
    )
    with running(driver) as run:
        return FlowWrite(run, change).settle(), outcomes(run)


def live(server: SandboxServer) -> StoredAction:
    return server.org.actions.published(ID)


def with_request(action: StoredAction, **texts: str) -> StoredAction:
    request = {**action.config["request"], **texts}
    return replace(action, config={**action.config, "request": request})


def drafted(server: SandboxServer, draft: StoredAction | None = None, **texts: str) -> StoredAction:
    """Somebody works on the draft, and begins it where there is none."""
    drafts = {each.id: each for each in server.org.actions.drafts}
    current = draft or drafts.get(ID, live(server))
    kept = replace(with_request(current, **texts), version=current.version + 1)
    server.org.actions.recall((), [kept])
    return kept


def edited(server: SandboxServer) -> None:
    """A colleague changes the published data action."""
    server.org.actions.publish(with_request(live(server), requestType="PUT"), author="colleague")


def meanwhile(act: Callable[[], object]) -> Any:
    """Something happens while a request is on its way."""

    def fault(exchange: Exchange) -> None:
        act()
        passing(exchange)

    return fault


def held(late: list[Exchange]) -> Any:
    """A request that the client gives up, and that somebody still holds."""

    def fault(exchange: Exchange) -> None:
        late.append(exchange)
        exchange.reset()

    return fault


def test_a_write_begins_changes_validates_and_publishes_a_draft(
    server: SandboxServer, driver: IntegrationActionDriver, proxy: FaultProxy
) -> None:
    result, told = written(driver)

    assert (result.status, result.revision_after, told) == ("applied", "2", ["applied"])
    wanted = stored_action()
    assert live(server) == replace(wanted, config={**wanted.config, "timeoutSeconds": 5}, version=2)
    assert server.org.actions.drafts == ()
    steps = [line for line in proxy.seen if "/draft" in line]
    assert [(line.partition(" ")[0], line.partition(ID)[2]) for line in steps] == [
        ("GET", "/draft"),
        ("POST", "/draft"),
        ("PATCH", "/draft"),
        ("GET", "/draft/validation"),
        ("POST", "/draft/publish"),
    ]


def test_a_draft_that_is_not_valid_is_removed_and_the_reasons_are_told(
    server: SandboxServer, driver: IntegrationActionDriver
) -> None:
    result, told = written(driver, URL)

    assert (result.status, told) == ("failed", ["refused"])
    assert result.error is not None
    assert "the draft is not valid: requestUrlTemplate must not be empty" in result.error.message
    assert (server.org.actions.drafts, server.org.actions.log) == ((), [])


def test_a_write_that_the_api_refuses_leaves_no_draft(
    server: SandboxServer, driver: IntegrationActionDriver
) -> None:
    result, _ = written(driver, field("", "request/method", before="POST", after="FETCH"))

    assert result.status == "failed"
    assert "requestType must be a method of HTTP" in str(result.error)
    assert (server.org.actions.drafts, server.org.actions.log) == ((), [])


def test_somebodys_draft_is_left_alone(
    server: SandboxServer, driver: IntegrationActionDriver
) -> None:
    theirs = drafted(server, requestTemplate="theirs")

    result, told = written(driver)

    assert (result.status, told) == ("failed", ["refused"])
    assert result.error is not None
    assert result.error.code == "foreign-draft"
    assert "there is a draft already, and the API does not say whose" in result.error.message
    assert "--take-draft" in result.error.message
    assert server.org.actions.drafts == (theirs,)
    assert server.org.actions.log == []


def test_a_draft_that_differs_in_its_contract_alone_is_somebodys(
    server: SandboxServer, driver: IntegrationActionDriver
) -> None:
    ours = replace(live(server), config={**live(server).config, "timeoutSeconds": 5})
    theirs = replace(ours, contract={"input": {}}, version=2)
    server.org.actions.recall((), [theirs])

    result, _ = written(driver)

    assert (result.status, server.org.actions.drafts) == ("failed", (theirs,))


def test_somebodys_draft_is_replaced_on_demand(server: SandboxServer, proxy: FaultProxy) -> None:
    drafted(server, requestTemplate="theirs")

    result, _ = written(connected(server, proxy, takes_drafts=True))

    assert (result.status, server.org.actions.drafts) == ("applied", ())
    assert live(server).config["timeoutSeconds"] == 5
    assert live(server).config["request"]["requestTemplate"] == REQUEST


def test_the_draft_of_a_run_that_was_killed_before_publishing_is_begun_anew(
    server: SandboxServer, driver: IntegrationActionDriver
) -> None:
    ours = replace(live(server), config={**live(server).config, "timeoutSeconds": 5}, version=2)
    server.org.actions.recall((), [ours])

    result, _ = written(driver)

    assert (result.status, result.revision_after) == ("applied", "2")
    assert (server.org.actions.drafts, len(server.org.actions.log)) == ((), 1)


@pytest.mark.parametrize(
    "step", [("POST", DRAFT), ("PATCH", DRAFT), ("GET", f"{DRAFT}/validation")], ids=" ".join
)
def test_an_edit_of_the_published_version_at_any_step_is_kept(
    server: SandboxServer,
    driver: IntegrationActionDriver,
    proxy: FaultProxy,
    step: tuple[str, str],
) -> None:
    proxy.on(*step, meanwhile(lambda: edited(server)))

    result, told = written(driver)

    assert (result.status, result.revision_after, told) == ("rebased", "3", ["refused", "applied"])
    config = live(server).config
    assert (config["timeoutSeconds"], config["request"]["requestType"]) == (5, "PUT")
    assert server.org.actions.drafts == ()


def test_an_edit_that_the_publishing_itself_is_refused_for_is_kept(
    server: SandboxServer, driver: IntegrationActionDriver, proxy: FaultProxy
) -> None:
    server.org.actions.compares_published = True
    proxy.on(*PUBLISH, meanwhile(lambda: edited(server)))

    result, told = written(driver)

    assert (result.status, told) == ("rebased", ["refused", "applied"])
    assert live(server).config["request"]["requestType"] == "PUT"
    assert server.org.actions.drafts == ()


def test_an_edit_that_a_lagging_replica_hides_at_the_last_look_is_kept(
    server: SandboxServer, driver: IntegrationActionDriver, proxy: FaultProxy
) -> None:
    lag = Fault(path=DRAFT.removesuffix("/draft"), effect=Stale())
    proxy.on("POST", DRAFT, meanwhile(lambda: edited(server)))
    proxy.on("PATCH", DRAFT, meanwhile(lambda: server.org.faults.add(lag)))

    result, _ = written(driver)

    assert (result.status, live(server).config["request"]["requestType"]) == ("rebased", "PUT")


def test_an_edit_of_the_same_setting_is_a_conflict_and_leaves_no_draft(
    server: SandboxServer, driver: IntegrationActionDriver, proxy: FaultProxy
) -> None:
    proxy.on("PATCH", DRAFT, meanwhile(lambda: edited(server)))

    result, _ = written(driver, field("", "request/method", before="POST", after="GET"))

    assert (result.status, server.org.actions.drafts) == ("conflict", ())
    assert live(server).config["request"]["requestType"] == "PUT"


@pytest.mark.parametrize("fault", [lose_answer, reset_unseen])
@pytest.mark.parametrize("step", STEPS, ids=" ".join)
def test_a_step_without_an_answer_is_told_by_reading(
    server: SandboxServer,
    driver: IntegrationActionDriver,
    proxy: FaultProxy,
    step: tuple[str, str],
    fault: Any,
) -> None:
    proxy.on(*step, fault)

    result, told = written(driver)

    assert (result.status, result.revision_after) == ("applied", "2")
    assert (len(server.org.actions.log), server.org.actions.drafts) == (1, ())
    if step != PUBLISH:
        assert told == ["applied"]
    else:
        assert told == (["observed"] if fault is lose_answer else ["refused", "applied"])


@pytest.mark.parametrize("effect", [PRESETS["unavailable-after-write"], error_answer(503)])
@pytest.mark.parametrize("step", STEPS, ids=" ".join)
def test_a_step_that_the_server_fails_at_is_told_by_reading(
    server: SandboxServer,
    driver: IntegrationActionDriver,
    step: tuple[str, str],
    effect: Any,
) -> None:
    server.org.faults.add(Fault(method=step[0], path=step[1], effect=effect))

    result, _ = written(driver)

    assert (result.status, result.revision_after) == ("applied", "2")
    assert (len(server.org.actions.log), server.org.actions.drafts) == (1, ())


@pytest.mark.parametrize("step", STEPS, ids=" ".join)
def test_a_step_that_always_fails_leaves_nothing_behind(
    server: SandboxServer,
    driver: IntegrationActionDriver,
    proxy: FaultProxy,
    step: tuple[str, str],
) -> None:
    proxy.on(*step, reset_unseen, times=None)

    result, _ = written(driver)

    assert result.status == ("unknown" if step == PUBLISH else "failed")
    assert (server.org.actions.log, server.org.actions.drafts) == ([], ())


@pytest.mark.parametrize(
    "step", [("PATCH", DRAFT), ("GET", f"{DRAFT}/validation"), PUBLISH], ids=" ".join
)
def test_a_draft_that_somebody_removes_is_begun_anew(
    server: SandboxServer,
    driver: IntegrationActionDriver,
    proxy: FaultProxy,
    step: tuple[str, str],
) -> None:
    proxy.on(*step, meanwhile(lambda: server.org.actions.delete_draft(ID)))

    result, told = written(driver)

    assert (result.status, told) == ("applied", ["refused", "applied"])
    assert (len(server.org.actions.log), server.org.actions.drafts) == (1, ())


@pytest.mark.parametrize("step", [("PATCH", DRAFT), PUBLISH], ids=" ".join)
def test_a_draft_that_somebody_changes_is_neither_published_nor_removed(
    server: SandboxServer,
    driver: IntegrationActionDriver,
    proxy: FaultProxy,
    step: tuple[str, str],
) -> None:
    proxy.on(*step, meanwhile(lambda: drafted(server, requestTemplate="theirs")))

    result, told = written(driver)

    assert (result.status, told) == ("failed", ["refused"])
    assert "somebody changed the draft meanwhile" in str(result.error)
    assert server.org.actions.log == []
    (theirs,) = server.org.actions.drafts
    assert theirs.config["request"]["requestTemplate"] == "theirs"


def test_a_publishing_that_comes_late_publishes_nothing_more(
    server: SandboxServer, driver: IntegrationActionDriver, proxy: FaultProxy
) -> None:
    late: list[Exchange] = []
    proxy.on(*PUBLISH, held(late))

    result, told = written(driver)
    answer = late[0].forward()

    assert (result.status, told) == ("applied", ["refused", "applied"])
    assert b" 404 " in answer.partition(b"\r\n")[0]
    assert (len(server.org.actions.log), live(server).version) == (1, 2)


def test_a_publishing_that_comes_before_its_repetition_counts_as_the_one_that_it_is(
    server: SandboxServer, driver: IntegrationActionDriver, proxy: FaultProxy
) -> None:
    late: list[Exchange] = []
    proxy.on(*PUBLISH, held(late))
    proxy.on(*PUBLISH, meanwhile(lambda: late.pop().forward()))

    result, told = written(driver)

    assert (result.status, result.revision_after) == ("applied", "2")
    assert (len(server.org.actions.log), told) == (1, ["observed", "refused"])


def test_a_draft_that_may_not_be_removed_is_told(server: SandboxServer, proxy: FaultProxy) -> None:
    result, _ = written(connected(server, proxy, client_id=NO_DELETE), URL)
    again, _ = written(connected(server, proxy, client_id=NO_DELETE), URL)
    other, _ = written(connected(server, proxy, client_id=NO_DELETE))

    assert [each.status for each in (result, again, other)] == ["failed"] * 3
    assert "the draft is not valid" in str(result.error)
    assert "its draft is still there" in str(result.error)
    assert "integrations:action:delete" in str(result.error)
    assert "; discard it in Genesys Cloud, or pass --take-draft to the next" in str(result.error)
    assert "discard it in Genesys Cloud ('gcsync history' tells" in str(again.error)
    assert "whose ('gcsync history' tells whether an earlier run left it)" in str(other.error)
    assert len(server.org.actions.drafts) == 1


def test_a_publishing_that_names_no_version_is_told_by_reading(
    server: SandboxServer, driver: IntegrationActionDriver, proxy: FaultProxy
) -> None:
    def mute(exchange: Exchange) -> None:
        exchange.forward()
        answering(200, b"{}")(exchange)

    proxy.on(*PUBLISH, mute)

    result, told = written(driver)

    assert (result.status, told) == ("applied", ["observed"])
    assert server.org.actions.drafts == ()


def with_tests(server: SandboxServer, proxy: FaultProxy, stop: Event) -> IntegrationActionDriver:
    """A driver that tests each draft twice; the back end gives back what it is given."""
    cases = tuple(SmokeCase(name=name, source=Location("m.yaml", 1, 1)) for name in ("a", "b"))
    tests = DraftTests(cases={REF.address: cases}, is_match=is_match, stop=stop)
    return connected(server, proxy, tests=tests)


def test_what_is_tested_is_tested_anew_where_it_has_to_be_begun_anew(
    server: SandboxServer, proxy: FaultProxy
) -> None:
    proxy.on("POST", f"{DRAFT}/test", meanwhile(lambda: edited(server)))

    result, told = written(with_tests(server, proxy, Event()))

    assert (result.status, told) == ("rebased", ["refused", "applied"])
    assert live(server).config["request"]["requestType"] == "PUT"
    assert proxy.count(f"POST {DRAFT}/test") == 4
    assert server.org.actions.drafts == ()


def test_a_draft_that_somebody_changes_while_it_is_tested_is_not_published(
    server: SandboxServer, proxy: FaultProxy
) -> None:
    proxy.on("POST", f"{DRAFT}/test", meanwhile(lambda: drafted(server, requestTemplate="theirs")))

    result, _ = written(with_tests(server, proxy, Event()))

    assert (result.status, server.org.actions.log) == ("failed", [])
    assert "somebody changed the draft meanwhile" in str(result.error)
    assert len(server.org.actions.drafts) == 1


def test_no_test_begins_after_a_signal(server: SandboxServer, proxy: FaultProxy) -> None:
    stop = Event()
    stop.set()

    result, _ = written(with_tests(server, proxy, stop))

    assert (result.status, server.org.actions.drafts) == ("failed", ())
    assert "was not begun: interrupted" in str(result.error)
    assert proxy.count(f"POST {DRAFT}/test") == 0
