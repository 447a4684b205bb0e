"""A structure set keeps to the limits of the system that it is for."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from core.errors import ContourError
from core.identity import Provenance
from imaging.instances.header import Header
from imaging.rtstruct.target_systems import VARIANTS, Variant, fit_names, name_faults, variant_of
from imaging.rtstruct.writer import Roi, build_structure_set

Phantom = Callable[..., list[Header]]
LONG = "Lymph_Nodes_Axillary_L"
ECLIPSE = VARIANTS["eclipse"]
PER_PHASE = [(1, "AUTO P1"), (2, "AUTO P2")]


@given(
    st.lists(st.text("Aab_ ", min_size=1, max_size=24), max_size=12, unique_by=str.casefold),
    st.sampled_from(sorted(VARIANTS)),
)
def test_names_that_are_cut_stay_unique_and_short_ones_stay_as_they_are(
    names: list[str], variant: str
) -> None:
    names = [name.strip() for name in names if name.strip()]
    names = list({name.casefold(): name for name in names}.values())
    limit = VARIANTS[variant].longest_roi_name
    fitted = fit_names(names, VARIANTS[variant])
    assert all(0 < len(name) <= limit and name == name.strip() for name in fitted)
    assert len({name.casefold() for name in fitted}) == len(names)
    assert all(new == old for new, old in zip(fitted, names, strict=True) if len(old) <= limit)


def test_second_of_two_names_that_are_cut_alike_ends_in_a_number() -> None:
    names = [LONG, "Lymph_Nodes_Axillary_R", "lymph_nodes_axil"]
    assert fit_names(names, ECLIPSE) == ["Lymph_Nodes_Ax^1", "Lymph_Nodes_Ax^2", "lymph_nodes_axil"]
    assert fit_names(names, VARIANTS["generic"]) == names


@pytest.mark.parametrize(
    ("variant", "written"),
    [("generic", LONG), ("raystation", LONG), ("eclipse", LONG[:16]), ("pinnacle", LONG[:16])],
)
def test_name_is_as_long_as_the_target_takes_and_the_whole_one_is_told(
    variant: str, written: str, write_phantom: Phantom, provenance: Provenance
) -> None:
    headers = write_phantom()
    mask = np.ones((len(headers), headers[0].rows, headers[0].columns), dtype=bool)
    data_set = build_structure_set(
        headers,
        {LONG: mask},
        [Roi(LONG, (1, 2, 3), "ORGAN", "level I")],
        provenance,
        label="AUTO",
        variant=variant_of(variant),
    )
    (roi,) = data_set.StructureSetROISequence
    assert roi.ROIName == written
    assert roi.ROIDescription == ("level I" if written == LONG else f"{LONG}. level I")
    assert len(data_set.ROIContourSequence[0].ContourSequence) == len(headers)


@pytest.mark.parametrize(("variant", "warned"), [("raystation", True), ("generic", False)])
def test_structure_without_a_type_is_said_where_the_target_needs_one(
    variant: str, warned: bool, write_phantom: Phantom, provenance: Provenance
) -> None:
    headers = write_phantom()
    mask = np.zeros((len(headers), headers[0].rows, headers[0].columns), dtype=bool)
    with capture_logs() as logs:
        build_structure_set(
            headers,
            {"Heart": mask, "Lungs": mask},
            [Roi("Heart", (1, 2, 3)), Roi("Lungs", (3, 2, 1), "ORGAN")],
            provenance,
            label="AUTO",
            variant=variant_of(variant),
        )
    assert [log["roi"] for log in logs] == ["Heart"] * warned


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=str)
def test_every_variant_keeps_what_dicom_asks_of_all(variant: Variant) -> None:
    assert 16 <= variant.longest_roi_name <= 64


def test_unknown_variant_is_refused_with_those_there_are() -> None:
    with pytest.raises(ContourError, match="'nobody': expected one of generic, eclipse"):
        variant_of("nobody")


def test_each_phase_has_a_structure_set_of_its_own_in_one_series(
    write_phantom: Phantom, provenance: Provenance
) -> None:
    headers = write_phantom((0.0, 2.5, 0.0, 2.5))
    mask = np.ones((2, headers[0].rows, headers[0].columns), dtype=bool)
    first, second = (
        build_structure_set(
            headers[start : start + 2],
            {"Heart": mask},
            [Roi("Heart", (1, 2, 3))],
            provenance,
            label="AUTO",
            phase=phase,
        )
        for phase, start in ((1, 0), (2, 2))
    )
    assert first.SOPInstanceUID != second.SOPInstanceUID
    assert first.SeriesInstanceUID == second.SeriesInstanceUID
    assert [(one.InstanceNumber, one.StructureSetLabel) for one in (first, second)] == PER_PHASE
    for data_set, expected in ((first, headers[:2]), (second, headers[2:])):
        contours = data_set.ROIContourSequence[0].ContourSequence
        uids = [one.ContourImageSequence[0].ReferencedSOPInstanceUID for one in contours]
        assert uids == [header.sop_instance_uid for header in expected]
        assert data_set.file_meta.MediaStorageSOPInstanceUID == data_set.SOPInstanceUID


@pytest.mark.parametrize("name", ["Lung_L", "Brain~", "Lungs^Ex", "zPTVopt", "PTV!", "A_Aorta"])
def test_names_of_the_tg_263_report_have_no_fault(name: str) -> None:
    assert name_faults(name) == []


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("OpticChiasm_PRV03", "17 characters, expected at most 16"),
        ("Left lung", "a space"),
        ("lung_L", "no capital"),
        ("1", "no capital"),
    ],
)
def test_names_against_tg_263_are_told_why(name: str, fault: str) -> None:
    assert fault in "; ".join(name_faults(name))
