from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from document_builders import (
    NOON,
    a_result,
    a_run,
    an_intent,
    results,
    timeout_change,
)
from hypothesis import given, settings

from gcsync.errors import ConfigurationError, JournalError
from gcsync.model.change import Failure, FlowRef, FlowResult, Revision
from gcsync.model.value import ABSENT
from gcsync.store.journal import open_journal
from gcsync.store.tables import STEPS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gcsync.store.journal import Journal

NOWHERE = Path("nowhere")
LATER = NOON + timedelta(minutes=3)


def opened(url: str | None, directory: Path = NOWHERE, **rest: Any) -> Journal:
    return open_journal(url, directory=directory, **{"clock_now": lambda: NOON} | rest)


@pytest.fixture
def journal(url: str) -> Iterator[Journal]:
    with opened(url) as journal:
        yield journal


@pytest.fixture
def memory() -> Iterator[Journal]:
    with opened("sqlite://") as journal:
        yield journal


def script(code: str, url: str, **more: Any) -> subprocess.Popen[str]:
    """A process of its own that has `journal` open at *url*."""
    prologue = (
        "import sys; from pathlib import Path; from document_builders import *\n"
        "from gcsync.errors import JournalError\n"
        "from gcsync.store.journal import open_journal\n"
        "url, *arguments = sys.argv[1:]\n"
        "def opened(): return open_journal(url, directory=Path(), clock_now=lambda: NOON)\n"
    )
    arguments = [sys.executable, "-c", prologue + code, url, *more.pop("arguments", ())]
    return subprocess.Popen(
        arguments,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> str:
    said, _ = process.communicate()
    assert process.returncode == 0
    return said


def test_a_run_is_read_as_it_was_recorded(journal: Journal) -> None:
    run = a_run(commit="c0ffee", plan_digest="sha256:00")
    conflict = a_result(ref=FlowRef(address="flow/b", id="b"), status="failed")

    journal.begin(run)
    journal.record(run.run_id, a_result())
    journal.record(run.run_id, conflict)
    journal.finish(run.run_id, "partial", LATER)

    assert journal.run("run-1") == a_run(
        commit="c0ffee",
        plan_digest="sha256:00",
        ended_at=LATER,
        outcome="partial",
        results=(a_result(), conflict),
    )


def test_what_was_recorded_is_there_when_the_journal_is_opened_again(url: str) -> None:
    with opened(url) as journal:
        journal.begin(a_run())
        journal.settle(journal.intend(an_intent()), "applied", Revision('"8"'), LATER)

    with opened(url) as again:
        [kept] = again.intents("run-1")

    assert kept.intent == an_intent()
    assert (kept.recorded_at, kept.settled_at) == (NOON, LATER)
    assert (kept.result, kept.revision) == ("applied", '"8"')


def test_runs_are_listed_newest_first_by_organisation_and_no_more_than_asked(
    journal: Journal,
) -> None:
    for number, org_id in enumerate(("org-1", "org-2", "org-1", "org-1")):
        started_at = NOON + timedelta(minutes=number)
        journal.begin(a_run(f"run-{number}", org_id=org_id, started_at=started_at))

    assert [run.run_id for run in journal.runs()] == ["run-3", "run-2", "run-1", "run-0"]
    assert [run.run_id for run in journal.runs(org_id="org-1", limit=2)] == ["run-3", "run-2"]
    assert journal.runs(org_id="org-3") == ()


def test_an_odd_value_or_name_survives_the_journal(journal: Journal) -> None:
    odd = an_intent(
        ref=FlowRef(address="flow/odd", id="odd", name="nul \0 and half \ud800"),
        revision=Revision('"ä\t"'),
        fields=(
            timeout_change(setting="a", before=ABSENT, after=None),
            timeout_change(setting="b", before=Decimal("1.10"), after=10**700),
            timeout_change(setting="c", before=({"x": (True, 1)},), after="\0"),
        ),
    )
    journal.begin(a_run())

    journal.intend(odd)

    assert [kept.intent for kept in journal.intents("run-1")] == [odd]


@settings(max_examples=20)
@given(results)
def test_any_result_survives_the_journal(result: FlowResult) -> None:
    with opened("sqlite://") as journal:
        journal.begin(a_run())
        journal.record("run-1", result)

        assert journal.run("run-1").results == (result,)


def test_times_of_any_zone_come_back_as_the_same_moment(journal: Journal) -> None:
    moment = datetime.fromisoformat("2030-07-01T01:30:00.000001+05:30")

    journal.begin(a_run(started_at=moment))

    assert journal.run("run-1").started_at == moment
    assert journal.run("run-1").started_at.tzinfo is UTC


def test_the_first_to_settle_an_intent_is_right_but_for_unknown(memory: Journal) -> None:
    memory.begin(a_run())
    one, other = memory.intend(an_intent()), memory.intend(an_intent())

    memory.settle(one, "unknown", None, NOON)
    memory.settle(one, "observed", Revision('"8"'), LATER)
    memory.settle(other, "refused", None, NOON)
    memory.settle(other, "applied", Revision('"9"'), LATER)

    assert [(kept.result, kept.revision) for kept in memory.intents("run-1")] == [
        ("observed", '"8"'),
        ("refused", None),
    ]


def test_what_is_not_in_the_journal_is_said_to_be_missing(journal: Journal) -> None:
    for call, message in (
        (lambda: journal.run("run-9"), "holds no run run-9; 'gcsync history'"),
        (lambda: journal.finish("run-9", "applied", NOON), "holds no run run-9"),
        (lambda: journal.settle(9, "applied", None, NOON), "holds no intent 9"),
    ):
        with pytest.raises(JournalError, match=message):
            call()


def test_no_intent_without_its_run_and_no_run_twice(journal: Journal) -> None:
    journal.begin(a_run())

    with pytest.raises(JournalError, match="cannot record an intent, so nothing is written"):
        journal.intend(an_intent("run-9"))
    with pytest.raises(JournalError, match="cannot begin a run"):
        journal.begin(a_run())

    assert journal.intend(an_intent())


def test_an_intent_of_a_living_run_is_not_open(journal: Journal) -> None:
    journal.begin(a_run())
    journal.intend(an_intent())

    assert journal.open_intents("org-1") == ()
    assert journal.run("run-1").outcome is None


def test_an_intent_that_an_ended_run_left_behind_is_open(journal: Journal) -> None:
    journal.begin(a_run())
    settled, left = journal.intend(an_intent()), journal.intend(an_intent())
    journal.settle(settled, "applied", None, NOON)
    journal.finish("run-1", "failed", NOON)

    assert [found.id for found in journal.open_intents("org-1")] == [left]
    assert journal.open_intents("org-2") == ()


KILLED = """
journal = opened()
journal.begin(a_run())
settled, left = journal.intend(an_intent()), journal.intend(an_intent())
journal.settle(settled, "applied", None, NOON)
print(left, flush=True)
sys.stdin.read()
"""


def test_the_intent_of_a_killed_process_is_open_until_somebody_settles_it(
    url: str, journal: Journal
) -> None:
    with script(KILLED, url) as process:
        assert process.stdout
        left = int(process.stdout.readline())
        while_it_lived = journal.open_intents("org-1"), journal.run("run-1").outcome

        process.send_signal(signal.SIGKILL)
        process.wait()

    assert while_it_lived == ((), None)
    [found] = journal.open_intents("org-1")
    assert (found.id, found.intent, found.recorded_at) == (left, an_intent(), NOON)
    assert journal.run("run-1").outcome == "interrupted"
    assert journal.run("run-1").ended_at is None
    journal.settle(left, "observed", Revision('"8"'), LATER)
    assert journal.open_intents("org-1") == ()


DEAD = {"liveness": lambda *_: False}
ORDERS = FlowRef(address="flow/orders", id="orders")
DOUBT = Failure(code="outcome-unknown", message="nobody knows")


@pytest.mark.parametrize("settled_as", ["applied", "observed"])
def test_a_write_that_happened_in_a_killed_run_is_a_result(url: str, settled_as: str) -> None:
    with opened(url, **DEAD) as journal:
        journal.begin(a_run())
        journal.record("run-1", a_result(ref=ORDERS))
        journal.settle(journal.intend(an_intent(ref=ORDERS)), "applied", Revision('"8"'), NOON)
        journal.settle(journal.intend(an_intent()), "refused", None, NOON)
        journal.settle(journal.intend(an_intent()), settled_as, Revision('"8"'), NOON)

        assert journal.run("run-1").results == (a_result(ref=ORDERS), a_result())
        assert journal.runs()[0].results == (a_result(ref=ORDERS), a_result())


@pytest.mark.parametrize("settled_as", [None, "unknown"])
def test_a_write_of_a_killed_run_that_nobody_resolved_is_unknown(
    memory: Journal, settled_as: str | None
) -> None:
    memory.begin(a_run())
    number = memory.intend(an_intent())
    if settled_as:
        memory.settle(number, settled_as, None, NOON)
    memory.finish("run-1", "unknown", LATER)

    [result] = memory.run("run-1").results

    assert (result.status, result.revision_before, result.revision_after) == (
        "unknown",
        '"7"',
        None,
    )
    assert result.error is not None
    assert result.error.code == "outcome-unknown"
    assert result.fields == an_intent().fields


@pytest.mark.parametrize("settled_as", ["refused", "superseded"])
def test_a_write_that_was_left_behind_is_no_result(memory: Journal, settled_as: str) -> None:
    memory.begin(a_run())
    memory.settle(memory.intend(an_intent()), settled_as, None, NOON)
    memory.finish("run-1", "interrupted", LATER)

    assert memory.run("run-1").results == ()


def test_a_write_of_a_living_run_waits_for_its_result(memory: Journal) -> None:
    memory.begin(a_run())
    memory.settle(memory.intend(an_intent()), "applied", Revision('"8"'), NOON)

    assert memory.run("run-1").results == ()


@pytest.mark.parametrize(
    "recorded", [a_result(status="skipped"), a_result(status="unknown", error=DOUBT)]
)
def test_a_write_found_afterwards_is_surer_than_a_doubt(
    memory: Journal, recorded: FlowResult
) -> None:
    memory.begin(a_run())
    number = memory.intend(an_intent())
    memory.record("run-1", recorded)
    memory.finish("run-1", "unknown", LATER)
    memory.settle(number, "observed", Revision('"8"'), LATER)

    assert memory.run("run-1").results == (a_result(),)


@pytest.mark.parametrize(
    "recorded",
    [
        a_result(status="failed", error=Failure(code="dropped", message="gone")),
        a_result(status="unknown", error=Failure(code="unverified", message="never seen")),
        a_result(revision_after=Revision('"9"')),
    ],
)
def test_what_was_seen_after_a_write_is_not_overruled(
    memory: Journal, recorded: FlowResult
) -> None:
    memory.begin(a_run())
    memory.settle(memory.intend(an_intent()), "applied", Revision('"8"'), NOON)
    memory.record("run-1", recorded)
    memory.finish("run-1", "partial", LATER)

    assert memory.run("run-1").results == (recorded,)


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_results_of_one_flow_the_surer_counts(memory: Journal, *, turned: bool) -> None:
    """A thread left behind may record its own after the interrupted run gave it up."""
    both = [a_result(status="unknown", error=DOUBT), a_result()]
    memory.begin(a_run())
    for result in reversed(both) if turned else both:
        memory.record("run-1", result)

    assert memory.run("run-1").results == (a_result(),)


def test_a_run_on_another_host_counts_as_dead_after_ten_silent_minutes(url: str) -> None:
    now = NOON
    with opened(url, clock_now=lambda: now, liveness=lambda *_: None) as journal:
        journal.begin(a_run())
        now = NOON + timedelta(minutes=20)
        journal.intend(an_intent())
        now = NOON + timedelta(minutes=30)
        before = journal.open_intents("org-1"), journal.run("run-1").outcome

        now = NOON + timedelta(minutes=30, seconds=1)

        assert before == ((), None)
        assert len(journal.open_intents("org-1")) == 1
        assert journal.run("run-1").outcome == "interrupted"


def test_several_runs_of_one_process_can_be_told_apart() -> None:
    living = {"run-2"}
    with opened("sqlite://", liveness=lambda run_id, _: run_id in living) as journal:
        for run_id in ("run-1", "run-2"):
            journal.begin(a_run(run_id))
            journal.intend(an_intent(run_id))

        assert [found.intent.run_id for found in journal.open_intents("org-1")] == ["run-1"]


def test_a_run_that_ends_while_one_looks_leaves_nothing_open(url: str) -> None:
    """The writer settles and ends between the look at the rows and the look at the process."""

    def dies_in_good_order(run_id: str, _: object) -> bool:
        if writer.run(run_id).ended_at is None:
            writer.settle(number, "applied", None, NOON)
            writer.finish(run_id, "applied", NOON)
        return False

    with (
        opened(url, liveness=lambda *_: True) as writer,
        opened(url, liveness=dies_in_good_order) as reader,
    ):
        writer.begin(a_run())
        number = writer.intend(an_intent())

        assert reader.open_intents("org-1") == ()


def test_ten_threads_lose_no_intent(journal: Journal) -> None:
    journal.begin(a_run())

    with ThreadPoolExecutor(10) as pool:
        numbers = list(pool.map(lambda _: journal.intend(an_intent()), range(200)))

    assert sorted(numbers) == [kept.id for kept in journal.intents("run-1")]
    assert len(set(numbers)) == 200


MANY = """
[run_id] = arguments
print("ready", flush=True)
sys.stdin.readline()
with opened() as journal:
    journal.begin(a_run(run_id))
    for _ in range(40):
        journal.settle(journal.intend(an_intent(run_id)), "applied", None, NOON)
"""


def test_processes_that_make_and_fill_one_journal_at_once_lose_nothing(url: str) -> None:
    processes = [script(MANY, url, arguments=[f"run-{number}"]) for number in range(4)]
    for process in processes:
        assert process.stdout
        process.stdout.readline()
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        finished(process)

    with opened(url) as journal:
        kept = [len(journal.intents(f"run-{number}")) for number in range(4)]

    assert kept == [40] * 4


def test_the_journal_of_a_newer_gcsync_is_left_alone(
    url: str, meddle: Callable[[str], None]
) -> None:
    opened(url).close()
    meddle("UPDATE gcsync_schema SET version = 99")

    ours = len(STEPS)
    with pytest.raises(JournalError, match=f"schema version 99, this gcsync knows {ours}; upgrade"):
        opened(url)


def test_a_damaged_row_is_an_error_that_says_so(
    journal: Journal, meddle: Callable[[str], None]
) -> None:
    journal.begin(a_run())
    journal.intend(an_intent())
    journal.record("run-1", a_result())
    meddle("UPDATE gcsync_intent SET intent = '{}'")
    meddle("UPDATE gcsync_result SET result = '{'")

    with pytest.raises(JournalError, match="cannot be read: a damaged row"):
        journal.intents("run-1")
    with pytest.raises(JournalError, match="cannot be read: a damaged row"):
        journal.runs()


def test_the_default_is_a_file_that_belongs_to_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / ".gcsync"

    with opened(None, folder) as journal:
        journal.begin(a_run())
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {mode for name, mode in modes.items() if name.startswith("history.db")} == {0o600}
    assert (folder / ".gitignore").read_text() == "*\n"


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    opened(None, tmp_path).close()
    path.chmod(0o644)

    opened(None, tmp_path).close()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_commit_waits_for_the_disk(tmp_path: Path) -> None:
    with opened(None, tmp_path) as journal, journal._engine.connect() as connection:
        extra = 3
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == extra
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_a_link_or_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("")
    (tmp_path / "history.db").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "folder" / "history.db").mkdir(parents=True)

    for folder in (tmp_path, tmp_path / "folder"):
        with pytest.raises(JournalError, match="not a regular file; move it away"):
            opened(None, folder)


