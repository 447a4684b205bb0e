"""Two systems with one AE title: each gets its own results, and nobody gets another's."""

from pathlib import Path
from typing import Any

import pytest

from core.config.routing import Peer
from node.commands import ask, carry_out
from node.ledger.row_states import SeriesState
from node.ledger.tables.series import SeriesRow
from tests.support.completion import Completion, Start, series_uid
from tests.support.peers import write_series

A = {"name": "a", "ae_title": "TPS", "ip": "127.0.0.1", "port": 104}
B = {"name": "b", "ae_title": "TPS", "ip": "127.0.0.2", "port": 104}
SAME_AS_A = B | {"ip": "127.0.0.1"}


def destinations(completion: Completion, paths: list[Path]) -> list[str]:
    [job] = completion.jobs(paths)
    return [one.peer for one in job.destinations]


@pytest.mark.parametrize(("address", "name"), [("127.0.0.1", "a"), ("127.0.0.2", "b")])
@pytest.mark.parametrize("peers", [[A, B], [B, A]])
def test_results_go_to_the_peer_at_the_senders_address(
    start: Start, ct_paths: list[Path], peers: list[Any], address: str, name: str
) -> None:
    completion = start(peers=peers)
    completion.send(ct_paths, address=address)
    completion.settle()
    assert destinations(completion, ct_paths) == [name]


def test_both_get_the_results_of_a_series_that_both_sent(
    start: Start, ct_paths: list[Path]
) -> None:
    completion = start(peers=[A, B])
    completion.send(ct_paths, address="127.0.0.2")
    completion.send(ct_paths, address="127.0.0.1")
    completion.settle()
    assert sorted(destinations(completion, ct_paths)) == ["a", "b"]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("127.0.0.1", "may be peer a or peer b: "),
        ("127.0.0.3", "has the AE title of a peer, but not its address ("),
    ],
)
def test_a_series_whose_sender_cannot_be_told_is_held_in_words(
    start: Start, ct_paths: list[Path], address: str, words: str
) -> None:
    completion = start(peers=[A, SAME_AS_A], scu_ip="192.0.2.9", scu_port=104)
    completion.send(ct_paths, address=address)
    completion.settle()
    row = completion.series(ct_paths)
    assert row.state == SeriesState.HELD
    assert row.reason.startswith(f"sender TPS@{address} to SLICEWIRE {words}")
    assert "give each peer under `peers` its own ip" in row.reason
    assert completion.jobs(ct_paths) == []


def test_a_release_does_not_guess(start: Start, ct_paths: list[Path]) -> None:
    completion = start(peers=[A, SAME_AS_A])
    completion.send(ct_paths)
    completion.settle()
    ask(completion.ledger, "release", series_uid(ct_paths))
    carry_out(completion.ledger)
    completion.settle()
    assert completion.series(ct_paths).state == SeriesState.HELD


def test_a_peer_that_a_rule_names_gets_the_results_whoever_sent(
    start: Start, ct_paths: list[Path]
) -> None:
    rules = [{"pipeline": "blur", "destinations": ["b"]}]
    completion = start(pipeline=None, peers=[A, SAME_AS_A], rules=rules)
    completion.send(ct_paths)
    completion.settle()
    assert destinations(completion, ct_paths) == ["b"]


def test_the_sender_among_a_rules_destinations_is_told_by_its_address(
    start: Start, ct_paths: list[Path], tmp_path: Path
) -> None:
    archive = {"name": "pacs", "ae_title": "PACS", "ip": "192.0.2.5", "port": 104}
    rules = [{"pipeline": "blur", "destinations": ["sender", "pacs"]}]
    completion = start(pipeline=None, peers=[A, B, archive], rules=rules)
    completion.send(ct_paths, address="127.0.0.2")
    completion.settle()
    assert destinations(completion, ct_paths) == ["b", "pacs"]
    others = write_series(ct_paths, tmp_path / "others")
    completion.send(others, address="127.0.0.3")
    completion.settle()
    assert completion.series(others).state == SeriesState.HELD


def test_the_settle_time_is_that_of_the_peer_at_the_address_and_in_doubt_the_longest(
    start: Start, ct_paths: list[Path]
) -> None:
    completion = start(peers=[A | {"settle_s": 20}, B | {"settle_s": 1}])
    completion.send(ct_paths, address="127.0.0.2")
    assert completion.series(ct_paths).ready_at == completion.clock.now + 1
    completion.send(ct_paths, address="127.0.0.1")
    assert completion.series(ct_paths).ready_at == completion.clock.now + 20
    completion.clock.now += 100
    completion.send(ct_paths, address="127.0.0.3")
    assert completion.series(ct_paths).ready_at == completion.clock.now + 20


def test_the_peer_at_the_address_is_asked_how_much_there_is(
    start: Start, ct_paths: list[Path]
) -> None:
    asked: list[str] = []

    def count(peer: Peer, _: SeriesRow) -> int | None:
        asked.append(peer.name)
        return 10 if peer.name == "a" else 12

    completion = start(count=count, peers=[A | {"query": True}, B | {"query": True}])
    completion.send(ct_paths, address="127.0.0.2")
    completion.settle()
    assert (completion.series(ct_paths).state, asked) == (SeriesState.SETTLING, ["b"])


def test_where_the_sender_cannot_be_told_nobody_is_asked_and_the_case_says_so(
    start: Start, ct_paths: list[Path]
) -> None:
    rules = [{"pipeline": "blur", "destinations": ["a"]}]
    peers = [A | {"query": True}, SAME_AS_A | {"query": True}]
    completion = start(
        count=lambda *_: pytest.fail("asked"), pipeline=None, peers=peers, rules=rules
    )
    completion.send(ct_paths)
    completion.settle()
    assert completion.series(ct_paths).state == SeriesState.PROCESSING
    assert any(
        "no peer was asked: sender TPS@127.0.0.1" in one for one in completion.words(ct_paths)
    )


def test_a_sender_that_is_at_another_address_than_the_only_peer_of_its_title_is_not_that_peer(
    start: Start, ct_paths: list[Path]
) -> None:
    """As where one of two peers was taken from the configuration while its series waited."""
    completion = start(peers=[B | {"ip": "192.0.2.2"}], scu_ip="192.0.2.9", scu_port=104)
    completion.send(ct_paths, address="192.0.2.1")
    completion.settle()
    row = completion.series(ct_paths)
    assert (row.state, completion.jobs(ct_paths)) == (SeriesState.HELD, [])
    assert "has the AE title of a peer, but not its address (b from 192.0.2.2)" in row.reason
