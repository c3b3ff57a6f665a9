"""Bad luck at the command line: each row of the fault model has its test.

==============================  ==================================================
fault                           test
==============================  ==================================================
DNS, refused, TLS handshake     `test_a_read_that_never_succeeds…`,
                                `test_a_certificate_that_nobody_signed…`
reset, cut body, gzip garbage   `test_a_write_without_a_clear_answer…`,
                                `test_a_read_that_breaks_once…`
timeout, slow-loris             tests/api/test_session.py (deadlines of 0.2 s)
HTML with 200, invalid JSON,    `test_a_read_that_never_succeeds…`,
wrong length, another flow      `test_a_write_without_a_clear_answer…`
body over the cap               `test_a_body_without_end…`
redirect                        `test_a_redirect_is_never_followed`
401 mid-run                     `test_a_token_that_dies…`
403                             test_apply.py, `test_the_missing_permission_is_named`
404                             `test_a_flow_deleted_since_the_plan…`
409, 412, 400 mismatch          `test_a_stale_revision_in_any_form…`
412 storm                       `test_a_storm_of_stale_revisions…`
429                             `test_throttling…`; tests/api/test_pacing.py
5xx after a write               `test_a_write_without_a_clear_answer…`
stale read after PUT            `test_a_replica_that_lags…`
ETag weak or missing            `test_without_a_strong_etag…`
unknown fields, numbers         test_apply.py, `test_nothing_but_the_changed_settings…`
duplicate live names            test_plan.py, `test_two_live_flows_of_one_name…`
duplicate keys in a document    `test_a_key_that_stands_twice…`
dropped field                   test_apply.py, `test_a_setting_that_the_server_dropped…`
SIGINT, SIGTERM, broken pipe    test_interrupts.py
SIGKILL                         test_kill.py
disk full                       `test_a_full_disk…`
two applies at once             `test_two_applies_at_once…`
clock skew                      tests/api/test_oauth.py
expired or changed plan         test_apply.py
YAML, types, sizes, links       tests/loader/, test_validate.py
secrets                         `test_no_secret_is_ever_shown`, tests/loader/
==============================  ==================================================
"""

from __future__ import annotations

import json
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest
from acceptance_world import World, ended, live, manifest, organisation
from certificates import self_signed
from faultproxy import (
    FaultProxy,
    answering,
    corrupt,
    cut,
    cut_mid_body,
    cut_mid_head,
    garbage_gzip,
    gzipped,
    longer_than_sent,
    lose_answer,
    reset_unseen,
)

from gcsync.sandbox.app import SandboxServer
from gcsync.sandbox.faults import PRESETS, Alter, Answer, Fault, Stale, error_answer
from gcsync.sandbox.sample import FAKE_SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from acceptance_world import Outcome
    from warm import Warm

FLOW = "/api/v2/flows/"
HTML = b"<!DOCTYPE html><title>We are busy</title>"
LIVE = json.loads(live())
OTHER = json.dumps(LIVE | {"id": "id-other"}).encode()
APPLY = ("apply", "--auto-approve", "-o", "json")

BROKEN_READS = {
    "reset": reset_unseen,
    "reset after it was served": lose_answer,
    "closed without an answer": cut(0),
    "cut in the header": cut_mid_head,
    "cut in the body": cut_mid_body,
    "content-length too long": longer_than_sent,
    "gzip that is none": garbage_gzip,
    "gzip cut short": gzipped(live(), keep_bytes=60),
    "damaged body": corrupt,
    "html with 200": answering(200, HTML, Content_Type="text/html"),
    "invalid json": answering(200, b'{"id": "id-billing', ETag='"1"'),
    "another flow's document": answering(200, OTHER, ETag='"1"'),
    "a list": answering(200, b"[]", ETag='"1"'),
    "503": answering(503),
}
LASTING = ("reset", "cut in the body", "gzip that is none", "html with 200", "invalid json", "503")


@pytest.fixture
def proxy(world: World) -> Iterator[FaultProxy]:
    with FaultProxy(world.url) as proxy:
        world.environ["GCSYNC_API_URL"] = proxy.url
        world.manifests()
        yield proxy


def status(outcome: Outcome) -> str:
    [result] = outcome.json["results"]
    return str(result["status"])


def no_traceback(outcome: Outcome) -> bool:
    return "Traceback" not in outcome.said and "bug in gcsync" not in outcome.said


