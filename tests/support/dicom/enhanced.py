"""Enhanced instances of six frames with the macros of their modality."""

from typing import Any

import pydicom
from pydicom.dataset import Dataset, FileDataset

from tests.support.samples import CASES


def item(**attributes: Any) -> Dataset:
    data_set = Dataset()
    for keyword, value in attributes.items():
        setattr(data_set, keyword, value)
    return data_set


def code(value: str, scheme: str, meaning: str) -> Dataset:
    return item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


def enhanced(name: str) -> FileDataset:
    """The enhanced `CT`, `MR` or `PET`, with the macros of its modality shared."""
    sources = {"CT": "legacy_converted/Enhanced_CT", "PET": "legacy_converted/Enhanced_PET"}
    data_set = pydicom.dcmread(CASES / sources.get(name, "philips_private_ipp") / "e.dcm")
    macros, root = _DESCRIPTIONS[name]
    data_set.SharedFunctionalGroupsSequence[0].update(macros)
    data_set.update(root)
    for groups in data_set.PerFrameFunctionalGroupsSequence:
        groups.FrameContentSequence[0].update(_TIMES)
    return data_set


_TIMES = item(
    FrameAcquisitionNumber=3,
    FrameAcquisitionDateTime="20260101120010.5",
    FrameReferenceDateTime="20260101120030",
    FrameAcquisitionDuration=2000.0,
)
_KIND = {"FrameType": ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"], "PixelPresentation": "MONOCHROME"}
_DESCRIPTIONS = {
    "MR": (
        item(
            MRImageFrameTypeSequence=[item(**_KIND, ComplexImageComponent="PHASE")],
            MREchoSequence=[item(EffectiveEchoTime=4.6)],
            MRTimingAndRelatedParametersSequence=[
                item(RepetitionTime="2300", FlipAngle="9", EchoTrainLength=2)
            ],
            MRModifierSequence=[
                item(
                    InversionRecovery="YES",
                    InversionTimes=900.0,
                    Spoiling="RF",
                    FlowCompensation="NONE",
                    SpatialPresaturation="SLAB",
                    PartialFourierDirection="PHASE",
                )
            ],
            MRFOVGeometrySequence=[item(InPlanePhaseEncodingDirection="COLUMN")],
            MRImagingModifierSequence=[item(PixelBandwidth="200", TransmitterFrequency=127.7)],
            MRAveragesSequence=[item(NumberOfAverages="2")],
        ),
        item(
            MRAcquisitionType="3D",
            EchoPulseSequence="GRADIENT",
            EchoPlanarPulseSequence="NO",
            SegmentedKSpaceTraversal="PARTIAL",
            ResonantNucleus="1H",
            PulseSequenceName="tfl3d",
            BodyPartExamined="BRAIN",
        ),
    ),
    "CT": (
        item(
            CTImageFrameTypeSequence=[item(**_KIND)],
            CTXRayDetailsSequence=[item(KVP="120", FocalSpots=[1.2], FilterType="FLAT")],
            CTExposureSequence=[
                item(ExposureTimeInms=500.4, XRayTubeCurrentInmA=199.6, ExposureInmAs=99.9)
            ],
            CTReconstructionSequence=[item(ConvolutionKernel="B30f", ReconstructionDiameter="500")],
            CTAcquisitionDetailsSequence=[item(GantryDetectorTilt="0", TableHeight="150")],
        ),
        item(BodyPartExamined="CHEST"),
    ),
    "PET": (
        item(
            PETFrameTypeSequence=[item(**_KIND)],
            RealWorldValueMappingSequence=[
                item(
                    RealWorldValueSlope=1.0,
                    RealWorldValueIntercept=0.0,
                    RealWorldValueFirstValueMapped=0,
                    RealWorldValueLastValueMapped=65535,
                    LUTExplanation="activity",
                    LUTLabel="BQML",
                    MeasurementUnitsCodeSequence=[code("Bq/ml", "UCUM", "Bq/ml")],
                )
            ],
            PETFrameCorrectionFactorsSequence=[item(DecayFactor=1.02, DeadTimeFactor=1.1)],
        ),
        item(
            DecayCorrected="YES",
            AttenuationCorrected="YES",
            ScatterCorrected="NO",
            RandomsCorrected="YES",
            DecayCorrectionDateTime="20260101110000",
            RadiopharmaceuticalInformationSequence=[
                item(
                    RadionuclideCodeSequence=[code("77004003", "SCT", "^18^Fluorine")],
                    RadiopharmaceuticalStartDateTime="20260101110000",
                )
            ],
            BodyPartExamined="CHEST",
        ),
    ),
}
