"""What became of smoke cases as JSON documents, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gcsync.model.smoke import CaseResult, CaseStatus, Shortfall
from gcsync.model.value import Location

if TYPE_CHECKING:
    from gcsync.core.exact_json import Node


def case_document(result: CaseResult) -> dict[str, Any]:
    """What became of one case, as in ``smoke -o json``."""
    at = result.source
    return {
        "case": result.case,
        "status": result.status,
        "execution_id": result.execution_id,
        "took_ms": result.took_ms,
        "turn": result.turn,
        "failures": [
            {"path": each.path, "wanted": each.wanted, "got": each.got}
            for each in result.shortfalls
        ],
        "problem": result.problem,
        "source": {"file": at.file, "line": at.line, "column": at.column},
    }


def case_from_document(node: Node) -> CaseResult:
    """The inverse of `case_document`. Raises `Malformed`."""
    source = node.member("source")
    took, execution, problem = (
        node.maybe("took_ms"),
        node.maybe("execution_id"),
        node.maybe("problem"),
    )
    return CaseResult(
        case=node.member("case").text(),
        status=node.member("status").choice(CaseStatus),
        execution_id=execution.text() if execution else None,
        took_ms=took.integer() if took else None,
        turn=node.member("turn").integer(),
        shortfalls=tuple(
            Shortfall(
                path=each.member("path").text(),
                wanted=each.member("wanted").text(),
                got=each.member("got").text(),
            )
            for each in node.member("failures").items()
        ),
        problem=problem.text() if problem else None,
        source=Location(
            source.member("file").text(),
            source.member("line").integer(),
            source.member("column").integer(),
        ),
    )