# Reading


@pytest.mark.parametrize("fault", BROKEN_READS.values(), ids=BROKEN_READS)
def test_a_read_that_breaks_once_is_repeated(world: World, proxy: FaultProxy, fault: Any) -> None:
    proxy.on("GET", FLOW, fault)

    plan = world.run("plan", "--detailed-exitcode")

    assert plan.code == 2, plan.said
    assert proxy.count(f"GET {FLOW}") == 2


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def hopeless(
    tmp_path_factory: pytest.TempPathFactory, authority: Path, warm: Warm
) -> Iterator[dict[str, Outcome]]:
    """``plan`` under every broken read that lasts, all at once: each waits between its tries."""
    with SandboxServer(organisation()) as server:
        urls = {
            "refused": f"http://127.0.0.1:{free_port()}",
            "unknown name": "https://gcsync.invalid",
            "no tls": f"https://127.0.0.1:{server.port}",
        }
        proxies = {name: FaultProxy(server.url) for name in LASTING}
        running = {}
        for name in (*urls, *LASTING):
            if name in proxies:
                proxies[name].__enter__()
                proxies[name].on("GET", FLOW, BROKEN_READS[name], times=None)
                urls[name] = proxies[name].url
            stage: Any = server
            world = World(
                folder=tmp_path_factory.mktemp("hopeless"),
                stage=stage,
                url=urls[name],
                environ={
                    "PATH": "/usr/bin:/bin",
                    "GCSYNC_API_URL": urls[name],
                    "GCSYNC_CA_BUNDLE": str(authority),
                    "GENESYSCLOUD_OAUTHCLIENT_ID": server.client_id,
                    "GENESYSCLOUD_OAUTHCLIENT_SECRET": server.client_secret,
                },
            )
            world.manifests()
            running[name] = (world, warm.start(world, "plan", "--detailed-exitcode"))
        yield {name: warm.ended(*started) for name, started in running.items()}
        for proxy in proxies.values():
            proxy.__exit__()


@pytest.mark.parametrize("fault", ["refused", "unknown name", "no tls", *LASTING])
def test_a_read_that_never_succeeds_exits_1_with_one_line(
    hopeless: dict[str, Outcome], fault: str
) -> None:
    plan = hopeless[fault]

    assert plan.code == 1
    assert plan.out == ""
    assert plan.err.startswith("error: ")
    assert len(plan.err.splitlines()) == 1
    assert no_traceback(plan)


def test_a_certificate_that_nobody_signed_is_refused_at_once(world: World, tmp_path: Path) -> None:
    file = self_signed(tmp_path, "stranger")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    world.manifests()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        handshakes: list[bool] = []

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                handshakes.append(True)
                with client:
                    try:
                        context.wrap_socket(client, server_side=True)
                    except OSError:
                        continue

        threading.Thread(target=serve, daemon=True).start()
        port = listener.getsockname()[1]
        plan = world.run("plan", GCSYNC_API_URL=f"https://127.0.0.1:{port}")
        listener.shutdown(socket.SHUT_RDWR)

    assert plan.code == 1
    assert "certificate is not trusted" in plan.err
    assert "GCSYNC_CA_BUNDLE" in plan.err
    assert len(handshakes) == 1


def test_a_body_without_end_is_refused(world: World) -> None:
    world.manifests()
    world.org.faults.add(Fault(method="GET", path=f"{FLOW}*", times=None, effect=PRESETS["huge"]))

    plan = world.run("plan")

    assert plan.code == 1
    assert "larger than 8 MB" in plan.err


def test_a_redirect_is_never_followed(world: World, proxy: FaultProxy) -> None:
    with FaultProxy(world.url) as elsewhere:
        redirect = answering(307, Location=f"{elsewhere.url}{FLOW}id-billing")
        proxy.on("GET", FLOW, redirect)
        proxy.on("PUT", FLOW, redirect)

        plan = world.run("plan")
        applied = world.run(*APPLY)

        assert plan.code == 1
        assert "unexpected redirect (307), not followed" in plan.err
        assert applied.code == 0
        assert status(applied) == "applied"
        assert elsewhere.seen == []


def test_a_key_that_stands_twice_in_a_live_document_is_refused(
    world: World, proxy: FaultProxy
) -> None:
    twice = live().replace(b'"timeout": 3000', b'"timeout": 3000, "timeout": 4000')
    proxy.on("GET", FLOW, answering(200, twice, ETag='"1"'), times=None)

    plan = world.run("plan")

    assert plan.code == 1
    assert "a key stands twice in one object" in plan.err


