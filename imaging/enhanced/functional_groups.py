"""Attributes of a frame from the functional groups of an enhanced instance (PS3.3 C.7.6.16).

Each attribute is taken only from the macro that defines it: private sequences beside the macros
may contain attributes of the same names with other values.
"""

from collections.abc import Iterator

from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset

from imaging.instances.elements import tags_of

PER_FRAME, SHARED = "PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence"
_CONVERTED = (
    (PER_FRAME, "UnassignedPerFrameConvertedAttributesSequence"),
    (SHARED, "UnassignedSharedConvertedAttributesSequence"),
)
_FRAME_TYPE = (
    "FrameType PixelPresentation VolumetricProperties VolumeBasedCalculationTechnique "
    "ComplexImageComponent AcquisitionContrast"
)
MACROS = {
    # C.7.6.16.2: of all modalities
    "PixelMeasuresSequence": "PixelSpacing SliceThickness SpacingBetweenSlices",
    "PlanePositionSequence": "ImagePositionPatient",
    "PlaneOrientationSequence": "ImageOrientationPatient",
    "FrameContentSequence": "FrameAcquisitionNumber FrameReferenceDateTime "
    "FrameAcquisitionDateTime FrameAcquisitionDuration TemporalPositionIndex StackID "
    "InStackPositionNumber DimensionIndexValues FrameComments FrameLabel",
    "FrameAnatomySequence": "AnatomicRegionSequence FrameLaterality",
    "PixelValueTransformationSequence": "RescaleIntercept RescaleSlope RescaleType",
    "FrameVOILUTSequence": "WindowCenter WindowWidth WindowCenterWidthExplanation VOILUTFunction",
    "CardiacSynchronizationSequence": "NominalCardiacTriggerDelayTime "
    "NominalPercentageOfCardiacPhase CardiacRRIntervalSpecified LowRRValue HighRRValue "
    "IntervalsAcquired IntervalsRejected HeartRate",
    "RespiratorySynchronizationSequence": "NominalPercentageOfRespiratoryPhase "
    "NominalRespiratoryTriggerDelayTime RespiratoryIntervalTime",
    "TemporalPositionSequence": "TemporalPositionTimeOffset",
    "IrradiationEventIdentificationSequence": "IrradiationEventUID",
    # C.8.13.5: MR
    "MRImageFrameTypeSequence": _FRAME_TYPE,
    "MREchoSequence": "EffectiveEchoTime",
    "MRTimingAndRelatedParametersSequence": "RepetitionTime FlipAngle EchoTrainLength "
    "RFEchoTrainLength GradientEchoTrainLength",
    "MRModifierSequence": "InversionRecovery InversionTimes FlowCompensation Spoiling "
    "SpatialPresaturation PartialFourier PartialFourierDirection SpectrallySelectedExcitation",
    "MRImagingModifierSequence": "PixelBandwidth TransmitterFrequency MagnetizationTransfer",
    "MRFOVGeometrySequence": "InPlanePhaseEncodingDirection PercentSampling "
    "PercentPhaseFieldOfView MRAcquisitionFrequencyEncodingSteps "
    "MRAcquisitionPhaseEncodingStepsInPlane",
    "MRAveragesSequence": "NumberOfAverages",
    "MRReceiveCoilSequence": "ReceiveCoilName",
    "MRTransmitCoilSequence": "TransmitCoilName",
    "MRDiffusionSequence": "DiffusionBValue DiffusionDirectionality "
    "DiffusionGradientDirectionSequence",
    "MRVelocityEncodingSequence": "VelocityEncodingMinimumValue VelocityEncodingMaximumValue",
    "MRMetaboliteMapSequence": "MetaboliteMapDescription",
    # C.8.15.3: CT
    "CTImageFrameTypeSequence": _FRAME_TYPE,
    "CTAcquisitionTypeSequence": "AcquisitionType",
    "CTAcquisitionDetailsSequence": "RotationDirection RevolutionTime SingleCollimationWidth "
    "TotalCollimationWidth TableHeight GantryDetectorTilt DataCollectionDiameter",
    "CTTableDynamicsSequence": "TableSpeed TableFeedPerRotation SpiralPitchFactor",
    "CTPositionSequence": "DataCollectionCenterPatient",
    "CTGeometrySequence": "DistanceSourceToDetector",
    "CTReconstructionSequence": "ReconstructionAlgorithm ConvolutionKernel "
    "ConvolutionKernelGroup ReconstructionDiameter ReconstructionTargetCenterPatient",
    "CTExposureSequence": "ExposureTimeInms XRayTubeCurrentInmA ExposureInmAs "
    "ExposureModulationType EstimatedDoseSaving CTDIvol",
    "CTXRayDetailsSequence": "KVP FocalSpots FilterType",
    # C.8.22.5: PET
    "PETFrameTypeSequence": _FRAME_TYPE,
    "PETFrameAcquisitionSequence": "TableHeight GantryDetectorTilt DataCollectionDiameter",
    "PETFrameCorrectionFactorsSequence": "PrimaryPromptsCountsAccumulated SecondaryCountsType "
    "SecondaryCountsAccumulated SliceSensitivityFactor DecayFactor ScatterFractionFactor "
    "DeadTimeFactor",
    "PETReconstructionSequence": "ReconstructionType ReconstructionAlgorithm "
    "IterativeReconstructionMethod ReconstructionDiameter",
    # C.8.21: angiography and tomosynthesis in three dimensions
    "XRay3DFrameTypeSequence": _FRAME_TYPE,
}
"""Attributes that are read from each functional group macro, by the macro's sequence."""
_WHOLE = tags_of("ReferencedImageSequence", "RealWorldValueMappingSequence")
"""Macros that single-frame instances have as a sequence, too."""
_TAGS = {tag: tags_of(*words.split()) for name, words in MACROS.items() for tag in tags_of(name)}


