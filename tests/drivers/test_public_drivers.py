"""What every driver of the public API keeps to, against the sandbox organisation over loopback."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from acceptance_world import NO_LIMITS
from engine_builders import outcomes, running
from faultproxy import FaultProxy, answering, lose_answer, passing
from public_builders import integrated
from public_drivers import SUBJECTS, Subject

from gcsync.engine.write import FlowWrite
from gcsync.errors import (
    ApiError,
    FlowNotFound,
    InvalidAnswer,
    OutcomeUnknown,
    PermissionMissing,
    Refused,
    StaleRevision,
)
from gcsync.sandbox.app import SandboxServer
from gcsync.sandbox.faults import PRESETS, Answer, Fault, Stale, error_answer
from gcsync.sandbox.oauth import ALL_PERMISSIONS, Client
from gcsync.sandbox.org import CLIENT_ID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faultproxy import Exchange

    from gcsync.drivers.driver import Driver
    from gcsync.model.change import Revision, Snapshot
    from gcsync.sandbox.org import Organisation


@pytest.fixture(scope="module")
def shared() -> Iterator[SandboxServer]:
    """One server for all tests, with a client for each permission that one may lack."""
    clients = [
        Client(id=missing or CLIENT_ID, secret="s", permissions=ALL_PERMISSIONS - {missing})
        for missing in ("", *ALL_PERMISSIONS)
    ]
    with SandboxServer(integrated(clients=clients, **NO_LIMITS).org) as server:
        yield server


@pytest.fixture(params=SUBJECTS, ids=lambda subject: subject.name)
def subject(request: pytest.FixtureRequest) -> Subject:
    found: Subject = request.param
    return found


@pytest.fixture
def server(shared: SandboxServer, subject: Subject) -> Iterator[SandboxServer]:
    """The one server, everything in it as it was in the beginning."""
    subject.begin(shared.org)
    yield shared
    assert shared.org.faults.waiting == ()


@pytest.fixture
def org(server: SandboxServer) -> Organisation:
    return server.org


@pytest.fixture
def driver(server: SandboxServer, subject: Subject) -> Driver:
    return subject.connected(server)


@pytest.fixture
def proxy(server: SandboxServer) -> Iterator[FaultProxy]:
    with FaultProxy(server.url) as proxy:
        yield proxy


@pytest.fixture
def proxied(server: SandboxServer, proxy: FaultProxy, subject: Subject) -> Driver:
    return subject.connected(server, proxy.url)


def put(subject: Subject, driver: Driver, snapshot: Snapshot) -> Revision:
    return driver.put(snapshot, driver.amend(snapshot, (subject.wanted,)))


def set_mismatch(org: Organisation, status: Any) -> None:
    org.actions.mismatch_status = org.integrations.mismatch_status = status


def value(subject: Subject, snapshot: Snapshot) -> object:
    return snapshot.actions[0].settings[subject.wanted.setting]


# Reading.


def test_an_older_version_than_one_seen_before_is_not_believed(
    org: Organisation, driver: Driver, subject: Subject
) -> None:
    put(subject, driver, driver.fetch(subject.ref))
    org.faults.add(Fault(path=subject.place, effect=Stale(), times=2))

    snapshot = driver.fetch(subject.ref)

    assert (snapshot.revision, value(subject, snapshot)) == ("2", subject.wanted.after)


def test_a_replica_that_lags_for_good_is_an_error(
    org: Organisation, driver: Driver, subject: Subject
) -> None:
    put(subject, driver, driver.fetch(subject.ref))
    org.faults.add(Fault(path=subject.place, effect=Stale(), times=None))

    with pytest.raises(InvalidAnswer, match="version 1 was read after version 2"):
        driver.fetch(subject.ref)

    org.faults.clear()


def test_there_is_no_way_through_it(driver: Driver, subject: Subject) -> None:
    with pytest.raises(InvalidAnswer, match=r"no way through it"):
        driver.outline(driver.fetch(subject.ref))


# Writing.


def test_a_write_harms_nothing_that_it_is_not_about(
    org: Organisation, driver: Driver, subject: Subject
) -> None:
    before = subject.held(org)

    put(subject, driver, driver.fetch(subject.ref))

    assert subject.held(org) == subject.made(before)


def test_all_of_these_changes_are_one_write(driver: Driver, subject: Subject) -> None:
    fields = (subject.wanted, subject.theirs)

    assert driver.writes(driver.fetch(subject.ref), fields) == (fields,)


@pytest.mark.parametrize("status", [400, 409])
def test_a_version_that_is_past_is_stale_in_either_shape(
    org: Organisation, driver: Driver, subject: Subject, status: Any
) -> None:
    set_mismatch(org, status)
    snapshot = driver.fetch(subject.ref)
    subject.edit(org)

    with pytest.raises(StaleRevision, match="revision 1 is no longer current") as caught:
        put(subject, driver, snapshot)

    assert (caught.value.status, caught.value.exit_code) == (status, 3)
    assert caught.value.correlation_id


@pytest.mark.parametrize("status", [400, 409])
def test_a_colleagues_edit_of_another_setting_survives_a_race(
    org: Organisation, proxied: Driver, proxy: FaultProxy, subject: Subject, status: Any
) -> None:
    set_mismatch(org, status)
    theirs: list[Any] = []

    def edit(exchange: Exchange) -> None:
        subject.edit(org)
        theirs.append(subject.held(org))
        passing(exchange)

    proxy.on(subject.method, subject.place, edit)

    with running(proxied) as run:
        result = FlowWrite(run, subject.change()).settle()
        told = outcomes(run)

    assert (result.status, result.revision_before, result.revision_after) == ("rebased", "2", "3")
    assert told == ["refused", "applied"]
    assert subject.held(org) == subject.made(theirs[0])


def test_a_colleagues_edit_of_the_same_setting_is_a_conflict(
    org: Organisation, proxied: Driver, proxy: FaultProxy, subject: Subject
) -> None:
    theirs: list[Any] = []

    def edit(exchange: Exchange) -> None:
        subject.edit(org)
        theirs.append(subject.held(org))
        passing(exchange)

    proxy.on(subject.method, subject.place, edit)

    with running(proxied) as run:
        result = FlowWrite(run, subject.change(subject.theirs)).settle()

    assert (result.status, subject.held(org)) == ("conflict", theirs[0])


@pytest.mark.parametrize("preset", ["unavailable-after-write", "cut-body"])
def test_a_write_whose_answer_is_lost_is_told_by_reading(
    org: Organisation, driver: Driver, subject: Subject, preset: str
) -> None:
    before = subject.held(org)
    org.faults.add(Fault(method=subject.method, effect=PRESETS[preset]))

    with running(driver) as run:
        result = FlowWrite(run, subject.change()).settle()
        told = outcomes(run)

    assert (result.status, result.revision_after, told) == ("applied", "2", ["observed"])
    assert subject.held(org) == subject.made(before)


def test_a_write_that_the_server_did_not_keep_is_no_success(
    org: Organisation, proxied: Driver, proxy: FaultProxy, subject: Subject
) -> None:
    before = subject.held(org)
    kept = json.dumps({"id": subject.ref.id, "version": 1}).encode()
    proxy.on(subject.method, subject.place, answering(200, kept))

    with running(proxied) as run:
        result = FlowWrite(run, subject.change()).settle()

    assert (result.status, subject.held(org)) == ("failed", before)


def test_a_write_whose_answer_is_lost_is_not_sent_again(
    org: Organisation, proxied: Driver, proxy: FaultProxy, subject: Subject
) -> None:
    snapshot = proxied.fetch(subject.ref)
    proxy.on(subject.method, subject.place, lose_answer)

    with pytest.raises(OutcomeUnknown):
        put(subject, proxied, snapshot)

    assert proxy.count(subject.method) == 1
    assert subject.held(org).version == 2


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"version": "2"}', b'{"version": true}'])
def test_a_success_that_names_no_version_is_unknown(
    proxied: Driver, proxy: FaultProxy, subject: Subject, body: bytes
) -> None:
    snapshot = proxied.fetch(subject.ref)
    proxy.on(subject.method, subject.place, answering(200, body))

    with pytest.raises(OutcomeUnknown, match="written, but the answer names no version"):
        put(subject, proxied, snapshot)


def said(status: int, message: str) -> Answer:
    body = json.dumps({"code": "bad.request", "message": message}).encode()
    return Answer(status=status, headers={"Content-Type": "application/json"}, body=body)


@pytest.mark.parametrize(
    ("effect", "error"),
    [
        (said(400, "it must be otherwise"), Refused),
        (said(403, "missing permission"), PermissionMissing),
        (said(404, "gone"), FlowNotFound),
        (error_answer(408), OutcomeUnknown),
        (PRESETS["html"], OutcomeUnknown),
        (PRESETS["redirect"], OutcomeUnknown),
    ],
)
def test_each_answer_to_a_write_has_its_meaning(
    org: Organisation, driver: Driver, subject: Subject, effect: Answer, error: type[ApiError]
) -> None:
    before, snapshot = subject.held(org), driver.fetch(subject.ref)
    org.faults.add(Fault(method=subject.method, path=subject.place, effect=effect))

    with pytest.raises(ApiError) as caught:
        put(subject, driver, snapshot)

    assert type(caught.value) is error
    assert subject.held(org) == before


def test_a_permission_that_is_missing_is_named(server: SandboxServer, subject: Subject) -> None:
    view, edit = subject.permissions

    with pytest.raises(PermissionMissing, match=view):
        subject.connected(server, client_id=view).fetch(subject.ref)
    with pytest.raises(PermissionMissing, match="integrations:integration:view"):
        list(subject.connected(server, client_id="integrations:integration:view").list_live())
    may_only_look = subject.connected(server, client_id=edit)
    with pytest.raises(PermissionMissing, match=edit):
        put(subject, may_only_look, may_only_look.fetch(subject.ref))
