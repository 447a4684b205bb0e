"""The page of the peers says what a peer is not offered, and an echo without it is an answer."""

import time
from pathlib import Path

import pytest

from core.config.settings import Configuration
from network.optional_items import OptionalItem
from node.ledger.tables.withheld import withhold
from tests.support.databases import open_test_ledger
from web.overview.habits import habits_in_words
from web.overview.peer_states import is_answer

PEER = {"name": "tps", "ae_title": "TPS", "ip": "192.0.2.1", "port": 104}
WORDS = "is offered no asynchronous operations window, as it ended associations with it"


def test_what_is_withheld_is_said_of_its_peer_alone(tmp_path: Path) -> None:
    ledger = open_test_ledger(tmp_path)
    others = PEER | {"name": "pacs", "port": 105}
    configuration = Configuration.model_validate({"peers": [PEER, others]})
    with ledger.writing() as connection:
        place = ("TPS", "192.0.2.1", 104)
        withhold(connection, place, frozenset({OptionalItem.WINDOW}), time.time())
        assert habits_in_words(connection, configuration) == {"tps": WORDS}
    ledger.close()


@pytest.mark.parametrize(
    ("words", "is_one"),
    [
        ("answers", True),
        ("answers, without implementation version name", True),
        ("does not answer: TPS cannot be reached", False),
        ("not asked: the node did not run", False),
    ],
)
def test_an_echo_without_something_is_an_answer(words: str, *, is_one: bool) -> None:
    assert is_answer(words) == is_one
