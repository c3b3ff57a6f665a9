"""Looking at several things: what moved meanwhile is looked at again, whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from engine_builders import PretendDriver, ref

from gcsync.engine.looking import looked
from gcsync.errors import FlowNotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from gcsync.drivers.driver import Look
    from gcsync.model.change import FlowRef, Glimpse, Revision


class Restless(PretendDriver):
    """While a look is under way, *moving* of its flows are changed."""

    def __init__(self, *names: str, moving: tuple[str, ...] = ()) -> None:
        super().__init__(*names)
        self.moving = moving
        self.asked: dict[FlowRef, Collection[str] | None] = {}

    def look(self, refs: object) -> Look:  # type: ignore[override]
        return Passing(self)


class Passing:
    def __init__(self, driver: Restless) -> None:
        self._driver = driver

    def at(self, ref: FlowRef, settings: Collection[str] | None) -> Glimpse:
        self._driver.asked[ref] = settings
        return self._driver.fetch(ref)

    def moved(self) -> Collection[FlowRef]:
        for each in self._driver.moving:
            self._driver.edit(each, "3000", "4000")
        return [ref(each) for each in self._driver.moving]


def revision(
    item: str, ref: FlowRef, read: Callable[[FlowRef], Glimpse]
) -> tuple[str, Revision | None]:
    return item, read(ref).revision


@pytest.mark.parametrize("parallelism", [1, 4])
def test_what_moved_is_looked_at_again_and_stays_in_its_place(parallelism: int) -> None:
    driver = Restless("a", "b", "c", moving=("b",))
    items = [(each, ref(each)) for each in ("c", "b", "a")]
    done: list[tuple[str, Revision | None]] = []

    found = looked(revision, items, driver, parallelism=parallelism, done=done.append)

    assert found == [("c", '"1"'), ("b", '"2"'), ("a", '"1"')]
    assert sorted(done) == [("a", '"1"'), ("b", '"1"'), ("c", '"1"')]


def test_a_look_is_told_what_it_is_about() -> None:
    driver = Restless("a", "b")
    about = {"a": frozenset({"timeout_ms"}), "b": None}

    looked(
        revision,
        [(each, ref(each)) for each in about],
        driver,
        settings=about.__getitem__,
        parallelism=1,
    )

    assert driver.asked == {ref(each): settings for each, settings in about.items()}


def test_what_is_not_there_is_for_the_one_who_looks() -> None:
    with pytest.raises(FlowNotFound):
        looked(revision, [("x", ref("x"))], Restless("a"), parallelism=1)
