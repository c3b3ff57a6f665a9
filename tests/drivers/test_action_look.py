"""Looks at data actions against the sandbox organisation: how few requests they take, and why."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from acceptance_world import NO_LIMITS
from api_builders import client, token_for
from builders import field
from faultproxy import FaultProxy, answering, passing
from public_builders import REQUEST, SUCCESS, integrated, stored_action

from gcsync.api.oauth import GivenToken
from gcsync.drivers.action_look import LATE
from gcsync.drivers.action_source import MOST_IDS, PAGE_SIZE
from gcsync.drivers.integration_action import IntegrationActionDriver
from gcsync.errors import FlowNotFound, InvalidAnswer
from gcsync.model.change import FlowRef, Glimpse
from gcsync.sandbox.app import SandboxServer
from gcsync.sandbox.faults import Fault, Stale

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from faultproxy import Exchange

    from gcsync.drivers.driver import Look
    from gcsync.sandbox.stored_action import StoredAction

LISTING = "/api/v2/integrations/actions"
ONE = f"GET {LISTING}/{{id}}"
TEMPLATE = f"GET {LISTING}/{{id}}/templates/{{file}}"
TIMEOUT = ("timeout_ms",)
BOTH = ("timeout_ms", "request/template")


class About:
    """A look at the same settings of each data action."""

    def __init__(self, look: Look, settings: Collection[str] | None) -> None:
        self._look = look
        self._settings = settings

    def at(self, ref: FlowRef) -> Glimpse:
        return self._look.at(ref, self._settings)

    def moved(self) -> Collection[FlowRef]:
        return self._look.moved()


class Reading:
    """A driver before an organisation, and how many requests of each kind it has sent."""

    def __init__(self, server: SandboxServer, url: str) -> None:
        self.org = server.org
        self.driver = IntegrationActionDriver(client(url, tokens=GivenToken(token_for(server))))

    def look(
        self, settings: Collection[str] | None = None, ids: Sequence[str] = ("custom_-_0",)
    ) -> About:
        return About(self.driver.look([ref(each) for each in ids]), settings)

    def sent(self, act: Callable[[], object]) -> dict[str, int]:
        before = dict(self.org.requests)
        act()
        return {
            kind: count - before.get(kind, 0)
            for kind, count in self.org.requests.items()
            if count > before.get(kind, 0)
        }

    def publish(self, number: int = 0, **texts: str) -> None:
        """A colleague replaces parts of the request, and the timeout."""
        live = self.org.actions.published(name(number))
        request = {**live.config["request"], **texts}
        config = {**live.config, "request": request, "timeoutSeconds": 40}
        self.org.actions.publish(replace(live, config=config), author="a colleague")


@contextmanager
def reading(*actions: StoredAction, count: int = 1) -> Iterator[tuple[Reading, FaultProxy]]:
    stored = actions or tuple(stored_action(name(number)) for number in range(count))
    with (
        SandboxServer(integrated(*stored, **NO_LIMITS).org) as server,
        FaultProxy(server.url) as proxy,
    ):
        yield Reading(server, proxy.url), proxy
        assert server.org.faults.waiting == ()


def name(number: int) -> str:
    return f"custom_-_{number}"


def ref(action_id: str) -> FlowRef:
    return FlowRef(address=f"dataaction/{action_id}", id=action_id)


def settings_of(seen: Glimpse) -> dict[str, Any]:
    (action,) = seen.actions
    return action.settings


def listing(*entities: dict[str, Any]) -> Callable[[Exchange], None]:
    page = {"entities": entities, "pageCount": 1, "total": len(entities)}
    return answering(200, json.dumps(page).encode())


def entity(**facts: Any) -> dict[str, Any]:
    return {"id": name(0), "name": "Get Customer", "version": 1, "integrationId": "i-crm", **facts}


def meanwhile(act: Callable[[], None]) -> Callable[[Exchange], None]:
    def fault(exchange: Exchange) -> None:
        passing(exchange)
        act()

    return fault


# How few requests.


def test_what_was_listed_is_not_asked_for_again_where_no_template_matters() -> None:
    count = PAGE_SIZE + 1
    with reading(count=count) as (world, _):
        ids = [each.id for each in world.driver.list_live()]
        look = world.look(TIMEOUT, ids)

        sent = world.sent(lambda: [look.at(ref(each)) for each in ids] and look.moved())
        seen = look.at(ref(ids[0]))

    assert len(ids) == count
    assert sent == {}
    assert (settings_of(seen)["timeout_ms"], seen.revision, seen.ref.name) == (
        20_000,
        "1",
        "Get Customer",
    )
    assert "request/template" not in settings_of(seen)


def test_of_many_ids_fifty_are_asked_for_in_one_request() -> None:
    ids = [name(number) for number in range(MOST_IDS + 1)]
    with reading(count=len(ids) + 5) as (world, _):

        def looked() -> None:
            look = world.look(TIMEOUT, ids)
            for each in ids:
                look.at(ref(each))
            assert not look.moved()

        assert world.sent(looked) == {f"GET {LISTING}": 2}


@pytest.mark.parametrize(
    ("settings", "templates", "versions"),
    [(TIMEOUT, 0, 0), (BOTH, 1, 1), (None, 2, 1), (("response/success_template",), 1, 1)],
)
def test_one_id_is_asked_for_by_itself_with_the_templates_that_matter(
    settings: Collection[str] | None, templates: int, versions: int
) -> None:
    with reading() as (world, _):

        def looked() -> None:
            look = world.look(settings)
            held = settings_of(look.at(ref(name(0))))
            assert ("request/template" in held) == (settings in (BOTH, None))
            assert not look.moved()

        sent = world.sent(looked)

    assert sent.get(ONE, 0) == 1 + versions
    assert sent.get(TEMPLATE, 0) == templates
    assert f"GET {LISTING}" not in sent


def test_many_with_templates_are_made_sure_of_by_another_listing() -> None:
    ids = [name(number) for number in range(LATE + MOST_IDS + 1)]
    with reading(count=len(ids)) as (world, _):
        look = world.look(BOTH, ids)

        sent = world.sent(lambda: [look.at(ref(each)) for each in ids] and look.moved())

    assert sent == {TEMPLATE: len(ids), ONE: LATE, f"GET {LISTING}": 2}


def test_an_older_listing_serves_one_look_only() -> None:
    with reading(count=2) as (world, _):
        list(world.driver.list_live())
        world.look(TIMEOUT, [name(0)])
        world.publish()

        later = world.look(TIMEOUT, [name(0)]).at(ref(name(0)))

    assert (later.revision, settings_of(later)["timeout_ms"]) == ("2", 40_000)


# What a listing may be like.


@pytest.mark.parametrize("settings", [TIMEOUT, BOTH])
@pytest.mark.parametrize(
    "told",
    [
        entity(),
        entity(config=None),
        entity(config={}, version=None),
        entity(config={"timeoutSeconds": 20, "request": {}, "response": {}}),
    ],
)
def test_what_a_listing_leaves_out_is_asked_for_by_itself(
    told: dict[str, Any], settings: Collection[str]
) -> None:
    with reading() as (world, proxy):
        proxy.on("GET", f"{LISTING}?", listing(told))
        list(world.driver.list_live())

        seen = world.look(settings).at(ref(name(0)))

    held = settings_of(seen)
    assert held["timeout_ms"] == 20_000
    assert held.get("request/template") == (REQUEST if settings is BOTH else None)


@pytest.mark.parametrize("lost", ["customAuth_-_1", "a,b"])
def test_what_a_listing_does_not_have_is_asked_for_by_itself(lost: str) -> None:
    hidden = stored_action(lost, kind="customAuth")
    ids = [name(number) for number in range(MOST_IDS - 1)]
    with reading(stored_action(), hidden) as (world, _):
        look = world.look(TIMEOUT, [*ids, lost])

        assert settings_of(look.at(ref(lost)))["timeout_ms"] == 20_000


def test_what_is_nowhere_is_not_found() -> None:
    with reading() as (world, _):
        look = world.look(TIMEOUT, [name(0), "gone"])

        with pytest.raises(FlowNotFound, match="no live data action has id gone"):
            look.at(ref("gone"))


def test_a_template_that_a_listing_gives_itself_is_taken_as_it_is() -> None:
    config = {
        "timeoutSeconds": 7,
        "request": {"requestTemplate": "inline"},
        "response": {"successTemplateUri": "/elsewhere"},
    }
    with reading() as (world, proxy):
        proxy.on("GET", f"{LISTING}?", listing(entity(config=config)))
        list(world.driver.list_live())
        look = world.look(None)

        held = settings_of(look.at(ref(name(0))))

    assert held["request/template"] == "inline"
    assert held["response/success_template"] == SUCCESS
    assert held["timeout_ms"] == 7_000


def test_numbers_of_a_listing_keep_their_last_digit() -> None:
    page = json.dumps({"entities": [entity(config={"timeoutSeconds": 0})], "pageCount": 1})
    with reading() as (world, proxy):
        body = page.replace('"timeoutSeconds": 0', '"timeoutSeconds": 1.00050000000000000001')
        proxy.on("GET", f"{LISTING}?", answering(200, body.encode()))
        list(world.driver.list_live())

        seen = world.look(TIMEOUT).at(ref(name(0)))

    assert str(settings_of(seen)["timeout_ms"]) == "1000.50000000000000001"


@pytest.mark.parametrize("config", [{"request": 5}, {"response": "text"}])
def test_a_configuration_that_is_none_is_fetched_whole(config: dict[str, Any]) -> None:
    with reading() as (world, proxy):
        proxy.on("GET", f"{LISTING}?", listing(entity(config=config)))
        list(world.driver.list_live())

        assert settings_of(world.look(TIMEOUT).at(ref(name(0))))["timeout_ms"] == 20_000


def test_a_listing_older_than_what_was_seen_is_not_believed() -> None:
    with reading() as (world, _):
        world.publish()
        assert world.driver.fetch(ref(name(0))).revision == "2"
        world.org.faults.add(Fault(path=LISTING, effect=Stale()))
        list(world.driver.list_live())

        seen = world.look(TIMEOUT).at(ref(name(0)))

    assert (seen.revision, settings_of(seen)["timeout_ms"]) == ("2", 40_000)


def test_what_a_listing_told_is_the_oldest_that_is_believed_from_then_on() -> None:
    with reading() as (world, _):
        world.publish()
        list(world.driver.list_live())
        world.look(TIMEOUT).at(ref(name(0)))
        world.org.faults.add(Fault(path=f"{LISTING}/*", effect=Stale()))

        assert world.driver.fetch(ref(name(0))).revision == "2"


# One version of each.


@pytest.mark.parametrize("count", [1, LATE + 1])
def test_what_changed_between_a_listing_and_its_template_is_told(count: int) -> None:
    ids = [name(number) for number in range(count)]
    with reading(count=count) as (world, _):
        list(world.driver.list_live())
        look = world.look(BOTH, ids)
        world.publish(requestTemplate="new")

        mixed = settings_of(look.at(ref(name(0))))
        for each in ids[1:]:
            look.at(ref(each))

        assert (mixed["timeout_ms"], mixed["request/template"]) == (20_000, "new")
        assert list(look.moved()) == [ref(name(0))]
        assert list(look.moved()) == []


@pytest.mark.parametrize("count", [1, LATE + 1])
def test_what_changed_after_its_template_was_read_is_told(count: int) -> None:
    ids = [name(number) for number in range(count)]
    with reading(count=count) as (world, proxy):
        proxy.on("GET", "requesttemplate.vm", meanwhile(lambda: world.publish(requestType="PUT")))
        look = world.look(BOTH, ids)
        for each in ids:
            look.at(ref(each))

        assert list(look.moved()) == [ref(name(0))]


def test_a_listing_that_lags_cannot_confirm_what_was_read_a_moment_ago() -> None:
    with reading(count=2) as (world, _):
        world.publish(requestTemplate="new")
        world.org.faults.add(Fault(path=LISTING, effect=Stale(), times=None))
        look = world.look(BOTH, [name(0), name(1)])

        mixed = settings_of(look.at(ref(name(0))))
        look.at(ref(name(1)))

        assert (mixed["timeout_ms"], mixed["request/template"]) == (20_000, "new")
        assert list(look.moved()) == [ref(name(0))]
        world.org.faults.clear()


def test_what_moved_may_not_be_read_as_it_was_before() -> None:
    ids = [name(number) for number in range(LATE + 1)]
    with reading(count=len(ids)) as (world, _):
        look = world.look(BOTH, ids)
        for each in ids:
            look.at(ref(each))
        world.publish()
        assert list(look.moved()) == [ref(name(0))]
        world.org.faults.add(Fault(path=f"{LISTING}/*", effect=Stale(), times=4))

        assert world.driver.fetch(ref(name(0))).revision == "2"


def test_what_went_while_it_was_read_has_moved() -> None:
    with reading() as (world, proxy):
        look = world.look(BOTH)
        look.at(ref(name(0)))
        proxy.on("GET", f"{LISTING}/{name(0)}", answering(404, b"{}"))

        assert list(look.moved()) == [ref(name(0))]


def test_a_template_that_went_has_everything_fetched() -> None:
    with reading() as (world, proxy):
        proxy.on("GET", "requesttemplate.vm", answering(404, b"{}"))
        look = world.look(BOTH)

        seen = look.at(ref(name(0)))

        assert settings_of(seen)["request/template"] == REQUEST
        assert list(look.moved()) == []


def test_a_template_that_never_comes_is_an_error() -> None:
    with reading() as (world, proxy):
        proxy.on("GET", "requesttemplate.vm", answering(404, b"{}"), times=None)

        with pytest.raises(InvalidAnswer, match="lacked a template"):
            world.look(BOTH).at(ref(name(0)))


# A part is no whole.


def test_what_a_look_saw_has_nothing_to_write_back() -> None:
    with reading() as (world, _):
        for settings in (TIMEOUT, BOTH, None):
            seen = world.look(settings).at(ref(name(0)))

            assert type(seen) is Glimpse
            for act in (world.driver.amend, world.driver.as_found):
                with pytest.raises(AttributeError, match="document"):
                    act(seen, [field("", "timeout_ms", before=20_000, after=5_000)])  # type: ignore[arg-type]
            with pytest.raises(AttributeError, match="document"):
                world.driver.amend(seen, ())  # type: ignore[arg-type]


def test_the_integration_of_what_a_look_saw_says_what_is_too_long() -> None:
    with reading() as (world, _):
        seen = world.look(TIMEOUT).at(ref(name(0)))

        sent = world.sent(
            lambda: world.driver.objection(seen, field("", "timeout_ms", after=16_000))
        )

    assert sent == {"GET /api/v2/integrations/{id}": 1}


def test_a_look_says_of_a_static_action_what_a_reading_does() -> None:
    with reading(stored_action("static_-_1", kind="static"), stored_action()) as (world, _):
        list(world.driver.list_live())

        seen = world.look(TIMEOUT, ["static_-_1"]).at(ref("static_-_1"))
        whole = world.driver.fetch(ref("static_-_1"))

    assert seen.revision is None
    assert seen.unwritable
    assert (seen.unwritable, seen.is_read_only) == (whole.unwritable, whole.is_read_only)
