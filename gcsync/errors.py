"""Every deliberate error, each with the exit code it ends the process with.

::

    GcsyncError                 1
    ├── WrongUsage             64   the command line cannot be obeyed
    │   └── NothingDesired     64   no manifest manages what it asks about
    ├── InvalidManifests        1   all findings of all files, with positions
    ├── ConfigurationError      1   environment variables, project file
    │   └── NotConfigured       1   nothing says which organisation, or as whom
    ├── CannotEdit              1   a manifest's text cannot be changed in just this place
    ├── JournalError            1   the journal cannot be read or written
    ├── LockHeld                1   another run is under way on the same organisation
    ├── ScenarioError           1   what is to be simulated cannot be
    ├── TargetUnclear           1   no flow, or more than one, is called what was asked for
    ├── LaunchRefused           1   data that does not fit a flow, before anything is sent
    ├── MergeRefused            1   reports that do not belong together
    ├── GoalMissed              1   no settings meet what is asked of a recommendation
    ├── PlanRefused             3   a saved plan no longer holds
    │   └── NotAPlan           64   a file that never was one
    ├── LimitExceeded           5   a limit, before any write
    ├── LintRefused             5   lint findings of severity error, before any write
    ├── Interrupted       130/143   a signal ended the command
    └── ApiError                1   the organisation's side
        ├── NotSent             1   certainly never reached the server
        ├── NoAnswer            1   a read that was never answered
        ├── OutcomeUnknown      4   a write that may or may not have happened
        ├── InvalidAnswer       1   an answer that cannot be believed
        ├── ReadOnly            1   what the API lets nobody change
        ├── AuthenticationFailed 1
        ├── DraftFailed         1   no valid draft, so nothing was published
        │   └── DraftTestFailed 1   a draft that did not stand its test
        ├── DraftInTheWay       1   a draft that may be somebody's work
        └── Refused             1   an error answer, read and understood
            ├── PermissionMissing 1
            ├── FlowNotFound     1
            ├── DataMismatch     1
            └── StaleRevision    3

A conflict, a finding and a partial result are values, never exceptions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


class GcsyncError(Exception):
    """This call cannot keep its promise; the message says why and what to do."""

    exit_code: int = 1


class WrongUsage(GcsyncError):
    """The command line asks for something that cannot be."""

    exit_code = 64


class NothingDesired(WrongUsage):
    """The manifest of *address* desires nothing at *path*, where there may be a live setting.

    What is said is for the case that there is none. *is_certain* where the
    manifest names the data action and the path is one that it could manage.
    """

    def __init__(self, message: str, *, address: str, path: str, is_certain: bool) -> None:
        super().__init__(message)
        self.address = address
        self.path = path
        self.is_certain = is_certain


class InvalidManifests(GcsyncError):
    """One or more documents are refused; *lines* are ready to print, one a finding."""

    def __init__(self, findings: Sequence[Any]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = tuple(findings)


class ConfigurationError(GcsyncError):
    """An environment variable or the project file does not allow the command to run."""


class NotConfigured(ConfigurationError):
    """No credentials or no region: nobody said which organisation to ask, or as whom."""


class CannotEdit(GcsyncError):
    """One value of a manifest cannot be changed without touching anything else."""


class JournalError(GcsyncError):
    """The journal cannot be read or written, so nothing may be written elsewhere either."""


class LockHeld(GcsyncError):
    """Another run writes to the same organisation, or plans to."""


class ScenarioError(GcsyncError):
    """What is to be simulated contradicts itself, or is more than can be lived through."""


class TargetUnclear(GcsyncError):
    """No flow is called what was asked for, or more than one is."""


class LaunchRefused(GcsyncError):
    """The data does not fit the flow's start event; nothing was sent. A line each."""

    def __init__(self, subject: str, misfits: Sequence[str]) -> None:
        lines = "\n".join(f"{subject}: {misfit}" for misfit in misfits)
        super().__init__(
            f"{lines}\nnothing was launched; correct the data (name:=3 is a number, name=3 a text),"
            " or pass --no-check"
        )
        self.misfits = tuple(misfits)


