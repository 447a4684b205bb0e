"""A blurred series: each source instance again, with computed pixels (PS3.3 C.7.6.1.1.3)."""

from collections.abc import Iterator
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code
from pydicom.uid import PYDICOM_IMPLEMENTATION_UID, ExplicitVRLittleEndian

from core.errors import OutputError
from core.identity import Provenance
from imaging.encoding import PET, Encoding, choose_encoding
from imaging.pixels import Voxels
from imaging.provenance import contributing_equipment
from imaging.volume import Volume

_WARNING = "NOT FOR DOSE"
_LONGEST_LO = 64
_LONGEST_ST = 1024
_SERIES_NUMBER_STEP = 1000
# True of the source's pixels or bytes, and not of these.
_SOURCE_ONLY = (
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "SmallestPixelValueInSeries",
    "LargestPixelValueInSeries",
    "SmallestImagePixelValueInPlane",
    "LargestImagePixelValueInPlane",
    "PixelDataProviderURL",
    "IconImageSequence",
    "MACParametersSequence",
    "DigitalSignaturesSequence",
)
_STORED_VALUES_ONLY = ("RealWorldValueMappingSequence", "VOILUTSequence")
_OVERLAY_GROUPS = range(0x6000, 0x6100)
_CURVE_GROUPS = range(0x5000, 0x5100)
_PIXEL_GROUP = 0x7FE0


def build_derived_series(
    volume: Volume,
    result: Voxels,
    provenance: Provenance,
    *,
    description: str,
    series_uid_part: str = "derived series",
) -> Iterator[FileDataset]:
    """The instances that hold `result` [slice, row, column], one a slice, in slice order.

    Patient, study, frame of reference, geometry and acquisition are the source instance's, values
    that break the standard included. Stored values reproduce `result` within half a stored unit.
    Padding is gone: its voxels were filled before they were computed with (`volume.read_images`).

    Args:
        volume: what `result` was computed from.
        result: in the units of the volume (HU for CT).
        provenance: names the job; UIDs and dates derive from it.
        description: what was done, in few words, such as "Blurred 3 mm"; becomes the
            SeriesDescription together with a warning against using it for dose.
        series_uid_part: tells several series of one job apart.

    Raises:
        OutputError: the shapes differ, or values that 16 bits cannot hold.
    """
    if result.shape != volume.voxels.shape:
        raise OutputError(f"Result of {result.shape} voxels, expected {volume.voxels.shape}")
    sources = [_read_source(header.path) for header in volume.headers]
    encoding = choose_encoding(sources, result)
    series_uid = provenance.uid(series_uid_part)
    words = ", ".join(part for part in (description, provenance.revision_words) if part)
    for values in result:
        source = sources.pop(0)  # so that only the caller keeps what has its pixels
        _drop_what_is_no_longer_true(source, encoding)
        _write_general(source, provenance)
        _write_series(source, provenance, series_uid, _series_description(words))
        _write_predecessors(source, provenance)
        _write_derivation(source, provenance)
        _write_pixels(source, values, encoding)
        _write_identity(source, provenance)
        yield source


def _read_source(path: Path) -> FileDataset:
    """All of an instance before its pixels; its values are passed on as they were read."""
    return pydicom.dcmread(path, stop_before_pixels=True)


def _drop_what_is_no_longer_true(data_set: Dataset, encoding: Encoding) -> None:
    for tag in list(data_set.keys()):
        is_drawing = tag.group in _OVERLAY_GROUPS or tag.group in _CURVE_GROUPS
        if tag.is_private or is_drawing or tag.group == _PIXEL_GROUP or tag.element == 0:
            del data_set[tag]
    dropped = _SOURCE_ONLY if encoding.from_source else _SOURCE_ONLY + _STORED_VALUES_ONLY
    for keyword in dropped:
        if keyword in data_set:
            delattr(data_set, keyword)


