"""MR Image module (PS3.3 C.8.3.1) for a frame of an enhanced MR (C.8.13)."""

from typing import Any

from pydicom.dataset import Dataset

from imaging.enhanced.frame_values import add_empty, add_missing, copy_attributes, decimal, first

_AS_THEY_ARE = (
    *("RepetitionTime", "EchoTrainLength", "FlipAngle", "PixelBandwidth", "PercentSampling"),
    *("PercentPhaseFieldOfView", "NumberOfAverages", "ReceiveCoilName", "TransmitCoilName"),
    *("LowRRValue", "HighRRValue", "IntervalsAcquired", "IntervalsRejected", "HeartRate"),
    "DiffusionBValue",  # in no module of the IOD, but needed to tell b-values apart
)
_SCANNING = (
    ("EchoPulseSequence", ("SPIN", "BOTH"), "SE"),
    ("EchoPulseSequence", ("GRADIENT", "BOTH"), "GR"),
    ("EchoPlanarPulseSequence", ("YES",), "EP"),
    ("InversionRecovery", ("YES",), "IR"),
)
_VARIANT = (
    ("SegmentedKSpaceTraversal", ("PARTIAL", "FULL"), "SK"),
    ("MagnetizationTransfer", ("ON_RESONANCE", "OFF_RESONANCE"), "MTC"),
    ("SteadyStatePulseSequence", ("FREE_PRECESSION", "TRANSVERSE", "LONGITUDINAL"), "SS"),
    ("Spoiling", ("RF", "GRADIENT", "RF_AND_GRADIENT"), "SP"),
    ("OversamplingPhase", ("2D", "3D", "2D_3D"), "OSP"),
)
_OPTIONS = (
    ("PartialFourierDirection", ("FREQUENCY", "COMBINATION"), "PFF"),
    ("PartialFourierDirection", ("PHASE", "COMBINATION"), "PFP"),
    ("SpatialPresaturation", ("SLAB",), "SP"),
    ("SpectrallySelectedSuppression", ("FAT",), "FS"),
    ("FlowCompensation", ("ACCELERATION", "VELOCITY", "OTHER"), "FC"),
)
_DIRECTIONS = {"COLUMN": "COL", "COL": "COL", "ROW": "ROW"}
_ACQUISITION_TYPES = ("2D", "3D")
_TYPE_2 = ("ScanOptions", "MRAcquisitionType", "EchoTime", "EchoTrainLength")
_RESCALE = ("RescaleSlope", "RescaleIntercept", "RescaleType")


def write_mr(data_set: Dataset, frame: Dataset) -> None:
    """Convert an enhanced MR in place to an MR Image of one frame.

    `frame` has the functional group attributes of that frame. An unknown pulse sequence becomes
    "RM" (research mode) with variant "NONE", as both attributes must have a value.
    """
    both = Dataset()
    both.update(data_set)
    both.update(frame)
    copy_attributes(data_set, frame, _AS_THEY_ARE)
    _write_type(data_set, both)
    _write_sequence(data_set, both)
    _write_times(data_set, both)
    _write_physics(data_set, both)
    add_empty(data_set, _TYPE_2)
    _drop_identity(data_set)


def _write_type(data_set: Dataset, both: Dataset) -> None:
    """Write ImageType; value 3 of enhanced instances (VOLUME, T1, ...) is invalid (C.8.3.1.1.1)."""
    kind = list(both.get("FrameType") or both.get("ImageType") or ())
    component = str(both.get("ComplexImageComponent") or "")
    flavour = "PHASE MAP" if component == "PHASE" else "OTHER"
    more = [*kind[2:4], *([component] if component not in ("MAGNITUDE", "MIXED") else [])]
    kept = [value for value in more if value and value not in ("NONE", "VOLUME")]
    data_set.ImageType = [*(kind[:2] or ["ORIGINAL", "PRIMARY"]), flavour, *kept]


def _write_sequence(data_set: Dataset, both: Dataset) -> None:
    add_missing(
        data_set,
        {
            "ScanningSequence": _codes(both, _SCANNING) or ["RM"],
            "SequenceVariant": _codes(both, _VARIANT) or ["NONE"],
            "SequenceName": both.get("PulseSequenceName"),
        },
    )
    options = _codes(both, _OPTIONS)
    if options:
        add_missing(data_set, {"ScanOptions": options})
    if data_set.get("MRAcquisitionType") not in _ACQUISITION_TYPES:
        data_set.MRAcquisitionType = None
    direction = str(both.get("InPlanePhaseEncodingDirection") or "")
    data_set.InPlanePhaseEncodingDirection = _DIRECTIONS.get(direction)
    if direction not in _DIRECTIONS:
        del data_set.InPlanePhaseEncodingDirection


def _write_times(data_set: Dataset, both: Dataset) -> None:
    """Write echo, inversion and repetition time as C.8.3.1 requires, and temporal phases."""
    add_missing(data_set, {"EchoTime": decimal(both.get("EffectiveEchoTime"))})
    scanning, variant = _values(data_set, "ScanningSequence"), _values(data_set, "SequenceVariant")
    if "IR" in scanning:
        add_missing(data_set, {"InversionTime": decimal(both.get("InversionTimes"))})
    elif "InversionTime" in data_set:
        del data_set.InversionTime
    if "EP" not in scanning or "SK" in variant:
        add_empty(data_set, ("RepetitionTime",))
    position = both.get("TemporalPositionIndex")
    if position:
        data_set.TemporalPositionIdentifier = int(position)
    delay = both.get("NominalCardiacTriggerDelayTime")
    if delay is not None:
        data_set.TriggerTime = decimal(delay)
        options = [one for one in _values(data_set, "ScanOptions") if one != "CG"]
        data_set.ScanOptions = [*options, "CG"]


def _write_physics(data_set: Dataset, both: Dataset) -> None:
    nucleus, frequency = first(both.get("ResonantNucleus")), both.get("TransmitterFrequency")
    values = {"ImagedNucleus": nucleus, "ImagingFrequency": decimal(frequency)}
    add_missing(data_set, {keyword: value for keyword, value in values.items() if value})


def _codes(both: Dataset, table: tuple[tuple[str, tuple[str, ...], str], ...]) -> list[str]:
    return [code for keyword, values, code in table if both.get(keyword) in values]


def _values(data_set: Dataset, keyword: str) -> list[str]:
    value: Any = data_set.get(keyword) or ()
    return [value] if isinstance(value, str) else list(value)


def _drop_identity(data_set: Dataset) -> None:
    """Remove an identity rescale, which the MR Image IOD does not have."""
    slope, intercept = data_set.get("RescaleSlope"), data_set.get("RescaleIntercept")
    if (slope, intercept) == (1, 0):
        for keyword in _RESCALE:
            if keyword in data_set:
                delattr(data_set, keyword)
