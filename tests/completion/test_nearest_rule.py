"""A series that no rule took says which rule came nearest, and what differed."""

from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import FileDataset

from core.config.routing import Rule
from network.sender import Sender
from node.completion.nearest_rule import NearestRule, nearest_rule
from node.completion.routing import TagMatch
from tests.support.completion import Start
from tests.support.dicom.canaries import damaged
from tests.support.peers import write_series

FROM_TPS = Sender("TPS", "SLICEWIRE", "192.0.2.1")
SECRET = "Zebra^Quagga"


def nearest(paths: list[Path], *rules: dict[str, Any]) -> NearestRule:
    found = nearest_rule([Rule(**{"pipeline": "blur"} | one) for one in rules], FROM_TPS, paths)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (
            [{"called_ae_title": "BLUR"}],
            "rules.0 (blur) came nearest: called AE title is SLICEWIRE, not BLUR",
        ),
        (
            [{"called_ae_title": "BLUR", "tags": {"Modality": "MR"}}, {"tags": {"Modality": "PT"}}],
            "rules.1 (blur) came nearest: Modality is not PT",
        ),
        (
            [{"tags": {"Modality": "MR"}}, {"calling_ae_title": "CT_?"}],
            "rules.0 (blur) came nearest: Modality is not MR",
        ),
        (
            [{"calling_ae_title": "X", "tags": {"Modality": "ct", "ImageType": "LOCALIZER*"}}],
            "rules.0 (blur) came nearest: calling AE title is TPS, not X; "
            "ImageType is not LOCALIZER*",
        ),
    ],
)
def test_the_rule_with_the_fewest_differences_is_nearest(
    rules: list[dict[str, Any]], words: str, ct_paths: list[Path]
) -> None:
    assert nearest(ct_paths, *rules).words == words


def test_there_is_none_without_rules(ct_paths: list[Path]) -> None:
    assert nearest_rule([], FROM_TPS, ct_paths) is None


def test_one_instance_that_differs_is_found_wherever_it_is(
    ct_paths: list[Path], tmp_path: Path
) -> None:
    def odd_one(data_set: FileDataset, index: int) -> None:
        data_set.SeriesDescription = "SCOUT" if index == 2 else "THORAX"

    paths = write_series(ct_paths, tmp_path / "a", odd_one)
    found = nearest(paths, {"tags": {"SeriesDescription": "thorax"}})
    assert found.words == "rules.0 (blur) came nearest: SeriesDescription is not thorax"
    [difference] = found.differences
    assert difference.words_for_page == "SeriesDescription is THORAX and SCOUT, not thorax"


def test_an_attribute_that_is_not_given_is_said_on_the_page(ct_paths: list[Path]) -> None:
    [difference] = nearest(ct_paths, {"tags": {"ProtocolName": "Head"}}).differences
    assert difference.words_for_page == "ProtocolName is not given, not Head"


def test_the_ledger_gets_the_rule_and_no_value_of_the_series(
    start: Start, ct_paths: list[Path], tmp_path: Path
) -> None:
    def named(data_set: FileDataset, _: int) -> None:
        data_set.PatientName = data_set.StudyDescription = SECRET

    rule = {"pipeline": "blur", "tags": {"StudyDescription": "THORAX*", "PatientName": "A*"}}
    completion = start(pipeline=None, rules=[rule])
    paths = write_series(ct_paths[:3], tmp_path / "named", named)
    completion.send(paths)
    completion.settle()
    reason = completion.series(paths).reason
    assert reason == (
        "no rule of the configuration matches: stored, not processed; rules.0 (blur) came nearest: "
        "StudyDescription is not THORAX*; PatientName is not A*"
    )
    assert reason in completion.words(paths)
    assert SECRET not in "".join(completion.words(paths))


@pytest.mark.parametrize("form", ["VR is the canary", "as US", "claims less", "several"])
def test_an_element_that_cannot_be_read_fits_no_value_and_ends_nothing(
    form: str, tmp_path: Path
) -> None:
    path = tmp_path / "one.dcm"
    path.write_bytes(next(damaged(only=f"(0010,1010) {form}")).file())
    rule = Rule(pipeline="blur", tags={"PatientAge": "040Y"})
    assert not TagMatch([path]).fit(rule)
    assert nearest([path], {"tags": {"PatientAge": "040Y"}}).words.endswith(
        "PatientAge is not 040Y"
    )
