"""Summary of a series as JSON fields, patient's name and ID included."""

from collections.abc import Sequence
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import UID

from imaging.hdf5.writer import units_of
from imaging.instances.header import Header
from imaging.series.image_series import ImageSeries

SUMMARY_VERSION = 1


def summarise_series(series: ImageSeries) -> dict[str, Any]:
    """Summarise patient, study, series, geometry, pixels and instances (fields: docs/hdf5.md).

    Lengths are in mm, directions and positions in LPS. Attributes that are absent are None.
    """
    first = series.data_sets[0]
    return {
        "summary_version": SUMMARY_VERSION,
        "patient": _patient(first),
        "study": _study(first),
        "series": _series(first),
        "modality": _text(first, "Modality"),
        "equipment": _equipment(first),
        "spacing": _spacing(series),
        "orientation": _orientation(series),
        "rescale": _rescale(series),
        "pixels": _pixels(series),
        "instances": [_instance(series, index) for index in range(len(series.headers))],
        "warnings": list(series.warnings),
    }


def _patient(data_set: Dataset) -> dict[str, Any]:
    return {
        "name": _text(data_set, "PatientName"),
        "id": _text(data_set, "PatientID"),
        "birth_date": _text(data_set, "PatientBirthDate"),
        "sex": _text(data_set, "PatientSex"),
    }


def _study(data_set: Dataset) -> dict[str, Any]:
    return {
        "instance_uid": _text(data_set, "StudyInstanceUID"),
        "id": _text(data_set, "StudyID"),
        "date": _text(data_set, "StudyDate"),
        "time": _text(data_set, "StudyTime"),
        "description": _text(data_set, "StudyDescription"),
        "accession_number": _text(data_set, "AccessionNumber"),
    }


def _series(data_set: Dataset) -> dict[str, Any]:
    return {
        "instance_uid": _text(data_set, "SeriesInstanceUID"),
        "number": _integer(data_set, "SeriesNumber"),
        "date": _text(data_set, "SeriesDate"),
        "time": _text(data_set, "SeriesTime"),
        "description": _text(data_set, "SeriesDescription"),
        "body_part": _text(data_set, "BodyPartExamined"),
        "patient_position": _text(data_set, "PatientPosition"),
        "sop_class_uid": str(data_set.SOPClassUID),
        "sop_class": UID(data_set.SOPClassUID).name,
    }


def _equipment(data_set: Dataset) -> dict[str, Any]:
    return {
        "manufacturer": _text(data_set, "Manufacturer"),
        "model": _text(data_set, "ManufacturerModelName"),
        "station": _text(data_set, "StationName"),
    }


def _spacing(series: ImageSeries) -> dict[str, Any]:
    rows_mm, columns_mm = _common([header.pixel_spacing_mm for header in series.headers]) or (
        None,
        None,
    )
    return {
        "slices_mm": series.slice_spacing_mm,
        "rows_mm": rows_mm,
        "columns_mm": columns_mm,
        "slice_thickness_mm": _common([_number(d, "SliceThickness") for d in series.data_sets]),
        "is_regular_grid": series.affine_mm is not None,
    }


def _orientation(series: ImageSeries) -> dict[str, Any]:
    cosines = _common([header.image_orientation for header in series.headers])
    frame = _common([header.frame_of_reference_uid for header in series.headers])
    return {
        "row_direction": list(cosines[:3]) if cosines else None,
        "column_direction": list(cosines[3:]) if cosines else None,
        "first_position_mm": _as_list(series.headers[0].image_position_mm),
        "last_position_mm": _as_list(series.headers[-1].image_position_mm),
        "frame_of_reference_uid": frame,
        "affine_mm": None if series.affine_mm is None else series.affine_mm.tolist(),
    }


def _rescale(series: ImageSeries) -> dict[str, Any]:
    return {
        "slope": _common([one.slope for one in series.formats]),
        "intercept": _common([one.intercept for one in series.formats]),
        "type": _common([one.rescale_type for one in series.formats]) or None,
        "units": units_of(series.data_sets[0]),
    }


def _pixels(series: ImageSeries) -> dict[str, Any]:
    first = series.headers[0]
    formats = series.formats
    return {
        "slices": len(series.headers),
        "rows": first.rows,
        "columns": first.columns,
        "bits_allocated": _common([one.bits_allocated for one in formats]),
        "bits_stored": _common([one.bits_stored for one in formats]),
        "is_signed": _common([one.is_signed for one in formats]),
        "photometric_interpretation": _common([one.photometric_interpretation for one in formats]),
        "is_lossy": any(one.is_lossy for one in formats),
    }


def _instance(series: ImageSeries, index: int) -> dict[str, Any]:
    header, pixel_format = series.headers[index], series.formats[index]
    return {
        "sop_instance_uid": header.sop_instance_uid,
        "instance_number": header.instance_number,
        "position_mm": _as_list(header.image_position_mm),
        "rescale_slope": pixel_format.slope,
        "rescale_intercept": pixel_format.intercept,
        "transfer_syntax": _syntax(header),
    }


def _syntax(header: Header) -> str:
    return UID(header.transfer_syntax_uid).name


def _common(values: Sequence[Any]) -> Any:
    """The common value of all slices; None if they differ (`instances` has each value)."""
    return values[0] if all(value == values[0] for value in values) else None


def _text(data_set: Dataset, keyword: str) -> str | None:
    value = data_set.get(keyword)
    return None if value is None or str(value) == "" else str(value)


def _integer(data_set: Dataset, keyword: str) -> int | None:
    number = _number(data_set, keyword)
    return None if number is None else int(number)


def _number(data_set: Dataset, keyword: str) -> float | None:
    try:
        return float(data_set.get(keyword))
    except (TypeError, ValueError):
        return None


def _as_list(values: Sequence[float] | None) -> list[float] | None:
    return None if values is None else list(values)
