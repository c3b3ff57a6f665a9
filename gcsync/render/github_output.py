"""A report as outputs of a step of GitHub Actions, for the file that ``GITHUB_OUTPUT`` names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gcsync.render.sanitise import clean

if TYPE_CHECKING:
    from gcsync.model.report import Report


def github_output(report: Report, *, colour: bool = False, in_pipeline: bool = False) -> str:  # noqa: ARG001 - nothing here is coloured, and a later step's log may show it anyway
    """``has_changes`` where anybody can say, ``exitcode`` and ``summary``.

    Each is a line of its own, for the sink leaves no line break in a value: so
    the runner needs no delimiter, which a value might contain.
    """
    outputs = {
        "exitcode": str(report.exit_code),
        "summary": clean(report.summary, in_pipeline=True),
    }
    if report.tells_changes:
        outputs = {"has_changes": str(report.changed_flows > 0).lower(), **outputs}
    return "".join(f"{name}={value}\n" for name, value in outputs.items())
