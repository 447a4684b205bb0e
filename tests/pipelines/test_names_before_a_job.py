"""`--check` tells of ROI names that not every character set has."""

import pytest

import pipeline.preflight
from pipeline.kinds.unet import UnetSettings
from pipeline.preflight import pipeline_findings
from pipeline.segmentation.settings import Structure

CARD = {
    "name": "M",
    "version": "1",
    "intended_use": "clinical",
    "sha256": "0" * 64,
    "structures": [{"name": "Œsophage"}, {"name": "Heart"}, {"name": "Lung"}],
}


def test_names_of_the_model_and_of_the_configuration_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pipeline.preflight, "model_card", lambda *_: CARD)
    settings = UnetSettings(structures={"Heart": Structure(name="Herz ж")})
    found = list(pipeline_findings({"unet": settings}))
    assert [wrong for _, _, wrong in found] == ["", "", ""]
    told = [words for _, words, _ in found[1:]]
    assert told[0].startswith("warning: ROI 'Œsophage' is written as 'Oesophage'")
    assert told[1].startswith("warning: ROI 'Herz ж' is written as 'Herz zh'")


def test_ascii_names_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    card = CARD | {"structures": [{"name": "Heart"}]}
    monkeypatch.setattr(pipeline.preflight, "model_card", lambda *_: card)
    assert len(list(pipeline_findings({"unet": UnetSettings()}))) == 1
