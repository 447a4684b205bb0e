"""Derived series: copies of the source instances with computed pixels (PS3.3 C.7.6.1.1.3)."""

from collections.abc import Iterator

import pydicom
from pydicom.dataset import Dataset, FileDataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRBigEndian

from core.errors import OutputError
from core.identity import Provenance
from imaging.derived.attributes import (
    LONGEST_ST,
    LONGEST_WITH_WARNING,
    SERIES_NUMBER_STEP,
    code_item,
    drop_pixel_dependent,
    with_warning,
    write_encoded_pixels,
    write_identity,
    write_source,
)
from imaging.derived.descriptions import describe_result, source_description, spelled
from imaging.derived.encoding import PET, choose_encoding
from imaging.derived.provenance import contributing_equipment
from imaging.enhanced.single_frames import single_frame
from imaging.geometry.frames_of_reference import common_frame_uid
from imaging.instances.encoded_texts import encode_texts
from imaging.instances.header import Header
from imaging.instances.time_zones import in_zone_of, write_zone
from imaging.pixels.reader import Voxels
from imaging.pixels.transcode import swap_byte_order
from imaging.series.volume import Volume


def build_derived_series(
    volume: Volume,
    result: Voxels,
    provenance: Provenance,
    *,
    description: str,
    series_uid_part: str = "derived series",
) -> Iterator[FileDataset]:
    """Yield the instances of `result`, one for each slice, in slice order.

    Patient, study, frame of reference, geometry and acquisition are copied from the source
    instance, invalid values included. If each source has its own frame of reference, all results
    share one that is derived from the series. Own times are in the zone that the source states.
    Stored values reproduce `result` to half a step. Padding attributes are removed, as padding was
    treated by `volume.read_images`.

    Args:
        volume: the volume that `result` was computed from.
        result: float32 [slice, row, column] in the units of the volume (HU for CT).
        provenance: identity of the job, from which UIDs and dates derive.
        description: short text such as "Blurred 3 mm", written to SeriesDescription with the
            source's own, the time, and a warning against use for dose calculation.
        series_uid_part: name that tells several series of one job apart.

    Raises:
        OutputError: the shapes differ, or values that do not fit in 16 bits.
    """
    if result.shape != volume.voxels.shape:
        raise OutputError(f"Result of {result.shape} voxels, expected {volume.voxels.shape}")
    sources = [_read_source(header) for header in volume.headers]
    encoding = choose_encoding(sources, result)
    series_uid = provenance.uid(series_uid_part)
    frame_uid = common_frame_uid(volume.headers, provenance.root_uid)
    of = source_description(sources[0])
    described = in_zone_of(sources[0], provenance)
    words = describe_result(description, of, described, longest=LONGEST_WITH_WARNING)
    for values, header in zip(result, volume.headers, strict=True):
        source = sources.pop(0)  # so that only the caller keeps instances with pixels
        drop_pixel_dependent(source, same_encoding=encoding.from_source)
        _write_general(source, provenance)
        if frame_uid:
            source.FrameOfReferenceUID = frame_uid
        _write_series(source, provenance, series_uid, with_warning(spelled(words, source)))
        _write_predecessors(source, provenance)
        _write_derivation(source, provenance, header)
        write_encoded_pixels(source, values, encoding)
        frame = [] if header.frame_number is None else [str(header.frame_number)]
        if frame and not source.get("FrameOfReferenceUID"):
            source.FrameOfReferenceUID = provenance.uid("frame of reference")
        write_identity(source, provenance.uid("derived", header.sop_instance_uid, *frame))
        encode_texts(source, implicit_vr=False)
        yield source


def _read_source(header: Header) -> FileDataset:
    """Read an instance without its pixels; values stay as they were read."""
    source = pydicom.dcmread(header.path, stop_before_pixels=True)
    if source.file_meta.TransferSyntaxUID == ExplicitVRBigEndian:
        swap_byte_order(source)
    encode_texts(source, implicit_vr=False)
    return single_frame(source, header)


def _write_general(data_set: Dataset, provenance: Provenance) -> None:
    provenance = in_zone_of(data_set, provenance)
    write_zone(data_set, data_set)
    kind = list(data_set.get("ImageType") or ())
    examination = "PRIMARY" if data_set.SOPClassUID == PET else "SECONDARY"  # C.8.9.4.1.1
    data_set.ImageType = ["DERIVED", examination, *kind[2:]]
    data_set.InstanceCreationDate = data_set.ContentDate = provenance.date
    data_set.InstanceCreationTime = data_set.ContentTime = provenance.time
    equipment = list(data_set.get("ContributingEquipmentSequence") or ())
    data_set.ContributingEquipmentSequence = [*equipment, contributing_equipment(provenance)]


def _write_series(
    data_set: Dataset, provenance: Provenance, series_uid: str, description: str
) -> None:
    data_set.SeriesInstanceUID = series_uid
    data_set.SeriesDescription = description
    data_set.SeriesNumber = int(data_set.get("SeriesNumber") or 0) + SERIES_NUMBER_STEP
    if data_set.SOPClassUID != PET:  # for PET, decay is corrected to the series' time
        made = in_zone_of(data_set, provenance)
        data_set.SeriesDate = made.date
        data_set.SeriesTime = made.time


def _write_predecessors(data_set: Dataset, provenance: Provenance) -> None:
    """Write the series that this revision replaces as related series (PS3.3 C.7.3.1)."""
    related = list(data_set.get("RelatedSeriesSequence") or ())
    for uid in provenance.predecessor_series_uids:
        item = Dataset()
        item.StudyInstanceUID = data_set.StudyInstanceUID
        item.SeriesInstanceUID = uid
        item.PurposeOfReferenceCodeSequence = []  # type 2: there is no code for a replaced series
        related.append(item)
    if related:
        data_set.RelatedSeriesSequence = related


def _write_derivation(data_set: Dataset, provenance: Provenance, header: Header) -> None:
    write_source(data_set, header.sop_class_uid, header.sop_instance_uid)
    if header.frame_number is not None:
        data_set.SourceImageSequence[0].ReferencedFrameNumber = header.frame_number
    words = ", ".join(part for part in (provenance.details, provenance.revision_words) if part)
    data_set.DerivationDescription = words[:LONGEST_ST]
    data_set.DerivationCodeSequence = [code_item(codes.cid7203.GaussianBlur)]
