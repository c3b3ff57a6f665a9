"""What words on a command line mean: choices, labels, sizes, shards, durations, moments, values."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import click

from gcsync.core.waves import CanarySize
from gcsync.model.shard import MOST_SHARDS, Shard, shard_of

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class NearChoice(click.Choice[str]):
    """One of several words; a misspelt one is answered with the nearest."""

    def get_invalid_choice_message(self, value: Any, ctx: Any) -> str:
        """Why *value* is none of them."""
        from gcsync.loader.names import nearest

        said = super().get_invalid_choice_message(value, ctx)
        return f"{said.removesuffix('.')}{nearest(str(value), self.choices)}"


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


class SizeType(click.ParamType[CanarySize]):
    """A number of flows, or a share of them such as ``10%``."""

    name = "N|N%"

    def convert(self, value: Any, param: Any, ctx: Any) -> CanarySize:
        """Read *value*, or fail as click does."""
        if isinstance(value, CanarySize):
            return value
        found = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)(%?)", str(value), re.ASCII)
        number = Decimal(found[1]) if found else Decimal(0)
        is_share = bool(found and found[2])
        if not 0 < number <= (100 if is_share else 10**6) or (not is_share and number % 1):
            self.fail(f"{value!r} is neither a number of flows nor a share such as 10%", param, ctx)
        return CanarySize(percent=number) if is_share else CanarySize(flows=int(number))


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


class SinceType(click.ParamType[datetime]):
    """A moment: a duration ago, or a day or time as ISO 8601 writes it, in UTC unless it says."""

    name = "WHEN"

    def convert(self, value: Any, param: Any, ctx: Any) -> datetime:
        """Read *value*, or fail as click does."""
        if isinstance(value, datetime):
            return value
        if re.fullmatch(r"[1-9][0-9]{0,5}[smhd]", str(value)):
            return datetime.now(UTC) - DurationType().convert(value, param, ctx)
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is neither 24h nor a time such as 2030-01-02", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
