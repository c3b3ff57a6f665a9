from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from acceptance_world import live, manifest, project

if TYPE_CHECKING:
    from acceptance_world import Outcome, World

FEW = ("--calls", "2000")
SLOW = "backend: {latency: {distribution: exponential, mean_ms: 800}}"
NOBODY = {
    "GCSYNC_API_URL": None,
    "GENESYSCLOUD_OAUTHCLIENT_ID": None,
    "GENESYSCLOUD_OAUTHCLIENT_SECRET": None,
}


def told(name: str = "billing", actions: str = "", spec: str = "calls_per_minute: 60") -> str:
    """A manifest with *spec* beside its actions."""
    document = manifest(name, actions or f"Lookup: {{timeout_ms: 5000, {SLOW}}}")
    return document.replace("  channel: voice\n", f"  channel: voice\n  {spec}\n")


def simulated(world: World, *words: str, **variables: str | None) -> Any:
    outcome = world.run("simulate", *FEW, "-o", "json", *words, **variables)
    assert outcome.code == 0, outcome.err
    return outcome.json


@pytest.fixture
def slow(world: World) -> World:
    """A live timeout of 3 s before a back end of 0.8 s on average; 5 s desired."""
    world.manifests(told())
    return world


def refused(outcome: Outcome, code: int = 1) -> str:
    """The one line that a command ends with."""
    assert outcome.code == code
    assert outcome.out == ""
    [line] = [each for each in outcome.err.splitlines() if "rror: " in each]
    return line


def test_live_and_desired_are_compared_and_the_better_one_is_named(slow: World) -> None:
    shown = slow.process("simulate", *FEW)

    assert (shown.code, shown.err) == (0, "")
    lines = shown.out.splitlines()
    assert lines[0] == "flow/billing  (60 calls/min, budget 6 s, 1 data action in a row)"
    assert lines[1].strip() == "~ Lookup: timeout_ms 3000 -> 5000"
    assert lines[2].split() == [
        *("live", "95", "%", "interval", "desired", "95", "%", "interval", "difference")
    ]
    [timed_out] = [line for line in lines if "timed out, %" in line]
    assert timed_out.endswith("better")
    [p99] = [line for line in lines if "wait p99" in line]
    assert p99.endswith("worse")
    assert "assumed:" in lines
    assert re.fullmatch(
        r"Simulated [\d,]+ calls in 10 replications of 3,600 s, seed 0\.", lines[-1]
    )
    assert max(map(len, lines)) <= 100
    assert slow.writes() == 0


def test_the_json_of_a_simulation_has_every_documented_member(slow: World) -> None:
    document = simulated(slow, "--seed", "5")

    assert document["format_version"] == "1.0"
    assert (document["seed"], document["replications"]) == (5, 10)
    assert document["warnings"] == []
    assert any("longest way" in each for each in document["assumptions"])
    [flow] = document["flows"]
    assert flow["address"] == "flow/billing"
    for side in (flow["live"], flow["desired"]):
        assert side["calls"] == document["calls"]
        for percentile, (low, high) in side["wait_ms_ci"].items():
            assert low <= side["wait_ms"][percentile] <= high
        assert list(side["wait_ms"]) == ["p50", "p95", "p99"]
        for rate in (
            "timeout_rate",
            "failure_rate",
            "over_budget_rate",
            "requests_per_call",
            "throttled_rate",
        ):
            low, high = side[f"{rate}_ci"]
            assert low <= side[rate] <= high
        assert side["slots"]["mean"] > 0
        assert side["slots"]["max"] >= 1
    # What theory says of exponential latencies: the share above the timeout.
    assert flow["live"]["timeout_rate"] == pytest.approx(0.0235, abs=0.004)
    assert flow["desired"]["timeout_rate"] == pytest.approx(0.0019, abs=0.001)


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(slow: World) -> None:
    assert simulated(slow) == simulated(slow)
    assert simulated(slow)["flows"] != simulated(slow, "--seed", "1")["flows"]


def test_saved_snapshots_give_what_the_live_flows_gave(slow: World) -> None:
    slow.run("plan", "--save-snapshots", "live.json")
    online = simulated(slow)

    assert simulated(slow, "--offline", "live.json", **NOBODY) == online


def test_without_credentials_the_manifests_alone_are_simulated_and_it_is_said(
    slow: World,
) -> None:
    shown = slow.run("simulate", *FEW, "-o", "json", **NOBODY)

    [flow] = shown.json["flows"]
    assert flow["live"] is None
    assert flow["desired"]["calls"] > 0
    assert shown.err.startswith("warning: live flows were not read (no connection")
    assert shown.json["warnings"] == [shown.err.removeprefix("warning: ").strip()]
    assert any("live flows were not read" in each for each in shown.json["assumptions"])


