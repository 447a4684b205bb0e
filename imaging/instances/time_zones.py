"""The zone of the times in a data set: TimezoneOffsetFromUTC (PS3.3 C.12.1.1.8)."""

import re
from dataclasses import replace
from datetime import timedelta, timezone

from pydicom.dataset import Dataset
from pydicom.valuerep import DT

from core.identity import Provenance

KEYWORD = "TimezoneOffsetFromUTC"
_OFFSET = re.compile(r"([+-])(\d\d)([0-5]\d)")
_SUFFIX = re.compile(r"[+-]\d{4}$")
_MINUTES, _SECONDS = len("YYYYMMDDhhmm"), len("YYYYMMDDhhmmss")
_LEAST, _MOST = timedelta(hours=-12), timedelta(hours=14)


def zone_of_times(data_set: Dataset) -> timezone | None:
    """The zone that a data set states for its dates and times; None if it states no valid one."""
    stated = _OFFSET.fullmatch(str(data_set.get(KEYWORD) or "").strip(" \0"))
    if stated is None:
        return None
    size = timedelta(hours=int(stated[2]), minutes=int(stated[3]))
    offset = -size if stated[1] == "-" else size
    return timezone(offset) if _LEAST <= offset <= _MOST else None


def in_zone_of(source: Dataset, provenance: Provenance) -> Provenance:
    """The job with its time in the zone of `source`, so that one zone fits all times of a result.

    Where the source states none, the job keeps its own zone, the node's.
    """
    zone = zone_of_times(source)
    if zone is None:
        return provenance
    return replace(provenance, created=provenance.created.astimezone(zone))


def without_offset(date_time: str, data_set: Dataset) -> str:
    """A DT value (PS3.5 6.2) in the zone that `data_set` states, without an offset of its own.

    Where the data set states none, the time is left as the value has it.
    """
    bare = _SUFFIX.sub("", date_time)
    zone = zone_of_times(data_set)
    if bare == date_time or zone is None or len(bare) < _MINUTES:
        return bare
    try:
        local = DT(date_time).astimezone(zone)
    except (ValueError, OverflowError):
        return bare
    return local.strftime("%Y%m%d%H%M%S")[: len(bare)] + bare[_SECONDS:]


def write_zone(data_set: Dataset, source: Dataset) -> None:
    """Write the zone of `source` to a result; one that is not valid is left out."""
    zone = zone_of_times(source)
    if zone is not None:
        offset = zone.utcoffset(None)
        sign, minutes = "-" if offset < timedelta() else "+", abs(offset) // timedelta(minutes=1)
        setattr(data_set, KEYWORD, f"{sign}{minutes // 60:02}{minutes % 60:02}")
    elif KEYWORD in data_set:
        delattr(data_set, KEYWORD)
