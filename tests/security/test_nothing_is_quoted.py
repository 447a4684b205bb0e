"""A value of a data set is in no answer, log, stderr, ledger, webhook, API or page's error.

Each element of an instance holds a canary in each wrong form. The instances come over a real
association and from a folder; then everything that the node wrote is searched.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import httpx
import pytest
import structlog
from sqlalchemy import select

from node.ledger.database import Ledger
from node.ledger.schema import metadata
from tests.support.databases import open_test_ledger
from tests.support.dicom.canaries import CANARY, SOP_CLASS, Damaged, damaged, found_in
from tests.support.node_process import ROOT, NodeProcess, wait_until
from tests.support.peers import EXPLICIT, IMPLICIT, Address, associate, store
from tests.support.ports import free_port
from tests.support.receiver import start_receiver
from tests.support.web.posted import Posted

_STATUSES = (0x0000, 0xA900, 0xC000)


def comments(address: Address, instances: Iterable[Damaged]) -> Iterator[tuple[str, int, str]]:
    """Send each instance; yields its name, and the status and comment that it got."""
    left = iter(instances)
    while some := list(islice(left, 25)):
        with associate(address, syntaxes=(EXPLICIT, IMPLICIT), classes=(SOP_CLASS,)) as association:
            for one in some:
                answer = store(
                    association,
                    one.data_set,
                    sop_class_uid=SOP_CLASS,
                    sop_instance_uid=one.sop_instance_uid,
                    syntax=one.transfer_syntax_uid,
                )
                yield one.name, int(answer.Status), str(answer.ErrorComment or "")


def check_answers(address: Address, instances: Iterable[Damaged]) -> int:
    """Check that each answer tells no value; returns how many instances were refused."""
    refused = 0
    for name, status, comment in comments(address, instances):
        assert status in _STATUSES, name
        assert not found_in(comment), (name, comment)
        assert bool(comment) == bool(status), name
        refused += bool(status)
    return refused


def rows(ledger: Ledger) -> str:
    """Every row of every table."""
    with ledger.reading() as connection:
        tables = [connection.execute(select(table)).all() for table in metadata.sorted_tables]
    return "\n".join(str(tuple(row)) for table in tables for row in table)


def check_refused_words(words: Iterable[str]) -> None:
    for one in words:
        assert not found_in(one), one
        assert len(one) <= 500


def test_what_is_sent_is_not_quoted(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    receiver = start_receiver(tmp_path)
    try:
        with structlog.testing.capture_logs() as logged:
            assert check_answers(receiver.address, damaged(every=13)) > 10
        wait_until(lambda: len(receiver.ended) >= 2)
        check_refused_words(one.words for one in receiver.refused)
        written = rows(receiver.ledger) + json.dumps(logged, default=str) + str(receiver.refused)
        assert not found_in(written + "".join(capfd.readouterr())), written
    finally:
        receiver.listener.stop()
        receiver.ledger.close()


def test_the_search_would_find_a_canary() -> None:
    assert found_in(f"StudyID {CANARY!r}")
    assert all(found_in(one.data_set.decode("latin-1")) for one in damaged(every=50))


def _fill(root: Path, instances: Iterable[Damaged]) -> list[str]:
    """A folder with one instance for each."""
    for number, one in enumerate(instances):
        (root / str(number)).mkdir(parents=True)
        (root / str(number) / "one.dcm").write_bytes(one.file())
    return sorted(path.name for path in root.iterdir())


def _ask_for_jobs(client: httpx.Client, folders: Iterable[str]) -> Iterator[str]:
    """Ask for a blur of each folder; yields what the API says of it at the end."""
    asked = []
    for folder in folders:
        answer = client.post("/job/", json={"job_name": "3dblur", "in_dir": folder})
        yield answer.text
        asked.append(answer.json()["uid"])
    for uid in asked:
        wait_until(lambda uid=uid: "running" not in client.get(f"/query/{uid}").text)  # type: ignore[misc]  # one for each
        yield client.get(f"/query/{uid}").text


def _pages(client: httpx.Client) -> Iterator[str]:
    """The API's lists, and texts of pages that are no patient's attributes."""
    lists = ("series", "jobs", "events", "deliveries", "cases")
    yield from (client.get(f"/api/{name}").text for name in lists)
    yield from (client.get(path).text for path in ("/log", "/metrics", "/health/ready"))
    for case in client.get("/api/cases").json()["items"]:
        yield client.get(f"/api/cases/{case['series_instance_uid']}").text


def _commands(node: NodeProcess) -> Iterator[str]:
    for verb in ("list", "status", "events"):
        command = [sys.executable, "-m", "node.ledger", "--config", str(node.config)]
        command += ["--storage-path", str(node.storage_path), verb]
        ended = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
        yield ended.stdout + ended.stderr


_IDENTITY = tuple(f"({tag})" for tag in ("0008,0018", "0020,000D", "0020,000E"))


def _sent() -> Iterator[Damaged]:
    """All but a number where a UID belongs that files are named by: that is one of digits."""
    return (
        one for one in damaged() if not (one.name.startswith(_IDENTITY) and "number" in one.name)
    )


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_whole_node_quotes_nothing(tmp_path: Path) -> None:
    posted, port, root = Posted(), free_port(), tmp_path / "root"
    folders = _fill(root, islice(_sent(), 0, None, 9))
    node = NodeProcess(
        tmp_path,
        web={"in_dir_root": str(root)},
        webhook={"url": posted.url, "secret": "a sentence that nobody guesses"},
        rules=[],
        retention={},
    ).start("--web-port", str(port))
    told: list[str] = []
    try:
        assert check_answers(node.address, _sent()) > 100
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            told += _ask_for_jobs(client, folders)
            assert sum("Job has completed" in text for text in told) >= 3
            told += _pages(client)
        told += _commands(node)
    finally:
        node.stop()
        posted.close()
    ledger = open_test_ledger(node.storage_path)
    told += [rows(ledger), node.logs(), *posted.bodies()]
    ledger.close()
    told += [path.read_text() for path in node.storage_path.rglob("report.json")]
    for text in told:
        lines = text.splitlines()
        assert not found_in(text), [line for line in lines if found_in(line)][:5]
        assert "unforeseen" not in text, [line for line in lines if "unforeseen" in line][:5]
