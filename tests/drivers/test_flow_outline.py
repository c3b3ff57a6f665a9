"""Outlines of flow documents: which data actions a caller meets on which way."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gcsync.drivers.flow_lens import read_snapshot
from gcsync.drivers.flow_outline import outline
from gcsync.errors import InvalidAnswer
from gcsync.model.change import FlowRef, Snapshot
from gcsync.model.outline import Branches, Call, Loop, Outline, Sequence, Step
from gcsync.sandbox.sample import sample_organisation


def data(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "data", "id": f"id-{name}", "name": name, "data": {}, **more}


def outlined(*actions: Any, **more: Any) -> Outline:
    document = {"id": "f-1", "actions": list(actions), **more}
    ref = FlowRef(address="flow/case", id="f-1")
    return outline(read_snapshot(ref, json.dumps(document).encode(), '"1"'))


def names(found: Outline, step: Step | None = None) -> Any:
    """The outline in short: a name a call, a list a sequence, a set of ways, a loop's times."""
    step = found.root if step is None else step
    match step:
        case Call():
            return found.actions[step.index].name
        case Sequence():
            return [names(found, each) for each in step.steps]
        case Branches():
            return {"ways": [names(found, way) for way in step.ways]}
        case Loop():
            return {"times": step.times, "body": names(found, step.body)}


def test_steps_follow_each_other() -> None:
    found = outlined(data("A"), {"type": "playAudio", "name": "Hello"}, data("B"))

    assert names(found) == ["A", "B"]


def test_outputs_cases_choices_and_a_default_are_ways() -> None:
    found = outlined(
        {"type": "decision", "outputs": {"yes": {"actions": [data("A")]}, "no": {"actions": []}}},
        {
            "type": "switch",
            "cases": [{"value": 1, "actions": [data("B")]}, {"value": 2, "actions": [data("C")]}],
            "default": {"actions": [data("D")]},
        },
        {"type": "menu", "choices": [{"actions": [data("E")]}, {"actions": [data("F")]}]},
    )

    assert names(found) == ["A", {"ways": ["B", "C", "D"]}, {"ways": ["E", "F"]}]


def test_what_follows_a_data_action_s_answer_comes_after_it() -> None:
    found = outlined(
        data("A", outputs={"failure": {"actions": [data("B")]}, "no": {"actions": [data("C")]}})
    )

    assert names(found) == ["A", {"ways": ["B", "C"]}]


def test_a_loop_knows_its_bound() -> None:
    found = outlined(
        {"type": "loop", "loopCount": 3, "outputs": {"loop": {"actions": [data("A")]}}},
        {"type": "loop", "outputs": {"loop": {"actions": [data("B")]}}},
        {"type": "loop", "loopCount": 5, "outputs": {"loop": {"actions": []}}},
    )

    assert names(found) == [{"times": 3, "body": "A"}, {"times": None, "body": "B"}]


def test_a_task_stands_where_it_is_called_as_often_as_it_is() -> None:
    call = {"type": "callTask", "task": {"id": "t-1", "name": "Serve"}}

    found = outlined(call, data("A"), call, tasks=[{"id": "t-1", "actions": [data("B")]}])

    assert names(found) == ["B", "A", "B"]


def test_tasks_that_nobody_calls_run_after_the_steps_around_them_at_any_depth() -> None:
    inner = {"name": "Inner", "actions": [data("C")]}

    found = outlined(data("A"), tasks=[{"name": "Outer", "actions": [data("B")], "tasks": [inner]}])

    assert names(found) == ["A", "B", "C"]


def test_tasks_that_call_each_other_are_a_loop_without_bound() -> None:
    def call(task: str) -> dict[str, Any]:
        return {"type": "callTask", "task": {"name": task}}

    found = outlined(
        call("One"),
        tasks=[
            {"name": "One", "actions": [data("A"), call("Two")]},
            {"name": "Two", "actions": [data("B"), call("One")]},
        ],
    )

    assert names(found) == {"times": None, "body": ["A", "B"]}


def test_tasks_that_each_call_the_next_one_twice_are_read_once_each() -> None:
    def task(number: int) -> dict[str, Any]:
        call = {"type": "callTask", "task": {"name": f"T{number + 1}"}}
        return {"name": f"T{number}", "actions": [call, {"type": "group", "actions": [call]}]}

    last = {"name": "T40", "actions": [data("A"), data("B")]}

    step = outlined(tasks=[last, *(task(number) for number in range(40))]).root

    for _ in range(40):
        assert isinstance(step, Sequence)
        one, other = step.steps
        assert one is other
        step = one
    assert step == Sequence((Call(index=0), Call(index=1)))


def test_a_document_as_deep_as_can_be_read_can_be_outlined() -> None:
    body = b'{"type":"group","actions":[' * 440 + b'{"type":"data","name":"A"}' + b"]}" * 440
    ref = FlowRef(address="flow/case", id="f-1")

    found = outline(read_snapshot(ref, b'{"id":"f-1","actions":[' + body + b"]}", '"1"'))

    assert found.root == Call(index=0)


def test_a_chain_of_tasks_has_no_end_that_is_too_far() -> None:
    tasks = [
        {
            "name": f"T{number}",
            "actions": [{"type": "callTask", "task": {"name": f"T{number + 1}"}}],
        }
        for number in range(3000)
    ]
    call = {"type": "callTask", "task": {"name": "T0"}}

    found = outlined(call, tasks=[*tasks, {"name": "T3000", "actions": [data("A")]}])

    assert names(found) == "A"


def test_a_task_of_no_name_is_called_by_nobody() -> None:
    found = outlined({"type": "callTask", "task": {"id": "gone"}}, data("A"))

    assert names(found) == "A"


def test_an_action_is_routed_on_where_a_decision_looks_at_its_answer() -> None:
    found = outlined(
        data("A", results={"Tier": {"variable": "Flow.Tier"}}),
        data("B", results={"Name": {"variable": "Flow.Name"}}),
        {"type": "switch", "evaluate": 'Upper(Flow.Tier) == "GOLD"', "cases": []},
    )

    assert isinstance(found.root, Sequence)
    assert [step.is_routed_on for step in found.root.steps if isinstance(step, Call)] == [
        True,
        False,
    ]


def test_every_data_action_of_the_sample_is_met_on_some_way() -> None:
    organisation = sample_organisation()
    for flow in organisation.flows:
        ref = FlowRef(address="flow/case", id=flow.id)
        found = outline(read_snapshot(ref, organisation.document(flow.id), '"1"'))

        assert met(found.root) == set(range(len(found.actions)))


def met(step: Step) -> set[int]:
    match step:
        case Call():
            return {step.index}
        case Loop():
            return met(step.body)
        case Branches():
            return {index for way in step.ways for index in met(way)}
        case Sequence():
            return {index for each in step.steps for index in met(each)}


@pytest.mark.parametrize("body", [b"[", b"[" * 100_000], ids=["broken", "bottomless"])
def test_a_document_that_is_none_is_refused(body: bytes) -> None:
    ref = FlowRef(address="flow/case", id="f-1")

    with pytest.raises(InvalidAnswer, match="cannot be outlined"):
        outline(Snapshot(ref=ref, revision=None, document=body, actions=()))
