"""The model that comes with the project: small, honest about itself, and good enough to show."""

import shutil
from pathlib import Path

import pytest

from core.errors import ModelError
from imaging.instances.header import read_header
from imaging.metrics import dice
from model import evaluate
from model.data.samples import Sample
from model.inference.predict import UnetSegmenter, load_segmenter
from model.preparation.inputs.sunnybrook import read_sunnybrook

ROOT = Path(__file__).parent.parent.parent
SHIPPED = ROOT / "model" / "shipped" / "left_ventricle.ckpt"
UNSEEN = "SCD0000501"


@pytest.fixture(scope="module")
def segmenter() -> UnetSegmenter:
    """The shipped model."""
    return load_segmenter(SHIPPED)


@pytest.fixture(scope="module")
def unseen() -> list[Sample]:
    """The demo's patient."""
    source = read_sunnybrook(ROOT / "samples" / "sunnybrook")
    return [source.read(entry) for entry in source.samples({UNSEEN})]


def test_it_is_at_most_ten_megabytes() -> None:
    assert SHIPPED.stat().st_size <= 10_000_000


def test_its_card_says_what_it_is(segmenter: UnetSegmenter) -> None:
    card = segmenter.card
    assert card.intended_use == "demonstration"
    assert card.modalities == ("MR",)
    assert [one.name for one in card.structures] == ["LV_Endocardium", "LV_Myocardium"]
    assert card.structures[0].color_rgb != card.structures[1].color_rgb
    assert card.training_instances == 54
    assert card.measured_on == UNSEEN
    assert card.measured_dice["LV_Endocardium"] > 0.85


def test_it_finds_the_ventricle_of_a_patient_it_has_not_seen(
    segmenter: UnetSegmenter, unseen: list[Sample]
) -> None:
    chosen = [one for one in unseen if one.key in {f"{UNSEEN}/99", f"{UNSEEN}/129"}]
    assert len(chosen) == 2
    for sample in chosen:
        masks = segmenter.predict(sample.image[None], sample.pixel_spacing_mm)
        inner, ring = masks["LV_Endocardium"][0], masks["LV_Myocardium"][0]
        assert dice(inner, sample.masks[0]) > 0.85
        assert ring.any()
        assert not (inner & ring).any()


def test_it_accepts_the_demo_series_and_refuses_the_ct(
    segmenter: UnetSegmenter, cine_folder: Path, ct_folder: Path
) -> None:
    segmenter.check_fits([read_header(path) for path in cine_folder.glob("*.dcm")])
    with pytest.raises(ModelError, match=r"Model 'left_ventricle' expects MR, series .* is CT"):
        segmenter.check_fits([read_header(path) for path in ct_folder.glob("*.dcm")])


def test_evaluation_ends_with_one_when_the_model_is_below_what_was_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sunnybrook, name = ROOT / "samples" / "sunnybrook", "IM-0001-0099-icontour-manual.txt"
    contours = tmp_path / "contourfiles" / "one" / "i-contours"
    contours.mkdir(parents=True)
    shutil.copy(sunnybrook / "contourfiles" / "SC-HF-I-6" / "i-contours" / name, contours)
    (tmp_path / "dicoms" / "p1").mkdir(parents=True)
    shutil.copy(sunnybrook / "dicoms" / UNSEEN / "99.dcm", tmp_path / "dicoms" / "p1")
    (tmp_path / "link.csv").write_text("patient_id,original_id\np1,one\n")
    for least, code in (("0.85", 0), ("0.999", 1)):
        asked = ("--checkpoint", str(SHIPPED), "--data-dir", str(tmp_path), "--least-dice", least)
        report = ("--report", str(tmp_path / "a.html"), "--threads", "1")
        assert evaluate.main([*asked, *report]) == code
        assert "p1" in capsys.readouterr().out