def test_a_data_action_that_the_live_flow_lacks_is_refused(slow: World) -> None:
    slow.manifests(told(actions="Lokup: {timeout_ms: 5000}"))

    assert "no data action 'Lokup'; nearest: Lookup" in refused(slow.run("simulate", *FEW))


def test_a_file_of_the_command_line_is_laid_over_the_manifests(slow: World) -> None:
    slower = "{actions: {Lookup: {backend: {latency: {mean_ms: 1600}}}}}"
    slow.write({"slower.yaml": manifest().split("spec:", maxsplit=1)[0] + f"spec: {slower}\n"})

    [before] = simulated(slow)["flows"]
    [after] = simulated(slow, "--scenario", "slower.yaml")["flows"]

    assert after["desired"]["wait_ms"]["p50"] == pytest.approx(
        2 * before["desired"]["wait_ms"]["p50"], rel=0.1
    )


def test_measured_latencies_and_counted_calls_are_taken_from_their_files(world: World) -> None:
    backend = "backend: {latency: {distribution: samples, file: load/crm.csv}}"
    world.manifests(
        told(
            actions=f"Lookup: {{timeout_ms: 5000, {backend}}}",
            spec="load: {arrivals: load/calls.csv, interval_s: 60}",
        )
    )
    world.write({"load/crm.csv": "latency_ms\n250\n", "load/calls.csv": "30\n0\n90\n"})

    document = simulated(world)

    [flow] = document["flows"]
    assert flow["desired"]["wait_ms"] == {"p50": 250, "p95": 250, "p99": 250}
    assert document["duration_s"] == 180
    assert document["calls"] == 120 * document["replications"]


def test_a_picture_and_a_page_are_written_with_nothing_foreign_in_them(slow: World) -> None:
    shown = slow.run("simulate", *FEW, "-o", "svg=waits.svg", "-o", "html=waits.html")

    picture = (slow.folder / "waits.svg").read_text()
    page = (slow.folder / "waits.html").read_text()
    assert shown.out.startswith("flow/billing")
    assert ET.fromstring(picture).tag == "{http://www.w3.org/2000/svg}svg"
    for written in (picture, page):
        assert "flow/billing: how long calls wait" in written
        assert "<script" not in written
        assert "http" not in written.replace("http://www.w3.org/2000/svg", "").replace(
            "http-equiv", ""
        )
    assert "default-src &#x27;none&#x27;" in page or "default-src 'none'" in page
    assert "95 % interval" in page


def test_few_calls_are_warned_of(world: World) -> None:
    world.lives(live(), live("orders"))
    world.manifests(told(), told("orders", spec="calls_per_minute: 0.2"))

    shown = world.run("simulate", *FEW, "-o", "json")

    [warning] = shown.json["warnings"]
    assert re.fullmatch(
        r"flow/orders: its figures rest on \d+ calls only; --target flow/orders simulates it"
        r" alone, with more of them",
        warning,
    )
    assert warning in shown.err


def test_calls_that_take_long_are_told_as_many_as_are_really_made(world: World) -> None:
    limits = "{requests_per_minute: 100000, concurrent_actions: 10000}"
    world.write({"gcsync.yaml": project(f"organisation: {limits}")})
    world.manifests(told(spec="calls_per_minute: 1000\n  load: {duration_s: 6060}"))

    shown = world.run("simulate", "--calls", "1", "-o", "json", **NOBODY)

    assert re.search(r"^simulating about 1,010,000 calls of 1 flow$", shown.err, re.MULTILINE)
    assert 1_000_000 < shown.json["calls"] < 1_020_000


# Recommendations


def test_a_recommendation_is_a_manifest_that_meets_the_goals_wherever_it_is_laid(
    slow: World,
) -> None:
    slow.write({"gcsync.yaml": project("environments: {prod: {overlays: [overlays]}}")})
    goal = ("--target", "timeout_rate=5%,p99_wait=4s")

    found = slow.run("simulate", *FEW, "--recommend", *goal)

    assert found.code == 0
    slow.write({"patch.yaml": found.out, "overlays/patch.yaml": found.out})
    [laid] = simulated(slow, "--scenario", "patch.yaml")["flows"]
    [overlaid] = simulated(slow, "--env", "prod")["flows"]
    assert laid == overlaid
    assert laid["desired"]["timeout_rate"] <= 0.05
    assert laid["desired"]["wait_ms"]["p99"] <= 4000
    timeout = re.search(r"timeout_ms: (\d+)", found.out)
    # -800 * ln(0.05), and some room for chance
    assert timeout
    assert 2300 < int(timeout[1]) < 3500


