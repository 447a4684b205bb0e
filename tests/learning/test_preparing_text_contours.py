"""Text contours with a link table: what is used, and what is wrong is named and counted."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image

from model import prepare
from model.data.data_set_file import open_data_set
from model.data.samples import fingerprint
from model.preparation.inputs.sunnybrook import read_sunnybrook
from model.preparation.inputs.text_contour_cases import beyond_px
from tests.learning.reports import findings, prepared

SUNNYBROOK = Path(__file__).parent.parent.parent / "samples" / "sunnybrook"
PATIENT, ORIGINAL = "SCD0000101", "SC-HF-I-1"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The four patients of the samples, prepared."""
    output = tmp_path_factory.mktemp("whole") / "data.h5"
    return output, prepared(SUNNYBROOK, output, in_a_process=True)


def contour(folder: Path, original: str, number: int, kind: str = "i") -> Path:
    """A contour's file."""
    name = f"IM-0001-{number:04d}-{kind}contour-manual.txt"
    return folder / "contourfiles" / original / f"{kind}-contours" / name


def add_patient(folder: Path, patient: str, numbers: tuple[int, ...] = (59, 79, 99)) -> None:
    """A patient under another key with some instances of the sample, and of another name."""
    for number in numbers:
        target = folder / "dicoms" / patient / f"{number}.dcm"
        target.parent.mkdir(parents=True, exist_ok=True)
        data_set = pydicom.dcmread(SUNNYBROOK / "dicoms" / PATIENT / f"{number}.dcm")
        data_set.PatientID = data_set.PatientName = patient
        data_set.save_as(target)
        for kind in "io":
            path = contour(folder, f"of-{patient}", number, kind)
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(contour(SUNNYBROOK, ORIGINAL, number, kind), path)
    with (folder / "link.csv").open("a") as file:
        if file.tell() == 0:
            file.write("patient_id,original_id\n")
        file.write(f"{patient},of-{patient}\n")


