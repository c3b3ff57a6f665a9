"""The command line: composition root and error boundary."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from importlib import import_module
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, Final

import click

from gcsync import __version__
from gcsync.errors import GcsyncError, Interrupted, WrongUsage
from gcsync.render.sanitise import clean

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

COMMANDS: Final = {
    "init": "setup",
    "validate": "offline",
    "fmt": "formatting",
    "lint": "linting",
    "rules": "linting",
    "schema": "offline",
    "plan": "planning",
    "show": "planning",
    "diff": "comparing",
    "apply": "applying",
    "drift": "drifting",
    "import": "importing",
    "explain": "explaining",
    "budget": "budgeting",
    "simulate": "simulating",
    "execute": "executing",
    "smoke": "smoking",
    "history": "journalling",
    "rollback": "undoing",
    "unlock": "journalling",
    "matrix": "multiplying",
    "merge": "merging",
    "sandbox": "sandbox",
    "demo": "demo",
    "completion": "setup",
}
"""Command -> module of this package; imported when it is called or listed, in this order."""


def loaded(name: str) -> click.Command:
    """The command *name*, its module imported; a word of Python's own has a dash below it there."""
    module = import_module(f"gcsync.cli.{COMMANDS[name]}")
    command: click.Command = getattr(module, f"{name}_" if iskeyword(name) else name)
    return command


class Commands(click.Group):
    """Loads a command's module only when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Name the commands in the order in which one meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import the command *name*, if there is one."""
        return loaded(name) if name in COMMANDS else None

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; where it fails, the reports that were asked for say so too."""
        try:
            return super().invoke(ctx)
        except WrongUsage:  # nothing was tried, so there is nothing to report
            raise
        except GcsyncError as error:
            from gcsync.cli import console
            from gcsync.cli.options import CHOSEN

            if CHOSEN in ctx.meta:
                console.write_failure(error, ctx.meta[CHOSEN])
            raise

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Offer the nearest command for a misspelt one."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            close = get_close_matches(args[0], COMMANDS, n=1)
            if not close:
                raise
            message = f"{error.format_message()} Did you mean '{close[0]}'?"
            raise click.UsageError(message, ctx) from error


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="gcsync")
def cli() -> None:
    """Keep the settings of Genesys Cloud data actions as code.

    YAML manifests say which settings the data actions of each flow should
    have. 'plan' shows the difference to the live flows, 'apply' writes it
    with conditional requests, so that nobody's edit is ever lost, and
    'drift' tells from cron when somebody changed things by hand.

    'gcsync demo' shows it all on an embedded sandbox, without credentials.
    """


def main() -> None:
    """Run the command line and end the process with the documented exit code."""
    sys.excepthook = _unforeseen
    _open_what_is_closed()
    signal.signal(signal.SIGTERM, _terminated)
    try:
        code = run()
    except (KeyboardInterrupt, click.Abort):
        code = _failed("interrupted", 128 + signal.SIGINT)
    except BrokenPipeError:
        # Whoever read has seen enough; nothing may be flushed into the void at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except OSError as error:
        code = _failed(f"{error.filename or 'system'}: {error.strerror or error}", 1)
    sys.exit(code)


def _open_what_is_closed() -> None:
    """Put nothing where stdin, stdout or stderr was closed, before a file takes its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - for the whole process


def run(words: Sequence[str] | None = None) -> int:
    """Run one command line (the process's own, unless given) and return its exit code.

    Every deliberate error ends here, as a message on stderr.
    """
    given = sys.argv[1:] if words is None else list(words)
    try:
        # The words themselves go along for the journal.
        returned: Any = cli.main(given, prog_name="gcsync", standalone_mode=False, obj=given)
        sys.stdout.flush()
    except GcsyncError as error:
        return _failed(str(error), error.exit_code)
    except click.UsageError as error:
        # click's own exit code 2 means drift here.
        error.show()
        return 64
    except click.ClickException as error:
        return _failed(error.format_message(), 1)
    return returned if isinstance(returned, int) else 0


def _failed(message: str, code: int) -> int:
    in_pipeline = bool(os.environ.get("GITHUB_ACTIONS"))
    for line in message.splitlines():
        # A finding already reads file:line:column: error: message, as compilers write it.
        is_finding = ": error: " in line or line.startswith("error: ")
        shown = line if is_finding else f"error: {line}"
        click.echo(clean(shown, in_pipeline=in_pipeline), err=True)
    return code


def _terminated(number: int, _frame: FrameType | None) -> None:
    raise Interrupted(number, "terminated")


def _unforeseen(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    if os.environ.get("GCSYNC_DEBUG"):
        traceback.print_exception(kind, error, trace)
        return
    place = traceback.extract_tb(trace)[-1] if trace else None
    at = f" at {os.path.basename(place.filename)}:{place.lineno}" if place else ""  # noqa: PTH119 - no import for one name
    click.echo(
        f"error: gcsync met a case it does not know ({kind.__name__}{at}); this is a bug in"
        " gcsync, please report it; GCSYNC_DEBUG=1 shows the details",
        err=True,
    )
