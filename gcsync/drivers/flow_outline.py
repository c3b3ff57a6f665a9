"""From a flow document to its outline: data actions and the ways between them. Pure.

The dialect names no closed set of steps, so only what carries meaning for a
caller's way is known by name: ``actions`` is a sequence, a ``callTask`` goes
to a task and comes back, a ``loop`` repeats. Whatever else a step holds that
has ``actions`` of its own (outputs, cases, choices, a default) are ways of
which a caller takes one; of a container, parts that run in their order.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from gcsync.drivers.flow_lens import decoded
from gcsync.errors import InvalidAnswer
from gcsync.model.outline import Branches, Call, Loop, Outline, Sequence

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from gcsync.model.change import Snapshot
    from gcsync.model.outline import Step

    Reading = Generator[Any, Any, Step]

_NOWHERE: Final = Sequence(())
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)+")
_CONDITIONS: Final = ("condition", "evaluate", "expression")
_NESTING: Final = (dict, list)
_ROWS: Final = ("actions", "tasks")


def outline(snapshot: Snapshot) -> Outline:
    """The outline of the document that *snapshot* holds. Raises `InvalidAnswer`."""
    try:
        document, members = decoded(snapshot.document)
        return Outline(root=_Reader(document, members).root(), actions=snapshot.actions)
    except (ValueError, RecursionError) as error:
        raise InvalidAnswer(f"{snapshot.ref}: the live document cannot be outlined") from error


class _Reader:
    """One document on its way to an outline; each task is read once.

    Parts hold parts and tasks call tasks, deeper than functions may: what
    reads a part is a generator, which hands out the parts that it needs first.
    """

    def __init__(self, document: Any, members: list[dict[str, Any]]) -> None:
        self._document = document
        self._indexes = {id(member): index for index, member in enumerate(members)}
        parts = tuple(_objects(document))
        self._tasks = {key: task for task in _tasks(parts) for key in _keys(task)}
        self._called = {id(task) for call in _calls(parts) if (task := self._task(call))}
        self._asked = _asked(parts)
        self._known: dict[int, Step] = {}
        self._shared: set[int] = set()
        self._open: set[int] = set()
        self._repeating: set[int] = set()

    def root(self) -> Step:
        """The whole flow."""
        waiting = [self._container(self._document)]
        found: Step | None = None
        while waiting:
            try:
                waiting.append(waiting[-1].send(found))
                found = None
            except StopIteration as done:
                waiting.pop()
                found = done.value
        return found or _NOWHERE

    def _container(self, node: Any) -> Reading:
        """What has ``actions``: its steps, then the parts beside them that no step calls."""
        steps = yield from _all(
            self._step(step) for step in _list(node.get("actions")) if isinstance(step, dict)
        )
        parts = yield from _all(
            self._container(part)
            for key, value in node.items()
            if key != "actions"
            for part in _containers(value)
            if id(part) not in self._called
        )
        return self._sequence([*steps, *parts])

    def _step(self, step: dict[str, Any]) -> Reading:
        if step.get("type") == "callTask":
            return (yield from self._call_task(step))
        inner: Step = yield self._container({key: step[key] for key in _ROWS if key in step})
        ways = yield from _all(
            self._container(part)
            for key, value in step.items()
            if key not in _ROWS and key != "data"
            for part in _containers(value)
        )
        below = self._sequence([inner, _branches(ways)])
        if step.get("type") == "loop":
            times = step.get("loopCount")
            return below if below == _NOWHERE else Loop(body=below, times=_bound(times))
        index = self._indexes.get(id(step))
        return below if index is None else self._sequence([self._call(step, index), below])

    def _call_task(self, step: dict[str, Any]) -> Reading:
        """The task that a step calls; one that is under way already is entered no second time.

        Such a task, that calls itself or is called by what it calls, is a loop
        without bound.
        """
        task = self._task(step)
        if task is not None and id(task) in self._open:
            self._repeating.add(id(task))
        if task is None or id(task) in self._open:
            return _NOWHERE
        if id(task) not in self._known:
            self._open.add(id(task))
            read: Step = yield self._container(task)
            if id(task) in self._repeating and read != _NOWHERE:
                read = Loop(body=read)
            self._known[id(task)] = read
            self._shared.add(id(read))
            self._open.discard(id(task))
        return self._known[id(task)]

    def _sequence(self, steps: list[Step]) -> Step:
        """Steps in a row, those that call nothing left out.

        What a task holds is not laid out in the row: forty tasks that each
        call the next one twice would make more calls than any memory holds.
        """
        telling: list[Step] = []
        for step in steps:
            if isinstance(step, Sequence) and id(step) not in self._shared:
                telling.extend(step.steps)
            elif step != _NOWHERE:
                telling.append(step)
        return telling[0] if len(telling) == 1 else Sequence(tuple(telling))

    def _task(self, call: Any) -> Any:
        named = call.get("task")
        keys = _keys(named) if isinstance(named, dict) else ()
        return next((self._tasks[key] for key in keys if key in self._tasks), None)

    def _call(self, step: Any, index: int) -> Call:
        results = step.get("results")
        named = results.values() if isinstance(results, dict) else ()
        variables = {str(each.get("variable")) for each in named if isinstance(each, dict)}
        return Call(index=index, is_routed_on=not variables.isdisjoint(self._asked))


def _all(parts: Iterable[Reading]) -> Generator[Any, Any, list[Step]]:
    """The steps of several parts, read one after the other."""
    steps: list[Step] = []
    for part in parts:
        step = yield part
        steps.append(step)
    return steps


def _keys(task: Any) -> tuple[tuple[str, str], ...]:
    """By what a task can be called: its id before its name."""
    return tuple(
        (key, task[key]) for key in ("id", "refId", "name") if isinstance(task.get(key), str)
    )


def _tasks(parts: Iterable[dict[str, Any]]) -> Iterator[Any]:
    for part in parts:
        for task in _list(part.get("tasks")):
            if isinstance(task, dict):
                yield task


def _calls(parts: Iterable[dict[str, Any]]) -> Iterator[Any]:
    return (part for part in parts if part.get("type") == "callTask")


def _asked(parts: Iterable[dict[str, Any]]) -> set[str]:
    """The variables that decisions look at."""
    texts = []
    for part in parts:
        for key in _CONDITIONS:
            if key in part:
                held = part[key]
                texts.append(held.get("exp") if isinstance(held, dict) else held)
    return {name for text in texts if isinstance(text, str) for name in _VARIABLE.findall(text)}


def _objects(node: Any) -> Iterator[dict[str, Any]]:
    """Every JSON object in *node*, itself included, in the order of the document."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            yield each
            waiting.extend(_held(each.values()))
        elif isinstance(each, list):
            waiting.extend(_held(each))


def _containers(node: Any) -> Iterator[Any]:
    """The outermost objects in *node* that have ``actions`` or ``tasks`` of their own."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            if isinstance(each.get("actions"), list) or isinstance(each.get("tasks"), list):
                yield each
            else:
                waiting.extend(_held(each.values()))
        elif isinstance(each, list):
            waiting.extend(_held(each))


def _held(values: Iterable[Any]) -> list[Any]:
    """The objects and arrays among *values*, the last one first, as a stack has them."""
    return [each for each in values if isinstance(each, _NESTING)][::-1]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _bound(times: Any) -> int | None:
    return times if type(times) is int and times >= 0 else None


def _branches(ways: list[Step]) -> Step:
    telling = [way for way in ways if way != _NOWHERE]
    return telling[0] if len(telling) == 1 else Branches(tuple(telling)) if telling else _NOWHERE
