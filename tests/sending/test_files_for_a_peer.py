"""Which files go to a peer is decided in one function, for each peer."""

from typing import Any

import pytest

from node.delivery import queue_results
from node.ledger.requests.jobs import Destination
from tests.sending.desk import Desk

TPS = Destination("tps", "192.0.2.6", 104, "TPS")
PACS = Destination("pacs", "192.0.2.7", 104, "PACS")


def test_every_peer_gets_the_series_before_the_results(desk: Desk) -> None:
    assert desk.queue(TPS, PACS) == 5
    assert desk.states("tps") == desk.states("pacs") == {"waiting": 5}


def test_a_peer_is_queued_what_is_listed_for_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = queue_results.files_for

    def files_for(peer: str, *about: Any) -> list[Any]:
        return listed(peer, *about)[-1:] if peer == "pacs" else listed(peer, *about)

    monkeypatch.setattr(queue_results, "files_for", files_for)
    assert desk.queue(TPS, PACS) == 5
    assert (desk.states("tps"), desk.states("pacs")) == ({"waiting": 5}, {"waiting": 1})