def frame_groups(data_set: Dataset, number: int) -> Dataset:
    """Collect the attributes of frame `number` (from 1) in one data set.

    Attributes of macros take precedence over unassigned converted ones of legacy conversions.
    """
    flat = converted_attributes(data_set, number)
    flat.update(macro_attributes(data_set, number))
    return flat


def macro_attributes(data_set: Dataset, number: int) -> Dataset:
    """Collect the attributes of frame `number` (from 1) that `MACROS` lists.

    A macro is either shared or per frame (C.7.6.16.1.2). If it is in both, values per frame take
    precedence unless they are empty. Only the first item of a macro is read, unless the macro is
    kept as a sequence (ReferencedImageSequence).
    """
    flat = Dataset()
    for name in (PER_FRAME, SHARED):
        for group in _groups(data_set, name, number):
            for attributes in _macro_items(group):
                _add_missing(flat, attributes)
    return flat


def converted_attributes(data_set: Dataset, number: int) -> Dataset:
    """Collect attributes of the single-frame instance that frame `number` was converted from.

    They are in the Unassigned Converted Attributes macros (C.7.6.16.2.25, C.7.6.16.2.26);
    `number` counts from 1.
    """
    flat = Dataset()
    for name, converted in _CONVERTED:
        for group in _groups(data_set, name, number):
            for attributes in _items(group, converted)[:1]:
                _add_missing(flat, attributes)
    return flat


def _groups(data_set: Dataset, name: str, number: int) -> list[Dataset]:
    """Items of the shared groups (one; some writers have several), or the item of the frame."""
    items = list(data_set.get(name) or ())
    return items if name == SHARED else items[number - 1 : number]


def _macro_items(group: Dataset) -> Iterator[Dataset]:
    for tag in list(group.keys()):  # iterating a data set yields elements
        if tag in _WHOLE:
            yield _subset(group, {tag})
        elif tag in _TAGS:
            for item in _items(group, keyword_for_tag(tag))[:1]:
                yield _subset(item, _TAGS[tag])


def _items(group: Dataset, keyword: str) -> list[Dataset]:
    """Items of a sequence; none if it is absent, empty or not a sequence."""
    if keyword not in group or group[keyword].VR != "SQ":
        return []
    return list(group[keyword].value or ())


def _subset(item: Dataset, tags: frozenset[int] | set[int]) -> Dataset:
    return Dataset({tag: item[tag] for tag in list(item.keys()) if tag in tags})


def _add_missing(flat: Dataset, attributes: Dataset) -> None:
    """Add public attributes that have a value and are absent in `flat`."""
    for tag in list(attributes.keys()):
        element = attributes[tag]
        if not element.tag.is_private and tag not in flat and not element.is_empty:
            flat.add(element)
