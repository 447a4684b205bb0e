"""PET modules (PS3.3 C.8.9) for a frame of an enhanced PET (C.8.22)."""

from datetime import datetime
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.valuerep import DT

from imaging.enhanced.frame_to_pet_orientation import write_orientation
from imaging.enhanced.frame_values import add_empty, add_missing, copy_attributes, decimal, integer
from imaging.enhanced.functional_groups import PER_FRAME
from imaging.instances.time_zones import without_offset

_AS_THEY_ARE = (
    *("TableHeight", "GantryDetectorTilt", "ReconstructionDiameter", "SecondaryCountsType"),
    *("PrimaryPromptsCountsAccumulated", "SecondaryCountsAccumulated", "SliceSensitivityFactor"),
    *("DecayFactor", "ScatterFractionFactor", "DeadTimeFactor"),
)
_CORRECTIONS = {
    "DecayCorrected": "DECY",
    "AttenuationCorrected": "ATTN",
    "ScatterCorrected": "SCAT",
    "DeadTimeCorrected": "DTIM",
    "GantryMotionCorrected": "MOTN",
    "PatientMotionCorrected": "PMOT",
    "CountLossNormalizationCorrected": "CLN",
    "RandomsCorrected": "RAN",
    "NonUniformRadialSamplingCorrected": "RADL",
    "SensitivityCalibrated": "DCAL",
    "DetectorNormalizationCorrection": "NORM",
}
_UNITS_OF_CODES = {
    "Bq/ml": "BQML",
    "g/ml": "GML",
    "{SUVbw}g/ml": "GML",
    "{counts}": "CNTS",
    "{counts}/s": "CPS",
    "%": "PCNT",
}
_TYPE_2 = (
    *("CorrectedImage", "CollimatorType", "AcquisitionDate", "AcquisitionTime"),
    *("ActualFrameDuration", "RadiopharmaceuticalInformationSequence"),
)
_MS = 1000.0
_POSITION_DECIMALS = 2
"""Decimals to which positions in mm are rounded."""


def write_pet(data_set: Dataset, frame: Dataset) -> None:
    """Convert an enhanced PET in place to a PET Image of one frame.

    `frame` has the functional group attributes of that frame. Frames of several times make a
    DYNAMIC series, others a STATIC one. Defaults for missing type 1 attributes: CountsSource
    EMISSION, DecayCorrection NONE, Units NONE, FrameReferenceTime 0.
    """
    copy_attributes(data_set, frame, _AS_THEY_ARE)
    kind = list(frame.get("FrameType") or data_set.get("ImageType") or ())
    data_set.ImageType = [*(kind[:1] or ["ORIGINAL"]), "PRIMARY"]  # C.8.9.4.1.1
    _write_series_time(data_set)
    corrected = [code for keyword, code in _CORRECTIONS.items() if data_set.get(keyword) == "YES"]
    if corrected:
        add_missing(data_set, {"CorrectedImage": corrected})
    add_missing(
        data_set,
        {
            "Units": _units(data_set, frame),
            "CountsSource": "EMISSION",
            "DecayCorrection": _decay_correction(data_set),
            "RescaleSlope": "1",
            "RescaleIntercept": "0",
            "FrameReferenceTime": decimal(_reference_ms(data_set, frame)),
            "ActualFrameDuration": integer(frame.get("FrameAcquisitionDuration")),
        },
    )
    _write_index(data_set, frame)
    write_orientation(data_set)
    add_empty(data_set, _TYPE_2)
    if "RescaleType" in data_set:
        del data_set.RescaleType


def _write_series_time(data_set: Dataset) -> None:
    """Write series date and time, the reference of decay correction: the acquisition's start."""
    acquired = without_offset(str(data_set.get("AcquisitionDateTime") or ""), data_set)
    dates = (acquired[:8], data_set.get("AcquisitionDate"), data_set.get("StudyDate"))
    times = (acquired[8:14], data_set.get("AcquisitionTime"), data_set.get("StudyTime"), "000000")
    add_missing(
        data_set,
        {
            "SeriesDate": next((value for value in dates if value), None),
            "SeriesTime": next(value for value in times if value),
        },
    )


