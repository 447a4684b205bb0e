"""Every report of storage commitment is answered, whatever is wrong with it or with us."""

from collections.abc import Callable

import pytest
from pydicom.dataset import Dataset

from core.errors import StorageUnavailableError
from network.scu import storage_commitment as messages
from node.delivery.commitment_reports import answer_report

REPORT = messages.report("1.2.3", {"1.2.4": "1.2.5"}, {})


def away(_: messages.Report) -> bool:
    raise StorageUnavailableError("The ledger failed: it is away")


@pytest.mark.parametrize(
    ("event_type", "information", "take", "status"),
    [
        (messages.ALL_COMMITTED, REPORT, lambda _: True, 0x0000),
        (messages.FAILURES_EXIST, REPORT, lambda _: True, 0x0000),
        (messages.ALL_COMMITTED, REPORT, lambda _: False, 0x0115),
        (messages.ALL_COMMITTED, REPORT, away, 0x0213),
        (messages.ALL_COMMITTED, None, lambda _: True, 0x0115),
        (3, REPORT, lambda _: True, 0x0113),
        (None, REPORT, lambda _: True, 0x0113),
    ],
    ids=[
        "ours",
        "ours with failures",
        "of an unknown transaction",
        "the ledger is away",
        "nothing in it",
        "an unknown event type",
        "no event type",
    ],
)
def test_a_report_is_answered(
    event_type: int | None,
    information: Dataset | None,
    take: Callable[[messages.Report], bool],
    status: int,
) -> None:
    def read() -> Dataset:
        if information is None:
            raise EOFError
        return information

    assert answer_report(event_type, read, take) == status
