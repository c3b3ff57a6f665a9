"""gcsync smoke: the flows' own cases, executed and held against the manifests."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from acceptance_world import live, manifest
from faultproxy import FaultProxy

from gcsync.sandbox.executions import Outcome

if TYPE_CHECKING:
    from acceptance_world import World
    from faultproxy import Exchange

INPUTS = {"inputs": [{"name": "customerId", "type": "string", "required": True}]}
KNOWN = """
- name: known customer
  data: {customerId: "4711"}
  context: {language: en}
  expect:
    within_ms: 2000
    output:
      /tier: {equals: gold}
      /balance: {min: 0, max: 100}
      /ticket: {matches: "^INV-[0-9]+$"}
"""
OUTPUT = {"tier": "gold", "balance": 12.5, "ticket": "INV-7"}


def smoking(name: str = "billing", cases: str = KNOWN, **more: str) -> str:
    """A manifest with smoke cases, written as YAML."""
    lines = "\n".join(f"    {line}" for line in cases.strip().splitlines())
    return f"{manifest(name, **more)}  smoke:\n{lines}\n"


@pytest.fixture
def hurried(world: World) -> World:
    """Executions end at the first look, for the sandbox's time runs ahead with each request."""
    world.lives(live(startEvent=INPUTS), live("orders"))
    world.stage.hurry_s = 1.0
    ends(world, output=OUTPUT)
    world.manifests(smoking())
    return world


def ends(world: World, name: str = "billing", **how: object) -> None:
    world.org.executions.outcomes[f"id-{name}"] = Outcome(**{"duration_s": 0.5} | how)  # type: ignore[arg-type]


def test_cases_that_pass_say_so_and_what_they_launched(hurried: World) -> None:
    ran = hurried.run("smoke", "-o", "json")

    assert ran.code == 0, ran.said
    [case] = ran.json["smoke"]
    [execution] = hurried.org.executions
    assert case["status"] == "passed"
    assert case["execution_id"] == execution.id
    assert case["took_ms"] == 500
    assert (execution.data, execution.context) == ({"customerId": "4711"}, {"language": "en"})
    assert ran.json["summary"] == {"passed": 1, "failed": 0, "unknown": 0, "skipped": 0}


def test_a_case_that_fails_says_what_was_wanted_and_what_came(hurried: World) -> None:
    ends(hurried, status="ERROR", duration_s=2.5, output={**OUTPUT, "tier": "\x1b[31msilver"})
    hurried.stage.hurry_s = 5.0

    ran = hurried.run("smoke")

    assert ran.code == 1, ran.said
    assert "✗ smoke known customer  failed  2.5 s  execution" in ran.out
    assert "manifests/flows.yaml:" in ran.out
    assert "status: wanted COMPLETED, got ERROR" in ran.out
    assert "within_ms: wanted at most 2000 ms, got 2500 ms" in ran.out
    assert "output/tier: wanted gold, got \\u{1b}[31msilver" in ran.out
    assert "The flow ended in its error handling" in ran.out
    assert "1 smoke case: 1 failed." in ran.out
    assert "\x1b" not in ran.out


def test_only_flows_that_are_asked_for_are_launched(hurried: World) -> None:
    quick = "- {name: quick}"
    hurried.manifests(smoking(), smoking("orders", quick, labels="{team: shop}"))
    ends(hurried, "orders")

    assert hurried.run("smoke", "flow/ord*").code == 0
    assert hurried.run("smoke", "--select", "team=shop").code == 0
    assert hurried.run("smoke", "--exclude", "flow/billing").code == 0
    assert {each.flow_id for each in hurried.org.executions} == {"id-orders"}
    misspelt = hurried.run("smoke", "flow/order")
    assert misspelt.code == 64
    assert "nearest: flow/orders" in misspelt.err


def test_flows_without_cases_are_counted_and_not_launched(hurried: World) -> None:
    hurried.manifests(manifest())

    ran = hurried.run("smoke")

    assert ran.code == 0, ran.said
    assert "0 smoke cases: nothing to run; 1 flow without any." in ran.out
    assert not len(hurried.org.executions)


def test_data_that_the_flow_does_not_take_fails_the_case(hurried: World) -> None:
    hurried.manifests(smoking(cases="- {name: wrong, data: {customer_id: x}}"))

    ran = hurried.run("smoke")

    assert ran.code == 1, ran.said
    assert "customer_id is unknown" in ran.out
    assert not len(hurried.org.executions)


def test_a_launch_without_an_answer_is_unknown_and_not_repeated(hurried: World) -> None:
    def unanswered(exchange: Exchange) -> None:
        exchange.forward()
        exchange.reset()

    with FaultProxy(hurried.url) as proxy:
        proxy.on("POST", "/api/v2/flows/executions", unanswered, times=None)
        ran = hurried.run("smoke", GCSYNC_API_URL=proxy.url)

    assert ran.code == 4, ran.said
    assert "? smoke known customer  unknown" in ran.out
    assert "it is not launched again" in ran.out
    assert len(hurried.org.executions) == 1


def test_a_signal_ends_the_waiting_and_says_what_is_open(hurried: World) -> None:
    hurried.stage.hurry_s = 0.0
    ends(hurried, duration_s=3600.0)
    process = hurried.spawn("smoke", "-v")
    while not len(hurried.org.executions):
        assert process.poll() is None

    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=7)

    assert process.returncode == 130, out + err
    assert "interrupted before it ended" in out


def test_pipelines_read_each_case_as_a_test_and_at_its_line(hurried: World) -> None:
    ends(hurried, status="ERROR", output={**OUTPUT, "tier": "silver"})

    ran = hurried.run("smoke", "-o", "junit=smoke.xml", "-o", "sarif=smoke.sarif", "-o", "github")

    assert ran.code == 1, ran.said
    suite = ET.parse(hurried.folder / "smoke.xml").getroot()
    [case] = suite.iter("testcase")
    assert case.attrib["name"] == "flow/billing smoke known customer"
    [failure] = case.iter("failure")
    assert failure.attrib["message"] == "status: wanted COMPLETED, got ERROR"
    assert "output/tier: wanted gold, got silver" in (failure.text or "")
    [result] = json.loads((hurried.folder / "smoke.sarif").read_text())["runs"][0]["results"]
    [location] = result["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "manifests/flows.yaml"
    assert "::error file=manifests/flows.yaml,line=" in ran.err
