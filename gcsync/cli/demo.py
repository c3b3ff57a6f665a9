"""demo: the whole story on a sandbox of its own, told by the real commands."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree
from typing import TYPE_CHECKING, Final

import click

from gcsync.errors import GcsyncError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gcsync.sandbox.app import SandboxServer

COLLEAGUE: Final = "a colleague"
NOTE: Final = "Payments and invoices. On-call: payments team."
ACTION: Final = "GetCustomerProfile"
MANIFEST: Final = Path("manifests", "billing-inbound.yaml")


@click.command()
def demo() -> int:
    """Take a guided tour on a sandbox.

    No network, no credentials. Everything happens in a temporary folder,
    which is removed in the end.
    """
    from gcsync import shipped
    from gcsync.sandbox.app import SandboxServer
    from gcsync.sandbox.sample import sample_organisation

    with (
        tempfile.TemporaryDirectory(prefix="gcsync-demo-") as folder,
        SandboxServer(sample_organisation()) as server,
        chdir(folder),
        _environment(server),
    ):
        copytree(shipped.folder("sandbox/manifests"), "manifests")
        _Tour(server).run()
    return 0


@dataclass(frozen=True, slots=True)
class _Tour:
    """The story's scenes, each told and then played by the real commands."""

    server: SandboxServer

    def run(self) -> None:
        self._foresight()
        self._a_plan()
        self._an_edit_in_the_middle()
        self._an_edit_of_the_same_setting()
        self._drift()
        _tell(
            "That was the tour.",
            "Your own organisation: 'gcsync init', set GENESYSCLOUD_REGION,",
            "GENESYSCLOUD_OAUTHCLIENT_ID and GENESYSCLOUD_OAUTHCLIENT_SECRET, 'gcsync plan'.",
            "To practise on the sandbox first: 'gcsync plan --sandbox', 'gcsync apply --sandbox'.",
        )

    def _foresight(self) -> None:
        _tell(
            "1. Foresight",
            "A contact centre of 12 flows and 40 data actions; manifests in Git say which settings",
            "they should have. Before anything is written: which of them are unwise?",
        )
        _play("lint", ends_with=0)
        _tell("How long may callers have to wait, if every call times out?")
        _play("budget --target flow/order-status-line", ends_with=0)
        _tell(
            "And what will they feel? The same callers, before live and before desired settings;",
            "in this hour, the service that tells queue lengths is down for two minutes.",
        )
        _play("simulate --target flow/customer-care-main --calls 10000", ends_with=0)

    def _a_plan(self) -> None:
        _tell(
            "2. A plan",
            "Some live flows have fallen behind what the manifests say.",
        )
        _play("plan --out tonight.plan", ends_with=0)

    def _an_edit_in_the_middle(self) -> None:
        _tell(
            "3. An apply, with a colleague's edit in the middle",
            "Before the plan is applied, a colleague opens Billing Inbound in Architect and",
            "changes its description. gcsync writes under the revision that it has just read",
            "(If-Match), so it carries its change over to the new one, and the edit survives.",
        )
        self._edits("/description", NOTE)
        _play("apply tonight.plan", ends_with=0)
        document = json.loads(self.server.org.document(self._flow_id()))
        if document["description"] != NOTE:
            raise GcsyncError("the demo's story does not hold: the colleague's edit is lost")
        _tell(f"The colleague's description is still there: {document['description']!r}.")

    def _an_edit_of_the_same_setting(self) -> None:
        _tell(
            "4. A conflict, refused",
            "The team lowers a timeout to 4000 ms in the manifest and saves a plan. Meanwhile the",
            "colleague, in the middle of an incident, raises the very same timeout to 12000 ms.",
            "The plan was made from 5000: gcsync leaves the flow alone and shows all three values.",
        )
        lowered = MANIFEST.read_text(encoding="utf-8").replace(
            "timeout_ms: 5000", "timeout_ms: 4000"
        )
        MANIFEST.write_text(lowered, encoding="utf-8")
        _play("plan --target flow/billing-inbound --out later.plan", ends_with=0)
        self._edits("/data/timeout", 12_000, action=ACTION)
        _play("apply later.plan", ends_with=3)

    def _drift(self) -> None:
        _tell(
            "5. Drift",
            "From cron, drift compares live flows with the manifests: exit code 2 means that",
            "somebody changed something by hand, 0 that all is as desired.",
        )
        _play("drift", ends_with=2)
        _tell("The journal remembers who wrote what, and from which commit.")
        _play("history", ends_with=0)

    def _edits(self, pointer: str, value: object, *, action: str | None = None) -> None:
        """What a colleague does in Architect, now."""
        self.server.org.edit(
            self._flow_id(), pointer, value, action=action, author=COLLEAGUE, now=time.time()
        )

    def _flow_id(self) -> str:
        for flow in self.server.org.flows:
            if json.loads(self.server.org.document(flow.id))["name"] == "Billing Inbound":
                return flow.id
        raise GcsyncError("the demo's story does not hold: Billing Inbound is gone")


@contextmanager
def _environment(server: SandboxServer) -> Iterator[None]:
    """Credentials of the sandbox for the commands played, and nothing of the user's own."""
    kept = {
        name: os.environ.pop(name)
        for name in list(os.environ)
        if name.startswith(("GENESYS", "GCSYNC_"))
    }
    ours = {
        "GCSYNC_API_URL": server.url,
        "GENESYSCLOUD_OAUTHCLIENT_ID": server.client_id,
        "GENESYSCLOUD_OAUTHCLIENT_SECRET": server.client_secret,
    }
    os.environ.update(ours)
    try:
        yield
    finally:
        for name in ours:
            del os.environ[name]
        os.environ.update(kept)


def _tell(title: str, *lines: str) -> None:
    click.echo()
    click.secho(title, bold=True)
    for line in lines:
        click.echo(line)


def _play(command: str, *, ends_with: int) -> None:
    """Run *command* as a user would, and insist on its exit code: the story must be true."""
    from gcsync.cli.main import run

    click.echo()
    click.secho(f"$ gcsync {command}", fg="cyan")
    sys.stdout.flush()
    code = run(command.split())
    if code:
        click.secho(f"(exit code {code})", dim=True)
    if code != ends_with:
        raise GcsyncError(
            f"the demo's story does not hold: 'gcsync {command}' ended with {code}, not {ends_with}"
        )
