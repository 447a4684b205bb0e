"""Times, sizes and durations as people read them."""

from datetime import datetime, time

from core.plain_text import zone_of

_KILO = 1000.0
_MINUTE_S, _HOUR_S, _DAY_S = 60.0, 3600.0, 86400.0


def clock(at: float | None) -> str:
    """The time of day, to the second; empty for None."""
    return "" if at is None else _local(at).strftime("%H:%M:%S")


def clock_minute(at: float) -> str:
    """The time of day, to the minute."""
    return _local(at).strftime("%H:%M")


def moment(at: float | None) -> str:
    """The time of day, with the date where it was not today; never for None."""
    if at is None:
        return "never"
    local = _local(at)
    is_today = local.date() == datetime.now().astimezone().date()
    return local.strftime("%H:%M:%S" if is_today else "%Y-%m-%d %H:%M:%S")


def zone(at: float) -> str:
    """The zone of a time as people name it, such as CET; else its offset, such as UTC-03:00."""
    name = _local(at).tzname() or ""
    return name if name.isalpha() else zone_of(at)


def iso(at: float) -> str:
    """A time in ISO 8601 to the second, for programs that read the page."""
    return _local(at).isoformat(timespec="seconds")


def midnight(now: float) -> float:
    """The beginning of the day of `now` in local time, in seconds since 1970."""
    return datetime.combine(_local(now).date(), time()).timestamp()  # by that hour's own offset


def size(count: float) -> str:
    """A number of bytes in words, in the largest decimal unit that leaves a number above one."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < _KILO:
            return (
                f"{count:.0f} {unit}" if unit == "bytes" or count >= 100 else f"{count:.1f} {unit}"
            )
        count /= _KILO
    return f"{count:.1f} TB"


def duration(seconds: float | None) -> str:
    """A duration in words, in one unit or two; empty for None."""
    if seconds is None:
        return ""
    if seconds < _MINUTE_S:
        return f"{seconds:.1f} s"
    if seconds < _HOUR_S:
        return f"{seconds // _MINUTE_S:.0f} min {seconds % _MINUTE_S:.0f} s"
    if seconds < _DAY_S:
        return f"{seconds // _HOUR_S:.0f} h {seconds % _HOUR_S // _MINUTE_S:.0f} min"
    return f"{seconds / _DAY_S:.1f} days"


def days(count: float | None) -> str:
    """A number of days in words; None is without an end."""
    if count is None:
        return "no end in sight"
    if count < 1:
        return "less than a day"
    return f"{count:.0f} days" if count < 1000 else "years"


def seconds(text: str) -> float:
    """Seconds since 1970 of a time in ISO 8601."""
    return datetime.fromisoformat(text).timestamp()


def number(count: int, noun: str) -> str:
    """A count with its noun, such as `1 image` or `22 images`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _local(at: float) -> datetime:
    return datetime.fromtimestamp(at).astimezone()