def test_a_place_where_no_file_can_be_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(JournalError, match="cannot be opened: not a directory; make room for it"):
        opened(None, tmp_path / "file" / ".gcsync")


def filled(path: Path) -> bytes:
    with opened(None, path.parent) as journal:
        journal.begin(a_run())
        for _ in range(50):
            journal.intend(an_intent())
    return path.read_bytes()


def test_a_torn_or_damaged_file_is_an_error_with_a_next_step(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    whole = filled(path)

    for damaged in (b"x" * 5000, whole[: len(whole) // 2], whole[:4096] + b"\xff" * 50_000):
        path.write_bytes(damaged)
        with pytest.raises(JournalError, match="move the damaged file away"):
            read_everything(tmp_path)


def read_everything(folder: Path) -> None:
    with opened(None, folder) as journal:
        journal.intents("run-1")
        journal.runs()


FULL_DISK = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
journal = opened()
journal.begin(a_run())
recorded = 0
try:
    while True:
        journal.intend(an_intent(body_sha256="0" * 1000))
        recorded += 1
except JournalError as error:
    print(recorded, error, sep="\\n", flush=True)
os = __import__("os"); os._exit(0)
"""


def test_on_a_full_disk_no_intent_is_promised_that_is_not_there(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/history.db"

    recorded, message = finished(script(FULL_DISK, url)).splitlines()

    assert "cannot record an intent, so nothing is written: disk I/O error; free some" in message
    with opened(url) as journal:
        assert len(journal.intents("run-1")) == int(recorded) > 0
        assert len(journal.open_intents("org-1")) == int(recorded)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://u:s3cret@db/x", "names the unknown database 'mysql'; write sqlite:///FILE"),
        ("no url, s3cret", "is not a URL; write sqlite:///FILE"),
        ("postgresql://u:s3cret@db:port/x", "is not a URL"),
        ("sqlite:///file:s3cret?uri=true", "unknown database 'sqlite'"),
    ],
)
def test_a_url_that_means_no_journal_is_refused_without_repeating_it(
    url: str, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message) as raised:
        opened(url)

    assert "s3cret" not in str(raised.value)


def test_an_unreachable_server_is_an_error_that_keeps_the_password() -> None:
    with pytest.raises(
        JournalError, match=r"the journal in database x on 127\.0\.0\.1: cannot be"
    ) as raised:
        opened("postgresql://u:s3cret@127.0.0.1:1/x")

    assert "s3cret" not in str(raised.value)


def test_a_missing_driver_is_named_with_the_way_to_get_it() -> None:
    code = (
        "sys.modules['psycopg'] = None\ntry: opened()\nexcept JournalError as error: print(error)\n"
    )

    said = finished(script(code, "postgresql://u@127.0.0.1:1/x"))

    assert said == (
        "a journal in PostgreSQL needs the driver psycopg; pip install 'gcsync[postgresql]'\n"
    )


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_server_that_dropped_its_connections_is_called_again(
    journal: Journal, meddle: Callable[[str], None]
) -> None:
    journal.begin(a_run())
    meddle(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gcsync'"
    )

    assert journal.intend(an_intent())


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_server_commits_durably_even_where_that_was_switched_off(
    url: str, meddle: Callable[[str], None]
) -> None:
    meddle("ALTER ROLE gcsync SET synchronous_commit = off")
    with opened(url) as journal, journal._engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
