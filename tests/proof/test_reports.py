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
    ("information", "take", "status"),
    [
        (REPORT, lambda _: True, 0x0000),
        (REPORT, lambda _: False, 0x0115),
        (REPORT, away, 0x0213),
        (None, lambda _: True, 0x0115),
    ],
    ids=["ours", "of an unknown transaction", "the ledger is away", "nothing in it"],
)
def test_a_report_is_answered(
    information: Dataset | None, take: Callable[[messages.Report], bool], status: int
) -> None:
    def read() -> Dataset:
        if information is None:
            raise EOFError
        return information

    assert answer_report(read, take) == status