def _units(data_set: Dataset, frame: Dataset) -> str:
    """Units by the code of a real world value mapping that equals the rescale."""
    mappings = frame.get("RealWorldValueMappingSequence") or ()
    for mapping in mappings:
        codes = mapping.get("MeasurementUnitsCodeSequence") or [Dataset()]
        rescale = (frame.get("RescaleSlope", 1), frame.get("RescaleIntercept", 0))
        value = (mapping.get("RealWorldValueSlope"), mapping.get("RealWorldValueIntercept"))
        if value == rescale and codes[0].get("CodeValue") in _UNITS_OF_CODES:
            return _UNITS_OF_CODES[codes[0].CodeValue]
    said = str(data_set.get("RescaleType") or "")
    return said if said in _UNITS_OF_CODES.values() else "NONE"


def _decay_correction(data_set: Dataset) -> str:
    """DecayCorrection: NONE, ADMIN (to administration time) or START (of acquisition)."""
    if data_set.get("DecayCorrected") != "YES":
        return "NONE"
    to = _time(data_set.get("DecayCorrectionDateTime"))
    items = data_set.get("RadiopharmaceuticalInformationSequence") or ()
    given = [_time(item.get("RadiopharmaceuticalStartDateTime")) for item in items]
    return "ADMIN" if to is not None and to in given else "START"


def _reference_ms(data_set: Dataset, frame: Dataset) -> float:
    """FrameReferenceTime in ms: from the series' date and time to the frame's."""
    series = _time(f"{data_set.get('SeriesDate') or ''}{data_set.get('SeriesTime') or ''}")
    reference = _time(without_offset(str(frame.get("FrameReferenceDateTime") or ""), data_set))
    if series is None or reference is None:
        return 0.0
    return max(0.0, (reference - series).total_seconds() * _MS)


def _write_index(data_set: Dataset, frame: Dataset) -> None:
    """Write ImageIndex (C.8.9.4.1.9): slices along the normal count first, then times."""
    items = list(data_set.get(PER_FRAME) or ())
    times = sorted({_time_index_of_item(item) for item in items})
    places = sorted(
        {_along_normal(_macro_item(one, "PlanePositionSequence"), frame) for one in items}
    )
    time, place = _time_index(frame), _along_normal(frame, frame)
    slices = max(1, len(places))
    dynamic = {"NumberOfTimeSlices": len(times)} if len(times) > 1 else {}
    index = times.index(time) * slices + places.index(place) + 1 if place in places else 1
    add_missing(
        data_set,
        {
            "SeriesType": ["DYNAMIC" if dynamic else "STATIC", "IMAGE"],
            "NumberOfSlices": slices,
            "ImageIndex": index,
            **dynamic,
        },
    )


def _time_index_of_item(item: Dataset) -> int:
    return _time_index(_macro_item(item, "FrameContentSequence"))


def _time_index(content: Dataset) -> int:
    return int(content.get("TemporalPositionIndex") or 1)


def _along_normal(position: Dataset, frame: Dataset) -> float:
    """Position along the normal in mm."""
    point = position.get("ImagePositionPatient") or (0.0, 0.0, 0.0)
    directions = np.reshape(frame.get("ImageOrientationPatient") or (1, 0, 0, 0, 1, 0), (2, 3))
    normal = np.cross(*directions.astype(float))
    return round(float(np.asarray(point, float) @ normal), _POSITION_DECIMALS)


def _macro_item(item: Dataset, keyword: str) -> Dataset:
    return next(iter(item.get(keyword) or ()), Dataset())


def _time(value: Any) -> datetime | None:
    try:
        return DT(str(value)).replace(tzinfo=None) if value else None
    except ValueError:
        return None
