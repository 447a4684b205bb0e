"""A running node takes a changed file, over its real interfaces: command, signal and API."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml
from sqlalchemy import select

from node.ledger.schema import events
from slicewire.program import main
from tests.support.databases import open_test_ledger
from tests.support.node_process import NodeProcess, send, series_uid, wait_until
from tests.support.peers import CT, IMPLICIT, associate, store_file
from tests.support.ports import free_port

PAGES_WITHIN_S = 90  # a busy machine takes long to start them
TPS = {"name": "tps", "ae_title": "TPS", "ip": "192.0.2.1", "port": 104, "proof": "none"}


class Office:
    """A node whose file a person changes."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.node = NodeProcess(folder, rules=[]).start("--web-port", str(self.port))
        self.flags = ["--config", str(self.node.config)]
        self.flags += ["--storage-path", str(self.node.storage_path)]

    def change(self, **keys: object) -> None:
        known = yaml.safe_load(self.node.config.read_text())
        self.node.config.write_text(yaml.safe_dump(known | keys))

    def events(self) -> list[str]:
        ledger = open_test_ledger(self.node.storage_path)
        with ledger.reading() as connection:
            found = list(connection.scalars(select(events.c.words).order_by(events.c.id)))
        ledger.close()
        return found


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    opened = Office(tmp_path_factory.mktemp("office"))
    yield opened
    opened.node.stop(signal.SIGKILL)


def test_rules_and_peers_apply_without_a_restart(
    office: Office, ct_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An association that is open goes on, and its series is judged by the new rules."""
    first, second, *_ = sorted(ct_folder.glob("*.dcm"))
    with associate(office.node.address, syntaxes=(IMPLICIT,), classes=(CT,)) as association:
        assert store_file(association, first) == 0
        office.change(rules=[{"pipeline": "blur", "tags": {"Modality": "CT"}}], peers=[TPS])
        assert main(["reload", *office.flags]) == 0
        assert capsys.readouterr().out == "Taken: peers.tps (new), rules\n"
        assert store_file(association, second) == 0
    running = ("queued", "running", "sending", "not delivered", "done", "delivered")
    office.node.wait_for_state(series_uid([first]), *running)


def test_the_pages_follow(office: Office) -> None:
    address = f"http://127.0.0.1:{office.port}"

    def names() -> list[str]:
        return [
            peer["name"]
            for peer in httpx.get(f"{address}/api/peers", timeout=PAGES_WITHIN_S).json()
        ]

    wait_until(lambda: names() == ["tps"], PAGES_WITHIN_S)
    office.change(peers=[TPS, TPS | {"name": "second", "ip": "192.0.2.2"}], scp_ip="0.0.0.0")
    page = httpx.get(f"{address}/configuration", timeout=PAGES_WITHIN_S).text
    assert "peers.second (new)" in page
    assert "Needs a restart" in page
    asked = httpx.post(f"{address}/api/configuration/reload", timeout=PAGES_WITHIN_S)
    assert asked.status_code == 202
    told = f"{address}/api/commands/{asked.json()['command']}"
    wait_until(lambda: bool(httpx.get(told, timeout=PAGES_WITHIN_S).json()["done"]), PAGES_WITHIN_S)
    assert "peers.second (new)" in httpx.get(told, timeout=PAGES_WITHIN_S).json()["answer"]
    wait_until(lambda: names() == ["tps", "second"], PAGES_WITHIN_S)
    assert (
        "peers.second (new)</b>"
        not in httpx.get(f"{address}/configuration", timeout=PAGES_WITHIN_S).text
    )


def test_a_wrong_file_changes_nothing_and_the_node_goes_on(
    office: Office, ct_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    right = office.node.config.read_text()
    office.change(rules=[{"pipeline": "blur", "tags": {"Modalty": "CT"}}])
    os.kill(office.node.process.pid, signal.SIGHUP)
    wait_until(lambda: any("'Modalty'" in words for words in office.events()))
    [told] = [words for words in office.events() if "'Modalty'" in words]
    assert told.startswith("nothing was changed: rules: rules.0.tags: ")
    assert told.endswith(", by SIGHUP")
    assert main(["reload", *office.flags]) == 1
    assert "'Modalty', expected a DICOM keyword" in capsys.readouterr().out
    office.node.config.write_text(right)
    send(office.node, sorted(ct_folder.glob("*.dcm"))[:1])
    assert office.node.process.poll() is None


def test_a_stop_is_as_clean_as_ever_and_then_nobody_answers(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    assert office.node.stop() == 0
    assert main(["reload", *office.flags]) == 1
    assert "No node runs with --storage_path" in capsys.readouterr().out
