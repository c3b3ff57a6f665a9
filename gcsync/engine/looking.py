"""Looking at several live things at once; what moved meanwhile is looked at again."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from gcsync.engine.pool import in_parallel

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from gcsync.drivers.driver import Driver
    from gcsync.model.change import FlowRef, Glimpse

T = TypeVar("T")
R = TypeVar("R")


def looked(
    see: Callable[[T, FlowRef, Callable[[FlowRef], Glimpse]], R],
    items: Sequence[tuple[T, FlowRef]],
    driver: Driver,
    *,
    settings: Callable[[T], Collection[str] | None] = lambda _: None,
    parallelism: int,
    done: Callable[[R], None] = lambda _: None,
) -> list[R]:
    """What *see* makes of each item, in order, and certainly of one version of it.

    *see* is given an item, what is meant by it, and the way to read that,
    which raises as `Driver.fetch` does. It is called again for what may have
    changed while it was read in pieces, and its first result is forgotten.
    *settings* are those that an item is looked at for, ``None`` for all;
    *done* is called once an item. The first error ends it.
    """
    look = driver.look([ref for _, ref in items])

    def first(pair: tuple[T, FlowRef]) -> R:
        item, ref = pair
        return see(item, ref, lambda each: look.at(each, settings(item)))

    results = in_parallel(first, items, parallelism=parallelism, done=done)
    moved = set(look.moved())
    again = [index for index, (_, ref) in enumerate(items) if ref in moved]
    fresh = in_parallel(
        lambda index: see(*items[index], driver.fetch), again, parallelism=parallelism
    )
    for index, result in zip(again, fresh, strict=True):
        results[index] = result
    return results
