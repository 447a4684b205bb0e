"""Times, UIDs and tables in texts for people."""

import re
from collections.abc import Sequence
from datetime import datetime

_LONGEST = 20
_SHOWN = 8
_STANDARD = "1.2.840.10008."
_UID = re.compile(r"(?<![\w.])[0-9]+(?:\.[0-9]+){3,}(?![\w]|\.[0-9])")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""C0 and C1 with ESC and CSI, which steer terminals, and marks that turn the direction of text."""
_HASH = re.compile(r"\b[0-9a-f]{40,}\b")


def stamp(at: float) -> str:
    """Local date and time with its zone, such as `2026-03-10 23:50:00+01:00`."""
    return datetime.fromtimestamp(at).astimezone().isoformat(" ", "seconds")


def zone_of(at: float) -> str:
    """Zone of the local time at `at`, such as `CET, UTC+01:00`."""
    local = datetime.fromtimestamp(at).astimezone()
    offset = local.isoformat("T", "seconds")[19:]
    name = local.tzname() or ""
    return "UTC" if name == "UTC" else f"{name}, UTC{offset}" if name.isalpha() else f"UTC{offset}"


def without_long_uids(text: str, series_instance_uid: str = "") -> str:
    """Shorten long UIDs and hashes in `text`, and leave out that it is about this series.

    Of a UID the end stays, by which a series can be found; UIDs of the standard stay whole.
    """
    if series_instance_uid:
        text = text.replace(f"Series {series_instance_uid}: ", "")
    text = _UID.sub(lambda found: _end_of(found[0]), text)
    return _HASH.sub(lambda found: f"{found[0][:12]}…", text)


def without_control(text: str) -> str:
    """Replace every control character, such as those by which a text steers a terminal."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table with every text of `rows` whole; the last column may be of any length."""
    rows = [[without_control(text) for text in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    lines = []
    for row in rows:
        padded = [text.ljust(width) for text, width in zip(row, widths, strict=False)]
        lines.append("  ".join([*padded, row[-1]]).rstrip())
    return lines


def _end_of(uid: str) -> str:
    if len(uid) <= _LONGEST or uid.startswith(_STANDARD):
        return uid
    return f"…{uid[-_SHOWN:]}"
