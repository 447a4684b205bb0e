"""Results reach their peers: whole, in order, once, and as often tried as it takes."""

import itertools
import threading
from typing import Any

import pytest

from node.ledger.requests.jobs import Destination
from node.ledger.tables.deliveries import send_again
from tests.sending.desk import HOUR_S, JOB, Desk, came, to


def test_images_go_first_and_the_structure_set_last_in_one_association(
    desk: Desk, start_peer: Any
) -> None:
    peer = start_peer()
    assert desk.queue(to(peer)) == 5
    desk.deliver()
    assert came(peer) == desk.sources + desk.results
    assert len({one.association for one in peer.received}) == 1
    assert desk.states() == {"stored": 5}


def test_without_export_series_only_the_results_go(desk: Desk, start_peer: Any) -> None:
    peer = start_peer()
    assert desk.queue(to(peer), export_series=False) == 1
    desk.deliver()
    assert came(peer) == desk.results


def test_several_peers_get_all_of_it_each(desk: Desk, start_peer: Any) -> None:
    one, other = start_peer(), start_peer()
    desk.queue(to(one), to(other, "pacs"))
    assert desk.deliver() == 2
    assert came(one) == came(other) == desk.sources + desk.results


def test_a_peer_that_has_the_results_does_not_get_them_again(desk: Desk, start_peer: Any) -> None:
    peer = start_peer()
    for _ in range(2):
        desk.queue(to(peer))
        desk.deliver()
    assert len(peer.received) == 5


def test_after_an_abort_half_way_only_what_is_missing_goes_out_again(
    desk: Desk, start_peer: Any
) -> None:
    def abort_once(event: Any, index: int) -> int:
        if index == 2:
            event.assoc.abort()
        return 0x0000

    peer = start_peer(abort_once)
    desk.queue(to(peer))
    desk.deliver()
    assert desk.states() == {"stored": 2, "waiting": 3}
    first = {one.sop_instance_uid: one.data_set_bytes for one in peer.received}
    desk.now[0] += 60
    desk.deliver()
    assert desk.states() == {"stored": 5}
    again = peer.received[len(first) :]
    assert [one.sop_instance_uid for one in again] == [*desk.sources[2:], *desk.results]
    assert all(first.get(one.sop_instance_uid, one.data_set_bytes) == one.data_set_bytes
               for one in again)  # fmt: skip


@pytest.mark.parametrize("status", [0xA900, 0xC001, 0x0122])
def test_a_refusal_is_final_and_visible_and_the_rest_goes_on(
    desk: Desk, start_peer: Any, status: int
) -> None:
    peer = start_peer(lambda _, index: status if index == 1 else 0x0000)
    desk.queue(to(peer))
    desk.deliver()
    assert desk.states() == {"stored": 4, "refused": 1}
    desk.now[0] += HOUR_S
    assert desk.deliver() == 0


def test_out_of_resources_is_tried_again(desk: Desk, start_peer: Any) -> None:
    peer = start_peer(lambda _, index: 0xA700 if index == 0 else 0x0000)
    desk.queue(to(peer))
    desk.deliver()
    assert desk.states() == {"stored": 4, "waiting": 1}
    desk.now[0] += 60
    desk.deliver()
    assert desk.states() == {"stored": 5}


def test_a_duplicate_counts_as_stored_and_so_does_a_warning(desk: Desk, start_peer: Any) -> None:
    peer = start_peer(lambda _, index: (0x0111, 0xB000)[index % 2])
    desk.queue(to(peer))
    desk.deliver()
    assert desk.states() == {"stored": 5}


def test_a_peer_that_is_away_is_tried_at_growing_intervals_for_72_hours(desk: Desk) -> None:
    desk.queue(Destination("tps", "127.0.0.1", 9, "NOBODY"))
    attempts: list[float] = []
    begun = desk.now[0]
    while desk.states() == {"waiting": 5} and desk.now[0] < begun + 100 * HOUR_S:
        if desk.deliver():
            attempts.append(desk.now[0] - begun)
        desk.now[0] += 10 if desk.now[0] < begun + 600 else HOUR_S / 4
    pauses = [later - sooner for sooner, later in itertools.pairwise(attempts)]
    assert pauses[0] <= 50
    assert max(pauses) <= 1.6 * HOUR_S
    assert pauses[1] > pauses[0]
    assert desk.states() == {"given up": 5}
    assert 72 * HOUR_S <= attempts[-1] <= 74 * HOUR_S


def test_a_person_can_send_again_what_was_given_up(desk: Desk, start_peer: Any) -> None:
    peer = start_peer(lambda _, index: 0xA900 if index < 5 else 0x0000)
    desk.queue(to(peer))
    desk.deliver()
    assert desk.states() == {"refused": 5}
    with desk.ledger.writing() as connection:
        assert send_again(connection, JOB, desk.now[0]) == 5
    desk.deliver()
    assert desk.states() == {"stored": 5}


def test_a_person_can_have_everything_sent_once_more(desk: Desk, start_peer: Any) -> None:
    peer = start_peer()
    desk.queue(to(peer))
    desk.deliver()
    with desk.ledger.writing() as connection:
        assert send_again(connection, JOB, desk.now[0], also_stored=True) == 5
    desk.deliver()
    assert came(peer) == 2 * (desk.sources + desk.results)
    first, second = peer.received[:5], peer.received[5:]
    assert [one.data_set_bytes for one in first] == [one.data_set_bytes for one in second]


def test_a_hanging_peer_does_not_hold_up_another(desk: Desk, start_peer: Any) -> None:
    let_go = threading.Event()

    def hang(_: Any, __: int) -> int:
        let_go.wait(60)
        return 0x0000

    hanging, other = start_peer(hang), start_peer()
    desk.queue(to(hanging, "hanging"), to(other, "pacs"))
    threads = desk.delivery.start_due()
    next(thread for thread in threads if thread.name == "delivery to pacs").join(60)
    assert desk.states("pacs") == {"stored": 5}
    assert desk.states("hanging") == {"waiting": 5}
    assert desk.delivery.start_due() == []
    let_go.set()
    for thread in threads:
        thread.join()


def test_a_result_that_is_gone_is_given_up_and_the_rest_is_sent(
    desk: Desk, start_peer: Any
) -> None:
    peer = start_peer()
    desk.queue(to(peer))
    (desk.storage_path / "instances" / f"{desk.sources[1]}.dcm").unlink()
    desk.deliver()
    assert desk.states() == {"stored": 4, "given up": 1}


def test_a_stop_ends_after_the_instance_in_flight_and_keeps_the_rest(
    desk: Desk, start_peer: Any
) -> None:
    reached, let_go = threading.Event(), threading.Event()

    def pause(_: Any, index: int) -> int:
        if index == 1:
            reached.set()
            let_go.wait(60)
        return 0x0000

    peer = start_peer(pause)
    desk.queue(to(peer))
    desk.delivery.start_due()
    assert reached.wait(60)
    stopper = threading.Thread(target=desk.delivery.stop)
    stopper.start()
    let_go.set()
    stopper.join(60)
    assert desk.states() == {"stored": 2, "waiting": 3}
