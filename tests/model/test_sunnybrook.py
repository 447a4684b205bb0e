"""Text contours become samples, and what contradicts itself is found and left out."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from core.errors import ConfigurationError
from model.data.samples import Sample, SamplesInMemory
from model.preparation.inputs.sunnybrook import read_sunnybrook

SUNNYBROOK = Path(__file__).parent.parent.parent / "samples" / "sunnybrook"


@pytest.fixture(scope="module")
def collection() -> SamplesInMemory:
    """All four patients of the samples."""
    return read_sunnybrook(SUNNYBROOK)


@pytest.fixture
def broken_folder(tmp_path: Path) -> Path:
    """One patient with three instances and their contours, to be damaged."""
    (tmp_path / "dicoms" / "p1").mkdir(parents=True)
    for number in (59, 79, 99):
        shutil.copy(SUNNYBROOK / f"dicoms/SCD0000101/{number}.dcm", tmp_path / "dicoms" / "p1")
    for kind in ("i", "o"):
        contours = tmp_path / "contourfiles" / "one" / f"{kind}-contours"
        contours.mkdir(parents=True)
        for number in (59, 79, 99):
            name = f"IM-0001-{number:04d}-{kind}contour-manual.txt"
            shutil.copy(SUNNYBROOK / f"contourfiles/SC-HF-I-1/{kind}-contours/{name}", contours)
    (tmp_path / "link.csv").write_text("patient_id,original_id\np1,one\n")
    return tmp_path


def all_of(collection: SamplesInMemory) -> list[Sample]:
    """Every sample with its pixels."""
    return [collection.read(entry) for entry in collection.samples()]


def test_every_i_contour_becomes_a_sample(collection: SamplesInMemory) -> None:
    assert len(collection.samples()) == 76
    assert collection.patients == ("SCD0000101", "SCD0000201", "SCD0000401", "SCD0000501")
    samples = all_of(collection)
    assert all(sample.masks[0].any() and sample.known[0] for sample in samples)


def test_shifted_o_contours_are_found_by_themselves(collection: SamplesInMemory) -> None:
    assert {defect.key for defect in collection.defects} == {
        f"SCD0000501/{number}" for number in (59, 79, 99, 119, 139, 159, 179, 199, 219)
    }
    assert all("lies outside its o-contour" in defect.reason for defect in collection.defects)


def test_myocardium_is_known_only_where_an_o_contour_is_right(collection: SamplesInMemory) -> None:
    samples = all_of(collection)
    known = [sample for sample in samples if sample.known[1]]
    assert len(known) == 27
    assert not any(sample.patient == "SCD0000501" for sample in known)
    for sample in samples:
        assert sample.known[1] == sample.masks[1].any()
        assert not (sample.masks[0] & sample.masks[1]).any()


def test_blood_is_brighter_than_the_muscle_around_it(collection: SamplesInMemory) -> None:
    for sample in all_of(collection):
        if sample.known[1]:
            blood, muscle = (np.median(sample.image[mask]) for mask in sample.masks)
            assert blood > 1.2 * muscle


def test_damaged_contours_are_named_and_the_rest_is_kept(broken_folder: Path) -> None:
    contours = broken_folder / "contourfiles" / "one"
    (contours / "i-contours" / "IM-0001-0059-icontour-manual.txt").write_text("12 thirteen\n")
    (contours / "i-contours" / "IM-0001-0079-icontour-manual.txt").unlink()
    (contours / "i-contours" / "IM-0001-0003-icontour-manual.txt").write_text("1 1\n9 1\n9 9\n")
    collection = read_sunnybrook(broken_folder)
    assert [sample.key for sample in collection.samples()] == ["p1/99"]
    reasons = {defect.key: defect.reason for defect in collection.defects}
    assert reasons.keys() == {"p1/59", "p1/79", "p1/3"}
    assert any("line 1" in defect.reason for defect in collection.defects)
    assert "without an i-contour" in reasons["p1/79"]
    assert "without its image" in reasons["p1/3"]


def test_a_contour_outside_its_image_is_named(broken_folder: Path) -> None:
    path = broken_folder / "contourfiles/one/i-contours/IM-0001-0059-icontour-manual.txt"
    path.write_text("900 900\n950 900\n950 950\n")
    collection = read_sunnybrook(broken_folder)
    assert [defect.key for defect in collection.defects] == ["p1/59"]
    assert "covers no pixel" in collection.defects[0].reason


def test_a_damaged_instance_is_named_and_the_rest_is_kept(broken_folder: Path) -> None:
    instance = broken_folder / "dicoms" / "p1" / "79.dcm"
    instance.write_bytes(instance.read_bytes()[:40_000])
    (broken_folder / "dicoms" / "p1" / "99.dcm").write_text("no image")
    collection = read_sunnybrook(broken_folder)
    assert [sample.key for sample in collection.samples()] == ["p1/59"]
    assert [defect.key for defect in collection.defects] == ["p1/79", "p1/99"]


@pytest.mark.parametrize("table", ["name,other\np1,one\n", "patient_id,original_id\np1\n", None])
def test_a_link_table_that_is_wrong_is_named(broken_folder: Path, table: str | None) -> None:
    link = broken_folder / "link.csv"
    link.unlink() if table is None else link.write_text(table)
    with pytest.raises(ConfigurationError, match=r"link\.csv.*expected"):
        read_sunnybrook(broken_folder)
