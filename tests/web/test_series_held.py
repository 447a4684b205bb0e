"""Metrics count series that wait for a person by the code of what is in the way."""

from collections.abc import Sequence
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Connection

from core.config.settings import Configuration
from core.hold_reasons import HoldReason, hold_for
from network.sender import Sender
from node.ledger.requests.releases import record_holds
from node.ledger.requests.requests import decide, request_by_sender, requests_of
from node.ledger.row_states import RequestState, SeriesState
from node.ledger.tables.instances import StoredInstance, open_association, touch_series
from node.ledger.tables.series import set_state
from tests.support.databases import open_test_ledger
from web.overview.metrics import Metrics

SENDER = Sender("TPS", "SLICEWIRE", "127.0.0.1")


def add(
    connection: Connection, uid: str, state: SeriesState, reasons: Sequence[HoldReason]
) -> None:
    instance = StoredInstance(f"{uid}.1", uid, "1", "1", "1", "0", 1, "p", made_here=False)
    touch_series(connection, instance, open_association(connection, SENDER, 1.0), 1.0)
    set_state(connection, uid, state)
    holds = [hold_for(one, "words of one case") for one in reasons]
    record_holds(connection, uid, holds, is_releasable=False)


def test_series_are_counted_for_each_reason_to_hold_them(tmp_path: Path) -> None:
    ledger = open_test_ledger(tmp_path)
    with ledger.writing() as connection:
        add(connection, "1.1", SeriesState.HELD, [HoldReason.GAP, HoldReason.SEVERAL_PATIENTS])
        add(connection, "1.2", SeriesState.HELD, [HoldReason.GAP])
        add(connection, "1.3", SeriesState.HELD, [])  # by a version without codes
        add(connection, "1.4", SeriesState.PROCESSING, [HoldReason.NO_VOLUME])
        request_by_sender(connection, "1.4", SENDER, outcome="released", now=1.0)
        [request] = requests_of(connection, "1.4")
        decide(connection, request.key, RequestState.HELD)
        add(connection, "1.5", SeriesState.SETTLING, [HoldReason.GAP])  # is looked at again
    text = Metrics(Configuration(storage_path=tmp_path), ledger).scrape().decode()
    ledger.close()
    [family] = [
        one for one in text_string_to_metric_families(text) if one.name == "slicewire_series_held"
    ]
    counts = {one.labels["reason"]: one.value for one in family.samples}
    assert set(counts) == set(map(str, HoldReason))
    assert {reason: count for reason, count in counts.items() if count} == {
        "gap": 2,
        "several patients": 1,
        "no volume": 1,
        "other": 1,
    }
