"""What options take: labels, shards, durations, named values."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import click

from gcsync.model.shard import MOST_SHARDS, Shard, shard_of

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


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


class DurationType(click.ParamType[timedelta]):
    """A duration such as ``90m``, ``24h`` or ``2d``."""

    name = "DURATION"

    def convert(self, value: Any, param: Any, ctx: Any) -> timedelta:
        """Read *value*, or fail as click does."""
        if isinstance(value, timedelta):
            return value
        found = re.fullmatch(r"([1-9][0-9]{0,5})([smhd])", str(value))
        if not found:
            self.fail(f"{value!r} is not a duration such as 90m, 24h or 2d", param, ctx)
        return timedelta(**{_UNITS[found[2]]: int(found[1])})


class EntryType(click.ParamType[tuple[str, Any]]):
    """A name with a text, or with any JSON after ``:=``."""

    name = "KEY=TEXT|KEY:=JSON"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, Any]:
        """Read *value*, or fail as click does."""
        if isinstance(value, tuple):
            return value
        name, separator, text = str(value).partition("=")
        is_json = name.endswith(":")
        name = name.removesuffix(":")
        if not separator or not name:
            self.fail(f"{value!r} is neither KEY=TEXT nor KEY:=JSON", param, ctx)
        if not is_json:
            return name, text
        from gcsync.core.exact_json import Malformed, parse

        try:
            return name, parse(text)
        except Malformed as error:
            self.fail(f"{name}:= is not followed by JSON: {error}; for a text write =", param, ctx)
