"""How flows are chosen on a command line: by a label, as a shard."""

from __future__ import annotations

from typing import Any

import click

from gcsync.model.shard import MOST_SHARDS, Shard, shard_of


class LabelType(click.ParamType[tuple[str, str]]):
    """A label and the value that it is to have."""

    name = "LABEL=VALUE"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, str]:
        """Read *value*, or fail as click does."""
        if isinstance(value, tuple):
            return value
        label, separator, wanted = str(value).partition("=")
        if not separator or not label:
            self.fail(f"{value!r} is not LABEL=VALUE", param, ctx)
        return label, wanted


class ShardType(click.ParamType[Shard]):
    """One of several parts, such as ``2/3``."""

    name = "I/N"

    def convert(self, value: Any, param: Any, ctx: Any) -> Shard:
        """Read *value*, or fail as click does."""
        if isinstance(value, Shard):
            return value
        shard = shard_of(str(value))
        if shard is None:
            self.fail(
                f"{value!r} is no shard; write I/N, 2/3 for example, with at most {MOST_SHARDS}",
                param,
                ctx,
            )
        return shard
