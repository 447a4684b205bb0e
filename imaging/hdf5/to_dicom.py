"""Conversion of an HDF5 volume back to DICOM, with all other attributes from a template."""

from collections.abc import Iterator, Sequence
from copy import deepcopy

from pydicom.dataset import Dataset, FileDataset

from core.errors import OutputError, SeriesError
from core.identity import Provenance
from core.uids import is_safe_uid
from imaging.derived.attributes import (
    LONGEST_ST,
    SERIES_NUMBER_STEP,
    description_with_warning,
    write_identity,
    write_source,
)
from imaging.derived.descriptions import source_description
from imaging.derived.provenance import contributing_equipment
from imaging.hdf5.reader import SliceRecord, VolumeContent
from imaging.hdf5.restored_frame import copy_common, copy_instance, keep_texts, write_geometry
from imaging.hdf5.restored_pixels import choose_volume_encoding, write_pixels
from imaging.instances.element_words import told_instance, told_modality, told_uid
from imaging.instances.encoded_texts import encode_texts
from imaging.instances.header import patient_key

_LONGEST_LO = 64
_NEEDED = (
    "SOPClassUID",
    "SOPInstanceUID",
    "SeriesInstanceUID",
    "StudyInstanceUID",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PixelRepresentation",
)


def restore_series(
    volume: VolumeContent, templates: Sequence[Dataset], provenance: Provenance
) -> Iterator[FileDataset]:
    """Yield an instance for each slice of `volume`, in Explicit VR Little Endian, in slice order.

    Stored values are restored bit for bit, with their rescale and padding. If the file has voxels
    only, these are encoded as 16-bit integers, exact to half a step (`encoding.choose_encoding`).
    A slice whose source instance is among `templates` keeps all other attributes of that instance;
    any other slice gets the attributes that all templates share. The current time is not written,
    so the same values give the same bytes.

    Args:
        volume: contents of the HDF5 file.
        templates: instances of one image series, with or without pixels.
        provenance: identity from which UIDs derive; its date is not used.

    Raises:
        SeriesError: templates of several series, or of another study or modality than the volume.
        OutputError: values that do not fit in 16 bits, or an invalid UID.
    """
    kept = [keep_texts(one) for one in templates]
    templates = [deepcopy(one) for one in kept]  # what is read of a data set is decoded in it
    _check_templates(volume, templates)
    by_uid = {str(one.SOPInstanceUID): copy for one, copy in zip(templates, kept, strict=True)}
    templates = sorted(templates, key=lambda one: str(one.SOPInstanceUID))
    encoding = None if volume.stored else choose_volume_encoding(volume, templates)
    same_encoding = encoding is not None and encoding.from_source
    first = by_uid[str(templates[0].SOPInstanceUID)]
    shared = copy_common(templates, first, same_encoding=same_encoding)
    series_uid = provenance.uid("restored series")
    for index, record in enumerate(volume.slices):
        source = by_uid.get(record.sop_instance_uid)
        if source is None:
            data_set = copy_instance(shared, keeps_pixels=True, same_encoding=True)
        else:
            keeps = volume.stored is not None
            data_set = copy_instance(source, keeps_pixels=keeps, same_encoding=same_encoding)
        write_geometry(data_set, record, volume.voxels.shape[1:], index)
        _write_origin(data_set, record, volume)
        _write_general(data_set, provenance, series_uid, is_exact=volume.stored is not None)
        write_pixels(data_set, volume, index, encoding)
        uid = provenance.uid("restored", str(index), record.sop_instance_uid)
        write_identity(data_set, uid)
        encode_texts(data_set, implicit_vr=False)
        yield data_set


def _check_templates(volume: VolumeContent, templates: Sequence[Dataset]) -> None:
    if not templates:
        raise SeriesError("No template image to take patient and study from")
    for one in templates:
        _check_image(one)
    for what, found in (
        ("series", {str(one.SeriesInstanceUID) for one in templates}),
        ("studies", {str(one.StudyInstanceUID) for one in templates}),
        ("patients", {patient_key(one) for one in templates}),
    ):
        if len(found) > 1:
            raise SeriesError(f"Template images of {len(found)} {what}, expected one")
    _check_same_origin(volume, templates[0])
    for record in volume.slices:
        uid = record.frame_of_reference_uid
        if uid and not is_safe_uid(uid):
            raise OutputError(f"Frame of reference {told_uid(uid)} of the HDF5 file is not a UID")


def _check_same_origin(volume: VolumeContent, template: Dataset) -> None:
    """Check the study, which identifies the patient as the HDF5 file has no patient's name."""
    study = str(template.StudyInstanceUID)
    if volume.study_instance_uid not in ("", study):
        raise SeriesError(
            f"The HDF5 file is of study {told_uid(volume.study_instance_uid)}, the template of "
            f"study {told_uid(study)}: the pixels would be filed under another patient"
        )
    modality = str(template.get("Modality") or "")
    if volume.modality not in ("", modality):
        raise SeriesError(
            f"The HDF5 file is of modality {told_modality(volume.modality)}, the template of "
            f"{told_modality(modality)}, expected the same"
        )


def _check_image(template: Dataset) -> None:
    missing = [keyword for keyword in _NEEDED if keyword not in template]
    if missing or template.SamplesPerPixel != 1:
        raise SeriesError(
            f"Template: {told_instance(template)}: not a grey image "
            f"({', '.join(missing) or 'colour'})"
        )


def _write_origin(data_set: Dataset, record: SliceRecord, volume: VolumeContent) -> None:
    """Write SOP class and source image, if the file states them."""
    if volume.sop_class_uid and is_safe_uid(volume.sop_class_uid):
        data_set.SOPClassUID = volume.sop_class_uid
    if is_safe_uid(record.sop_instance_uid):
        write_source(data_set, data_set.SOPClassUID, record.sop_instance_uid)


def _write_general(
    data_set: Dataset, provenance: Provenance, series_uid: str, *, is_exact: bool
) -> None:
    kind = list(data_set.get("ImageType") or ())
    data_set.ImageType = ["DERIVED", "SECONDARY", *kind[2:]]
    data_set.SeriesInstanceUID = series_uid
    data_set.SeriesNumber = int(data_set.get("SeriesNumber") or 0) + SERIES_NUMBER_STEP
    words = "from HDF5, pixels unchanged" if is_exact else "from HDF5"
    if is_exact:
        before = source_description(data_set)
        room = _LONGEST_LO - len(words) - 1
        data_set.SeriesDescription = f"{before[:room]} {words}".strip()
    else:  # the voxels may have been edited
        data_set.SeriesDescription = description_with_warning(words)
    data_set.DerivationDescription = provenance.pipeline[:LONGEST_ST]
    item = contributing_equipment(provenance)
    del item.ContributionDateTime
    equipment = list(data_set.get("ContributingEquipmentSequence") or ())
    data_set.ContributingEquipmentSequence = [*equipment, item]
