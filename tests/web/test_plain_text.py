"""Texts for people have short UIDs, and times that say their zone."""

import time
from collections.abc import Iterator

import pytest

from core.plain_text import stamp, without_long_uids, zone_of
from web.words import midnight, seconds

UID = "1.2.826.0.1.3680043.8.498.98739444225103009858906807650487208349"
WINTER, SUMMER = 1_768_000_000.0, 1_783_000_000.0


@pytest.fixture
def in_zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's zone is the test's parameter."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"Series {UID}: gap of 6.0 mm", "gap of 6.0 mm"),
        (f"unet: Series {UID}: gap; {UID}7", "unet: gap; …72083497"),
        (f"such as {UID}.", "such as …87208349."),
        (f"({UID})", "(…87208349)"),
        ("from TPS@192.168.100.200 to SLICEWIRE", "from TPS@192.168.100.200 to SLICEWIRE"),
        ("transfer syntax 1.2.840.10008.1.2.4.70", "transfer syntax 1.2.840.10008.1.2.4.70"),
        ("Slicewire 1.2.3, 14.25 mm", "Slicewire 1.2.3, 14.25 mm"),
        (f"SHA-256 {'0a' * 32}, expected", "SHA-256 0a0a0a0a0a0a…, expected"),
    ],
)
def test_a_long_uid_is_shortened_and_nothing_else(text: str, expected: str) -> None:
    assert without_long_uids(text, UID) == expected


def test_another_series_is_still_named() -> None:
    assert without_long_uids(f"Series {UID}: gap") == "Series …87208349: gap"


@pytest.mark.parametrize(
    ("in_zone", "winter", "summer", "zone"),  # the day's date, and the time with its offset
    [
        ("UTC", "09 23:06:40+00:00", "02 13:46:40+00:00", "UTC"),
        (
            "Europe/Berlin",
            "10 00:06:40+01:00",
            "02 15:46:40+02:00",
            "CET, UTC+01:00",
        ),
        (
            "Asia/Kolkata",
            "10 04:36:40+05:30",
            "02 19:16:40+05:30",
            "IST, UTC+05:30",
        ),
        (
            "America/Sao_Paulo",
            "09 20:06:40-03:00",
            "02 10:46:40-03:00",
            "UTC-03:00",
        ),
    ],
    indirect=["in_zone"],
)
@pytest.mark.usefixtures("in_zone")
def test_a_time_carries_its_zone(winter: str, summer: str, zone: str) -> None:
    assert stamp(WINTER) == f"2026-01-{winter}"
    assert stamp(SUMMER) == f"2026-07-{summer}"
    assert zone_of(WINTER) == zone


@pytest.mark.parametrize(
    ("in_zone", "now", "midnight_in_utc"),
    [
        ("Europe/Berlin", "2026-03-29T12:00+02:00", "2026-03-28T23:00+00:00"),
        ("Europe/Berlin", "2026-10-25T12:00+01:00", "2026-10-24T22:00+00:00"),
        ("America/St_Johns", "2026-03-08T12:00-02:30", "2026-03-08T03:30+00:00"),
        ("UTC", "2026-03-29T12:00+00:00", "2026-03-29T00:00+00:00"),
    ],
    indirect=["in_zone"],
)
def test_a_day_on_which_clocks_change_begins_at_its_own_midnight(
    in_zone: None, now: str, midnight_in_utc: str
) -> None:
    assert midnight(seconds(now)) == seconds(midnight_in_utc)