def test_a_listing_that_breaks_off_is_refused(world: World, proxy: FaultProxy) -> None:
    world.manifests(manifest(flow="{name: Billing, type: inboundcall}"))
    page = {"entities": [], "pageCount": 1, "total": 1}
    proxy.on("GET", "/api/v2/flows?", answering(200, json.dumps(page).encode()), times=None)

    plan = world.run("plan")

    assert plan.code == 1
    assert "1 flows announced, 0 listed" in plan.err


# Tokens and pace


def test_a_token_that_dies_is_renewed_once_and_the_request_replayed(world: World) -> None:
    world.lives(live("billing"), live("orders"), live("claims"))
    world.manifests(manifest("billing"), manifest("orders"), manifest("claims"))
    world.org.faults.add(Fault(method="GET", path=f"{FLOW}*", effect=error_answer(401)))

    applied = world.run(*APPLY)

    assert applied.code == 0
    assert applied.json["summary"]["applied"] == 3
    assert world.org.requests["POST /oauth/token"] == 2


def test_a_token_that_dies_between_read_and_write_does_not_cost_the_write(world: World) -> None:
    world.manifests()
    world.org.faults.add(Fault(method="PUT", path=f"{FLOW}*", effect=error_answer(401)))

    applied = world.run(*APPLY)

    assert applied.code == 0
    assert world.writes() == 1


def test_a_new_token_that_is_not_accepted_either_stops(world: World) -> None:
    world.manifests()
    world.org.faults.add(Fault(method="GET", path=f"{FLOW}*", times=None, effect=error_answer(401)))

    plan = world.run("plan")

    assert plan.code == 1
    assert "does not accept the token" in plan.err
    assert world.org.requests["POST /oauth/token"] == 2


def test_wrong_credentials_are_an_error_that_does_not_repeat_them(world: World) -> None:
    world.manifests()

    plan = world.run("plan", GENESYSCLOUD_OAUTHCLIENT_SECRET="wrong-and-secret")

    assert plan.code == 1
    assert "wrong-and-secret" not in plan.said
    assert no_traceback(plan)


@pytest.mark.parametrize(
    "retry_after", [None, "0", "-5", "soon", "1e9", "Sun, 06 Nov 1994 08:49:37 GMT"]
)
def test_throttling_is_waited_for_whatever_retry_after_says(
    world: World, retry_after: str | None
) -> None:
    world.manifests()
    throttled = error_answer(429, retry_after=retry_after)
    world.org.faults.add(Fault(method="GET", path=f"{FLOW}*", effect=throttled))
    world.org.faults.add(Fault(method="PUT", path=f"{FLOW}*", effect=throttled))

    applied = world.run(*APPLY)

    assert applied.code == 0
    assert world.writes() == 1


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_throttling_for_long_is_not_waited_for_but_said(world: World, form: str) -> None:
    world.manifests()
    at = format_datetime(datetime.now(UTC) + timedelta(minutes=5), usegmt=True)
    throttled = error_answer(429, retry_after="300" if form == "seconds" else at)
    world.org.faults.add(Fault(method="GET", path=f"{FLOW}*", times=None, effect=throttled))

    plan = world.run("plan")

    assert plan.code == 1
    assert "throttled by the API for another" in plan.err
    assert "run the command again after that" in plan.err


# Writing


UNCLEAR_WRITES = {
    "reset unseen": reset_unseen,
    "answer lost": lose_answer,
    "closed without an answer": cut(0),
    "cut in the header": cut_mid_head,
    "cut in the body": cut_mid_body,
    "content-length too long": longer_than_sent,
    "gzip that is none": garbage_gzip,
    "html with 200, written": answering(200, HTML, obey=True, Content_Type="text/html"),
    "html with 200, not written": answering(200, HTML, Content_Type="text/html"),
    "invalid json, written": answering(200, b"{", obey=True, ETag='"2"'),
    "no etag, written": answering(200, b"{}", obey=True),
    "500, written": answering(500, obey=True),
    "504, not written": answering(504),
    "408, written": answering(408, obey=True),
}


