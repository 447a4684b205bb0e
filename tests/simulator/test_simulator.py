"""The planning system's play: what passes, what fails and with which words."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pydicom
import pytest

from core.errors import ConfigurationError
from imaging.instances.header import Header
from network.scu.c_store import PeerAddress, instance_to_send, send
from simulator.run import simulate
from simulator.scenario import NOTHING_CAME, PASSED, WRONG, Outcome, Scenario


@pytest.fixture
def scenario(cine_folder: Path, contour_folder: Path, tmp_path: Path) -> Callable[..., Outcome]:
    """Send the cine series to a little node and judge what it sends back."""

    def run(node: Any, **options: Any) -> Outcome:
        told: dict[str, Any] = {
            "folder": cine_folder,
            "truth": contour_folder,
            "expect": "structure_set",
        }
        told |= {"output": tmp_path / "output", "timeout_s": 60.0, "settle_s": 0.2} | options
        return simulate(Scenario(node=node.address, **told), on_listening=node.answer_at)

    return run


def test_the_hand_drawn_contours_themselves_pass(
    start_node: Any, scenario: Any, draw_endocardium: Any, write_structure_set: Any
) -> None:
    node = start_node(
        lambda headers, out: [write_structure_set(headers, draw_endocardium(headers), out)]
    )
    outcome = scenario(node)
    assert (outcome.exit_code, outcome.stored) == (PASSED, 22), outcome.reason
    assert outcome.received_kinds == {"structure sets": 1}
    agreement = outcome.agreements[0]
    assert (agreement.truth_name, agreement.structure) == ("i", "LV_Endocardium")
    assert agreement.instances == len(outcome.truth.masks["i"])
    assert agreement.dice == 1.0
    assert agreement.hausdorff_95_mm == 0.0
    assert "Dice 1.000" in outcome.reason


def test_shifted_contours_fail_with_their_dice(
    start_node: Any, scenario: Any, draw_endocardium: Any, write_structure_set: Any
) -> None:
    node = start_node(
        lambda headers, out: [write_structure_set(headers, draw_endocardium(headers, 15.0), out)]
    )
    outcome = scenario(node)
    assert outcome.exit_code == WRONG
    dice = outcome.agreements[0].dice
    assert 0.0 < dice < 0.7
    assert f"Dice of {dice:.3f}, expected at least 0.700" in outcome.reason
    spacing_mm = outcome.sent[0].pixel_spacing_mm
    assert outcome.agreements[0].hausdorff_95_mm == pytest.approx(15 * spacing_mm[1], rel=0.15)


def _foreign_reference(path: Path) -> Path:
    data_set = pydicom.dcmread(path)
    contour = data_set.ROIContourSequence[0].ContourSequence[0]
    contour.ContourImageSequence[0].ReferencedSOPInstanceUID = "1.2.3.4"
    pydicom.dcmwrite(path, data_set)
    return path


def test_a_reference_to_a_foreign_instance_fails(
    start_node: Any, scenario: Any, draw_endocardium: Any, write_structure_set: Any
) -> None:
    def make(headers: Sequence[Header], out: Path) -> list[Path]:
        path = write_structure_set(headers, draw_endocardium(headers), out)
        return [_foreign_reference(path)]

    outcome = scenario(start_node(make))
    assert outcome.exit_code == WRONG
    words = "references: contour 1 of LV_Endocardium refers to 1.2.3.4, expected one that was sent"
    assert outcome.reason.startswith(words)


def test_nothing_that_comes_back_is_an_exit_code_of_its_own(start_node: Any, scenario: Any) -> None:
    outcome = scenario(start_node(lambda headers, out: []), timeout_s=0.5)
    assert outcome.exit_code == NOTHING_CAME
    assert outcome.reason == "nothing came back within 0.5 s"


def test_images_alone_are_not_the_structure_set_that_was_expected(
    start_node: Any, scenario: Any
) -> None:
    node = start_node(lambda headers, out: [header.path for header in headers[:3]])
    outcome = scenario(node, timeout_s=6.0, truth=None)
    assert outcome.exit_code == WRONG
    assert outcome.received_kinds == {"unchanged images": 3}
    assert outcome.reason.startswith("only part came back within 6 s: 3 unchanged images")


def test_images_that_come_back_unchanged_pass(
    start_node: Any, scenario: Any, draw_endocardium: Any, write_structure_set: Any
) -> None:
    def make(headers: Sequence[Header], out: Path) -> list[Path]:
        images = [header.path for header in headers]
        return [*images, write_structure_set(headers, draw_endocardium(headers), out)]

    outcome = scenario(start_node(make))
    assert outcome.exit_code == PASSED, outcome.reason
    assert outcome.received_kinds == {"structure sets": 1, "unchanged images": 22}
    assert outcome.associations == 1


def test_a_named_pair_is_compared(
    start_node: Any, scenario: Any, draw_endocardium: Any, write_structure_set: Any
) -> None:
    def make(headers: Sequence[Header], out: Path) -> list[Path]:
        mask = draw_endocardium(headers)["LV_Endocardium"]
        return [write_structure_set(headers, {"Pool": mask, "Other": ~mask}, out)]

    node = start_node(make)
    outcome = scenario(node, names={"i": "Pool"})
    assert outcome.exit_code == PASSED, outcome.reason
    assert [one.structure for one in outcome.agreements] == ["Pool"]


def test_a_node_that_is_not_there_fails_at_once(scenario: Any) -> None:
    class Nowhere:
        address = PeerAddress("127.0.0.1", 1, "NODE")

        def answer_at(self, port: int) -> None:
            pass

    outcome = scenario(Nowhere())
    assert outcome.exit_code == WRONG
    assert "22 of 22 instances were not stored: NODE at 127.0.0.1:1 cannot" in outcome.reason


def test_a_structure_set_of_an_aborted_association_is_not_complete(
    scenario: Any, start_node: Any, draw_endocardium: Any, write_structure_set: Any
) -> None:
    def make(headers: Sequence[Header], out: Path) -> list[Path]:
        path = write_structure_set(headers, draw_endocardium(headers), out)

        def hang_up(outcome: Any) -> None:
            raise ConnectionAbortedError

        with pytest.raises(ConnectionAbortedError):
            send([instance_to_send(path)], node.answer_to, "NODE", on_outcome=hang_up)
        return []

    node = start_node(make)
    outcome = scenario(node, timeout_s=6.0)
    assert outcome.exit_code == WRONG
    assert outcome.received_kinds == {"structure sets": 1}
    assert "only part came back" in outcome.reason


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"names": {"x": "LV_Endocardium"}}, "--map: 'x' is not in the truth"),
        ({"truth": Path(__file__).parent}, "--truth: "),
        ({"folder": Path(__file__).parent}, "expected DICOM instances, found none"),
        ({"output": Path(__file__).parent}, "--output: expected an empty or new folder"),
    ],
)
def test_a_play_that_cannot_begin_is_refused(
    start_node: Any, scenario: Any, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        scenario(start_node(lambda headers, out: []), **options)
    assert words in str(caught.value)