class MergeRefused(GcsyncError):
    """Reports that are to be put together are damaged, or parts of different things."""


class GoalMissed(GcsyncError):
    """No timeouts and retries meet what a recommendation is asked for; the lines say by how far."""


class PlanRefused(GcsyncError):
    """A saved plan is damaged, expired, or of another organisation or format."""

    exit_code = 3


class NotAPlan(PlanRefused):
    """The file that was given as a saved plan never was one."""

    exit_code = 64


class LimitExceeded(GcsyncError):
    """The plan changes more than the project file allows."""

    exit_code = 5


class LintRefused(GcsyncError):
    """Lint has findings of severity error; nothing was read from the organisation or written."""

    exit_code = 5

    def __init__(self, findings: Sequence[Any]) -> None:
        lines = "\n".join(str(finding) for finding in findings)
        count = f"{len(findings)} error{'' if len(findings) == 1 else 's'}"
        super().__init__(
            f"{lines}\nlint refuses this with {count}, and nothing was read or written; correct"
            " them, accept them with metadata.allow, or pass --no-lint ('gcsync rules' explains)"
        )
        self.findings = tuple(findings)


class Interrupted(GcsyncError):
    """A signal ended the command; the exit code is 128 and *signal_number*, as in a shell."""

    def __init__(self, signal_number: int, message: str = "interrupted") -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number


class ApiError(GcsyncError):
    """The organisation's side cannot serve a request."""

    code: str = "api"
    correlation_id: str | None = None


class NotSent(ApiError):
    """The request certainly never reached the server, so sending it again is safe.

    *permanent* says that it is useless, too: a certificate that is not
    trusted now will not be in a second.
    """

    code = "not-sent"

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


class NoAnswer(ApiError):
    """A read got no answer that can be believed, however often it was asked for."""

    code = "no-answer"


class OutcomeUnknown(ApiError):
    """A request went out and no answer that can be believed came back.

    For a write this means that it may have happened, may yet happen, or may
    never happen: only reading again can tell.
    """

    exit_code = 4
    code = "outcome-unknown"


class InvalidAnswer(ApiError):
    """An answer arrived whole, but is not what the protocol promises."""

    code = "invalid-answer"


class ReadOnly(ApiError):
    """What is live can be changed by nobody through the API; nothing was sent."""

    code = "read-only"


class AuthenticationFailed(ApiError):
    """The login service gave no token, or the API does not accept the one it gave."""

    code = "authentication"


class Refused(ApiError):
    """The API answered with an error body.

    *status* is the HTTP status, *code* the platform's error code, and
    *correlation_id* the ``ININ-Correlation-Id`` that Genesys support asks for.
    *fields* are those that the answer complains of, each after its own code.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str = "",
        correlation_id: str | None = None,
        fields: Sequence[tuple[str, str]] = (),
    ) -> None:
        noted = f" (correlation id {correlation_id})" if correlation_id else ""
        super().__init__(f"{message}{noted}")
        self.status = status
        self.code = code or str(status)
        self.correlation_id = correlation_id
        self.fields = tuple(fields)


class PermissionMissing(Refused):
    """403: the OAuth client's roles do not allow this.

    *permission* is what they lack, empty where nobody knows.
    """

    def __init__(self, message: str, *, permission: str = "", **facts: Any) -> None:
        super().__init__(message, **facts)
        self.permission = permission


class FlowNotFound(Refused):
    """404: the flow is not in this organisation, or no longer."""


class DataMismatch(Refused):
    """400: the data of a launch does not fit the flow's start event; nothing was started."""


class DraftFailed(ApiError):
    """No draft could be made, or it is not valid; nothing was published."""

    code = "draft"


class DraftTestFailed(DraftFailed):
    """A draft did not stand one of its tests, or nobody can say; nothing was published."""

    code = "draft-test"


class DraftInTheWay(ApiError):
    """A draft is there that may be somebody's work; nothing was published."""

    code = "foreign-draft"


class StaleRevision(Refused):
    """412, or the public API's 409 or 400: what is live moved on after it was read."""

    exit_code = 3