@pytest.mark.parametrize("fault", UNCLEAR_WRITES.values(), ids=UNCLEAR_WRITES)
def test_a_write_without_a_clear_answer_is_read_again_and_happens_once(
    world: World, proxy: FaultProxy, fault: Any
) -> None:
    proxy.on("PUT", FLOW, fault)

    applied = world.run(*APPLY)

    assert applied.code == 0, applied.said
    assert status(applied) == "applied"
    assert world.writes() == 1
    assert world.timeout() == 5000


def test_a_write_that_never_gets_an_answer_is_unknown_and_exits_4(
    world: World, proxy: FaultProxy
) -> None:
    proxy.on("PUT", FLOW, reset_unseen, times=None)

    applied = world.run(*APPLY)

    assert applied.code == 4
    [result] = applied.json["results"]
    assert result["status"] == "unknown"
    assert result["error"]["code"] == "outcome-unknown"
    assert "may or may not have happened" in result["error"]["message"]
    assert world.writes() == 0


def test_an_unclear_write_that_somebody_overtook_is_not_repeated_over_the_edit(
    world: World, proxy: FaultProxy
) -> None:
    def overtaken(exchange: Any) -> None:
        exchange.forward()
        world.edit(12_000)
        exchange.reset()

    proxy.on("PUT", FLOW, overtaken)

    applied = world.run(*APPLY)

    assert applied.code == 3
    assert status(applied) == "conflict"
    assert world.timeout() == 12_000
    assert world.writes() == 1


def test_an_unclear_write_that_did_not_happen_respects_an_edit_of_a_managed_setting(
    world: World, proxy: FaultProxy
) -> None:
    def overtaken(exchange: Any) -> None:
        world.edit(12_000)
        exchange.reset()

    proxy.on("PUT", FLOW, overtaken)

    applied = world.run(*APPLY)

    assert applied.code == 3
    assert world.timeout() == 12_000
    assert world.writes() == 0


def mismatch(status: int) -> Answer:
    body = {"code": "bad.request", "message": "The version does not match the current version"}
    return Answer(
        status=status,
        headers={"Content-Type": "application/json"},
        body=json.dumps(body).encode(),
    )


@pytest.mark.parametrize("effect", [error_answer(412), error_answer(409), mismatch(400)])
def test_a_stale_revision_in_any_form_is_merged_again(world: World, effect: Answer) -> None:
    world.manifests()
    world.org.faults.add(Fault(method="PUT", path=f"{FLOW}*", effect=effect))

    applied = world.run(*APPLY)

    assert applied.code == 0
    assert world.writes() == 1


def test_an_edit_between_read_and_write_is_merged(world: World, proxy: FaultProxy) -> None:
    def overtaken(exchange: Any) -> None:
        world.edit("Hold the line", "/data/prompt")
        exchange.client.sendall(exchange.forward())

    proxy.on("PUT", FLOW, overtaken)

    applied = world.run(*APPLY)

    assert applied.code == 0
    assert status(applied) == "rebased"
    assert world.action()["data"] == {"timeout": 5000, "prompt": "Hold the line"}
    assert [edit.if_match for edit in world.org.log] == [None, '"2"']


def test_a_storm_of_stale_revisions_ends_contended_and_spares_the_others(world: World) -> None:
    world.lives(live("billing"), live("orders"))
    world.manifests(manifest("billing"), manifest("orders"))
    world.org.faults.add(
        Fault(method="PUT", path="*/id-billing", times=None, effect=error_answer(412))
    )

    applied = world.run(*APPLY)

    assert applied.code == 4
    billing, orders = applied.json["results"]
    assert (billing["status"], orders["status"]) == ("failed", "applied")
    assert billing["error"]["code"] == "contended"
    assert world.org.requests["PUT /api/v2/flows/{id}"] <= 7


def test_a_flow_deleted_since_the_plan_is_an_error_and_not_made_again(
    world: World,
) -> None:
    world.manifests()
    world.run("plan", "--out", "plan.json")
    world.lives(live("orders"))

    applied = world.run("apply", "plan.json", "-o", "json")

    assert applied.code == 1
    [result] = applied.json["results"]
    assert result["status"] == "failed"
    assert "no live flow has id id-billing" in result["error"]["message"]
    assert not world.org.log


def test_a_replica_that_lags_is_waited_for(world: World) -> None:
    world.manifests()
    # Read for the plan, read to write; then the reads that verify.
    world.org.faults.add(
        Fault(method="GET", path=f"{FLOW}*", skip=2, times=2, effect=Stale(revisions=1))
    )

    applied = world.run(*APPLY)

    assert applied.code == 0
    [result] = applied.json["results"]
    assert (result["status"], result["revision_after"]) == ("applied", '"2"')