def test_a_recommendation_says_only_what_differs_and_tells_the_rest_aside(slow: World) -> None:
    slow.manifests(
        told(actions=f"Lookup: {{retry: {{max_retries: 0}}, timeout_ms: 30000, {SLOW}}}")
    )

    found = slow.run("simulate", *FEW, "--recommend", "-o", "json=found.json")

    document = [line for line in found.out.splitlines() if not line.startswith("#")]
    assert document[:6] == [
        "apiVersion: gcsync/v1",
        "kind: Flow",
        "metadata:",
        "  name: billing",
        "spec:",
        "  actions:",
    ]
    assert [line.strip().partition(" ")[0] for line in document[6:]] == ["Lookup:", "timeout_ms:"]
    assert found.err.startswith(
        "goals: timeout_rate=0.5%, over_budget_rate=0.5% (by default)\nsearching flow/billing\n"
    )
    assert "recommended" in found.err
    assert (slow.folder / "found.json").read_text().count('"recommended"') == 2


def test_a_goal_that_timing_out_meets_is_not_met_in_silence(slow: World) -> None:
    found = slow.run("simulate", *FEW, "--recommend", "--target", "p99_wait=1s", "-o", "json=x")

    told = (
        r"flow/billing: [89]\d\.?\d*% of calls time out, and no goal forbids that; add timeout_rate"
    )
    assert found.code == 0
    assert re.search(f"^warning: {told}", found.err, re.MULTILINE)
    assert re.search(f"^# {told}", found.out, re.MULTILINE)
    assert "timeout_rate" in (slow.folder / "x").read_text().split('"warnings"')[1]


def test_a_goal_that_keeps_callers_from_timing_out_needs_no_warning(slow: World) -> None:
    found = slow.run("simulate", *FEW, "--recommend", "--target", "timeout_rate=5%")

    assert (found.code, "time out" in found.err + found.out) == (0, False)


def test_quiet_leaves_the_manifest_alone(slow: World) -> None:
    assert slow.run("simulate", *FEW, "--recommend", "-q").err == ""


def test_a_goal_that_nothing_meets_is_one_line_with_the_best_there_is(slow: World) -> None:
    failing = "backend: {latency: {distribution: constant, value_ms: 100}, failure_percent: 20}"
    slow.manifests(told(actions=f"Lookup: {{request: {{method: POST}}, {failing}}}"))

    line = refused(slow.run("simulate", *FEW, "--recommend", "-q", "--target", "failure_rate=1%"))

    assert re.fullmatch(
        r"error: flow/billing: failure_rate=1% cannot be met; closest is failure_rate"
        r" (19|20)(\.\d+)?% \([\d.]+% to [\d.]+%\) with Lookup 100 ms and 0 retries",
        line,
    )


def test_too_few_calls_for_a_goal_are_asked_for_more(slow: World) -> None:
    found = slow.run(
        *("simulate", "--calls", "50", "--recommend", "-q", "--target", "timeout_rate=0.001%")
    )

    assert "raise --calls" in refused(found)


# Wrong input


@pytest.mark.parametrize(
    ("latency", "said"),
    [
        (
            "distribution: lognormal, p50_ms: -1, p99_ms: 9",
            "p50_ms is '-1'; it must be more than 0",
        ),
        ("distribution: lognormal, p50_ms: 400, p99_ms: 300", "p99_ms is 300, below p50_ms = 400"),
        ("distribution: samples, file: empty.csv", "empty.csv:1:1: error: no numbers"),
        ("distribution: samples, file: minus.csv", "minus.csv:2:1: error: -3 is negative"),
        ("distribution: samples, file: ../x.csv", "'../x.csv' leads out of the project"),
    ],
)
def test_a_back_end_that_cannot_be_is_refused_in_one_line(
    world: World, latency: str, said: str
) -> None:
    world.write({"empty.csv": "", "minus.csv": "412\n-3\n"})
    world.manifests(told(actions=f"Lookup: {{backend: {{latency: {{{latency}}}}}}}"))

    assert said in refused(world.run("simulate"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--target", "timeout_rate=1%"), "--target timeout_rate=1% is a goal; add --recommend"),
        (("--recommend", "--target", "timout=1%"), "no goal is called 'timout'; nearest:"),
        (("--recommend", "--target", "p99_wait=4"), "'4' is not a time such as 4s or 1500ms"),
        (("--recommend", "-o", "json"), "give -o a file, as in -o json=FILE"),
        (("--target", "flow/x"), "leaves none of 1 flow"),
        (("--calls", "0"), "--calls"),
        (("--seed", "-1"), "--seed"),
        (("--scenario", "nowhere.yaml"), "nowhere.yaml"),
    ],
)
def test_a_wrong_command_line_exits_64(slow: World, words: tuple[str, ...], said: str) -> None:
    assert said in refused(slow.run("simulate", *words), code=64)


def test_refused_manifests_are_told_in_a_picture_and_a_page_too(world: World) -> None:
    world.manifests(told(spec="calls_per_minute: -1"))

    outcome = world.run("simulate", "-o", "svg=x.svg", "-o", "html=x.html")

    assert outcome.code == 1
    for file in ("x.svg", "x.html"):
        assert "calls_per_minute is" in (world.folder / file).read_text()
