"""The chaos run, short: nothing acknowledged is lost, nothing is made or sent twice differently."""

import pytest

from tests.chaos.campaign import Campaign
from tests.support.missing import unavailable
from tests.support.postgresql import program


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("database", "engine"),
    [("sqlite", "embedded"), ("postgresql", "embedded"), ("sqlite", "external")],
)
def test_nothing_is_lost_however_often_something_is_killed(database: str, engine: str) -> None:
    if database == "postgresql" and program("initdb") is None:
        unavailable("initdb is not installed")
    campaign = Campaign(kills=6, series=18, database=database, engine=engine)
    counts = campaign.run()
    assert counts.is_clean, counts.table() + "\n".join(counts.histories)
    assert counts.happened["results committed"] == campaign.series
    assert counts.happened["result instances"] == campaign.series * 5