def batched(numbers: list[float]) -> Iterator[tuple[float, float]]:
    """Two by two."""
    return zip(numbers[::2], numbers[1::2], strict=True)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A folder with everything wrong that can be, prepared."""
    folder = tmp_path_factory.mktemp("broken")
    for patient in ("good", "bad", "mixed", "again", "copy", "large"):
        add_patient(folder, patient)
    contour(folder, "of-bad", 59).write_text("12 thirteen\n")
    lines = contour(folder, "of-bad", 79).read_text().splitlines()
    contour(folder, "of-bad", 79).write_text("\n".join(lines[: len(lines) // 2]))
    contour(folder, "of-bad", 3).write_text("1 1\n9 1\n9 9\n")
    contour(folder, "of-bad", 99).write_text("900 900\n950 900\n950 950\n")
    path = contour(folder, "of-large", 59)  # as drawn on an image of twice the size
    numbers = [2 * float(word) for word in path.read_text().split()]
    path.write_text("".join(f"{x:.2f} {y:.2f}\n" for x, y in batched(numbers)))
    image = folder / "dicoms" / "mixed" / "59.dcm"
    data_set = pydicom.dcmread(image)
    data_set.PatientID = "somebody else"
    data_set.save_as(image)
    image = folder / "dicoms" / "good" / "79.dcm"
    image.write_bytes(image.read_bytes()[:40_000])
    with (folder / "link.csv").open("a") as file:
        file.write("again,of-third\nnobody,of-nobody\n../up,of-up\n")
    return folder, prepared(folder, folder / "out" / "data.h5")


def test_every_usable_contour_is_in_the_data_set(whole: tuple[Path, dict[str, Any]]) -> None:
    source = open_data_set(whole[0])
    assert len(source.samples()) == 76
    assert sum(entry.known[1] for entry in source.samples()) == 27
    assert [one.name for one in source.structures] == ["LV_Endocardium", "LV_Myocardium"]


def test_the_data_set_is_what_the_folder_itself_gives(whole: tuple[Path, dict[str, Any]]) -> None:
    direct, stored = read_sunnybrook(SUNNYBROOK), open_data_set(whole[0])
    assert fingerprint(direct.samples()) == fingerprint(stored.samples())
    assert {one.reason for one in direct.defects} == {one.reason for one in stored.defects}


def test_the_report_says_how_far_o_contours_are_shifted(
    whole: tuple[Path, dict[str, Any]],
) -> None:
    report = whole[1]
    assert report["headlines"][0].startswith(
        "SCD0000501: 9 o-contours are shifted by 12 to 19 pixels against their i-contours"
    )
    shifts = [one["shift_px"] for p in report["patients"] for one in p["findings"]]
    lengths = sorted(float(np.hypot(*shift)) for shift in shifts)
    assert (len(lengths), round(lengths[0]), round(lengths[-1])) == (9, 12, 19)


def test_the_report_says_whose_contours_they_are(whole: tuple[Path, dict[str, Any]]) -> None:
    assert whole[1]["headlines"][1] == (
        "9 contours are the same, point by point, at SCD0000101 and SCD0000501: they contradict "
        "the other contours of SCD0000501"
    )


def test_every_image_drawn_on_is_in_a_picture(whole: tuple[Path, dict[str, Any]]) -> None:
    pictures = whole[0].parent / "data_pictures"
    assert sorted(path.name for path in pictures.iterdir()) == [
        "SCD0000101", "SCD0000201", "SCD0000401", "SCD0000501",
    ]  # fmt: skip
    numbers = {path.stem for path in (pictures / "SCD0000501").glob("[0-9]*.png")}
    assert numbers == {"59", "79", "99", "119", "139", "159", "179", "199", "219"}
    with Image.open(pictures / "SCD0000501" / "sheet-01.png") as sheet:
        assert min(sheet.size) > 1000
    with Image.open(pictures / "SCD0000501" / "59.png") as single:
        red = np.asarray(single).astype(int)
        assert ((red[..., 0] > 200) & (red[..., 1] < 120)).sum() > 100


def test_the_page_names_what_matters_and_shows_the_pictures(
    whole: tuple[Path, dict[str, Any]],
) -> None:
    page = (whole[0].parent / "data.report.html").read_text()
    assert "shifted by 12 to 19 pixels" in page
    assert 'src="data_pictures/SCD0000501/59.png"' in page
    assert "http" not in page


def test_contradicting_contours_are_kept_on_demand(tmp_path: Path) -> None:
    report = prepared(SUNNYBROOK, tmp_path / "kept.h5", "--contradictions", "keep", "--no-pictures")
    assert report["counts"]["contours that contradict each other"] == 9
    assert sum(entry.known[1] for entry in open_data_set(tmp_path / "kept.h5").samples()) == 36
    assert not (tmp_path / "kept_pictures").exists()


def test_what_cannot_be_used_is_named_and_the_rest_is_kept(
    broken: tuple[Path, dict[str, Any]],
) -> None:
    folder, report = broken
    keys = [entry.key for entry in open_data_set(folder / "out" / "data.h5").samples()]
    assert keys == [
        "copy/59", "copy/79", "copy/99", "good/59", "good/99", "large/79", "large/99",
    ]  # fmt: skip
    assert report["totals"]["drawn_images"] == 7


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("contours that are not numbers", "bad/59: IM-0001-0059-icontour-manual.txt, line 1"),
        ("open contours", "bad/79: IM-0001-0079-icontour-manual.txt: open, its ends are"),
        ("contours that cover no pixel of their image", "bad/99: IM-0001-0099"),
        (
            "contours that reach beyond their image",
            "large/59: IM-0001-0059-icontour-manual.txt: reaches ",
        ),
        ("contours without image", "bad/3: contour without its image 3.dcm"),
        ("damaged images", "good/79: "),
        ("two patients with one id", "mixed: mixed: instances of 2 patients in one folder"),
        ("two patients with one id", "again: link.csv: again or of-again"),
        ("links to nothing", "nobody: link.csv: dicoms/nobody is not there"),
        ("links to nothing", "link.csv: link.csv: '../up'"),
        ("contours of one patient at another", "copy: "),
    ],
)
def test_everything_wrong_is_in_the_report(
    broken: tuple[Path, dict[str, Any]], kind: str, words: str
) -> None:
    named = findings(broken[1])[kind]
    assert any(line.startswith(words) for line in named), named
    assert broken[1]["counts"].get(kind, 1) >= 1


def test_a_contour_that_touches_the_edge_of_its_image_is_used() -> None:
    square = np.array([[-0.5, -0.5], [31.5, -0.5], [31.5, 23.5], [-0.5, 23.5]])
    assert beyond_px(square, (24, 32)) == 0.0
    assert beyond_px(square + 1.0, (24, 32)) == 1.0
    assert beyond_px(square, (20, 32)) == 4.0


@pytest.mark.parametrize("text", ["", "patient,original\na,b\n", "patient_id;original_id\na;b\n"])
def test_a_link_table_without_its_columns_is_refused(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "link.csv").write_text(text)
    given = ["--input", str(tmp_path), "--output", str(tmp_path / "data.h5")]
    assert prepare.main(given) == 2
    assert "expected a readable table with columns" in capsys.readouterr().err


def test_a_link_table_without_a_row_writes_a_report_and_no_data_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "link.csv").write_text("patient_id,original_id\n")
    given = ["--input", str(tmp_path), "--output", str(tmp_path / "data.h5")]
    assert prepare.main(given) == 2
    out, err = capsys.readouterr()
    assert not (tmp_path / "data.h5").exists()
    assert f"Wrote {tmp_path / 'data.report.html'}" in out
    assert "not one drawn image could be used" in err


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for patient in ("good", "bad"):
        add_patient(tmp_path, patient)
    path = contour(tmp_path, "of-bad", 79)
    path.unlink()
    path.mkdir()
    report = prepared(tmp_path, tmp_path / "data.h5", "--no-pictures")
    assert findings(report)["patients that could not be prepared"] == [
        "bad: bad: IM-0001-0079-icontour-manual.txt cannot be read (Is a directory)"
    ]
    assert open_data_set(tmp_path / "data.h5").patients == ("good",)
