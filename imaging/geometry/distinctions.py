"""Attributes that tell images at one position apart, such as echo, kernel and time.

Kinds and measures make a different image of the same tissue (an echo, a b-value, a kernel), hints
sometimes do; moments order images of one kind in time. Values stay in memory: messages name
keywords only.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any

from pydicom.dataset import Dataset

from imaging.instances.elements import tags_of
from imaging.instances.read_errors import READING_ERRORS

Value = float | str | tuple[float, ...]
Distinctions = tuple[tuple[str, Value], ...]
"""Keyword and value of every attribute present, in the order of the tables below."""

KINDS = (
    "EchoNumbers",
    "ImageType",
    "ComplexImageComponent",
    "ConvolutionKernel",
    "ContrastBolusAgent",
    "SequenceName",
    "DiffusionDirectionality",
    "DiffusionGradientOrientation",
    "FilterType",
    "StackID",
)
"""Attributes that make a different image, compared for equality."""
MEASURES = (
    "EchoTime",
    "DiffusionBValue",
    "FlipAngle",
    "KVP",
    "MonoenergeticEnergyEquivalent",
    "SliceThickness",
    "ActualFrameDuration",
)
"""Numbers that make a different image, compared with a tolerance for rounding."""
MOMENTS = (
    "TemporalPositionIdentifier",
    "TemporalPositionTimeOffset",
    "TriggerTime",
    "NominalPercentageOfCardiacPhase",
    "NominalPercentageOfRespiratoryPhase",
    "NominalRespiratoryTriggerDelayTime",
    "FrameReferenceTime",
    "InversionTime",
    "AcquisitionNumber",
    "AcquisitionTime",
)
"""Numbers that order images in time, the most reliable first; dimension indices come after."""
JITTERING = frozenset({"TriggerTime", "NominalRespiratoryTriggerDelayTime"})
"""Moments relative to a heart beat or breath, which are not comparable between positions."""
HINTS = (
    "RepetitionTime",
    "ScanningSequence",
    "SequenceVariant",
    "ScanOptions",
    "ReceiveCoilName",
    "NumberOfAverages",
    "AcquisitionContrast",
    "ReconstructionMethod",
    "CorrectedImage",
    "AttenuationCorrectionMethod",
    "Units",
    "RescaleType",
    "DerivationDescription",
    "ImageComments",
    "SeriesDescription",
    "ProtocolName",
)
"""Attributes that may be free text or noise; used as kinds if equal at every position."""
CREATION = "ContentTime"
"""Time when pixels were created, not always in the order of acquisition."""
DIMENSION, NUMBER = "DimensionIndexValues", "InstanceNumber"
"""For frames: the writer's dimension indices, and the number of the instance that they are in."""

_SAME = MappingProxyType(
    {
        "EchoTime": ("EchoTime", "EffectiveEchoTime"),
        "ImageType": ("ImageType", "FrameType"),
        "TemporalPositionIdentifier": ("TemporalPositionIdentifier", "TemporalPositionIndex"),
        "TriggerTime": ("TriggerTime", "NominalCardiacTriggerDelayTime"),
        "InversionTime": ("InversionTime", "InversionTimes"),
        "AcquisitionNumber": ("AcquisitionNumber", "FrameAcquisitionNumber"),
    }
)
"""Other keywords of an attribute in enhanced instances; the last one present is used."""
_TIMES = MappingProxyType(
    {
        "AcquisitionTime": (
            ("FrameAcquisitionDateTime", None),
            ("AcquisitionDateTime", None),
            ("AcquisitionTime", "AcquisitionDate"),
        ),
        CREATION: (("ContentTime", "ContentDate"),),
    }
)
"""Keywords of a date and time, or of a time and its date; the first one present is used."""
_DIRECTIONS = "DiffusionGradientDirectionSequence"
_TEXTS = frozenset({*KINDS, *HINTS} - {"DiffusionGradientOrientation"})
_DIGITS = 4
_DATE_TIME = re.compile(r"(\d{4})(\d{2})(\d{2})(.*)")
_TIME = re.compile(r"(\d{2}):?(\d{2})?:?(\d{2}(?:\.\d+)?)?")
DISTINCTION_TAGS = tags_of(
    *{*KINDS, *MEASURES, *MOMENTS, *HINTS},
    *{name for names in _SAME.values() for name in names},
    *{name for pairs in _TIMES.values() for pair in pairs for name in pair if name},
)


