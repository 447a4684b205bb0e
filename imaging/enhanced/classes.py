"""Enhanced CT, MR and PET SOP classes, and their attributes that no single-frame IOD has."""

CT, MR, PET = (f"1.2.840.10008.5.1.4.1.1.{number}" for number in ("2", "4", "128"))
SINGLE_FRAME_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.2.1": CT,
    "1.2.840.10008.5.1.4.1.1.2.2": CT,  # Legacy Converted
    "1.2.840.10008.5.1.4.1.1.4.1": MR,
    "1.2.840.10008.5.1.4.1.1.4.4": MR,  # Legacy Converted
    "1.2.840.10008.5.1.4.1.1.130": PET,
    "1.2.840.10008.5.1.4.1.1.128.1": PET,  # Legacy Converted
}
"""SOP Class UID of the single-frame counterpart, by that of the enhanced instance."""

ENHANCED_ONLY = (
    # Multi-frame Functional Groups, Multi-frame Dimension (C.7.6.16, C.7.6.17)
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
    "NumberOfFrames",
    "RepresentativeFrameNumber",
    "FrameIncrementPointer",
    "ConcatenationUID",
    "ConcatenationFrameOffsetNumber",
    "InConcatenationNumber",
    "InConcatenationTotalNumber",
    "SOPInstanceUIDOfConcatenationSource",
    "DimensionOrganizationSequence",
    "DimensionIndexSequence",
    "DimensionOrganizationType",
    "ContributingSOPInstancesReferenceSequence",
    "ReferencedImageEvidenceSequence",
    "SourceImageEvidenceSequence",
    # Common CT/MR and Photoacoustic Image Description (C.8.16.2)
    "PixelPresentation",
    "VolumetricProperties",
    "VolumeBasedCalculationTechnique",
    "ContentQualification",
    "AcquisitionDuration",
    "AcquisitionContextSequence",
    # MR Image and Spectroscopy Instance, MR Pulse Sequence, Enhanced MR Image (C.8.13)
    "ComplexImageComponent",
    "AcquisitionContrast",
    "ResonantNucleus",
    "KSpaceFiltering",
    "ApplicableSafetyStandardAgency",
    "ApplicableSafetyStandardDescription",
    "BulkMotionCompensationTechnique",
    "BulkMotionSignalSource",
    "CardiacSynchronizationTechnique",
    "CardiacSignalSource",
    "RespiratoryMotionCompensationTechnique",
    "RespiratorySignalSource",
    "PulseSequenceName",
    "MultipleSpinEcho",
    "MultiPlanarExcitation",
    "PhaseContrast",
    "TimeOfFlightContrast",
    "ArterialSpinLabelingContrast",
    "SteadyStatePulseSequence",
    "EchoPlanarPulseSequence",
    "EchoPulseSequence",
    "SaturationRecovery",
    "SpectrallySelectedSuppression",
    "OversamplingPhase",
    "GeometryOfKSpaceTraversal",
    "SegmentedKSpaceTraversal",
    "RectilinearPhaseEncodeReordering",
    "CoverageOfKSpace",
    "NumberOfKSpaceTrajectories",
    "WaterReferencedPhaseCorrection",
    "VelocityEncodingAcquisitionSequence",
    # Enhanced PET Acquisition and Corrections (C.8.22)
    "DecayCorrected",
    "DecayCorrectionDateTime",
    "AttenuationCorrected",
    "ScatterCorrected",
    "DeadTimeCorrected",
    "GantryMotionCorrected",
    "PatientMotionCorrected",
    "CountLossNormalizationCorrected",
    "RandomsCorrected",
    "NonUniformRadialSamplingCorrected",
    "SensitivityCalibrated",
    "DetectorNormalizationCorrection",
    "AttenuationCorrectionSource",
    "AttenuationCorrectionTemporalRelationship",
    "TimeOfFlightInformationUsed",
    "ReconstructionType",
)
"""Attributes outside of functional groups that no single-frame IOD has."""
