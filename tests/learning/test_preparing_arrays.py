"""Folders of arrays: `<patient>/img/<n>.npy` and `<patient>/mask/<n>.npy`."""

from pathlib import Path

import numpy as np
import pytest

from model import prepare
from model.data.data_set_file import open_data_set
from model.data.samples import fingerprint
from model.preparation.inputs.sources import open_source
from tests.learning.blobs import drawn
from tests.learning.reports import findings, prepared


def test_arrays_become_a_data_set_with_the_same_content(array_folder: Path) -> None:
    output = array_folder.parent / "data.h5"
    prepared(array_folder, output, in_a_process=True)
    source = open_data_set(output)
    assert [entry.key for entry in source.samples({"p2"})] == ["p2/1", "p2/2", "p2/10"]
    assert fingerprint(source.samples()) == fingerprint(open_source(array_folder).samples())
    assert (array_folder.parent / "data_pictures" / "p1" / "sheet-01.png").is_file()


def test_what_arrays_do_not_say_is_given(array_folder: Path) -> None:
    output = array_folder.parent / "data.h5"
    given = ("--names", "Tumour", "--pixel-spacing", "0.8,0.9", "--modality", "CT")
    prepared(array_folder, output, *given, "--no-pictures")
    source = open_data_set(output)
    assert [one.name for one in source.structures] == ["Tumour"]
    assert {one.pixel_spacing_mm for one in source.samples()} == {(0.8, 0.9)}
    assert {one.modality for one in source.samples()} == {"CT"}


def test_one_number_is_the_spacing_of_rows_and_columns(array_folder: Path) -> None:
    output = array_folder.parent / "data.h5"
    report = prepared(array_folder, output, "--pixel_spacing", "0.7", "--no-pictures")
    assert {one.pixel_spacing_mm for one in open_data_set(output).samples()} == {(0.7, 0.7)}
    assert "assumed, as the input does not say" not in report["counts"]


def test_a_spacing_that_is_assumed_is_said(
    array_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = prepared(array_folder, array_folder.parent / "data.h5", "--no-pictures")
    assert report["counts"]["assumed, as the input does not say"] == 1
    assert "arrays say no pixel spacing, 1 mm is assumed" in report["headlines"][0]
    assert "arrays say no pixel spacing" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["0", "1,2,3", "-1", "nan", "1,inf", "a"])
def test_spacings_that_are_none_are_refused(
    text: str, array_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--input", str(array_folder), "--output", str(array_folder.parent / "data.h5")]
    with pytest.raises(SystemExit) as ended:
        prepare.main([*given, f"--pixel_spacing={text}"])
    assert ended.value.code == 2
    assert "--pixel_spacing" in capsys.readouterr().err


def test_what_does_not_fit_is_in_the_report(array_folder: Path) -> None:
    np.save(array_folder / "p1" / "mask" / "1.npy", np.zeros((1, 9, 9)))
    np.save(array_folder / "p1" / "mask" / "2.npy", np.zeros((1, 40, 48)))
    (array_folder / "p2" / "img" / "1.npy").unlink()
    (array_folder / "p2" / "mask" / "2.npy").unlink()
    (array_folder / "p2" / "img" / "10.npy").write_bytes(b"no array")
    report = prepared(array_folder, array_folder.parent / "data.h5", "--no-pictures")
    named = findings(report)
    assert (
        "40 x 48 rows and columns, mask of 9 x 9" in named["masks that do not fit their image"][0]
    )
    assert named["empty masks"][0].startswith("p1/2")
    assert named["contours without image"][0].startswith("p2/1")
    assert named["images without mask"][0].startswith("p2/2")
    assert named["damaged images"][0].startswith("p2/10")
    assert report["totals"]["drawn_images"] == 1
    assert report["totals"]["empty_images"] == 1


def test_masks_of_several_channels_are_several_structures(tmp_path: Path) -> None:
    for kind in ("img", "mask"):
        (tmp_path / "in" / "p" / kind).mkdir(parents=True)
    one = drawn(1)
    np.save(tmp_path / "in" / "p" / "img" / "1.npy", one.image[None].astype(np.float64))
    np.save(tmp_path / "in" / "p" / "mask" / "1.npy", one.masks.astype(np.float32))
    prepared(tmp_path / "in", tmp_path / "data.h5", "--no-pictures")
    source = open_data_set(tmp_path / "data.h5")
    sample = source.read(source.samples()[0])
    assert [one.name for one in source.structures] == ["Structure 1", "Structure 2"]
    assert np.array_equal(sample.masks, one.masks)


@pytest.mark.parametrize(
    ("options", "words"),
    [(("--names", "A,B"), "1 channels, 2 names"), (("--names", "x" * 17), "too long")],
)
def test_names_that_do_not_fit_are_refused(
    array_folder: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], words: str
) -> None:
    given = ["--input", str(array_folder), "--output", str(array_folder.parent / "data.h5")]
    assert prepare.main([*given, *options]) == 2
    assert words in capsys.readouterr().err


def test_a_folder_with_nothing_to_learn_from_ends_with_two(
    array_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in array_folder.glob("*/img/*.npy"):
        path.write_bytes(b"no array")
    given = ["--input", str(array_folder), "--output", str(array_folder.parent / "data.h5")]
    assert prepare.main(given) == 2
    assert "no image with a mask" in capsys.readouterr().err
    assert prepare.main(["--input", str(array_folder / "none"), *given[2:]]) == 2
    assert "not a folder" in capsys.readouterr().err