@pytest.mark.parametrize(
    ("effect", "why"), [(PRESETS["weak-etag"], "is weak"), (PRESETS["no-etag"], "no ETag")]
)
def test_without_a_strong_etag_nothing_is_written_and_plan_warns(
    world: World, effect: Alter, why: str
) -> None:
    world.manifests()
    world.org.faults.add(Fault(method="GET", path=f"{FLOW}*", times=None, effect=effect))

    plan = world.run("plan")
    applied = world.run(*APPLY)

    assert plan.code == 0
    assert "cannot be written" in plan.said
    assert why in plan.said
    assert applied.code == 1
    [result] = applied.json["results"]
    assert why in result["error"]["message"]
    assert not world.org.log


@pytest.mark.parametrize("share_a_journal", [True, False])
def test_two_applies_at_once_write_each_flow_once(world: World, *, share_a_journal: bool) -> None:
    names = [f"flow-{number}" for number in range(8)]
    world.lives(*(live(name) for name in names))
    world.manifests(*(manifest(name) for name in names))
    # Without a journal in common there is no lock, and conditional writes have to do.
    journals = [f"sqlite:///{world.folder}/{share_a_journal or n}.db" for n in range(2)]

    both = [
        world.spawn(*APPLY, "--lock-timeout", "30s", variables={"GCSYNC_HISTORY_URL": journal})
        for journal in journals
    ]
    outcomes = [ended(process) for process in both]

    assert [outcome.code for outcome in outcomes] == [0, 0], outcomes
    assert [world.writes(name) for name in names] == [1] * len(names)


# The disk


@pytest.mark.parametrize("limit", [5_000, 50_000, 60_000, 80_000, 100_000])
def test_a_full_disk_keeps_everything_from_being_written_that_cannot_be_journalled(
    world: World, warm: Warm, limit: int
) -> None:
    names = [f"flow-{number}" for number in range(4)]
    world.lives(*(live(name) for name in names))
    world.manifests(*(manifest(name) for name in names))

    applied = warm.ended(world, warm.start(world, *APPLY, largest_file=limit))
    again = world.run(*APPLY)

    assert no_traceback(applied)
    assert applied.code in {1, 4}, applied.said
    assert "journal" in applied.said
    assert again.code == 0, again.said
    assert [world.writes(name) for name in names] == [1] * len(names)


@pytest.mark.parametrize("words", [("--out", "plan.json"), ("-o", "json=plan.json")])
def test_a_full_disk_leaves_the_former_file_whole(
    world: World, warm: Warm, words: tuple[str, str]
) -> None:
    world.manifests()
    world.write({"plan.json": "as it was"})

    plan = warm.ended(world, warm.start(world, "plan", *words, largest_file=250))

    assert plan.code == 1
    assert "plan.json" in plan.err
    assert no_traceback(plan)
    assert (world.folder / "plan.json").read_text() == "as it was"
    assert [file.name for file in world.folder.iterdir() if "plan" in file.name] == ["plan.json"]


# Secrets


def test_no_secret_is_ever_shown(world: World, proxy: FaultProxy) -> None:
    secret = "canary-0123456789"
    headers = [{"name": "X-Key", "value": FAKE_SECRET}]
    world.lives(live(actions={"Lookup": {"timeout": 3000, "headers": headers}}))
    world.org.login.clients |= organisation().login.clients
    proxy.on("PUT", FLOW, lose_answer)

    ran = [
        world.run("plan", "-v", "--out", "plan.json"),
        world.run("apply", "plan.json", "-v"),
        world.run("history", "-o", "json"),
        world.run("plan", "-v", GENESYSCLOUD_OAUTHCLIENT_SECRET=secret),
        world.run("plan", "-v", GENESYSCLOUD_ACCESS_TOKEN=secret),
    ]

    assert [outcome.code for outcome in ran] == [0, 0, 0, 1, 1]
    written = b"".join(
        file.read_bytes() for file in world.folder.rglob("*") if file.is_file()
    ).decode("latin-1")
    for said in (written, *(outcome.said for outcome in ran)):
        assert secret not in said
        assert FAKE_SECRET not in said
        assert "Bearer" not in said
