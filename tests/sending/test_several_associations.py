"""A peer that takes several associations gets the instances sooner, and nothing else changes."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.config.file import read_configuration
from core.errors import ConfigurationError
from network.scu.c_store import (
    InstanceToSend,
    PeerAddress,
    SendOutcome,
    State,
    instance_to_send,
    send,
)
from node.delivery.addresses import address_now
from node.ledger.requests.jobs import Destination

CALLING = "SLICEWIRE"


@pytest.fixture
def cine(cine_folder: Path) -> list[InstanceToSend]:
    """All 22 instances of the series."""
    return [instance_to_send(path) for path in sorted(cine_folder.glob("*.dcm"))]


def several(address: PeerAddress, count: int = 4) -> PeerAddress:
    return replace(address, associations=count)


def test_the_instances_are_shared_by_the_associations(
    start_peer: Any, cine: list[InstanceToSend]
) -> None:
    together = threading.Barrier(4, timeout=60)

    def meet(event: Any, index: int) -> int:
        if index < 4:
            together.wait()  # so that none takes them all
        return 0x0000

    peer = start_peer(meet)
    seen: list[SendOutcome] = []
    outcomes = send(cine, several(peer.address), CALLING, on_outcome=seen.append)
    assert [one.instance for one in outcomes] == cine
    assert all(one.is_stored for one in outcomes)
    assert len({id(one.association) for one in peer.received}) == 4
    assert sorted(one.sop_instance_uid for one in peer.received) == sorted(
        one.sop_instance_uid for one in cine
    )
    assert sorted(seen, key=outcomes.index) == outcomes


def test_few_instances_need_one_association(start_peer: Any, cine: list[InstanceToSend]) -> None:
    peer = start_peer()
    send(cine[:4], several(peer.address), CALLING)
    assert len({id(one.association) for one in peer.received}) == 1


def test_without_the_setting_there_is_one(start_peer: Any, cine: list[InstanceToSend]) -> None:
    peer = start_peer()
    send(cine, peer.address, CALLING)
    assert len({id(one.association) for one in peer.received}) == 1


def test_the_structure_set_comes_when_all_images_are_answered(
    start_peer: Any, cine: list[InstanceToSend], ct_structure_set: Path
) -> None:
    answered: list[int] = []

    def answer_late(event: Any, index: int) -> int:
        if event.request.AffectedSOPClassUID == cine[0].sop_class_uid:
            time.sleep(0.02)
            answered.append(index)
        else:
            assert len(answered) == len(cine)
        return 0x0000

    structure_set = instance_to_send(ct_structure_set)
    peer = start_peer(answer_late)
    outcomes = send([*cine, structure_set], several(peer.address), CALLING)
    assert all(one.is_stored for one in outcomes)
    assert peer.received[-1].sop_instance_uid == structure_set.sop_instance_uid


def test_an_association_that_is_aborted_loses_one_instance(
    start_peer: Any, cine: list[InstanceToSend]
) -> None:
    def abort_fifth(event: Any, index: int) -> int:
        time.sleep(0.02)
        if index == 5:
            event.assoc.abort()
        return 0x0000

    peer = start_peer(abort_fifth)
    outcomes = send(cine, several(peer.address, 2), CALLING)
    lost = [one for one in outcomes if not one.is_stored]
    assert len(lost) == 1
    assert "whether this instance was stored is unknown" in lost[0].words
    assert len(peer.received) == len(cine)


def test_when_all_are_aborted_each_instance_has_an_outcome(
    start_peer: Any, cine: list[InstanceToSend]
) -> None:
    def abort(event: Any, index: int) -> int:
        event.assoc.abort()
        return 0x0000

    peer = start_peer(abort)
    outcomes = send(cine, several(peer.address), CALLING)
    assert [one.instance for one in outcomes] == cine
    assert {one.state for one in outcomes} == {State.NOT_SENT}
    assert all("aborted the association" in one.words for one in outcomes)


def test_a_peer_that_is_not_there_is_an_outcome_for_each(
    closed_port: PeerAddress, cine: list[InstanceToSend]
) -> None:
    outcomes = send(cine, several(closed_port), CALLING)
    assert [one.instance for one in outcomes] == cine
    assert all("connection refused" in one.words for one in outcomes)


def test_an_exception_of_the_listener_ends_all_of_them(
    start_peer: Any, cine: list[InstanceToSend]
) -> None:
    seen: list[SendOutcome] = []

    def stop_at_third(outcome: SendOutcome) -> None:
        seen.append(outcome)
        if len(seen) == 3:
            raise KeyboardInterrupt

    peer = start_peer(slow(0.05))
    with pytest.raises(KeyboardInterrupt):
        send(cine, several(peer.address), CALLING, on_outcome=stop_at_third)
    assert len(seen) == 3
    assert len(peer.received) <= 3 + 4
    assert not [one for one in threading.enumerate() if one.name.startswith("sending")]


def only_start(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system has threads left for so many associations."""
    start = threading.Thread.start

    def start_or_not(thread: threading.Thread) -> None:
        if thread.name.startswith("sending") and int(thread.name.split()[1]) > count:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_or_not)


def test_when_threads_are_used_up_those_that_started_send_all(
    start_peer: Any, cine: list[InstanceToSend], monkeypatch: pytest.MonkeyPatch
) -> None:
    only_start(2, monkeypatch)
    peer = start_peer()
    outcomes = send(cine, several(peer.address), CALLING)
    assert [one.instance for one in outcomes] == cine
    assert all(one.is_stored for one in outcomes)
    assert not [one for one in threading.enumerate() if one.name.startswith("sending")]


def test_when_no_thread_starts_each_instance_has_the_reason(
    start_peer: Any, cine: list[InstanceToSend], monkeypatch: pytest.MonkeyPatch
) -> None:
    only_start(0, monkeypatch)
    peer = start_peer()
    outcomes = send(cine, several(peer.address), CALLING)
    assert [one.instance for one in outcomes] == cine
    assert {one.state for one in outcomes} == {State.NOT_SENT}
    assert all("can't start new thread" in one.words for one in outcomes)
    assert peer.received == []


def slow(pause_s: float) -> Callable[[Any, int], int]:
    def answer(event: Any, index: int) -> int:
        time.sleep(pause_s)
        return 0x0000

    return answer


def test_the_setting_is_the_peers() -> None:
    peer = {"name": "pacs", "ae_title": "PACS", "ip": "127.0.0.1", "port": 104}
    other = peer | {"name": "tps"}
    configuration = read_configuration(None, {"peers": [peer | {"associations": 4}, other]})
    for name, count in (("pacs", 4), ("tps", 1)):
        destination = Destination(name, "127.0.0.1", 104, "PACS")
        assert address_now(configuration, destination).associations == count


@pytest.mark.parametrize("count", [0, 17])
def test_a_number_that_no_peer_would_like_is_refused(count: int) -> None:
    peer = {"name": "pacs", "ae_title": "PACS", "ip": "127.0.0.1", "port": 104}
    with pytest.raises(ConfigurationError, match="associations"):
        read_configuration(None, {"peers": [peer | {"associations": count}]})