def _write_general(data_set: Dataset, provenance: Provenance) -> None:
    kind = list(data_set.get("ImageType") or ())
    data_set.ImageType = ["DERIVED", "SECONDARY", *kind[2:]]
    data_set.InstanceCreationDate = data_set.ContentDate = provenance.date
    data_set.InstanceCreationTime = data_set.ContentTime = provenance.time
    equipment = list(data_set.get("ContributingEquipmentSequence") or ())
    data_set.ContributingEquipmentSequence = [*equipment, contributing_equipment(provenance)]


def _write_series(
    data_set: Dataset, provenance: Provenance, series_uid: str, description: str
) -> None:
    data_set.SeriesInstanceUID = series_uid
    data_set.SeriesDescription = description
    data_set.SeriesNumber = int(data_set.get("SeriesNumber") or 0) + _SERIES_NUMBER_STEP
    if data_set.SOPClassUID != PET:  # there, decay is corrected to the time of the series
        data_set.SeriesDate = provenance.date
        data_set.SeriesTime = provenance.time


def _write_predecessors(data_set: Dataset, provenance: Provenance) -> None:
    """The series that this revision replaces, as a related one (PS3.3 C.7.3.1)."""
    related = list(data_set.get("RelatedSeriesSequence") or ())
    for uid in provenance.predecessor_series_uids:
        item = Dataset()
        item.StudyInstanceUID = data_set.StudyInstanceUID
        item.SeriesInstanceUID = uid
        item.PurposeOfReferenceCodeSequence = []  # type 2: no code says "replaced by this one"
        related.append(item)
    if related:
        data_set.RelatedSeriesSequence = related


def _write_derivation(data_set: Dataset, provenance: Provenance) -> None:
    source = Dataset()
    source.ReferencedSOPClassUID = data_set.SOPClassUID
    source.ReferencedSOPInstanceUID = data_set.SOPInstanceUID
    source.PurposeOfReferenceCodeSequence = [
        _coded(codes.cid7202.SourceImageForImageProcessingOperation)
    ]
    data_set.SourceImageSequence = [source]
    words = ", ".join(part for part in (provenance.pipeline, provenance.revision_words) if part)
    data_set.DerivationDescription = words[:_LONGEST_ST]
    data_set.DerivationCodeSequence = [_coded(codes.cid7203.GaussianBlur)]


def _write_pixels(data_set: Dataset, values: Voxels, encoding: Encoding) -> None:
    stored = encoding.stored(values)
    data_set.BitsAllocated = data_set.BitsStored = 16
    data_set.HighBit = 15
    data_set.PixelRepresentation = int(encoding.signed)
    value_representation = "SS" if encoding.signed else "US"
    data_set.add_new("SmallestImagePixelValue", value_representation, int(stored.min()))
    data_set.add_new("LargestImagePixelValue", value_representation, int(stored.max()))
    if not encoding.from_source:
        if "RescaleSlope" not in data_set:
            data_set.RescaleType = "US"  # unspecified; a CT without the type means HU
        data_set.RescaleSlope, data_set.RescaleIntercept = encoding.slope, encoding.intercept
    data_set.add_new("PixelData", "OW", stored.tobytes())


def _write_identity(data_set: FileDataset, provenance: Provenance) -> None:
    """Last, because the source's UID is needed before."""
    data_set.SOPInstanceUID = provenance.uid("derived", str(data_set.SOPInstanceUID))
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = data_set.SOPClassUID
    meta.MediaStorageSOPInstanceUID = data_set.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = PYDICOM_IMPLEMENTATION_UID
    data_set.file_meta = meta


def _series_description(description: str) -> str:
    """LO, at most 64 characters, the warning never cut off."""
    plain = description.encode("ascii", "replace").decode().replace("\\", "/")
    return f"{plain[: _LONGEST_LO - len(_WARNING) - 1]} {_WARNING}".strip()


def _coded(code: Code) -> Dataset:
    item = Dataset()
    item.CodeValue = code.value
    item.CodingSchemeDesignator = code.scheme_designator
    item.CodeMeaning = code.meaning
    return item
