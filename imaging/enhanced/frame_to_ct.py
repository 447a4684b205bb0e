"""The CT Image module (PS3.3 C.8.2.1) out of what an enhanced CT says of a frame (C.8.15)."""

from pydicom.dataset import Dataset

from imaging.enhanced.frame_values import add_empty, add_missing, copy, whole

_AS_THEY_ARE = (
    *("KVP", "RotationDirection", "RevolutionTime", "SingleCollimationWidth"),
    *("TotalCollimationWidth", "TableHeight", "GantryDetectorTilt", "DataCollectionDiameter"),
    *("TableSpeed", "TableFeedPerRotation", "SpiralPitchFactor", "DataCollectionCenterPatient"),
    *("DistanceSourceToDetector", "ConvolutionKernel", "FilterType"),
    *("ReconstructionDiameter", "ReconstructionTargetCenterPatient", "ExposureModulationType"),
    *("EstimatedDoseSaving", "CTDIvol", "FocalSpots"),
)
_ROUNDED = {
    "ExposureTime": "ExposureTimeInms",
    "XRayTubeCurrent": "XRayTubeCurrentInmA",
    "Exposure": "ExposureInmAs",
}
_TYPE_2 = ("KVP", "AcquisitionNumber")
_AXIAL, _LOCALIZER = "AXIAL", "LOCALIZER"


def write_ct(data_set: Dataset, frame: Dataset) -> None:
    """Turn the root of an enhanced CT, with the macros of one of its frames, into a CT Image."""
    copy(data_set, frame, _AS_THEY_ARE)
    rounded = {keyword: whole(frame.get(of_frame)) for keyword, of_frame in _ROUNDED.items()}
    add_missing(data_set, {keyword: value for keyword, value in rounded.items() if value})
    add_missing(data_set, {"RescaleSlope": "1", "RescaleIntercept": "0"})
    kind = list(frame.get("FrameType") or data_set.get("ImageType") or ())
    flavour = _LOCALIZER if _LOCALIZER in kind else _AXIAL
    contrast = [value for value in kind[3:4] if value and value != "NONE"]
    data_set.ImageType = [*(kind[:2] or ["ORIGINAL", "PRIMARY"]), flavour, *contrast]
    add_empty(data_set, _TYPE_2)
