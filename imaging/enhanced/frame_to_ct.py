"""CT Image module (PS3.3 C.8.2.1) for a frame of an enhanced CT (C.8.15)."""

from pydicom.dataset import Dataset

from imaging.enhanced.frame_values import add_empty, add_missing, copy_attributes, integer

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
    """Convert an enhanced CT in place to a CT Image of one frame.

    `frame` has the functional group attributes of that frame.
    """
    copy_attributes(data_set, frame, _AS_THEY_ARE)
    rounded = {keyword: integer(frame.get(of_frame)) for keyword, of_frame in _ROUNDED.items()}
    add_missing(data_set, {keyword: value for keyword, value in rounded.items() if value})
    add_missing(data_set, {"RescaleSlope": "1", "RescaleIntercept": "0"})
    kind = list(frame.get("FrameType") or data_set.get("ImageType") or ())
    flavour = _LOCALIZER if _LOCALIZER in kind else _AXIAL
    contrast = [value for value in kind[3:4] if value and value != "NONE"]
    data_set.ImageType = [*(kind[:2] or ["ORIGINAL", "PRIMARY"]), flavour, *contrast]
    add_empty(data_set, _TYPE_2)
