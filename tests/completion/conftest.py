"""Inbox, tracker and ledger with a clock that the test turns."""

import pytest

from tests.support.completion import (
    HARD,
    PACS,
    SOFT,
    TPS,
    Completion,
    Start,
    completion,
    ct_paths,
    start,
)

__all__ = ["completion", "ct_paths", "start"]


@pytest.fixture
def both(start: Start) -> Completion:
    """SOFT gets the blur, HARD the UNet; two peers send."""
    return start(pipeline=None, peers=[TPS, PACS], rules=[SOFT, HARD])


@pytest.fixture
def one(start: Start) -> Completion:
    """Every peer gets the results of the UNet."""
    return start(peers=[TPS, PACS])