def distinctions_of(data_set: Dataset) -> Distinctions:
    """Distinguishing attributes of an instance, or of a frame's attributes."""
    found: dict[str, Value | None] = {}
    for name in (*KINDS, *MEASURES, *MOMENTS, *HINTS, CREATION):
        if name in _TIMES:
            found[name] = _moment(data_set, name)
        else:
            found[name] = _value(data_set, name)
    for number, index in enumerate(_numbers(_get(data_set, DIMENSION)), 1):
        found[f"{DIMENSION} {number}"] = index
    return tuple((name, value) for name, value in found.items() if value is not None)


def distinctions_of_frame(
    whole: Distinctions, attributes: Dataset, instance_number: int
) -> Distinctions:
    """Distinguishing attributes of a frame: its own `attributes`, else those of its instance."""
    number = {NUMBER: float(instance_number)}
    return tuple({**dict(whole), **dict(distinctions_of(attributes)), **number}.items())


def _value(data_set: Dataset, name: str) -> Value | None:
    if name == "DiffusionGradientOrientation":
        return _gradient(data_set)
    values = [_get(data_set, keyword) for keyword in _SAME.get(name, (name,))]
    value = next((one for one in reversed(values) if one is not None), None)
    if value is None:
        return None
    if name in _TEXTS and not isinstance(value, int | float):
        return _text(value)
    numbers = _numbers(value)
    return numbers[0] if len(numbers) == 1 else numbers or None


def _gradient(data_set: Dataset) -> Value | None:
    """Gradient orientation of the instance, or of the macro's nested sequence (C.8.13.5.9)."""
    items = _get(data_set, _DIRECTIONS) or [data_set]
    numbers = _numbers(_get(items[0], "DiffusionGradientOrientation"))
    return tuple(round(number, _DIGITS) for number in numbers) or None


def _moment(data_set: Dataset, name: str) -> float | None:
    """Time in seconds; with a common origin if a date is given."""
    for keyword, day in _TIMES[name]:
        text = str(_get(data_set, keyword) or "")
        if day is not None and text:
            text = f"{_get(data_set, day) or '00010101'}{text}"
        seconds = _seconds(text)
        if seconds is not None:
            return seconds
    return None


def _seconds(text: str) -> float | None:
    parts = _DATE_TIME.match(text.replace(".", "", 2) if text[4:5] == "." else text)
    time = _TIME.match(parts[4]) if parts else None
    if parts is None or time is None:
        return None
    try:
        days = date(int(parts[1]), int(parts[2]), int(parts[3])).toordinal()
    except ValueError:
        return None
    hours, minutes, seconds = (float(part or 0) for part in time.groups())
    return round(days * 86400 + hours * 3600 + minutes * 60 + seconds, 6)


def _get(data_set: Mapping[Any, Any] | Dataset, keyword: str) -> Any:
    """Value of an attribute; None if it is absent, empty or not readable."""
    try:
        value = data_set.get(keyword)
    except READING_ERRORS:
        return None
    return None if value is None or value == "" else value


def _numbers(value: Any) -> tuple[float, ...]:
    """Numbers of a value; empty if one of them is not a number."""
    several = isinstance(value, Sequence) and not isinstance(value, str)
    try:
        return tuple(float(one) for one in (value if several else [value]))
    except (TypeError, ValueError):
        return ()


def _text(value: Any) -> str:
    several = isinstance(value, Sequence) and not isinstance(value, str)
    return "\\".join(str(one).strip() for one in (value if several else [value]))
