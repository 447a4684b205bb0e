"""All times of a result are in one zone: the one that its source states, else the node's."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileDataset

from core.identity import Provenance
from imaging.derived.series import build_derived_series
from imaging.enhanced.frame_to_pet import write_pet
from imaging.geometry.placement import RULES_3D, place
from imaging.instances.header import Header
from imaging.instances.time_zones import without_offset, zone_of_times
from imaging.rtstruct.writer import Roi, build_structure_set
from imaging.seg.writer import Algorithm, build_segmentation
from imaging.series.series import read_folder
from imaging.series.volume import read_volume

MIDNIGHT_IN_BERLIN = datetime(2026, 7, 9, 0, 5, 6, tzinfo=timezone(timedelta(hours=2)))
STATED = [
    ("+0200", "+0200", "20260709", "000506"),
    ("-0330", "-0330", "20260708", "183506"),
    ("+0530", "+0530", "20260709", "033506"),
    ("+1400", "+1400", "20260709", "120506"),
    ("-0000", "+0000", "20260708", "220506"),
    (None, None, "20260709", "000506"),
    ("0100", None, "20260709", "000506"),
    ("Z", None, "20260709", "000506"),
    ("+2500", None, "20260709", "000506"),
]
ANY = Algorithm("any", "1")
ROI = [Roi("Heart", (255, 0, 0))]


@pytest.fixture
def made(provenance: Provenance) -> Provenance:
    return replace(provenance, created=MIDNIGHT_IN_BERLIN)


def results(headers: list[Header], made: Provenance) -> Iterator[Dataset]:
    shape = (len(headers), headers[0].rows, headers[0].columns)
    masks = {"Heart": np.zeros(shape, bool)}
    masks["Heart"][1, 4:9, 4:9] = True
    yield build_structure_set(headers, masks, ROI, made, label="AUTO")
    yield build_segmentation(headers, masks, ROI, made, label="AUTO", algorithm=ANY)


def check_times(result: Dataset, expected: tuple[str | None, str, str]) -> None:
    offset, date, time = expected
    assert result.get("TimezoneOffsetFromUTC") == offset
    for kind in ("InstanceCreation", "Series", "Content", "StructureSet"):
        if f"{kind}Time" in result:
            assert (result[f"{kind}Date"].value, result[f"{kind}Time"].value) == (date, time), kind
    [item] = result.ContributingEquipmentSequence
    assert item.ContributionDateTime == date + time
    assert f"{date[4:6]}-{date[6:]} {time[:2]}:{time[2:4]}" in result.SeriesDescription
    assert (result.StudyDate, result.StudyTime, result.PatientBirthDate) == (
        "20260105",
        "000500",
        "19300101",
    )


@pytest.mark.parametrize(("stated", "offset", "date", "time"), STATED)
def test_structure_sets_and_segmentations_have_the_zone_of_their_source(
    write_phantom: Any, made: Provenance, stated: str | None, offset: str, date: str, time: str
) -> None:
    values = {"StudyDate": "20260105", "StudyTime": "000500", "PatientBirthDate": "19300101"}
    if stated is not None:
        values["TimezoneOffsetFromUTC"] = stated
    for result in results(write_phantom((0.0, 2.5, 5.0), **values), made):
        check_times(result, (offset, date, time))


@pytest.mark.parametrize(("stated", "offset", "date", "time"), STATED)
def test_derived_series_have_the_zone_of_their_source(
    ct_folder: Path,
    tmp_path: Path,
    made: Provenance,
    *,
    stated: str | None,
    offset: str,
    date: str,
    time: str,
) -> None:
    for number, header in enumerate(read_folder(ct_folder)[0][0].headers[:2]):
        source: FileDataset = pydicom.dcmread(header.path)
        source.StudyDate, source.StudyTime = "20260105", "000500"
        source.PatientBirthDate = "19300101"
        if stated is not None:
            source.TimezoneOffsetFromUTC = stated
        source.save_as(tmp_path / f"{number}.dcm")
    volume = read_volume(place(read_folder(tmp_path)[0][0].headers, RULES_3D).phases[0])
    for result in build_derived_series(volume, volume.voxels, made, description="Blurred 3 mm"):
        check_times(result, (offset, date, time))


@pytest.mark.parametrize(
    ("value", "stated", "written"),
    [
        ("20260105230000.5+0000", "+0100", "20260106000000.5"),
        ("20260105230000-0330", "+0000", "20260106023000"),
        ("20260105230000+0000", None, "20260105230000"),
        ("20260105230000", "+0100", "20260105230000"),
        ("202601052300+0000", "+0100", "202601060000"),
        ("20260105+0000", "+0100", "20260105"),
        ("00000000000000+0000", "+0100", "00000000000000"),
        ("", "+0100", ""),
    ],
)
def test_a_time_with_an_offset_of_its_own_is_written_in_the_zone_of_the_instance(
    value: str, stated: str | None, written: str
) -> None:
    data_set = Dataset()
    if stated is not None:
        data_set.TimezoneOffsetFromUTC = stated
    assert without_offset(value, data_set) == written


def test_a_frame_in_utc_is_as_late_after_its_series_as_it_was_acquired() -> None:
    enhanced, frame = Dataset(), Dataset()
    enhanced.SeriesDate, enhanced.SeriesTime = "20260106", "000000"
    enhanced.TimezoneOffsetFromUTC = "+0100"
    frame.FrameReferenceDateTime = "20260105230130+0000"
    write_pet(enhanced, frame)
    assert float(enhanced.FrameReferenceTime) == 90_000


@pytest.mark.parametrize("stated", [["+0100", "+0200"], "+01", "+0160", "-1300", "+1401", "+01:00"])
def test_an_offset_that_the_standard_does_not_allow_is_none(stated: Any) -> None:
    data_set = Dataset()
    data_set.add_new("TimezoneOffsetFromUTC", "SH", stated)
    assert zone_of_times(data_set) is None
