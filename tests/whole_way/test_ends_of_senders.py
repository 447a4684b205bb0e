"""A node that stops, an idle sender, a release within a message: what runs, and what is held."""

from pathlib import Path

import pydicom
import pytest
from pynetdicom import build_context

from tests.support.node_process import NodeProcess, series_uid
from tests.support.peers import CT, EXPLICIT, encoded, write_series
from tests.support.raw_peer import (
    ABORTED,
    ACCEPTED,
    COMMAND,
    DATA,
    LAST,
    P_DATA,
    RELEASE_RQ,
    RELEASED,
    RawPeer,
    associate_rq,
    p_data,
    store_command,
)

pytestmark = pytest.mark.slow
RUNS = ("queued", "running", "done", "delivered")


@pytest.fixture
def node(tmp_path: Path) -> NodeProcess:
    return NodeProcess(tmp_path / "node", pipeline="blur", wire={"idle_timeout_s": 2})


@pytest.fixture
def paths(ct_folder: Path, tmp_path: Path) -> list[Path]:
    return write_series(sorted(ct_folder.glob("*.dcm"))[:5], tmp_path / "ct")


def peer_of(node: NodeProcess) -> RawPeer:
    peer = RawPeer(node.address)
    peer.send(associate_rq([build_context(CT, [EXPLICIT])]))
    assert peer.answer() == ACCEPTED
    return peer


def pieces(path: Path) -> tuple[bytes, bytes]:
    """The PDU of a C-STORE's command set, and its data set."""
    instance = pydicom.dcmread(path)
    command = store_command(str(instance.SOPInstanceUID), sop_class_uid=CT)
    return p_data(command, COMMAND | LAST), encoded(instance)


def store(peer: RawPeer, paths: list[Path]) -> None:
    for command, data_set in map(pieces, paths):
        peer.send(command + p_data(data_set, DATA | LAST))
        assert peer.answer() == P_DATA


def test_a_stop_while_a_silent_sender_is_connected_holds_nothing(
    node: NodeProcess, paths: list[Path]
) -> None:
    node.start()
    with peer_of(node) as peer:
        store(peer, paths)
        assert node.stop() == 0
        assert peer.answer() == ABORTED
    history = node.start().wait_for_state(series_uid(paths), "held", *RUNS)
    assert node.stop() == 0
    assert history.state in RUNS
    assert any("s without data" in words for _, _, words in history.events)


def test_an_idle_sender_is_ended_and_its_series_runs(node: NodeProcess, paths: list[Path]) -> None:
    node.start()
    with peer_of(node) as peer:
        store(peer, paths)
        assert peer.answer() == ABORTED
    history = node.wait_for_state(series_uid(paths), "held", *RUNS)
    assert node.stop() == 0
    assert history.state in RUNS


def test_a_release_within_the_last_instance_holds_the_series_until_that_comes(
    node: NodeProcess, paths: list[Path]
) -> None:
    node.start()
    with peer_of(node) as peer:
        store(peer, paths[:4])
        command, fragment = pieces(paths[4])
        peer.send(command + p_data(fragment[:5000], DATA) + RELEASE_RQ)
        assert peer.answer() == ABORTED
    history = node.wait_for_state(series_uid(paths), "held", *RUNS)
    assert history.state == "held"
    with peer_of(node) as peer:
        store(peer, paths[4:])
        peer.send(RELEASE_RQ)
        assert peer.answer() == RELEASED
    assert node.wait_for_state(series_uid(paths), *RUNS).state in RUNS
    assert node.stop() == 0
