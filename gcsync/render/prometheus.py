"""A report as metrics, for the textfile collector of Prometheus' node exporter.

The collector reads all files of a folder as one exposition. So that those of
several commands, environments and shards go together, each series carries
these as labels, and a metric has one help text whoever tells of it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gcsync.model.report import Metric
from gcsync.render.sanitise import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gcsync.model.report import Report

PREFIX: Final = "gcsync_"
SUCCESS: Final = Metric(
    name="last_success_timestamp_seconds",
    help="When the command last ended without an error.",
    value=0.0,
)

_LABEL: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
_NUMBER: Final = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?")


def prometheus(report: Report, *, colour: bool = False, in_pipeline: bool = False) -> str:  # noqa: ARG001 - metrics have no colour
    """The metrics in the order told, each with its help and type before its first series."""
    named: dict[str, list[Metric]] = {}
    for metric in report.metrics:
        named.setdefault(metric.name, []).append(metric)
    lines = []
    for name, metrics in named.items():
        lines += [f"# HELP {PREFIX}{name} {metrics[0].help}", f"# TYPE {PREFIX}{name} gauge"]
        lines += [
            f"{_series(report, metric, in_pipeline=in_pipeline)} {_number(metric.value)}"
            for metric in metrics
        ]
    return "".join(f"{line}\n" for line in lines)


def with_former_success(report: Report, former: str) -> Report:
    """*report* of a failed run, with the time of the last success that *former* metrics tell.

    Without it the series would end with the first failure, and an alert on its
    age would fall silent just when it is due.
    """
    if any(metric.name == SUCCESS.name for metric in report.metrics):
        return report
    series = f"{_series(report, SUCCESS, in_pipeline=False)} "
    values = (line.removeprefix(series) for line in former.splitlines() if line.startswith(series))
    value = next(values, "")
    if not _NUMBER.fullmatch(value):
        return report
    return replace(report, metrics=(*report.metrics, replace(SUCCESS, value=float(value))))


def _series(report: Report, metric: Metric, *, in_pipeline: bool) -> str:
    labels: Mapping[str, str] = {
        "command": report.command,
        "environment": report.environment or "",
        **({"shard": report.shard} if report.shard else {}),
        **dict(metric.labels),
    }
    said = ",".join(
        f'{name}="{clean(value, in_pipeline=in_pipeline).translate(_LABEL)}"'
        for name, value in labels.items()
    )
    return f"{PREFIX}{metric.name}{{{said}}}"


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)
